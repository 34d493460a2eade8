"""`%%dj_make`: the cell is the body of make."""

from __future__ import annotations

import inspect
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.errors import DataJointError, DefinitionError
from djupyter.notebook.making import make_of, shifted
from tests.notebook.conftest import Notebook

BODY = "%%dj_make Stat\ntwice = 2 * key['subject_id']\nself.insert1({**key, 'twice': twice})\n"


@pytest.fixture
def stat(lab: Notebook) -> Notebook:
    lab.run("%%dj_table Stat : Computed\n-> Subject\n---\ntwice : int32")
    lab.run("Subject.insert([(1, 'a'), (3, 'c')])")
    return lab


def test_the_cell_computes(stat: Notebook) -> None:
    output = stat.run(BODY)
    assert "%dj_populate Stat" in output.text
    stat.run("Stat.populate()")
    assert stat["Stat"].to_arrays("twice").tolist() == [2, 6]


def test_names_of_the_notebook_are_in_scope(stat: Notebook) -> None:
    stat.run("def helper(n):\n    return 10 * n\nfactor = 2")
    stat.run("%%dj_make Stat\nself.insert1({**key, 'twice': factor * helper(key['subject_id'])})")
    stat.run("Stat.populate()\nfactor = 3")
    assert stat["Stat"].to_arrays("twice").tolist() == [20, 60]


def test_running_it_again_replaces_it(stat: Notebook) -> None:
    stat.run(BODY)
    stat.run(BODY.replace("2 *", "5 *"))
    stat.run("Stat.populate()")
    assert stat["Stat"].to_arrays("twice").tolist() == [5, 15]


def test_running_the_cell_of_the_table_again_keeps_it(stat: Notebook) -> None:
    stat.run(BODY)
    stat.run("%%dj_table Stat : Computed\n-> Subject\n---\ntwice : int32")
    stat.run("Stat.populate()")
    assert len(stat["Stat"]) == 2


def test_a_make_below_the_definition_counts_more(stat: Notebook) -> None:
    stat.run(BODY)
    stat.run(
        "%%dj_table Stat : Computed\n-> Subject\n---\ntwice : int32\n"
        "def make(self, key):\n    self.insert1({**key, 'twice': 0})"
    )
    stat.run("Stat.populate()")
    assert stat["Stat"].to_arrays("twice").tolist() == [0, 0]


def test_its_source_is_found(stat: Notebook) -> None:
    stat.run("%%dj_make Stat\ntext = '''\nx\n'''\n\nif text:\n    pass")
    assert inspect.getsource(stat["Stat"].make) == (
        "def make(self, key):\n    text = '''\nx\n'''\n\n    if text:\n        pass\n"
    )
    assert stat["Stat"].make.__qualname__ == "Stat.make"


def test_a_traceback_points_into_the_cell(stat: Notebook) -> None:
    stat.run("%%dj_make Stat\n\nx = 1\nraise ValueError('no <third>')")
    output = stat.run("Stat.populate()", fails=True)
    assert isinstance(output.error, ValueError)
    last = traceback.extract_tb(output.error.__traceback__)[-1]
    assert (last.lineno, last.line) == (4, "raise ValueError('no <third>')")
    assert "src/djupyter" not in output.text


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (
            "%%dj_make Stat\nx = = 3",
            "invalid syntax (line 2, column 5)\n    2 | x = = 3\n      |     ^",
        ),
        ("%%dj_make Stat\ny = 1\nawait y", "'await' outside async function (line 3, column 1)"),
        ("%%dj_make Stat\nx = '''\nabc", "(line 2, column 5)"),
        ("%%dj_make Stat\ndef make(self, key):\npass", "leave out `def make(self, key):`"),
        ("%%dj_make Stat\n# nothing", "the body of make is empty (line 1, column 1)"),
        ("%%dj_make Subject\npass", "Subject is not filled by a make (line 1, column 11)"),
        ("%%dj_make Statt\npass", "Did you mean `Stat`?"),
    ],
)
def test_what_is_wrong_is_shown_where_it_stands(stat: Notebook, cell: str, shown: str) -> None:
    output = stat.run(cell, fails=True)
    assert isinstance(output.error, DefinitionError | DataJointError)
    assert shown in str(output.error)
    assert "src/djupyter" not in output.text


def test_a_table_that_only_the_database_has_gets_a_class(stat: Notebook) -> None:
    stat.run("del Stat")
    stat.run(BODY)
    stat.run("Stat.populate()")
    assert len(stat["Stat"]) == 2


def test_a_make_with_yield_fetches_computes_and_inserts(stat: Notebook) -> None:
    stat.run(
        "%%dj_make Stat\nfetched = yield (Subject & key).fetch1('subject_id')\n"
        "computed = yield fetched * 2\nself.insert1({**key, 'twice': key['subject_id']})\nyield"
    )
    assert inspect.isgeneratorfunction(stat["Stat"].make)


def test_it_is_named_by_its_schema_too(stat: Notebook) -> None:
    stat.run(BODY.replace("Stat", "lab.Stat"))
    stat.run("Stat.populate()" if "Stat" in stat.shell.user_ns else "pass")
    assert len(stat["Stat"]) == 2


@given(
    st.lists(
        st.sampled_from(
            [
                "x = '''a\n b'''",
                "y = 1",
                "if key:\n    z = 2",
                'f"""{key}\n  q"""',
                "w = (1,\n2)",
                "",
                "# c",
            ]
        ),
        max_size=6,
    )
)
def test_indented_statements_mean_the_same(statements: list[str]) -> None:
    body = "\n".join([*statements, "return dict(locals())"])
    flat: dict[str, object] = {"key": {"k": 1}}
    exec(body.rpartition("\n")[0], flat)
    made = make_of(body, "T", "<property>", {})(None, {"k": 1})
    assert {n: flat.get(n) for n in "xyzw"} == {n: made.get(n) for n in "xyzw"}


def test_docstrings_move_where_their_white_space_means_nothing() -> None:
    source = 'def f():\n    """A\n\n    b."""\n    x = """A\n    b"""'
    assert shifted(source, "  ", texts=True).split("\n")[3:] == [
        '      b."""',
        '      x = """A',
        '    b"""',
    ]

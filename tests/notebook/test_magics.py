"""The magics, as a user types them."""

from __future__ import annotations

import inspect
import traceback
import warnings
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError

import djupyter as dj
from djupyter.errors import (
    DataJointError,
    DefinitionError,
    DuplicateError,
    UnknownAttributeError,
)
from djupyter.graph.dependencies import DependencyCycle
from djupyter.notebook.declaring import ChangedDefinitionError
from tests.notebook.conftest import Notebook

STAT = """%%dj_table Stat : Computed
-> Subject
---
twice : int32
import math

def make(self, key):
    if key["subject_id"] == 3:
        raise ValueError("no <third>")
    self.insert1({**key, "twice": math.floor(2 * key["subject_id"])})
"""


def test_the_first_magic_says_that_a_database_was_created(notebook: Notebook) -> None:
    assert "Created a new database: sqlite:///djupyter.db" in notebook.run("%dj_schema lab").text
    assert "Created" not in notebook.run("%dj_schema lab2").text
    assert Path("djupyter.db").exists()


def test_dj_schema_binds_a_variable(notebook: Notebook) -> None:
    notebook.run("%dj_schema lab")
    assert isinstance(notebook["lab"], dj.Schema)
    assert notebook["lab"].database == "lab"


def test_dj_connect_says_where_we_are(notebook: Notebook) -> None:
    text = notebook.run("%dj_connect").text
    assert "sqlite:///djupyter.db" in text
    assert "SQLite" in text
    assert " ms)" in text


def test_dj_connect_changes_the_database(lab: Notebook) -> None:
    lab.run("%dj_connect sqlite:///other.db")
    assert Path("other.db").exists()
    output = lab.run("%%dj_table Subject : Manual\na : int8", fails=True)
    assert "No schema is chosen" in str(output.error)


def test_a_password_in_a_wrong_url_is_not_shown(notebook: Notebook) -> None:
    output = notebook.run("%dj_connect mysql://ann:s3cret@nowhere/lab", fails=True)
    assert "s3cret" not in str(output.error) + output.text


def test_a_cell_declares_a_table_and_binds_its_class(lab: Notebook) -> None:
    subject = lab["Subject"]
    assert subject.tier == "Manual"
    assert subject.heading.names == ["subject_id", "species"]
    lab.run("Subject.insert1({'subject_id': 1})")
    assert lab["Subject"].fetch1() == {"subject_id": 1, "species": "mouse"}


def test_the_card_shows_the_table(lab: Notebook) -> None:
    output = lab.run(
        "%%dj_table Session : Manual\n-> Subject\nsession : int16  # <b>number</b>\n---\n"
        "weight = null : float32\n"
    )
    assert "lab.Session : Manual" in output.plain
    assert "declared" in output.plain
    assert "-> Subject" in output.plain
    assert "data:image/svg+xml" in output.html
    assert "&lt;b&gt;number" in output.html
    assert "<b>number" not in output.html


def test_running_a_cell_again_changes_nothing(lab: Notebook) -> None:
    lab.run("Subject.insert1({'subject_id': 1})")
    output = lab.run(
        "%%dj_table Subject : manual\n"
        "# A mouse\n"
        "subject_id:int32 # its number\n"
        "-----\n"
        'species = "mouse" : varchar(30)\n'
    )
    assert "unchanged" in output.plain
    assert len(lab["Subject"]) == 1


def test_a_changed_definition_is_shown_and_fails(lab: Notebook) -> None:
    output = lab.run(
        "%%dj_table Subject : Manual\nsubject_id : int32  # its number\n---\n"
        "species = 'mouse' : varchar(60)\nsex = 'U' : enum('M', 'F', 'U')\n",
        fails=True,
    )
    assert isinstance(output.error, ChangedDefinitionError)
    assert "varchar(30)" in output.plain
    assert "varchar(60)" in output.plain
    assert "--alter" in output.plain
    assert "--replace" in output.plain
    assert "sex" not in lab["Subject"].heading


def test_alter_changes_the_table_and_keeps_its_rows(lab: Notebook) -> None:
    lab.run("Subject.insert1({'subject_id': 1})")
    lab.run(
        "%%dj_table Subject : Manual --alter\n# A mouse\nsubject_id : int32  # its number\n---\n"
        "species = 'mouse' : varchar(60)\nsex = 'U' : enum('M', 'F', 'U')\n"
    )
    row = lab["Subject"].fetch1()
    assert row == {"subject_id": 1, "species": "mouse", "sex": "U"}


def test_replace_drops_an_empty_table_without_asking(lab: Notebook) -> None:
    output = lab.run("%%dj_table Subject : Manual --replace\nname : varchar(10)\n")
    assert "replaced" in output.plain
    assert lab["Subject"].heading.names == ["name"]


@pytest.mark.parametrize(("answer", "survives"), [("no", True), ("yes", False)])
def test_replace_asks_when_there_are_rows(
    lab: Notebook, monkeypatch: pytest.MonkeyPatch, answer: str, survives: bool
) -> None:
    lab.run("Subject.insert1({'subject_id': 1})")
    monkeypatch.setattr("builtins.input", lambda _: answer)
    lab.run("%%dj_table Subject : Manual --replace\nname : varchar(10)\n", fails=survives)
    assert len(lab["Subject"]) == (1 if survives else 0)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (
            "%%dj_table Bad : Manual\na : int8\n---\n# note\ndepth : flaot32   # recording depth\n",
            "unknown type 'flaot32' (line 5, column 9)\n"
            "    5 | depth : flaot32   # recording depth\n"
            "      |         ^^^^^^^\n"
            "    Did you mean float32?",
        ),
        (
            "%%dj_table Bad : Manaul\na : int8\n",
            "unknown tier 'Manaul' (line 1, column 18)\n"
            "    1 | %%dj_table Bad : Manaul\n"
            "      |                  ^^^^^^",
        ),
        (
            "%%dj_table Bad : Manual\n-> Subjekt\n",
            "unknown table 'Subjekt' (line 2, column 4)\n"
            "    2 | -> Subjekt\n"
            "      |    ^^^^^^^\n"
            "    Did you mean `Subject`?",
        ),
        (
            "%%dj_table Subject.Part\na : int8\n-> Nobody\n",
            "unknown table 'Nobody' (line 3, column 4)\n    3 | -> Nobody\n",
        ),
    ],
)
def test_an_error_points_at_the_token_in_the_cell(lab: Notebook, cell: str, shown: str) -> None:
    error = lab.run(cell, fails=True).error
    assert isinstance(error, DefinitionError)
    assert shown in str(error)


def test_a_part_needs_no_reference_to_its_master(lab: Notebook) -> None:
    lab.run("%%dj_table Subject.Note\nnote_id : int8\n---\ntext : varchar(100)\n")
    note = lab["Subject"].Note
    assert note.primary_key == ["subject_id", "note_id"]
    assert note.master is lab["Subject"]


def test_running_the_masters_cell_again_keeps_its_parts(lab: Notebook) -> None:
    lab.run("%%dj_table Subject.Note\nnote_id : int8\n")
    lab.run(
        "%%dj_table Subject : Manual\n# A mouse\nsubject_id : int32  # its number\n---\n"
        "species = 'mouse' : varchar(30)\n"
    )
    assert lab["Subject"].Note.master is lab["Subject"]


def test_a_part_without_master_says_what_to_run(lab: Notebook) -> None:
    error = lab.run("%%dj_table Subjct.Note\nnote_id : int8\n", fails=True).error
    assert "there is no master 'Subjct'" in str(error)
    assert "Did you mean `Subject`?" in str(error)


def test_a_lookup_carries_its_rows(lab: Notebook) -> None:
    lab.run(
        "%%dj_table Param : Lookup\np : int8\n---\nk : float64\nnote = '' : varchar(20)\n===\n"
        'p, k, note\n1, 0.5, "a, b"\n2, 1.5,\n'
    )
    assert lab["Param"].to_dicts() == [
        {"p": 1, "k": 0.5, "note": "a, b"},
        {"p": 2, "k": 1.5, "note": ""},
    ]


def test_rows_added_to_a_lookup_are_inserted(lab: Notebook) -> None:
    cell = "%%dj_table Param : Lookup\np : int8\n===\n1\n"
    lab.run(cell)
    lab.run(cell + "2\n3\n")
    assert lab["Param"].to_arrays("p").tolist() == [1, 2, 3]


def test_a_row_of_a_lookup_that_does_not_fit_is_refused(lab: Notebook) -> None:
    error = lab.run("%%dj_table Param : Lookup\np : int8\n===\n1\n1000\n", fails=True).error
    assert isinstance(error, DataJointError)
    assert "`p`" in str(error)
    assert "1000" in str(error)


def test_the_class_body_computes_and_its_source_is_found(lab: Notebook) -> None:
    lab.run(STAT)
    lab.run("Subject.insert([(1, 'a'), (2, 'b')])")
    lab.run("Stat.populate()")
    assert lab["Stat"].to_arrays("twice").tolist() == [2, 4]
    make = vars(lab["Stat"])["make"]
    assert make.__code__.co_firstlineno == 7
    assert inspect.getsource(make).startswith("def make(self, key):\n    if key")


def test_a_traceback_points_into_the_cell(lab: Notebook) -> None:
    lab.run(STAT)
    lab.run("Subject.insert1((3, 'c'))")
    error = lab.run("Stat.populate()", fails=True).error
    assert isinstance(error, ValueError)
    last = traceback.extract_tb(error.__traceback__)[-1]
    assert (last.lineno, last.line) == (9, 'raise ValueError("no <third>")')


def test_dj_populate_computes_the_rest_and_fails_when_a_key_does(lab: Notebook) -> None:
    lab.run(STAT)
    lab.run("Subject.insert([(1, 'a'), (3, 'c'), (4, 'd')])")
    output = lab.run("%dj_populate Stat", fails=True)
    assert lab["Stat"].to_arrays("twice").tolist() == [2, 8]
    assert "1 error" in output.plain
    assert "no <third>" in output.plain
    assert "no &lt;third&gt;" in output.html
    assert "no <third>" not in output.html


def test_dj_populate_takes_a_condition_and_a_limit(lab: Notebook) -> None:
    lab.run(STAT)
    lab.run("Subject.insert([(i, 'a') for i in (1, 2, 4, 5)])")
    lab.run('%dj_populate Stat --where "subject_id > 1" --max 2')
    assert lab["Stat"].to_arrays("subject_id").tolist() == [2, 4]


def test_dj_populate_refuses_a_table_that_cannot_fill_itself(lab: Notebook) -> None:
    error = lab.run("%dj_populate Subject", fails=True).error
    assert "cannot be populated" in str(error)


def test_dj_populate_takes_tables_in_any_order(lab: Notebook) -> None:
    lab.run(STAT)
    lab.run(
        "%%dj_table Sum : Computed\n-> Stat\n---\ntotal : int32\n"
        "def make(self, key):\n"
        "    self.insert1({**key, 'total': (Stat & key).fetch1('twice') + 1})\n"
    )
    lab.run("Subject.insert1((1, 'a'))")
    lab.run("%dj_populate Sum Stat")
    assert lab["Sum"].fetch1("total") == 3


def test_dj_tables_lists_tables_with_progress(lab: Notebook) -> None:
    lab.run(STAT)
    lab.run("Subject.insert([(1, 'a'), (2, 'b')])")
    lab.run("Stat.populate(max_calls=1)")
    output = lab.run("%dj_tables")
    assert "Subject" in output.plain
    assert "1 of 2" in output.plain
    assert "1 of 2" in output.html
    assert lab.run("%dj_tables lab").plain == output.plain


def test_dj_describe_shows_the_definition(lab: Notebook) -> None:
    output = lab.run("%dj_describe Subject")
    assert output.plain == lab["Subject"].describe()
    assert "subject_id" in output.html


def test_a_wrong_name_in_a_magic_gives_the_nearest(lab: Notebook) -> None:
    error = lab.run("%dj_describe Subjct", fails=True).error
    assert "Did you mean `Subject`?" in str(error)


def test_a_cell_may_name_its_schema(lab: Notebook) -> None:
    lab.run("%%dj_table ephys.Probe : Manual\nprobe : int8\n---\n-> Subject\n")
    assert lab["Probe"]().name.schema == "ephys"
    lab.run("%dj_describe ephys.Probe")


def test_a_cycle_is_refused(lab: Notebook) -> None:
    lab.run("%%dj_table Child : Manual\n-> Subject\n")
    error = lab.run("%%dj_table Subject : Manual --replace\n-> Child\n", fails=True).error
    assert isinstance(error, DependencyCycle | DefinitionError)
    assert lab["Child"].is_declared
    assert lab["Subject"].is_declared


def test_a_notebook_user_never_sees_our_insides(lab: Notebook) -> None:
    lab.run("Subject.insert1((1, 'a'))")
    for cell, kind in [
        ("Subject.insert1((1, 'a'))", DuplicateError),
        ("Subject & 'specis = 1'", UnknownAttributeError),
        ("%dj_describe Nothing", DataJointError),
        ("%%dj_table Bad : Manual\na : int9\n", DefinitionError),
    ]:
        output = lab.run(cell, fails=True)
        assert isinstance(output.error, kind)
        assert "src/djupyter" not in output.text
        assert "site-packages" not in output.text
        assert str(output.error).splitlines()[0] in output.text


def test_a_magic_without_its_argument_explains_itself(lab: Notebook) -> None:
    assert isinstance(lab.run("%dj_schema", fails=True).error, UsageError)


def test_help_is_there_for_every_magic(notebook: Notebook) -> None:
    magics = notebook.shell.magics_manager.magics
    ours = {
        **{n: f for n, f in magics["line"].items() if n.startswith("dj_")},
        **{n: f for n, f in magics["cell"].items() if n.startswith("dj_")},
    }
    assert set(ours) >= {
        "dj_connect",
        "dj_schema",
        "dj_table",
        "dj_tables",
        "dj_describe",
        "dj_populate",
    }
    assert all(len(function.__doc__) > 40 for function in ours.values())


def test_a_delete_that_nobody_can_confirm_says_so(
    lab: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_frontend(_: str) -> str:
        raise NotImplementedError

    monkeypatch.setattr("builtins.input", no_frontend)
    lab.run("Subject.insert1((1, 'a'))")
    error = lab.run("Subject.delete()", fails=True).error
    assert isinstance(error, DataJointError)
    assert "prompt=False" in str(error)
    assert len(lab["Subject"]) == 1


def test_dj_tables_lists_parts_after_their_masters(lab: Notebook) -> None:
    lab.run("%%dj_table Subject.Note\nnote_id : int8\n")
    lab.run("%%dj_table Report : Manual\n-> Subject\n")
    names = [line.split()[0] for line in lab.run("%dj_tables").plain.splitlines()[1:]]
    assert names == ["Subject", "Subject.Note", "Report"]


def test_a_part_in_the_body_of_a_cell_is_declared_with_its_master(lab: Notebook) -> None:
    lab.run(
        "%%dj_table Stat : Computed\n-> Subject\n"
        "class Item(dj.Part):\n    definition = '-> master\\ni : int8'\n"
        "def make(self, key):\n"
        "    self.insert1(key)\n"
        "    self.Item.insert1({**key, 'i': 1})\n"
    )
    lab.run("Subject.insert1({'subject_id': 1})\nStat.populate()")
    assert lab["Stat"].Item.to_dicts() == [{"subject_id": 1, "i": 1}]


@pytest.mark.parametrize(
    "cell",
    [
        "%%dj_table Kind : Lookup\nk : int16\n===\n1\nx",
        "%%dj_table Kind : Manual\nk : int16\nclass P(dj.Part):\n    definition = '-> master\\np : int33'",
    ],
)
def test_a_cell_that_fails_half_way_leaves_no_table(lab: Notebook, cell: str) -> None:
    lab.run(cell, fails=True)
    assert lab["lab"].list_tables() == ["subject"]
    assert "Kind" not in lab.shell.user_ns


def test_wrong_python_in_a_cell_is_shown_with_its_line_alone(
    lab: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    output = lab.run("%%dj_table Mouse : Manual\nm : int8\ndef f(:\n    pass", fails=True)
    assert str(output.error).splitlines()[0].endswith("invalid syntax (line 3, column 7)")
    assert "djupyter" not in output.text


def test_an_import_that_fails_in_a_cell_shows_none_of_our_lines(lab: Notebook) -> None:
    output = lab.run("%%dj_table Mouse : Manual\nm : int8\nimport no_such_module", fails=True)
    assert isinstance(output.error, ModuleNotFoundError)
    assert "declaring.py" not in output.text


def test_a_folder_that_is_not_there_shows_the_message_alone(notebook: Notebook) -> None:
    output = notebook.run("%dj_connect sqlite:////no/such/folder/lab.db", fails=True)
    assert output.text.strip().splitlines() == [
        "DataJointError: The folder of the database does not exist: /no/such/folder. "
        "Create it, or correct the path."
    ]


def test_another_tier_does_not_make_a_second_table(lab: Notebook) -> None:
    output = lab.run("%%dj_table Subject : Lookup\nsubject_id : int32", fails=True)
    assert str(output.error).splitlines() == [
        "Subject is in the database already, as Manual (line 1, column 22)",
        "    1 | %%dj_table Subject : Lookup",
        "      |                      ^^^^^^",
        "    Write `Subject : Manual`, or add `--alter` to make it Lookup with all its rows.",
    ]


def test_changed_contents_of_a_lookup_are_not_passed_over_in_silence(lab: Notebook) -> None:
    cell = "%%dj_table Kind : Lookup\nkind : char(4)\n---\nspeed : float32\n===\nslow,0.1\n"
    lab.run(cell)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lab.run(cell)
    with pytest.warns(UserWarning, match=r"contents of Kind .*'speed': '0.2'.*\(1 of 1\)"):
        lab.run(cell.replace("0.1", "0.2"))
    assert lab["Kind"].to_arrays("speed").round(3).tolist() == [0.1]


def helps(notebook: Notebook) -> dict[str, str]:
    magics = notebook.shell.magics_manager.magics
    return {
        f"{sign}{name}": function.__doc__ or ""
        for kind, sign in (("line", "%"), ("cell", "%%"))
        for name, function in magics[kind].items()
        if name.startswith("dj_")
    }


LINE = {
    *("connect", "schema", "tables", "describe", "status", "alter", "drop", "module", "populate"),
}


def test_every_magic_of_the_notebook_is_there(notebook: Notebook) -> None:
    wanted = {f"%dj_{name}" for name in LINE} | {"%%dj_table", "%%dj_make", "%%dj_sql"}
    assert wanted <= set(helps(notebook))


def test_help_says_what_a_magic_does_and_what_it_takes(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for magic, text in helps(notebook).items():
        shown: list[Any] = []
        monkeypatch.setattr(
            "IPython.core.page.page", lambda data, *a, shown=shown, **k: shown.append(data)
        )
        notebook.run(f"{magic}?")
        told = str(shown[0]["text/plain"] if isinstance(shown[0], dict) else shown[0])
        sentence = next(line for line in text.splitlines() if line and "::" not in line)
        assert sentence.split()[0] in told
        assert magic.lstrip("%") in told, magic
        if magic not in ("%%dj_table", "%dj_populate"):  # these are described in words of their own
            assert "argument" in told or "options" in told, magic


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%dj_schema", "required: name"),
        ("%dj_schema a b", "unrecognized arguments: b"),
        ("%dj_alter Subject --really", "unrecognized arguments: --really"),
        ("%%dj_make\npass", "required: name"),
        ("%dj_sql SELECT 1", "write the SQL below"),
    ],
)
def test_a_wrong_call_fails_with_one_message(lab: Notebook, cell: str, told: str) -> None:
    output = lab.run(cell, fails=True)
    assert isinstance(output.error, UsageError)
    assert told in str(output.error)


def test_the_magics_know_the_schema_after_they_were_loaded_again(lab: Notebook) -> None:
    lab.run("dj.load_ipython_extension()")
    lab.run("%%dj_table Session : Manual\n-> Subject\n")
    assert lab["Session"]().name.schema == "lab"


def test_dj_schema_reads_what_completion_offers(lab: Notebook) -> None:
    assert "lab" in dj.conn().catalog.known()


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (
            "%%dj_table B : Lookup\nb : int8\n===\n1\n1000",
            "(line 5, column 1)\n    5 | 1000\n      | ^^^^",
        ),
        (
            "%%dj_table B : Lookup\na : int8\nb : int8\n===\nb, a\n1, 1\n\nx, 2",
            "cannot hold 'x' (line 8, column 1)\n    8 | x, 2\n      | ^\n    Expected a whole number",
        ),
        ("%%dj_table B : Lookup\na : int8\nb : int8\n===\nb, a\n1, 1\n, 2", "`b` is missing"),
        ("%%dj_table B : Lookup\nb : int8\n===\n[1,\n 'why']", "(line 5, column"),
        (
            "%%dj_table B : Manual\na : int8\n---\nb : <blobb>",
            "no codec is called 'blobb' (line 4, column 6)\n    4 | b : <blobb>\n      |      ^^^^^\n"
            "    Did you mean `blob`?",
        ),
        ("%%dj_table B : Manual\na : int8\n\na : int8", "in line 2 already"),
        (f"%%dj_table {'Bad' * 25} : Manual\na : int8", "is too long (line 1, column 12)"),
    ],
)
def test_what_a_new_table_cannot_have_is_shown_where_it_stands(
    lab: Notebook, cell: str, shown: str
) -> None:
    error = lab.run(cell, fails=True).error
    assert isinstance(error, DefinitionError)
    assert shown in str(error)
    assert lab["lab"].list_tables() == ["subject"]


def test_a_table_that_has_an_unknown_codec_can_still_be_opened(lab: Notebook) -> None:
    definition = "a : int8\n---\nb : <elsewhere>"
    lab.run(f"@lab\nclass Old(dj.Manual):\n    definition = {definition!r}")
    lab.run(f"%%dj_table Old : Manual\n{definition}")


def test_replace_without_anybody_to_ask_names_the_magic_that_drops(
    lab: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_frontend(_: str) -> str:
        raise NotImplementedError

    monkeypatch.setattr("builtins.input", no_frontend)
    lab.run("Subject.insert1((1, 'a'))")
    error = lab.run("%%dj_table Subject : Manual --replace\nname : varchar(10)\n", fails=True).error
    assert "%dj_drop Subject --yes" in str(error)
    assert len(lab["Subject"]) == 1


def test_dj_schema_says_what_becomes_of_the_name(lab: Notebook) -> None:
    assert lab.run("%dj_schema lab").text == ""
    assert "no variable can have its name" in lab.run("%dj_schema my-lab").text
    assert "no variable can have its name" in lab.run("%dj_schema class").text
    lab.run("ephys = 3")
    assert "`ephys` was a int" in lab.run("%dj_schema ephys").text
    assert isinstance(lab["ephys"], dj.Schema)


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_path_with_a_blank_is_quoted(notebook: Notebook, quote: str) -> None:
    notebook.run(f"%dj_connect {quote}sqlite:///my lab.db{quote}")
    assert Path("my lab.db").exists()


@pytest.mark.parametrize("cell", ["x = 'abc", "if 1:\n   a\n  b", "def f(:"])
def test_cells_that_are_no_python_leave_no_message_of_ours(
    lab: Notebook, cell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = lab.run(cell, fails=True)
    assert "callback" not in output.text + capsys.readouterr().err

"""What a failing cell shows: the user's own line and the message, none of our insides."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

Run = Callable[[str], str]

SETUP = """
import djupyter as dj
schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))

@schema
class A(dj.Manual):
    definition = "a : int32"

A.insert1((1,))
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    shell = InteractiveShell.instance()
    shell.run_line_magic("colors", "nocolor")
    shell.reset(new_session=True)

    def cell(source: str) -> str:
        shell.run_cell(source, store_history=True)
        shown = capsys.readouterr()
        return shown.out + shown.err

    assert cell(SETUP) == ""
    yield cell
    InteractiveShell.clear_instance()


def test_a_failing_cell_shows_its_own_line_and_the_message(run: Run) -> None:
    assert run("rows = [(2,), (1,)]\nA.insert(rows)").splitlines() == [
        "Cell In[2], line 2",
        "----> 2 A.insert(rows)",
        "",
        "DuplicateError: A, row 1: there is a row with a=1 already. Nothing was inserted. "
        "Pass skip_duplicates=True to keep the old row, replace=True to take the new one.",
    ]


def test_a_definition_shows_the_token(run: Run) -> None:
    shown = run('@schema\nclass B(dj.Manual):\n    definition = """\n    -> a\n    """')
    assert shown.splitlines()[-4:] == [
        "DefinitionError: unknown table 'a' (line 2, column 8)",
        "    2 |     -> a",
        "      |        ^",
        "    Did you mean `A`?",
    ]
    assert "site-packages" not in shown
    assert "declare.py" not in shown


def test_an_error_in_make_shows_the_line_in_make_and_the_key(run: Run) -> None:
    shown = run(
        "@schema\nclass C(dj.Computed):\n    definition = '-> A'\n"
        "    def make(self, key):\n        self.insert1({'b': 1})\n\nC.populate()"
    )
    assert "Cell In[2], line 5, in make\n----> 5 self.insert1({'b': 1})" in shown
    assert shown.rstrip().endswith("While computing C for the key {'a': 1}.")
    assert "run.py" not in shown


def test_an_error_of_the_users_own_skips_our_frames(run: Run) -> None:
    shown = run(
        "@schema\nclass C(dj.Computed):\n    definition = '-> A'\n"
        "    def make(self, key):\n        1 / 0\n\nC.populate()"
    )
    assert "ZeroDivisionError" in shown
    assert "While computing C for the key {'a': 1}." in shown
    assert "make_one" not in shown

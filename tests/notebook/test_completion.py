"""Tab in a notebook: the shell's own and a kernel's, never with a statement to the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

import djupyter as dj
from tests.conftest import Database
from tests.notebook.conftest import Notebook
from tests.statements import statements


def completed(notebook: Notebook, marked: str) -> list[str]:
    """Press Tab where the bar is."""
    from IPython.core.completer import provisionalcompleter

    offset = marked.index("|")
    with provisionalcompleter():
        found = notebook.shell.Completer.completions(marked.replace("|", ""), offset)
        return [each.text for each in found]


@pytest.mark.parametrize(
    ("cell", "first"),
    [
        ("%%dj_table Session : Manual\n-> Su|", ["Subject"]),
        ("%%dj_table Session : Manual\na : int1|", ["int16"]),
        ("%%dj_table Session : Lo|", ["Lookup"]),
        ("%dj_describe Su|", ["Subject"]),
        ("%dj_alter --d|", ["--dry-run"]),
        ("%dj_schema l|", ["lab"]),
        ("Subject & 'spec|", ["species"]),
        ("Subject & {'|", ["subject_id", "species"]),
        ("few & 'sub|", ["subject_id"]),
        ("(few * Subject).proj('spec|", ["species"]),
        ("%%dj_table A : Manual\na : <blob@|", ["cold>", "raw>"]),
        ("%%dj_table A : Manual\na : <npy@r|", ["raw>"]),
    ],
)
def test_the_shell_offers_what_is_meant(lab: Notebook, cell: str, first: list[str]) -> None:
    lab.run("few = (Subject & 'subject_id < 3').proj()")
    lab.run(
        "dj.config['stores'] = {'default': 'raw', 'raw': {'protocol': 'memory', 'location': 'a'}, 'cold': {}}"
    )
    assert completed(lab, cell) == first


def test_tables_of_python_come_with_what_else_could_stand_there(lab: Notebook) -> None:
    lab.run("%%dj_table Session : Manual\n-> Subject\nsession : int8")
    lab.run("Sub_key = {'subject_id': 1}")
    assert {"Subject", "Sub_key"} <= set(completed(lab, "Session & Sub|"))


def test_tab_sends_no_statement(db: Database, notebook: Notebook) -> None:
    """On all databases, whatever is completed, with tables that the notebook has and has not classes of."""
    schema = db.schema_name("tab")
    other = dj.Connection(db.url)
    made = dj.Schema(schema, connection=other)
    made(type("Elsewhere", (dj.Manual,), {"definition": "elsewhere : int32"}))
    notebook.run(f"connection = dj.conn({db.url!r}, reset=True)")
    notebook.run(f"%dj_schema {schema}")
    notebook.run("%%dj_table Subject : Manual\nsubject_id : int32\n---\nspecies : varchar(30)")
    notebook.run("some = Subject & 'subject_id > 1'")
    dj.conn().catalog.trusted_for = 0
    with statements(dj.conn()) as seen:
        assert completed(notebook, "%%dj_table A : Manual\n-> |") == ["Elsewhere", "Subject"]
        assert completed(notebook, "%%dj_table A : Manual\n-> Elsewhere\nindex (|") == ["elsewhere"]
        assert completed(notebook, "Subject & 'spec|") == ["species"]
        assert completed(notebook, "some & 'spec|") == ["species"]
        assert completed(notebook, f"%dj_describe {schema}.|") == [
            f"{schema}.Elsewhere",
            f"{schema}.Subject",
        ]
        assert "Subject" in completed(notebook, "some & Sub|")
        assert schema in completed(notebook, "%dj_tables |")
    assert seen == []
    other.close()


def test_nothing_connects_on_tab(notebook: Notebook) -> None:
    assert "Subject" not in completed(notebook, "%%dj_table A : Manual\n-> S|")
    assert completed(notebook, "%%dj_table A : Manual\na : flo|") == ["float32", "float64"]
    assert not Path("djupyter.db").exists()


def test_what_the_notebook_loaded_once_more_offers_is_not_there_twice(lab: Notebook) -> None:
    lab.run("dj.load_ipython_extension()")
    assert completed(lab, "%dj_describe Su|") == ["Subject"]


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Any]:
    """A kernel with a client, in an empty folder."""
    manager, client = start_new_kernel(cwd=str(tmp_path))
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_kernel_answers_what_jupyterlab_asks(kernel: Any) -> None:
    def run(source: str) -> None:
        reply = kernel.execute_interactive(source, timeout=60, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok", reply["content"]

    def asked(cell: str) -> dict[str, Any]:
        return kernel.complete(cell, len(cell), reply=True, timeout=60)["content"]

    run("%load_ext djupyter\n%dj_schema lab")
    run("%%dj_table Subject : Manual\nsubject_id : int32\n---\nspecies : varchar(30)")
    run("%%dj_table Session : Manual\n-> Subject\nsession : int8\n---\nsession_date : date")

    cell = "%%dj_table Scan : Manual\n-> S"
    content = asked(cell)
    assert content["matches"] == ["Session", "Subject"]
    assert (content["cursor_start"], content["cursor_end"]) == (len(cell) - 1, len(cell))
    assert asked('Session & "session_')["matches"] == ["session_date"]
    assert asked("%dj_populate --m")["matches"] == ["--max"]
    types = content["metadata"]["_jupyter_types_experimental"]
    assert {each["type"] for each in types} == {"class"}

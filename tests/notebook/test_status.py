"""`%dj_status` and `%dj_tables`: how far everything is, in few statements."""

from __future__ import annotations

import djupyter as dj
from tests.conftest import Database
from tests.notebook.conftest import Notebook
from tests.statements import statements

MAKE = "def make(self, key):\n    if key['n'] == 3:\n        raise ValueError('three')\n    self.insert1(key)"


def pipeline(notebook: Notebook, db: Database, tables: int) -> str:
    schema = db.schema_name("status")
    notebook.run(f"connection = dj.conn({db.url!r}, reset=True)")
    notebook.run(f"%dj_schema {schema}")
    notebook.run("%%dj_table Number : Lookup\nn : int32\n===\n1\n2\n3\n4")
    for place in range(tables):
        notebook.run(f"%%dj_table Step{place} : Computed\n-> Number\n{MAKE}")
    return schema


def test_every_table_that_fills_itself_is_shown(db: Database, notebook: Notebook) -> None:
    pipeline(notebook, db, 2)
    notebook.run("done = Step0.populate(reserve_jobs=True, suppress_errors=True)")
    notebook.run("done = Step1.populate('n < 3')")
    output = notebook.run("%dj_status")
    lines = [line.split() for line in output.plain.splitlines()]
    assert [line[0] for line in lines] == ["table", "Step0", "Step1"]
    assert "3 of 4, 1 error" in output.plain
    assert lines[1][-2:] == ["1", "1"]
    assert lines[2][-2:] == ["2", "0"]
    assert "width:75%" in output.html
    assert 'role="progressbar"' in output.html


def test_the_number_of_statements_does_not_grow_with_the_tables(
    db: Database, notebook: Notebook
) -> None:
    counted = {}
    for tables in (2, 12):
        pipeline(notebook, db, tables)
        for magic in ("%dj_status", "%dj_tables"):
            notebook.run(magic)
            with statements(dj.conn()) as seen:
                notebook.run(magic)
            counted[magic, tables] = len([sql for sql in seen if "PRAGMA" not in sql])
    assert counted["%dj_status", 12] <= counted["%dj_status", 2]
    assert counted["%dj_tables", 12] <= counted["%dj_tables", 2]


def test_a_key_source_that_fails_takes_no_other_table_down(lab: Notebook) -> None:
    lab.run("Subject.insert1((1, 'a'))")
    lab.run("%%dj_table Good : Computed\n-> Subject\ndef make(self, key):\n    self.insert1(key)")
    lab.run(
        "%%dj_table Bad : Computed\n-> Subject\n@property\ndef key_source(self):\n    raise OSError('<disk>')"
    )
    output = lab.run("%dj_status")
    assert "OSError: <disk>" in output.plain
    assert "OSError: &lt;disk&gt;" in output.html
    assert "0 of 1" in output.plain
    assert "0 of 1" in lab.run("%dj_tables").plain


def test_tables_of_other_schemas_of_the_pipeline_are_there(lab: Notebook) -> None:
    lab.run(
        "%%dj_table far.Sum : Computed\n-> Subject\ndef make(self, key):\n    self.insert1(key)"
    )
    lab.run("%%dj_table Near : Computed\n-> Subject\ndef make(self, key):\n    self.insert1(key)")
    assert {"far.Sum", "lab.Near"} <= set(lab.run("%dj_status").plain.split())
    assert "lab.Near" not in lab.run("%dj_status far").plain


def test_nothing_to_compute_says_so(lab: Notebook) -> None:
    assert lab.run("%dj_status").plain == "no Imported or Computed tables"


def test_an_unknown_schema_is_refused(lab: Notebook) -> None:
    assert "Did you mean `lab`?" in str(lab.run("%dj_status labb", fails=True).error)


def test_sizes_are_shown_where_the_database_tells_them(db: Database, notebook: Notebook) -> None:
    pipeline(notebook, db, 0)
    connection = dj.conn()
    sizes = connection.backend.sizes(connection.fetch, notebook["Number"]().name.schema)
    output = notebook.run("%dj_tables")
    if sizes:  # SQLite may be built without what counts pages
        assert sizes["#number"] > 0
        assert "kB" in output.html or "MB" in output.html or "bytes" in output.html
    assert "kB" not in output.plain

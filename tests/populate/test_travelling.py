"""Tables arrive in other processes: those of a script, of modules, and of the cells of a notebook."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat
import psutil
import pytest
from nbclient import NotebookClient

MODULE = """
    import djupyter as dj

    schema = dj.Schema("lab")

    @schema
    class Source(dj.Manual):
        definition = "i : int32"

    @schema
    class Imported(dj.Computed):
        definition = '''
        -> Source
        ---
        label : varchar(200)
        shown : int32
        '''

        def make(self, key):
            self.insert1({**key, "label": dj.conn().label, "shown": dj.config["display.limit"]})
"""
# It opens a connection of its own, as whoever imports it.
OTHER = """
    import os
    import djupyter as dj

    connection = dj.Connection(os.environ["OTHER_LAB"])
    schema = dj.Schema("other", connection=connection)

    @schema
    class Source(dj.Lookup):
        definition = "i : int32"
        contents = [(1,), (2,)]

    @schema
    class Made(dj.Computed):
        definition = "-> Source"

        def make(self, key):
            self.insert1(key)
"""
SCRIPT = """
    import os, sys
    sys.path.insert(0, "modules")
    import djupyter as dj
    dj.config["database.url"] = "sqlite:///lab.db"
    dj.config["display.limit"] = 7
    from analysis import Imported, Source, schema
    import other

    @schema
    class Here(dj.Computed):
        definition = "-> Imported"

        def make(self, key):
            self.insert1(key)

    Source.insert((i,) for i in range(3))
    os.chdir("elsewhere")
    print(Imported.populate(processes=2))
    print((Imported & "label LIKE '%lab.db'" & "shown = 7").to_arrays("i", order_by="KEY").tolist())
    print(Here.populate(processes=2, reserve_jobs=True), Here.jobs.progress()["total"])
    print(other.Made.populate("i = 1", processes=2, reserve_jobs=True), other.Made.jobs.progress())
    os.environ["OTHER_LAB"] = "sqlite:///yet_another.db"
    try:
        other.Made.populate("i = 2", processes=2)
    except dj.DataJointError as error:
        print(error)
"""


def run(folder: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder."""
    (folder / "script.py").write_text(dedent(script))
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_classes_of_a_script_and_of_modules_find_their_database(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "analysis.py").write_text(dedent(MODULE))
    (tmp_path / "modules" / "other.py").write_text(dedent(OTHER))
    ended = run(tmp_path, SCRIPT, OTHER_LAB=f"sqlite:///{tmp_path / 'other.db'}")
    lines = ended.stdout.splitlines()
    assert lines[:3] == [
        "{'success_count': 3, 'error_list': []}",
        "[0, 1, 2]",
        "{'success_count': 3, 'error_list': []} 0",
    ], ended.stderr
    assert lines[3].startswith("{'success_count': 1, 'error_list': []} {'pending': 0")
    assert "In this process Made is on another database" in lines[4]


ENDLESS = """
    import os, signal, sys
    import djupyter as dj

    schema = dj.Schema("lab", connection=dj.Connection("sqlite:///lab.db"))

    @schema
    class Source(dj.Lookup):
        definition = "i : int32"
        contents = [(1,)]

    @schema
    class Endless(dj.Computed):
        definition = "-> Source"

        def make(self, key):
            with open("worker", "w") as file:
                file.write(str(os.getpid()))
            signal.pause()

    Endless.populate(processes=2)
"""


def test_processes_end_with_the_one_that_gave_them_work(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "worker")
    (tmp_path / "script.py").write_text(dedent(ENDLESS))
    with subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path) as parent:
        worker = psutil.Process(int((tmp_path / "worker").read_text()))
        parent.send_signal(signal.SIGKILL)
    worker.wait(timeout=60)


def notebook(*cells: str) -> Any:
    """Return a notebook of some cells."""
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(dedent(cell).strip()) for cell in cells]
    )


def test_cells_of_a_notebook_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJ_DATABASE_URL", raising=False)
    book = notebook(
        """
        %load_ext djupyter
        import djupyter as dj
        """,
        "%dj_schema lab",
        """
        %%dj_table Source : Lookup
        i : int32
        ===
        1
        2
        """,
        """
        OFFSET = 10

        def shifted(i):
            return i + OFFSET
        """,
        """
        %%dj_table Stat : Computed
        -> Source
        ---
        y : int32
        def make(self, key):
            self.insert1(dict(key, y=shifted(key["i"])))
        """,
        """
        @lab
        class Written(dj.Computed):
            definition = "-> Stat"

            def make(self, key):
                if (Stat & key).fetch1("y") == 12:
                    raise KeyError("twelve")
                self.insert1(key)
        """,
        "Stat.populate(processes=2), Stat.to_arrays('y', order_by='KEY').tolist()",
        "Written.populate(processes=2, suppress_errors=True, reserve_jobs=True)",
    )
    NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = [cell.outputs[-1].data["text/plain"] for cell in book.cells[-2:]]
    assert shown == [
        "({'success_count': 2, 'error_list': []}, [11, 12])",
        "{'success_count': 1, 'error_list': [({'i': 2}, \"KeyError: 'twelve'\")]}",
    ]

"""Run the quickstart from nothing, and show what it computed.

`make demo` calls this. Everything it makes lies in `demo/`, which is emptied first.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

NOTEBOOK = Path(__file__).with_name("00_quickstart.ipynb")
FOLDER = Path(__file__).parents[1] / "demo"
DATABASE = FOLDER / "djupyter.db"
PAGE = FOLDER / "quickstart.html"


def main() -> None:
    """Run the notebook in an empty folder; print its tables and where the results lie."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    began = time.perf_counter()
    execute()
    seconds = time.perf_counter() - began
    print(f"\nThe quickstart ran in {seconds:.0f} s and computed:\n")
    for name, rows in tables():
        print(f"  {name:<40} {rows:>8} rows")
    print(f"\nDatabase       {DATABASE}\nExecuted page  {PAGE}")


def execute() -> None:
    """Run the notebook and write it as a page, also when a cell fails: to read the error there."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        extra_arguments=["--log-level=40"],
        resources={"metadata": {"path": str(FOLDER)}},
        on_cell_start=lambda cell, cell_index: print(".", end="", flush=True),
    )
    # Settings of whoever runs the demo, such as a server, have no place in it.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("DJ_")}
    try:
        client.execute(env=environment | {"DJ_IGNORE_CONFIG_FILE": "1"})
    finally:
        PAGE.write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")


def tables() -> list[tuple[str, int]]:
    """Return each table of the pipeline and its number of rows."""
    with closing(sqlite3.connect(DATABASE)) as database:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid"
        # Names are `schema.table`; what djupyter keeps for itself begins with a tilde.
        names = [name for (name,) in database.execute(query) if "." in name and ".~" not in name]
        return [
            (name, database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])
            for name in names
        ]


if __name__ == "__main__":
    main()

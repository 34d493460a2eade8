"""A shell like that of a notebook, with the magics loaded and a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from djupyter import session


@dataclass
class Output:
    """What a cell left behind."""

    text: str
    error: BaseException | None
    displayed: list[Any] = field(default_factory=list)

    @property
    def html(self) -> str:
        """All that was displayed as HTML."""
        return "\n".join(each.data.get("text/html", "") for each in self.displayed)

    @property
    def plain(self) -> str:
        """All that was displayed as text."""
        return "\n".join(each.data.get("text/plain", "") for each in self.displayed)


class Notebook:
    """Runs cells one after the other."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def run(self, source: str, *, fails: bool = False) -> Output:
        """Run a cell that must succeed, or must fail."""
        with capture_output() as captured:
            result = self.shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        output = Output(captured.stdout, error, list(captured.outputs))
        if (error is not None) != fails:
            raise AssertionError(f"the cell {'passed' if fails else 'failed'}: {captured.stdout}")
        return output

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]


@pytest.fixture
def fresh_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The default session of a user in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("DJ_DATABASE_URL", "DJ_DATABASE_PATH", "DJ_HOST", "DJ_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(session.default, "_settings", None)
    monkeypatch.setattr(session.default, "_connection", None)
    yield
    if session.default._connection is not None:
        session.default._connection.close()


@pytest.fixture
def notebook(fresh_session: None) -> Iterator[Notebook]:
    """A notebook in which the extension is loaded."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_cell("%load_ext djupyter\nimport djupyter as dj")
    yield Notebook(shell)
    InteractiveShell.clear_instance()


@pytest.fixture
def lab(notebook: Notebook) -> Notebook:
    """A notebook with a schema that holds subjects."""
    notebook.run("%dj_schema lab")
    notebook.run(
        "%%dj_table Subject : Manual\n"
        "# A mouse\n"
        "subject_id : int32  # its number\n"
        "---\n"
        "species = 'mouse' : varchar(30)\n"
    )
    return notebook

"""The notebooks say the same on servers as on SQLite, where `make test` runs them.

Their schemas have plain names, such as `lab`, so each server is one of their own: never one that somebody else uses.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers import NotAvailable, running, unavailable

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("0[0-4]_*.ipynb"))
NBVAL = ["-m", "pytest", "--nbval-lax", "--nbval-current-env", "-p", "no:xdist", "--quiet"]


@pytest.fixture(scope="module")
def server_of_its_own() -> Iterator[Callable[[str], str]]:
    """Return a function from a kind of server to the URL of one that no other test uses."""
    urls: dict[str, str] = {}
    with ExitStack() as started:

        def url(name: str) -> str:
            try:
                return urls.get(name) or urls.setdefault(
                    name, started.enter_context(running(name)).url
                )
            except NotAvailable as reason:
                unavailable(name, str(reason))

        yield url


@pytest.mark.parametrize("server", ["mariadb", "postgresql"])
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_says_the_same_on_a_server(notebook, server, server_of_its_own, tmp_path):
    settings = {
        "DJ_IGNORE_CONFIG_FILE": "1",
        "DJ_DATABASE_URL": server_of_its_own(server),
        "DJ_DATABASE_PATH": str(tmp_path / "djupyter.db"),  # beside which objects lie
    }
    environment = {name: text for name, text in os.environ.items() if not name.startswith("DJ_")}
    done = subprocess.run(
        [sys.executable, *NBVAL, str(notebook)],
        env=environment | settings,
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert not (tmp_path / "djupyter.db").exists()

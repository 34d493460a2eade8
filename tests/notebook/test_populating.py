"""Populates in a real kernel, without a browser: what tools that run notebooks see, what an interrupt does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import djupyter as dj

DECLARE = """
import time
from pathlib import Path
import djupyter as dj
dj.load_ipython_extension()
lab = dj.Schema("lab")

@lab
class Mouse(dj.Lookup):
    definition = "mouse : int32"
    contents = [(number,) for number in range(1, 6)]

@lab
class Weight(dj.Computed):
    definition = "-> Mouse"
    def make(self, key):
        print("begun", flush=True)
        while not Path("go").exists():
            time.sleep(0.01)
        if key["mouse"] == 3:
            raise ValueError("the scale is empty")
        self.insert1(key)
"""
KERNEL = os.environ.get("DJ_TEST_KERNEL", "python3")  # the name of another kernelspec
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DJ_DATABASE_URL", "DJ_DATABASE_PATH", "DJ_HOST", "DJ_BACKEND"):
        monkeypatch.delenv(name, raising=False)


class Kernel:
    """A kernel that runs cells."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client

    def begin(self, source: str) -> None:
        """Send a cell, and wait until the first key is in work."""
        # Where a cell has failed, a kernel would give up what is sent in the next tenth of a second.
        self.client.execute(source, stop_on_error=False)
        text = ""
        while "begun" not in text:
            message = self.client.get_iopub_msg(timeout=60)
            content = message["content"]
            assert message["msg_type"] != "error", content
            text += content.get("text", "") if message["msg_type"] == "stream" else ""

    def reply(self) -> Any:
        """Return how the cell that runs ends."""
        return self.client.get_shell_msg(timeout=60)["content"]

    def run(self, source: str) -> Any:
        """Run a cell to its end."""
        return self.client.execute_interactive(source, timeout=60, output_hook=lambda _: None)[
            "content"
        ]


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    manager, client = start_new_kernel(kernel_name=KERNEL, cwd=str(tmp_path))
    manager.shutdown_wait_time = 60  # a loaded machine is slow, which is not the question here
    kernel = Kernel(manager, client)
    assert kernel.run(DECLARE)["status"] == "ok"
    yield kernel
    client.stop_channels()
    if manager.is_alive():
        manager.shutdown_kernel(now=True)


def jobs(folder: Path) -> dict[str, int]:
    """Return what became of the jobs, as another process sees them."""
    with dj.Connection(f"sqlite:///{folder}/djupyter.db") as connection:
        (job,) = dj.Schema("lab", connection=connection).jobs
        return job.progress()


def executed(tmp_path: Path, *cells: str) -> Any:
    """Run a notebook as nbclient, papermill and nbconvert do."""
    (tmp_path / "go").touch()
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in (DECLARE, *cells)]
    )
    NotebookClient(made, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    return made


def panels(cell: Any) -> list[Any]:
    return [each["data"] for each in cell["outputs"] if "text/html" in each.get("data", {})]


@pytest.mark.parametrize(
    "source",
    [
        '%dj_populate Weight --where "mouse < 3"',
        'done = Weight.populate("mouse < 3", display_progress=True)',
        'done = await Weight.populate_async("mouse < 3", display_progress=True)',
    ],
)
def test_a_tool_finds_the_rows_below_and_keeps_how_it_ended(tmp_path: Path, source: str) -> None:
    notebook = executed(tmp_path, source, "print(len(Weight()))")
    assert notebook.cells[2]["outputs"][0]["text"] == "2\n"
    (panel,) = panels(notebook.cells[1])
    assert WIDGET not in panel
    assert "Populated: 2 done" in panel["text/plain"]
    assert "dj-phase-done" in panel["text/html"]


def test_a_tool_stops_where_keys_failed(tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError, match="1 key failed"):
        executed(tmp_path, "%dj_populate Weight", "print(len(Weight()))")


def test_the_handle_of_a_magic_knows_all_and_is_shown_once(tmp_path: Path) -> None:
    notebook = executed(
        tmp_path,
        "%dj_populate -b Weight",
        "run = %dj_populate -b Weight\nrun.wait(), len(run.errors), run.progress.phase",
        "run",
    )
    assert len(panels(notebook.cells[1])) == 1
    text = notebook.cells[2]["outputs"][-1]["data"]["text/plain"]
    assert text == "(True, 1, 'done')"
    (panel,) = panels(notebook.cells[3])
    assert WIDGET not in panel
    assert "the scale is empty" in panel["text/html"]


def test_the_interrupt_of_dj_populate_ends_the_key_in_work(kernel: Kernel, tmp_path: Path) -> None:
    kernel.begin("%dj_populate Weight")
    kernel.manager.interrupt_kernel()
    (tmp_path / "go").touch()
    reply = kernel.reply()
    assert reply["evalue"].startswith("Stopped: ")
    assert kernel.run("assert len(Weight()) in (1, 2)")["status"] == "ok"


def test_the_interrupt_of_an_awaited_populate_undoes_the_key_in_work(
    kernel: Kernel, tmp_path: Path
) -> None:
    kernel.begin("await Weight.populate_async(reserve_jobs=True)")
    kernel.manager.interrupt_kernel()
    assert kernel.reply()["status"] == "error"
    assert kernel.run("assert len(Weight()) == 0")["status"] == "ok"
    assert jobs(tmp_path)["pending"] == 5


def test_the_interrupt_of_a_blocking_populate_undoes_the_key_in_work(
    kernel: Kernel, tmp_path: Path
) -> None:
    kernel.begin("Weight.populate(reserve_jobs=True, display_progress=True)")
    kernel.manager.interrupt_kernel()
    assert kernel.reply()["ename"] == "KeyboardInterrupt"
    assert kernel.run("assert len(Weight()) == 0")["status"] == "ok"
    assert jobs(tmp_path)["pending"] == 5


def test_an_interrupt_of_another_cell_leaves_a_populate_in_the_background_alone(
    kernel: Kernel, tmp_path: Path
) -> None:
    kernel.begin("run = Weight.populate(background=True, suppress_errors=True)")
    assert kernel.reply()["status"] == "ok"
    endless = "print('begun', flush=True)\nwhile True: time.sleep(0.01)"
    kernel.client.execute(endless, stop_on_error=False)
    while "begun" not in kernel.client.get_iopub_msg(timeout=60)["content"].get("text", ""):
        pass
    kernel.manager.interrupt_kernel()
    assert kernel.reply()["ename"] == "KeyboardInterrupt"
    (tmp_path / "go").touch()
    assert kernel.run("assert run.result()['success_count'] == 4")["status"] == "ok"


def test_the_end_of_the_kernel_gives_the_jobs_back(kernel: Kernel, tmp_path: Path) -> None:
    kernel.begin("run = Weight.populate(background=True, reserve_jobs=True)\nrun")
    kernel.reply()
    kernel.manager.shutdown_kernel(now=False)
    found = jobs(tmp_path)
    assert (found["pending"], found["reserved"]) == (5, 0)

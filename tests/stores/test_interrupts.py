"""Ctrl-C at every instruction at which Python hears it: when an insert has raised, nothing more is written."""

from __future__ import annotations

import _thread
import dis
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pytest
import zarr

import djupyter as dj
from djupyter.errors import DuplicateError, InvalidValueError
from djupyter.settings import Settings
from djupyter.stores import staging, transfers
from djupyter.stores.local import LocalFiles
from djupyter.stores.s3 import S3Files
from djupyter.table import objects

# What is interrupted may be a destructor, or something that was to be awaited.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
]

TRACED = {module.__file__ for module in (transfers, staging, objects, threading)}
# After these, and where a function begins, the interpreter looks whether a signal has come.
LOOKS = {"CALL", "CALL_KW", "CALL_FUNCTION_EX", "JUMP_BACKWARD", "RESUME"}


class Interrupts:
    """Sends Ctrl-C to this thread at one point of its way through some files, and counts the points."""

    def __init__(self, at: int, traced: Collection[str | None] = TRACED) -> None:
        self.at, self.traced, self.passed = at, traced, 0
        self._codes: dict[CodeType, bytes] = {}

    def __enter__(self) -> None:
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in self.traced:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._stepped

    def _stepped(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "opcode":
            code = self._codes.setdefault(frame.f_code, frame.f_code.co_code)
            if dis.opname[code[frame.f_lasti]] in LOOKS:
                self.passed += 1
                if self.passed == self.at:
                    # Unpacking is no call: this function is left before the interpreter looks.
                    (_,) = map(_thread.interrupt_main, (signal.SIGINT,))
        return self._stepped


class Watched:
    """A table with objects in a store of which every write is slow, and seen."""

    points = 0

    def __init__(self, entry: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
        settings = self.connection.settings
        settings["stores"] = {"default": "raw", "raw": entry}
        settings["objects.workers"] = 2
        definition = "n : int32\n---\na = null : <npy@>\nz = null : <zarr@>"
        schema = dj.Schema("lab", connection=self.connection)
        self.table = schema(type("Item", (dj.Manual,), {"definition": definition}))
        self.store = self.connection.stores.get("raw")
        self.over, self.late = threading.Event(), list[str]()
        kind: Any = {"file": LocalFiles, "s3": S3Files}[entry["protocol"]]
        put = kind.put

        def slow_put(files: Any, path: str, parts: Any) -> None:
            # Who does not wait for this write has raised before it ends.
            self.late += [path] if self.over.is_set() else []
            self.over.wait(0.003)
            put(files, path, parts)
            self.late += [path] if self.over.is_set() else []

        monkeypatch.setattr(kind, "put", slow_put)

    @property
    def files(self) -> set[str]:
        """The paths of all objects."""
        return {entry.path for entry in self.store.entries()}

    def run(self, work: Callable[[], object], interrupts: Interrupts) -> None:
        """Interrupt some work; see what it wrote afterwards."""
        self.over.clear()
        try:
            with interrupts:
                work()
        except (KeyboardInterrupt, DuplicateError, InvalidValueError):
            assert interrupts.passed
        self.over.set()
        for thread in threading.enumerate():
            if thread.is_alive() and thread.name.startswith(("dj-objects", "djupyter-transfer")):
                thread.join(1)
        assert self.late == []
        assert not self.connection.in_transaction

    def clear(self) -> None:
        """Remove all rows and objects."""
        self.table.delete_quick()
        for path in self.files:
            self.store.remove(path)

    def each_point(
        self, work: Callable[[], object], traced: Collection[str | None] = TRACED
    ) -> Iterator[None]:
        """Interrupt some work at each of its points in turn."""
        counting = Interrupts(0, traced)
        self.run(work, counting)
        self.points = counting.passed
        for at in range(1, self.points + 1):
            self.clear()
            self.run(work, Interrupts(at, traced))
            yield


@pytest.fixture
def hearing() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, whatever other tests left."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def watched(hearing: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched({"protocol": "file", "location": str(tmp_path)}, monkeypatch)


ROWS = [{"n": n, "a": np.arange(n)} for n in range(5)]


@pytest.mark.timeout(300)
def test_nothing_is_written_once_an_insert_was_interrupted(watched: Watched) -> None:
    for _ in watched.each_point(lambda: watched.table.insert(ROWS)):
        # Nothing is left behind either, when there are no rows.
        assert len(watched.files) == len(watched.table())
    assert watched.points > 100


@pytest.mark.timeout(300)
def test_nothing_is_written_once_an_insert_has_failed_and_its_undoing_was_interrupted(
    watched: Watched,
) -> None:
    wrong = [*ROWS, {"n": 6, "a": "no array"}]
    for _ in watched.each_point(lambda: watched.table.insert(wrong)):
        assert watched.files == set()
        assert not watched.table()
    assert watched.points > 100


@pytest.mark.timeout(300)
def test_one_object_that_is_sent_to_a_server_is_waited_for(
    hearing: None, s3_entry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(s3_entry, monkeypatch)
    row = {"n": 1, "a": np.arange(3)}
    traced = {transfers.__file__, staging.__file__}
    for _ in watched.each_point(lambda: watched.table.insert1(row), traced):
        assert len(watched.files) == len(watched.table())
    assert watched.points > 20


@pytest.mark.timeout(100)
@pytest.mark.parametrize("number", range(1, 41, 3))
def test_no_chunk_is_written_once_an_insert_was_interrupted(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    # While one of the chunks is written, not at each point: zarr's own waiting may hang when it is interrupted.
    row = {"n": 1, "z": zarr.create_array({}, data=np.ones((40, 2)), chunks=(1, 2))}
    put, main = LocalFiles.put, threading.main_thread().ident or 0
    begun = []

    def interrupting(files: LocalFiles, path: str, parts: Any) -> None:
        begun.append(path)
        if len(begun) == number:
            signal.pthread_kill(main, signal.SIGINT)
        put(files, path, parts)

    monkeypatch.setattr(LocalFiles, "put", interrupting)
    interrupts = Interrupts(0)
    interrupts.passed = 1
    watched.run(lambda: watched.table.insert1(row), interrupts)
    assert bool(watched.files) == bool(watched.table())


@pytest.mark.timeout(300)
def test_no_transfer_runs_once_they_were_interrupted(hearing: None) -> None:
    over, late = threading.Event(), list[int]()

    def task(n: int) -> None:
        over.wait(0.002)
        late.extend([n] if over.is_set() else [])

    def interrupted(work: Callable[[], object], at: int) -> int:
        over.clear()
        interrupts = Interrupts(at, {transfers.__file__, threading.__file__})
        with suppress(KeyboardInterrupt), interrupts:
            work()
        over.set()
        return interrupts.passed

    for work in (
        lambda: transfers.run_all([partial(task, n) for n in range(5)], 2),
        lambda: transfers.shielded(partial(task, 1)),
    ):
        for at in range(1, interrupted(work, 0) + 1):
            interrupted(work, at)
    # Whoever runs still has had the time of all others.
    assert late == []

"""A preview is waited for so long and no longer, whatever the store or a decoder does."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from djupyter.codecs.array_card import array_card
from djupyter.codecs.deadline import Deadline
from djupyter.codecs.guarded import guarded
from djupyter.codecs.npy_ref import NpyRef
from djupyter.codecs.object_ref import ObjectRef
from djupyter.codecs.shown import npy_ref_card, object_ref_card
from djupyter.settings.stores import store_spec
from djupyter.stores.store import Store


class Hanging(Store):
    """A store that answers when it is let go, as one behind a dead network does never."""

    def __init__(self) -> None:
        super().__init__("raw", store_spec({"raw": {"protocol": "memory"}}, "raw"))
        self.released = threading.Event()

    def need(self, path):
        self.released.wait()
        raise OSError("gone")

    info = entries = parts = get = is_folder = names = need


@pytest.mark.parametrize("is_dir", [False, True])
def test_a_store_that_hangs_is_not_waited_for(is_dir):
    store = Hanging()
    ref = ObjectRef("a.npy", is_dir=is_dir, backend=store)
    assert "more than 0.05 seconds" in object_ref_card(ref, 1000, Deadline(0.05)).note
    array = NpyRef({"path": "a.npy", "dtype": "f8", "shape": [3]}, store)
    assert "more than 0.05 seconds" in npy_ref_card(array, 1000, Deadline(0.05)).note
    store.released.set()


def test_work_that_never_ends_is_not_waited_for():
    forever = threading.Event()

    def read(index):
        forever.wait()

    made = guarded(
        lambda _: array_card("array", (3,), np.dtype("f8"), read), "array", (), Deadline(0.05)
    )
    assert "more than 0.05 seconds" in made.note
    forever.set()


def test_a_program_ends_while_a_store_hangs():
    source = """
import threading
import zarr
from djupyter.codecs.deadline import Deadline
from djupyter.codecs.zarr_card import zarr_array_card
from djupyter.codecs.zarr_files import ZarrFiles
from djupyter.settings.stores import store_spec
from djupyter.stores.store import Store
store = Store("raw", store_spec({"raw": {"protocol": "memory"}}, "raw"))
array = zarr.create_array(ZarrFiles(store, "a.zarr"), shape=(8, 8), dtype="f8")
array[:] = 1
store.parts = lambda *args: threading.Event().wait()
print(zarr_array_card(array, deadline=Deadline(0.5)).note)
"""
    ended = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.stdout.strip() == "Cannot be shown: it took more than 0.5 seconds"
    assert ended.returncode == 0


def test_an_abandoned_read_stops_at_its_next_request():
    deadline = Deadline(60)
    deadline.cancel()
    with pytest.raises(Exception, match="more than 60 seconds"):
        deadline.check()


def test_ctrl_c_is_heard_while_a_preview_is_made(monkeypatch):
    deadline, forever = Deadline(60), threading.Event()
    monkeypatch.setattr(threading.Event, "wait", _interrupted(forever))
    with pytest.raises(KeyboardInterrupt):
        deadline.run(lambda: None if forever.is_set() else time.sleep(0))
    assert deadline.left == 0


def _interrupted(forever):
    def wait(self, timeout=None):
        forever.set()
        raise KeyboardInterrupt

    return wait

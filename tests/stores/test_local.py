"""Stores in a folder of this machine: written whole whatever happens, listed as a stream."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from djupyter.errors import AccessError, BucketInaccessible, MissingExternalFile
from djupyter.stores.store import Store
from tests.object_stores import new_store

WRITER = """
import sys
from djupyter.settings.stores import store_spec
from djupyter.stores.store import Store
store = Store("raw", store_spec({"raw": {"protocol": "file", "location": sys.argv[1]}}, "raw"))
number = 0
while True:
    print(number, flush=True)
    store.put(f"a/{number % 50}", [bytes([number % 256]) * 100_000] * 5)
    number += 1
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """The folder of the store."""
    path = tmp_path / "store"
    path.mkdir()
    return path


@pytest.fixture
def store(folder: Path) -> Store:
    """A new store in a folder."""
    return new_store({"protocol": "file", "location": str(folder)})


def test_a_killed_writer_leaves_whole_objects_and_what_a_listing_shows(store, folder) -> None:
    for turn in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(20 + 7 * turn):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    listed = {entry.path for entry in store.entries()}
    assert listed == {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    for path in listed:
        content = store.get(path)
        if not path.endswith(".part"):
            assert len(content) == 500_000
            assert len(set(content)) == 1


def test_a_writer_that_cannot_go_on_leaves_nothing(store, folder) -> None:
    class Broken:
        def __buffer__(self, flags: int) -> memoryview:
            raise MemoryError

    with pytest.raises((MemoryError, TypeError)):
        store.put("a/b", [b"begin", Broken()])
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_folder_of_very_many_is_listed_in_little_memory(store, folder) -> None:
    (folder / "many").mkdir()
    for n in range(91_000):
        (folder / "many" / f"file_{n:06}").touch()
        if n % 10 == 0:
            (folder / "many" / f"folder_{n:06}").mkdir()
            (folder / "many" / f"folder_{n:06}" / "one").touch()
    tracemalloc.start()
    count = sum(1 for _ in store.entries("many"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_100
    assert peak < 1_000_000


def test_a_listing_goes_on_while_others_remove(store) -> None:
    for n in range(100):
        store.put(f"a/{n}/x", b"1")
    seen = []
    for entry in store.entries("a"):
        seen.append(entry.path)
        store.remove(entry.path)
    assert len(set(seen)) == 100
    assert list(store.entries()) == []


def test_removing_keeps_the_folder_of_the_store(store, folder) -> None:
    store.put("a/b/c", b"1")
    store.remove("a/b/c")
    assert list(folder.iterdir()) == []


def test_new_files_can_be_read_by_whom_the_system_says(store, folder) -> None:
    before = os.umask(0o027)
    try:
        store.put("a", b"1")
    finally:
        os.umask(before)
    assert (folder / "a").stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_not_there_is_said_to_be(tmp_path) -> None:
    store = new_store({"protocol": "file", "location": str(tmp_path / "none")})
    for use in (
        lambda: store.put("a", b"1"),
        lambda: list(store.entries()),
        lambda: store.get("a"),
    ):
        with pytest.raises(
            FileNotFoundError, match=r"Inaccessible local directory .*none"
        ) as caught:
            use()
        assert isinstance(caught.value, BucketInaccessible)
    assert not (tmp_path / "none").exists()


def test_a_disk_that_goes_away_is_no_empty_store(store, folder) -> None:
    store.put("a/b", b"1")
    folder.rename(folder.with_name("elsewhere"))
    for use in (
        lambda: list(store.entries("a")),
        lambda: store.exists("a/b"),
        lambda: store.info("a/b"),
        lambda: store.put("a/c", b"1"),
        lambda: store.get("a/b"),
        lambda: store.remove("a/b"),
    ):
        with pytest.raises(BucketInaccessible):
            use()
    assert not folder.exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root and Windows may do all")
def test_what_the_system_does_not_permit_is_an_access_error(store, folder) -> None:
    store.put("a/b", b"1")
    (folder / "a").chmod(0)
    try:
        for use in (
            lambda: store.get("a/b"),
            lambda: list(store.entries()),
            lambda: store.info("a/b"),
        ):
            with pytest.raises(AccessError, match="'raw'"):
                use()
    finally:
        (folder / "a").chmod(0o700)


def test_a_location_may_be_relative_or_at_home(tmp_path, monkeypatch) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for location in ("data", "./data/", "~/data"):
        store = new_store({"protocol": "file", "location": location})
        assert store.full_path("x") == str(tmp_path / "data" / "x")
        assert store.url("x y") == f"file://{tmp_path}/data/x%20y"


def test_a_forked_process_makes_its_own_filesystem(s3_entry) -> None:
    store = new_store(s3_entry)
    store.put("a", b"1")
    child = os.fork()
    if child == 0:
        store._files  # noqa: B018 - that it can be made; the server lives in the parent
        os._exit(0 if store.fs._pid == os.getpid() else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.get("a") == b"1"


def test_an_object_that_goes_while_it_is_asked_for_is_missing(store) -> None:
    store.put("a/b", b"1")
    store.remove("a")
    with pytest.raises(MissingExternalFile):
        store.get("a/b")

"""Names from elsewhere stay where they belong, and no object is in memory more often than it must be."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from djupyter.codecs.attach import AttachCodec
from djupyter.errors import DataJointError
from tests.conftest import Database
from tests.object_stores import Lab

SIZE = 8 << 20
HOSTILE = st.text(st.sampled_from("./\\:~%*\0\n\u202ea b'\"<C"), max_size=12)
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def on_files(tmp_path: Path) -> Iterator[Lab]:
    """A file of SQLite and a store in a folder."""
    database = Database("sqlite", f"sqlite:///{tmp_path / 'test.db'}")
    (tmp_path / "store").mkdir()
    yield Lab(database, {"protocol": "file", "location": str(tmp_path / "store")}, tmp_path)
    database.close()


@shared
@given(st.binary(max_size=12) | HOSTILE.map(str.encode) | st.text(max_size=300).map(str.encode))
@example(b"../../../etc/passwd")
@example(b"/etc/passwd")
@example(b"")
@example(b"x" * 4095)
def test_an_attachment_lands_in_the_folder_for_downloads(tmp_path: Path, name: bytes) -> None:
    name = name.replace(b"\0", b"")
    folder = tmp_path / "downloads"
    context: Any = {"config": {"download_path": str(folder)}}
    first, again, other = (
        Path(AttachCodec().decode(name + b"\0" + contents, context=context))
        for contents in (b"one", b"one", b"two")
    )
    assert first == again != other
    assert {first.parent, other.parent} == {folder}
    assert not first.is_symlink()
    assert (first.read_bytes(), other.read_bytes()) == (b"one", b"two")
    for path in folder.iterdir():
        path.unlink()
    assert {path.name for path in tmp_path.iterdir()} <= {"downloads", "store", "test.db"}


@shared
@given(HOSTILE | st.text(max_size=60) | st.text("aé/", min_size=200, max_size=255))
@example("..")
@example("../../up")
@example(".")
@example("~")
def test_objects_lie_in_the_store_whatever_the_key_is(on_files: Lab, subject: str) -> None:
    if not hasattr(on_files, "made"):
        on_files.made = on_files.table(
            "subject : varchar(255)\n---\nx : <object@raw>\ny : <npy@raw>"
        )
    T = on_files.made
    try:
        T().insert1({"subject": subject, "x": (".bin", b"1"), "y": np.zeros(1)})
    except DataJointError:  # no database keeps half characters
        assert on_files.objects() == []
        return
    row = (T() & {"subject": subject}).fetch1()
    assert row["x"].read() == b"1"
    assert row["y"].load().tolist() == [0]
    section = f"_schema/{on_files.schema.database}/t/"
    assert all(path.startswith(section) for path in on_files.objects())
    assert len(on_files.objects()) == 2
    (T() & {"subject": subject}).delete_quick()
    for path in on_files.objects():
        on_files.store.remove(path)


def array() -> Any:
    return np.random.default_rng(0).integers(0, 256, SIZE, dtype="uint8")


# How many copies beside the value itself: those that are handed in, and those that are fetched.
COPIES = {
    "<npy@raw>": (array, 0, 1),
    "<hash@raw>": (lambda: array().tobytes(), 0, 1),
    "<object@raw>": (lambda: array().tobytes(), 0, 1),
    "<attach@raw>": (None, 1, 1),
    "<attach>": (None, 2, 1),
    "bytes": (lambda: array().tobytes(), 0, 1),
}


@pytest.mark.parametrize("declared", COPIES)
def test_an_object_is_in_memory_twice_at_most(on_files: Lab, declared: str) -> None:
    make, inserted, fetched = COPIES[declared]
    T = on_files.table(f"x : {declared}")
    value = make() if make else on_files.file("f.bin", array().tobytes())
    T.insert1((0, value if make else on_files.file("small")) if declared != "bytes" else (0, b""))
    assert copies(lambda: T.insert1((1, value))) == inserted

    def read() -> Any:
        found = (T & "k = 1").fetch1("x")
        name = {"<npy@raw>": "load", "<object@raw>": "read"}.get(declared)
        return getattr(found, name)() if name else found

    read()  # what is imported or prepared at first use is no object
    assert copies(read) == fetched


def copies(work: Any) -> int:
    """Return how many times an object was in memory at once, at most."""
    tracemalloc.start()
    try:
        work()
        return round(tracemalloc.get_traced_memory()[1] / SIZE)
    finally:
        tracemalloc.stop()

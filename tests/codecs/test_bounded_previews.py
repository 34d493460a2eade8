"""A preview reads so many bytes and no more, wherever the object lies; they are counted as they leave the store."""

from __future__ import annotations

import io

import numpy as np
import pytest
import zarr

from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.deadline import Deadline
from djupyter.codecs.npy_ref import NpyRef
from djupyter.codecs.object_ref import ObjectRef
from djupyter.codecs.parquet_ref import ParquetRef
from djupyter.codecs.shown import npy_ref_card
from djupyter.codecs.slices import View, slices_of
from djupyter.codecs.zarr_files import ZarrFiles
from djupyter.errors import DataJointError
from djupyter.render.object_card import object_text
from djupyter.stores.store import Store
from tests.codecs.kinds import hdf5, npy, parquet, picture
from tests.object_stores import new_store

BUDGET = 400_000
NOISE = np.random.default_rng(0)


class Counting:
    """Counts the bytes that a store gives: of S3 those that the server sends, of others those of their filesystem."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken = self.requests = 0
        monkeypatch.setattr(Store, "open", lambda *args: pytest.fail("it was opened"))
        if store.spec["protocol"] == "s3":
            self._count_answers(type(store.fs), monkeypatch)
            return
        for kind, name in ((type(store.fs), "cat_file"), (type(store), "get")):
            self._count_results(kind, name, monkeypatch)

    def _count_answers(self, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
        call = kind._call_s3

        async def counted(fs, method, *args, **options):
            answer = await call(fs, method, *args, **options)
            if method == "get_object":
                self._note(answer["ContentLength"])
            return answer

        monkeypatch.setattr(kind, "_call_s3", counted)

    def _count_results(self, kind: type, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        give = getattr(kind, name)

        def counted(each, path, *args, **options):
            data = give(each, path, *args, **options)
            self._note(len(data))
            return data

        monkeypatch.setattr(kind, name, counted)

    def _note(self, size: int) -> None:
        self.taken += size
        self.requests += 1

    def take(self) -> int:
        """Return what was counted, and begin anew."""
        taken, self.taken, self.requests = self.taken, 0, 0
        return taken


@pytest.fixture
def store(store_entry) -> Store:
    return new_store(store_entry)


@pytest.fixture
def counting(store, monkeypatch) -> Counting:
    return Counting(store, monkeypatch)


def array_ref(store: Store, array: np.ndarray) -> NpyRef:
    store.put("a.npy", npy(array))
    document = {"path": "a.npy", "dtype": str(array.dtype), "shape": [*array.shape]}
    return NpyRef(document, store, BUDGET)


@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("shape", [(40, 200, 200), (4, 30_000, 40), (900_000,), (9, 3, 40_000)])
def test_of_an_array_a_bounded_part_is_read(store, counting, shape, fortran):
    array = NOISE.normal(size=shape).astype("f4")
    ref = array_ref(store, np.asfortranarray(array) if fortran else array)
    text = ref._repr_mimebundle_()["text/plain"]
    assert "Cannot be shown" not in text
    assert "values (sampled)" in text
    assert 0 < counting.requests <= 300
    assert counting.take() <= BUDGET


@pytest.mark.parametrize("axes", [(1, 2), (0, 1), (0, 2), (2, 0)])
@pytest.mark.parametrize("fortran", [False, True])
def test_a_slider_reads_a_bounded_part_of_an_array(store, counting, axes, fortran):
    array = NOISE.normal(size=(40, 60, 80)).astype("f4")
    ref = array_ref(store, np.asfortranarray(array) if fortran else array)
    slices = slices_of(ref, Deadline())
    assert counting.take() == 0
    for place in (0, 7):
        plane = slices.plane(slices.checked(axes, (place,) * 3), Deadline(60))
        assert plane.png.startswith(b"\x89PNG")
        assert 0 < counting.take() <= BUDGET + 65_536  # the header, once


@pytest.mark.parametrize("shards", [None, (20, 100, 100)])
def test_of_zarr_few_chunks_are_read(store, counting, shards):
    files = ZarrFiles(store, "z.zarr", preview_bytes=BUDGET)
    array = zarr.create_array(
        files, shape=(40, 200, 200), chunks=(1, 50, 50), shards=shards, dtype="f4"
    )
    array[:] = NOISE.normal(size=array.shape)
    counting.take()
    ref = ObjectRef("z.zarr", is_dir=True, backend=store, preview_bytes=BUDGET)
    text = ref._repr_mimebundle_()["text/plain"]
    assert "Shown: [20, 0:200, 0:200]" in text
    assert f"path              z.zarr\n  store             {store.name}" in text
    assert counting.take() <= BUDGET
    slices = slices_of(ref, Deadline(60))
    counting.take()
    assert slices.plane(slices.checked((1, 2), (3, 0, 0)), Deadline(60)).text == "[3, 0:200, 0:200]"
    assert counting.take() <= BUDGET


def test_of_a_frame_and_of_hdf5_the_structure_is_read(store, counting):
    store.put("a.parquet", parquet(**{f"c{n}": NOISE.normal(size=90_000) for n in range(4)}))
    frame = ParquetRef({"path": "a.parquet"}, store, BUDGET)
    text = frame._repr_mimebundle_()["text/plain"]
    assert "rows     90,000" in text
    assert counting.take() <= BUDGET
    store.put("a.h5", hdf5() + bytes(1_000_000))
    tree = ObjectRef("a.h5", backend=store, preview_bytes=BUDGET)._repr_mimebundle_()["text/plain"]
    assert "unit  mV" in tree
    assert counting.take() <= BUDGET


def test_of_texts_and_pictures_no_more_than_the_budget_is_read(store, counting):
    noise = picture("BMP", size=(900, 700))
    for name, content in {
        "a.txt": b"line\n" * 500_000,
        "a.csv": b"x,y\n1,2\n" * 500_000,
        "a.json": b"[" + b"1," * 500_000 + b"1]",
        "a.bmp": noise,
        "a.mp4": bytes(1_000_000),
        "a.bin": bytes(1_000_000),
    }.items():
        store.put(name, content)
        ref = ObjectRef(name, backend=store, preview_bytes=BUDGET)
        text = ref._repr_mimebundle_()["text/plain"]
        assert "Cannot be shown" not in text
        assert counting.take() <= BUDGET


# The file itself


def test_a_bounded_file_reads_as_any_other():
    content = NOISE.bytes(200_000)
    file = BoundedFile.over(io.BytesIO(content), len(content), 1_000_000)
    assert file.read(10) == content[:10]
    assert file.seek(-20, 2) == 199_980
    assert file.read() == content[-20:]
    assert file.read(5) == b""
    target = bytearray(100_000)
    file.seek(50)
    assert file.readinto(target) == 100_000
    assert target == content[50:100_050]
    assert file.read_many([(3, 5), (7, 8)]) == [content[3:5], content[7:8]]


def test_small_reads_beside_each_other_are_one_request():
    asked = []

    def ranges(wanted):
        asked.extend(wanted)
        return [bytes(stop - start) for start, stop in wanted]

    file = BoundedFile(ranges, 10**9, 10**6)
    for _ in range(100):
        file.read(100)
    assert asked == [(0, 65_536)]
    with pytest.raises(DataJointError, match=r"a preview reads 1\.0 MB"):
        file.read(10**7)


# Planes


@pytest.mark.parametrize("axes", [(0, 1), (1, 2), (2, 0), (3, 1)])
def test_planes_are_the_same_from_memory_npy_and_zarr(axes):
    array = NOISE.integers(0, 200, (4, 5, 6, 7)).astype("u2")
    store = new_store({"protocol": "memory", "location": "planes"})
    files = ZarrFiles(store, "z.zarr")
    chunked = zarr.create_array(
        files, shape=array.shape, chunks=(2, 2, 3, 7), dtype="u2", overwrite=True
    )
    chunked[:] = array
    sources = [array, array_ref(store, array), array_ref(store, np.asfortranarray(array)), chunked]
    found = []
    for source in sources:
        slices = slices_of(source, Deadline())
        found.append(slices.plane(slices.checked(axes, (3, 1, 2, 5)), Deadline(60)))
    assert len({(each.png, each.values) for each in found}) == 1


def test_colours_are_no_axis_of_the_sliders():
    slices = slices_of(np.zeros((5, 20, 30, 3), "u1"), Deadline())
    assert slices.colours == 3
    assert slices.start == View((1, 2), (2, 10, 15, 1))
    assert slices_of(np.zeros((20, 30, 3), "u1"), Deadline()) is None


@pytest.mark.parametrize(
    "value", [np.zeros((3, 4)), np.zeros(5), np.zeros((3, 0, 4)), np.array([[["a"]]]), "text", None]
)
def test_what_has_no_other_axes_has_no_sliders(value):
    assert slices_of(value, Deadline()) is None


def test_an_array_in_memory_is_not_kept_by_its_sliders():
    array = np.zeros((3, 4, 5))
    slices = slices_of(array, Deadline())
    del array
    with pytest.raises(DataJointError, match="run the cell again"):
        slices.plane(slices.start)


@pytest.mark.parametrize("axes", [(0, 0), (0, 9), (-1, 1), (1,), ()])
def test_a_plane_that_is_none_is_refused(axes):
    slices = slices_of(np.zeros((3, 4, 5)), Deadline())
    with pytest.raises(DataJointError, match="has no plane"):
        slices.checked(axes, (0, 0, 0))


def test_a_place_outside_of_an_array_is_moved_into_it():
    slices = slices_of(np.zeros((3, 4, 5)), Deadline())
    assert slices.checked((1, 2), (99, -5, 2)).position == (2, 0, 2)


def test_what_is_cut_says_so():
    store = new_store({"protocol": "memory", "location": "cut"})
    ref = array_ref(store, np.zeros((3, 1000, 1000)))
    slices = slices_of(ref, Deadline())
    assert "A part of the plane" in slices.plane(slices.start).note
    assert "read in part" in object_text(npy_ref_card(ref, BUDGET))

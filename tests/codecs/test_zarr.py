"""Arrays and groups as Zarr in stores: on a folder, in memory and on S3."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tracemalloc
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

import djupyter as dj
from djupyter.codecs import zarr_layout
from djupyter.codecs.zarr_layout import CHUNK, MANY_CHUNKS, layout, pieces
from djupyter.errors import DataJointError, MissingExternalFile
from tests.codecs.storing import Place

A = np.arange(240.0).reshape(4, 60)
DTYPES = [">i2", "<f4", "c16", "bool", "<U5", "S3", "M8[ns]", "m8[s]", "f2", "S300"]


@pytest.fixture
def place(store_entry: dict[str, Any]) -> Place:
    """`<zarr>` with each kind of store."""
    return Place("zarr", store_entry)


@pytest.fixture
def memory() -> Place:
    """`<zarr>` with stores in memory."""
    entry = {"protocol": "memory", "location": "tests/zarr"}
    return Place("zarr", entry, other={"protocol": "memory", "location": "tests/other"})


def group(store: Any = None, zarr_format: Any = 3) -> zarr.Group:
    """Return a group with an array inside a group, all with attributes."""
    made = zarr.create_group(
        {} if store is None else store, attributes={"lab": "north"}, zarr_format=zarr_format
    )
    inner = made.create_group("day1", attributes={"rig": 2})
    inner.create_array("scan", data=A, chunks=(2, 25), attributes={"unit": "mV"})
    made.create_array("mask", data=np.eye(5, dtype="u1"))
    return made


class Lazy:
    """An array that is made when it is read, such as a dataset of h5py, and counts."""

    def __init__(self, shape: tuple[int, ...], chunks: tuple[int, ...] | None = None) -> None:
        self.shape, self.dtype, self.chunks = shape, np.dtype("u2"), chunks
        self.attrs = {"rate": np.float32(0.5), "rig": b"A", "refs": np.array([None])}
        self.read, self.largest = 0, 0

    def __getitem__(self, piece: tuple[slice, ...]) -> Any:
        shape = tuple(part.stop - part.start for part in piece)
        self.read += int(np.prod(shape))
        self.largest = max(self.largest, int(np.prod(shape)) * 2)
        return np.full(shape, piece[0].start, "u2")


def test_an_array_comes_back_open_and_unread(place):
    document = place.put(A)
    found = place.get(document)
    assert isinstance(found, zarr.Array)
    assert found.read_only
    assert found.metadata.zarr_format == 3
    np.testing.assert_array_equal(found[1:3, ::7], A[1:3, ::7])
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


def test_one_request_opens_an_array(place, monkeypatch):
    document = place.put(A)
    asked = []
    get = type(place.store).get

    def counted(store, path):
        asked.append(path)
        return get(store, path)

    monkeypatch.setattr(type(place.store), "get", counted)
    place.get(document)
    assert asked == [f"{document['path']}/zarr.json"]


def test_the_row_says_where_and_what_it_is(place):
    document = place.put(A.astype("f4"))
    assert document["path"].startswith("_schema/lab/scan/id=1/x_")
    assert document["path"].endswith(".zarr")
    files = place.files(document)
    assert document == {
        "path": document["path"],
        "store": "raw",
        "is_dir": True,
        "kind": "array",
        "shape": [4, 60],
        "dtype": "float32",
        "size": sum(files.values()),
        "item_count": len(files),
    }
    assert place.codec.referenced_paths(document) == [(document["path"], "raw")]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_that_zarr_has(memory, dtype):
    array = np.arange(6).astype(dtype)
    found = memory.trip(array)
    np.testing.assert_array_equal(found[...], array)
    # The order of bytes is a matter of how chunks are stored.
    assert found.dtype == array.dtype.newbyteorder("=")


def test_records(memory):
    array = np.array([(1, 2.5), (3, 4.5)], [("a", "<i4"), ("b", ">f8")])
    np.testing.assert_array_equal(memory.trip(array)[...], array)
    # Version 2 kept the order of bytes, version 3 does not.
    source = zarr.create_array({}, data=array, zarr_format=2, attributes={"unit": "s"})
    found = memory.trip(source)
    np.testing.assert_array_equal(found[...], array)
    assert found.attrs.asdict() == {"unit": "s"}


@given(arrays.arrays(np.int16, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0)))
def test_any_shape(array):
    place = Place("zarr", {"protocol": "memory", "location": "tests/shapes"})
    np.testing.assert_array_equal(place.trip(array)[...], array)


@pytest.mark.parametrize("turn", [np.asfortranarray, lambda a: a.T, lambda a: a[::2, 3:]])
def test_any_order_in_memory(memory, turn):
    np.testing.assert_array_equal(memory.trip(turn(A))[...], turn(A))


def test_a_zarr_array_keeps_its_chunks_compression_and_attributes(place):
    source = zarr.create_array(
        {},
        shape=(30, 20),
        chunks=(5, 10),
        shards=(10, 20),
        dtype="i4",
        fill_value=7,
        compressors=zarr.codecs.GzipCodec(level=2),
        attributes={"unit": "mV"},
        dimension_names=["t", "x"],
    )
    source[...] = np.arange(600).reshape(30, 20)
    found = place.trip(source)
    np.testing.assert_array_equal(found[...], source[...])
    assert (found.chunks, found.shards, found.fill_value) == ((5, 10), (10, 20), 7)
    assert found.compressors == source.compressors
    assert found.attrs.asdict() == {"unit": "mV"}
    assert found.metadata.dimension_names == ("t", "x")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_group_comes_back_with_all_that_is_in_it(place, zarr_format):
    document = place.put(group(zarr_format=zarr_format))
    found = place.get(document)
    assert isinstance(found, zarr.Group)
    assert found.metadata.zarr_format == 3
    assert found.attrs.asdict() == {"lab": "north"}
    assert found["day1"].attrs.asdict() == {"rig": 2}
    scan = found["day1/scan"]
    np.testing.assert_array_equal(scan[...], A)
    assert (scan.chunks, scan.attrs.asdict()) == ((2, 25), {"unit": "mV"})
    np.testing.assert_array_equal(found["mask"][...], np.eye(5))
    assert (document["kind"], "shape" in document) == ("group", False)
    files = place.files(document)
    assert (document["size"], document["item_count"]) == (sum(files.values()), len(files))


def test_one_file_opens_a_group(place):
    found = place.trip(group())
    assert found.metadata.consolidated_metadata is not None
    place.store.remove(f"{found.store.path}/day1/zarr.json")
    assert dict(found.members(max_depth=None)).keys() == {"day1", "day1/scan", "mask"}


def test_what_one_store_gave_goes_into_another(store_entry):
    place = Place("zarr", store_entry, other={"protocol": "memory", "location": "tests/cold"})
    document = place.put(place.trip(group()), "other")
    assert document["store"] == "other"
    np.testing.assert_array_equal(place.get(document)["day1/scan"][...], A)


def test_empty_chunks_of_a_zarr_array_stay_empty(memory):
    source = zarr.create_array({}, shape=(1000,), chunks=(10,), dtype="i4", fill_value=5)
    source[40:50] = 1
    document = memory.put(source)
    assert (document["item_count"], document["sparse"]) == (2, True)
    assert memory.get(document)[35:45].tolist() == [5] * 5 + [1] * 5


def test_xarray_objects_come_back_as_groups_that_xarray_opens(place):
    xarray = pytest.importorskip("xarray")
    times = np.array(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], "M8[ns]")
    names = [f"unit {n}" for n in range(60)]
    array = xarray.DataArray(
        A, dims=("t", "unit"), coords={"t": times, "unit": names}, attrs={"rig": 1}
    )
    dataset = xarray.Dataset({"rate": array, "depth": ("unit", A[0])}, attrs={"lab": "north"})
    for value, reopen in [
        (dataset, xarray.open_zarr),
        (array, lambda store: xarray.open_dataarray(store, engine="zarr")),
        (array.rename("t"), lambda store: xarray.open_dataarray(store, engine="zarr")),
    ]:
        document = place.put(value)
        found = place.get(document)
        assert document["kind"] == "group"
        xarray.testing.assert_identical(reopen(found.store).load(), value)
        files = place.files(document)
        assert (document["size"], document["item_count"]) == (sum(files.values()), len(files))


@pytest.mark.parametrize("chunks", [(100, 300), ((30, 45, 25), (300,)), ((7, 93), (299, 1))])
def test_dask_arrays_are_computed_in_pieces(memory, chunks):
    dask = pytest.importorskip("dask.array")
    xarray = pytest.importorskip("xarray")
    values = np.arange(30_000.0).reshape(100, 300)
    array = dask.from_array(values, chunks=chunks)
    np.testing.assert_array_equal(memory.trip(array)[...], values)
    labelled = xarray.DataArray(array, dims=("t", "x"), name="rate")
    np.testing.assert_array_equal(memory.trip(labelled)["rate"][...], values)


def test_a_dask_array_of_unknown_shape_is_refused(memory):
    dask = pytest.importorskip("dask.array")
    array = dask.arange(10, chunks=5)
    with pytest.raises(DataJointError, match="compute_chunk_sizes"):
        memory.put(array[array > 3])


def test_other_arrays_are_read_once_by_slices_with_their_attributes(memory):
    source = Lazy((100, 50), chunks=(10, 50))
    found = memory.trip(source)
    np.testing.assert_array_equal(found[...], 0)
    assert source.read == 5000
    assert found.attrs.asdict() == {"rate": 0.5, "rig": "A"}


def test_an_array_that_lies_as_npy_goes_in(store_entry):
    npy, place = Place("npy", store_entry), Place("zarr", store_entry)
    np.testing.assert_array_equal(place.trip(npy.trip(A))[...], A)


@pytest.mark.parametrize("chunks", [None, (100, 512, 512)])
def test_an_array_larger_than_memory_passes_through_in_pieces(tmp_path, chunks):
    place = Place("zarr", {"protocol": "file", "location": str(tmp_path)})
    source = Lazy((800, 512, 512), chunks)
    whole = 800 * 512 * 512 * 2
    tracemalloc.start()
    try:
        document = place.put(source)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert source.read * 2 == whole
    assert source.largest <= 32 * 2**20
    assert peak < whole / 3
    assert place.get(document)[799, 0, 0] > 0


# Bad input


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], r"takes a NumPy, Dask or Zarr array.*not list"),
        (np.array([1, None]), "object dtype"),
        (np.array([(1, None)], [("a", "i4"), ("b", "O")]), "object dtype"),
        (np.ma.masked_array([1, 2], [True, False]), r"filled\(...\)"),
        (np.zeros(3, np.longdouble), "cannot hold elements of the type float128"),
        (np.zeros(3, [("a", "<i4", (100,))]), "cannot hold"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(getattr(value, "dtype", "list")),
)
def test_what_zarr_cannot_hold_is_refused(memory, value, message):
    with pytest.raises(DataJointError, match=message):
        memory.put(value)


def test_frames_are_sent_to_parquet(memory):
    import pandas

    with pytest.raises(DataJointError, match="frames go into <parquet>"):
        memory.put(pandas.Series([1, 2]))


def test_attributes_that_json_cannot_hold_are_named(memory):
    source = Lazy((3,))
    source.attrs = {"when": {1, 2}}
    with pytest.raises(DataJointError, match="attribute 'when'"):
        memory.put(source)


def test_an_array_that_is_gone_is_missed_by_its_path(place):
    document = place.put(A)
    place.store.remove(document["path"])
    with pytest.raises(MissingExternalFile, match=document["path"]):
        place.get(document)


def test_a_chunk_that_is_gone_is_no_empty_chunk(place):
    document = place.put(A)
    found = place.get(document)
    place.store.remove(f"{document['path']}/c/0/0")
    with pytest.raises(MissingExternalFile, match=rf"chunk c/0/0 of {document['path']}"):
        found[...]


@pytest.mark.parametrize("contents", [b"", b"{", b"[]", b'{"zarr_format": 3}', b"\xff\x00"])
def test_damaged_metadata_are_named_by_path(place, contents):
    document = place.put(A)
    place.store.put(f"{document['path']}/zarr.json", contents)
    with pytest.raises(DataJointError, match=document["path"]):
        place.get(document)


def test_an_array_that_was_changed_is_noticed(place):
    document = place.put(A)
    other = place.put(A[:2])
    place.store.put(f"{document['path']}/zarr.json", place.store.get(f"{other['path']}/zarr.json"))
    with pytest.raises(DataJointError, match="it was changed"):
        place.get(document)


def test_a_document_without_a_path_is_refused(memory):
    with pytest.raises(DataJointError, match="has no path"):
        memory.get({"shape": [3]})


def test_a_path_cannot_leave_the_store(memory):
    with pytest.raises(DataJointError, match="out of its store"):
        memory.get({"path": "../../etc", "store": "raw"})


# Other programs


def test_rows_of_dj_zarr_codecs_are_read(place):
    """That package writes through a mapping of fsspec and leaves empty chunks out."""
    path = "lab/scan/1/x_Ab3-_9xZ.zarr"
    outside = zarr.create_array({}, data=np.zeros((4, 6), "i2"), write_data=True)
    for key, value in outside.store._store_dict.items():
        place.store.put(f"{path}/{key}", value.to_bytes())
    for store in ("raw", "", None):
        found = place.get({"path": path, "store": store, "shape": [4, 6], "dtype": "int16"})
        np.testing.assert_array_equal(found[...], 0)
        assert found.read_only


def test_rows_of_others_may_have_version_2(place):
    outside = zarr.create_array({}, data=A, zarr_format=2)
    for key, value in outside.store._store_dict.items():
        place.store.put(f"old/x.zarr/{key}", value.to_bytes())
    found = place.get({"path": "old/x.zarr", "shape": [4, 60], "dtype": "float64"})
    np.testing.assert_array_equal(found[...], A)


def test_what_we_write_zarr_reads_alone(tmp_path):
    place = Place("zarr", {"protocol": "file", "location": str(tmp_path)})
    path = place.put(A)["path"]
    np.testing.assert_array_equal(zarr.open_array(tmp_path / path, mode="r")[...], A)


def test_an_open_array_can_be_sent_to_another_process(place):
    found = pickle.loads(pickle.dumps(place.trip(A)))
    if place.store.spec["protocol"] != "memory":
        np.testing.assert_array_equal(found[...], A)
    assert found.shape == A.shape


def test_zarr_is_not_imported_before_it_is_needed():
    code = (
        "import sys, djupyter; djupyter.get_codec('zarr'); djupyter.get_codec('parquet');"
        "assert not {'zarr', 'pyarrow', 'xarray', 'dask'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Layout


@given(
    st.lists(st.integers(0, 100_000), max_size=4).map(tuple),
    st.sampled_from([1, 2, 4, 8, 16]),
    st.booleans(),
)
def test_chunks_fit_the_array_and_are_neither_large_nor_tiny(shape, itemsize, fortran):
    plan = layout(shape, itemsize, fortran=fortran)
    size = int(np.prod(plan.chunks, dtype=object)) * itemsize
    assert all(1 <= c <= max(1, n) for c, n in zip(plan.chunks, shape, strict=True))
    assert size <= CHUNK
    whole = int(np.prod([max(1, n) for n in shape], dtype=object)) * itemsize
    assert size >= min(whole, CHUNK) / 4
    for shard, chunk in zip(plan.shards or (), plan.chunks, strict=bool(plan.shards)):
        assert shard % chunk == 0


@given(arrays.array_shapes(max_dims=3, max_side=40), st.data())
def test_pieces_cover_an_array_once(shape, data):
    unit = tuple(data.draw(st.integers(1, n)) for n in shape)
    seen = np.zeros(shape, int)
    for piece in pieces(shape, unit, 2**20):
        seen[piece] += 1
        assert all(part.start % n == 0 for part, n in zip(piece, unit, strict=True))
    assert (seen == 1).all()


def test_only_very_many_chunks_are_gathered_in_shards():
    assert layout((4 * MANY_CHUNKS, 512, 512), 2).shards is None
    assert layout((4 * MANY_CHUNKS + 1, 512, 512), 2).shards == (64, 512, 512)


def test_arrays_in_shards(memory, monkeypatch):
    monkeypatch.setattr(zarr_layout, "MANY_CHUNKS", 4)
    source = Lazy((100, 512, 512))
    document = memory.put(source)
    found = memory.get(document)
    assert (found.chunks, found.shards) == ((4, 512, 512), (64, 512, 512))
    assert found[::63, 0, 0].tolist() == [0, 0]
    assert found[64, 5, 5] == 64
    files = memory.files(document)
    assert (document["size"], document["item_count"]) == (sum(files.values()), 3)
    assert source.read == 100 * 512 * 512


def test_images_stay_whole_in_a_chunk():
    assert layout((5000, 512, 512), 2).chunks == (4, 512, 512)
    assert layout((5000, 256, 256, 3), 1).chunks[1:] == (256, 256, 3)
    assert layout((512, 512, 5000), 2, fortran=True).chunks == (512, 512, 4)


# Through tables


@pytest.fixture
def scans(db, store_entry):
    """A table with arrays in a store."""
    connection = db.connection
    connection.settings["stores"] = {"default": "raw", "raw": store_entry}
    schema = dj.Schema(db.schema_name("lab"), connection=connection)

    @schema
    class Scan(dj.Manual):
        definition = """
        scan : int32
        ---
        movie = null : <zarr@raw>
        """

    return Scan


def test_rows_have_arrays(scans):
    scans.insert([(1, A), (2, None), (3, A + 1)])
    movies = scans.to_arrays("movie", order_by="KEY")
    np.testing.assert_array_equal(movies[0][...], A)
    assert movies[1] is None
    np.testing.assert_array_equal((scans & "scan = 3").fetch1("movie")[2:], A[2:] + 1)


def test_a_rollback_leaves_no_chunk(scans):
    store = scans.connection.stores.get("raw")
    scans.insert1((1, A))
    before = {entry.path for entry in store.entries()}
    with pytest.raises(dj.errors.DuplicateError):
        scans.insert([(2, A), (1, A)])
    assert {entry.path for entry in store.entries()} == before
    with pytest.raises(DataJointError, match="object dtype"):
        scans.insert([(3, A), (4, np.array([None]))])
    assert {entry.path for entry in store.entries()} == before


def test_an_error_names_table_key_and_attribute(scans):
    scans.insert1((7, A))
    path = (scans & "scan = 7").fetch1("movie").store.path
    scans.connection.stores.get("raw").remove(path)
    with pytest.raises(MissingExternalFile, match=r"movie.*") as caught:
        (scans & "scan = 7").to_dicts()
    message = str(caught.value)
    assert path in message
    assert "scan=7" in message

"""Damaged and hostile objects show a card: nothing is raised, run, loaded whole, or waited for."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import zlib
from pathlib import Path
from uuid import uuid4

import numcodecs
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from djupyter.codecs.deadline import Deadline
from djupyter.codecs.file_card import file_card
from djupyter.codecs.guarded import guarded
from djupyter.codecs.npy_ref import NpyRef
from djupyter.codecs.object_ref import ObjectRef
from djupyter.codecs.parquet_ref import ParquetRef
from djupyter.codecs.shown import object_ref_card
from djupyter.codecs.slices import slices_of
from djupyter.codecs.zarr_card import zarr_array_card, zarr_group_card
from djupyter.codecs.zarr_files import ZarrFiles
from djupyter.render.object_card import ObjectCard, object_html, object_text
from djupyter.settings.stores import store_spec
from djupyter.stores.store import Store
from tests.codecs.kinds import files, hdf5, npy, parquet


def memory_store(name: str = "hostile") -> Store:
    return Store("raw", store_spec({"raw": {"protocol": "memory", "location": name}}, "raw"))


def shown(name: str, content: bytes, budget: int = 8_000_000) -> ObjectCard:
    """Return the card of a file as a reference to it makes it."""
    card = guarded(
        lambda _: file_card(name, len(content), lambda: io.BytesIO(content), (), budget), "file", ()
    )
    assert object_html(card)
    assert object_text(card)
    return card


# Damage


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_file_of_any_kind_shows_a_card(data):
    name = data.draw(st.sampled_from(sorted(files())))
    content = bytearray(files()[name])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    card = shown(name, bytes(content[:end]) + data.draw(st.binary(max_size=20)))
    assert "<script" not in object_html(card)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_folder_of_zarr_shows_a_card(data):
    store, place = memory_store(), f"{uuid4().hex}.zarr"
    options = data.draw(st.sampled_from([{}, {"shards": (4, 8, 8)}, {"zarr_format": 2}]))
    array = zarr.create_array(
        ZarrFiles(store, place), shape=(4, 8, 8), chunks=(1, 4, 4), dtype="u2", **options
    )
    array[:] = np.arange(256).reshape(4, 8, 8)
    for entry in sorted(store.entries(place), key=lambda entry: entry.path):
        content = bytearray(store.get(entry.path))
        for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
            content[at] = data.draw(st.integers(0, 255))
        store.put(entry.path, bytes(content[: data.draw(st.integers(0, len(content)))]))
    card = object_ref_card(ObjectRef(place, is_dir=True, backend=store), 8_000_000)
    assert object_html(card)
    store.remove(place)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_hdf5_file_shows_a_card_whatever_its_library_does(data):
    content = bytearray(hdf5())
    for place in data.draw(st.lists(st.integers(8, 3000), min_size=1, max_size=40)):
        content[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    shown("a.h5", bytes(content[:end]))


@pytest.mark.parametrize(
    "document",
    [
        {"path": "a.npy", "shape": "x", "dtype": "float64"},
        {"path": "a.npy", "shape": [3], "dtype": "[(("},
        {"path": "a.npy"},
    ],
)
def test_a_reference_whose_row_is_damaged_shows_a_card(document):
    assert "Cannot be shown" in NpyRef(document, memory_store())._repr_html_()


def test_what_is_missing_says_so_in_text_and_markup():
    store = memory_store()
    for ref in (
        ObjectRef("gone.txt", backend=store),
        ObjectRef("gone", is_dir=True, backend=store),
        ObjectRef("gone.h5", backend=store),
        NpyRef({"path": "gone.npy", "dtype": "f8", "shape": [3, 3, 3]}, store),
        ParquetRef({"path": "gone.parquet"}, store),
    ):
        bundle = ref._repr_mimebundle_()
        assert all("Cannot be shown" in bundle[kind] for kind in ("text/html", "text/plain"))


# NumPy


def test_python_objects_are_never_loaded():
    card = shown("a.npy", npy(np.array([{}], dtype=object), allow_pickle=True))
    assert "never loaded" in card.note


@pytest.mark.parametrize(
    "header",
    [
        b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b" " * 5000,
        b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"(" * 9000,
        b"\x93NUMPY\x02\x00" + struct.pack("<I", 500_000) + b"[" * 500_000,
        b"\x93NUMPY\x09\x00" + bytes(100),
    ],
)
def test_a_hostile_header_is_no_array(header):
    assert "This is no .npy file" in shown("a.npy", header).note


@pytest.mark.parametrize("shape", [(10**18,), (10**9, 10**9), (-5, 3), (3, 10**12, 2), (2**70,)])
def test_an_array_that_is_not_there_is_not_waited_for(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".encode()
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(64)
    assert shown("a.npy", content).failed


# Pictures and texts


def test_a_picture_of_enormous_size_is_not_decoded():
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)
    note = shown("a.png", content + chunk(b"IEND", b"")).note
    assert "Not shown" in note or "exceeds limit" in note


def test_a_large_picture_is_refused_before_its_pixels_take_memory():
    target = io.BytesIO()
    Image.new("L", (9000, 9000)).save(target, "PNG")
    assert "need 324.0 MB of memory" in shown("a.png", target.getvalue()).note


def test_a_program_that_is_called_a_picture_is_not_run():
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
    card = shown("a.png", content)
    assert card.failed
    assert "cannot identify" in card.note


@pytest.mark.parametrize(
    "content", [b"[" * 60_000, b'{"a":' * 9000, b"\x00" * 9000, b'"' + b"x" * 300_000, b"\n" * 9000]
)
@pytest.mark.parametrize("name", ["a.json", "a.csv", "a.txt"])
def test_a_hostile_text_is_shown_in_bounded_size(name, content):
    assert len(object_html(shown(name, content))) < 200_000


# Parquet


def test_pages_that_become_very_large_are_not_decompressed():
    content = parquet(x=["a" * 100_000_000])
    assert len(content) < 8_000_000
    card = shown("a.parquet", content)
    assert card.failed
    assert "become 100.0 MB or more" in card.note


def test_a_page_that_lies_about_its_size_is_caught_by_its_own_header():
    content = bytearray(parquet(x=list(range(3))))
    # The header of the first page: field 1 (its kind), field 2 (bytes in memory), as zigzag numbers.
    assert content[4:7] == b"\x15\x04\x15"
    length = 1 if content[7] < 128 else 2
    claim = bytes([0xFE, 0xFF, 0xFF, 0xFF, 0x0F])  # 2 GB
    content[7 : 7 + length] = claim
    assert shown("a.parquet", bytes(content)).failed


# Zarr

_BOMB = bytes(200_000_000)


def _zarr_of(chunk: bytes, codec: str, shape=(64, 64), **metadata: object) -> zarr.Array:
    store, path = _put_zarr(chunk, codec, shape, **metadata)
    return zarr.open_array(ZarrFiles(store, path, read_only=True), mode="r")


def _put_zarr(chunk, codec, shape=(64, 64), **metadata):
    document = {
        "zarr_format": 2,
        "shape": list(shape),
        "chunks": list(shape),
        "dtype": "<f8",
        "compressor": {"id": codec},
        "fill_value": 0,
        "order": "C",
        "filters": None,
    } | metadata
    store = memory_store("bombs")
    path = f"{codec}.zarr"
    store.remove(path)
    store.put(f"{path}/.zarray", json.dumps(document).encode())
    store.put(f"{path}/0.0", chunk)
    return store, path


@pytest.mark.parametrize(
    ("codec", "chunk"),
    [
        ("gzip", lambda: gzip.compress(_BOMB)),
        ("zlib", lambda: zlib.compress(_BOMB)),
        ("zstd", lambda: numcodecs.Zstd().encode(_BOMB)),
        ("blosc", lambda: numcodecs.Blosc().encode(_BOMB)),
        ("lz4", lambda: numcodecs.LZ4().encode(_BOMB)),
        ("bz2", lambda: bz2.compress(_BOMB)),
        ("lzma", lambda: lzma.compress(_BOMB)),
    ],
)
def test_a_chunk_that_becomes_more_than_it_says_is_not_decompressed(codec, chunk):
    card = zarr_array_card(_zarr_of(chunk(), codec))
    assert card.failed
    assert "or more when it is decompressed, not 32.8 kB" in card.note


@pytest.mark.parametrize("codec", ["gzip", "zstd", "blosc", "lz4", "bz2", "lzma", "zlib"])
def test_an_honest_chunk_is_read(codec):
    values = np.random.default_rng(0).normal(size=(64, 64))
    chunk = numcodecs.get_codec({"id": codec}).encode(values)
    assert "values" in dict(zarr_array_card(_zarr_of(bytes(chunk), codec)).facts)


def test_a_bomb_in_a_shard_is_found(monkeypatch):
    store = memory_store("shards")
    for wanted in (slice(None), 0):
        files = ZarrFiles(store, "s.zarr")
        array = zarr.create_array(
            files, shape=(8, 64), chunks=(1, 64), shards=(8, 64), dtype="f8", overwrite=True
        )
        array[wanted] = np.random.default_rng(0).normal(size=array[wanted].shape)
        (name,) = (e.path for e in store.entries("s.zarr") if "/c/" in e.path)
        assert not zarr_array_card(array).failed
        bomb, index = numcodecs.Zstd().encode(_BOMB), struct.pack("<QQ", 0, 0)
        content = bytes(bomb) + index.replace(index, struct.pack("<QQ", 0, len(bomb))) * 8
        import google_crc32c

        crc = google_crc32c.value(content[-128:])
        store.put(name, content + struct.pack("<I", crc))
        assert "when it is decompressed" in zarr_array_card(array).note


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "metadata",
    [
        {"compressor": {"id": "pickle"}},
        {"compressor": None, "filters": [{"id": "pickle"}]},
        {"compressor": None, "filters": [{"id": "pickle"}], "dtype": "|O", "fill_value": None},
    ],
)
def test_a_codec_that_runs_code_is_never_asked(tmp_path, metadata):
    store, path = _put_zarr(pickle.dumps(Evil(tmp_path / "was-run")), "zstd", **metadata)
    assert object_html(object_ref_card(ObjectRef(path, is_dir=True, backend=store), 8_000_000))
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    ("shape", "chunks"),
    [((10**30, 10**30), (1, 1)), ((5, 5), (10**15, 10**15)), ((10**9, 10**9), (10**4, 10**4))],
)
def test_absurd_shapes_of_zarr_show_a_card(shape, chunks):
    array = _zarr_of(b"", "zstd", shape, chunks=list(chunks))
    assert "shape" in object_text(zarr_array_card(array)) or zarr_array_card(array).failed


def test_a_chunk_that_is_longer_than_a_preview_reads_is_left():
    array = _zarr_of(bytes(3_000_000), "zstd")
    assert "a preview reads 1.0 MB" in zarr_array_card(array, 1_000_000).note


def test_of_a_group_with_very_many_members_few_are_looked_at():
    store = memory_store("wide")
    group = zarr.create_group(ZarrFiles(store, "g.zarr"))
    group.create_array("a000", shape=(3,), dtype="i4")
    member = store.get("g.zarr/a000/zarr.json")
    for number in range(400):
        store.put(f"g.zarr/a{number:03}/zarr.json", member)
    reads = []
    watched = zarr.open_group(ZarrFiles(store, "g.zarr", read_only=True), mode="r")
    take, store.get = store.get, lambda path: reads.append(path) or take(path)
    text = object_text(zarr_group_card(watched))
    assert "… and more" in text
    assert len(reads) <= 300


# HDF5


def test_links_of_hdf5_are_told_and_never_followed():
    text = object_text(shown("a.h5", hdf5()))
    assert "outside  → /etc/passwd:/x" in text
    assert "soft  → /rec/x" in text
    assert "again/  shown above" in text
    assert "x  float64 100 × 50, chunks 10 × 50" in text


def test_without_h5py_its_card_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("djupyter.codecs.hdf5_card.find_spec", lambda name: None)
    card = shown("a.h5", hdf5())
    assert "`pip install h5py`" in card.note
    assert not card.failed


def test_hdf5_reads_no_more_than_allowed():
    import h5py

    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        for number in range(2000):
            file.create_dataset(f"d{number:04}", data=np.zeros(500))
    card = shown("a.h5", target.getvalue(), budget=400_000)
    assert card.failed or "more" in object_text(card)


# Sliders


def test_sliders_of_a_damaged_object_are_told_what_is_wrong():
    store = memory_store("slices")
    store.put("a.npy", npy(np.zeros((3, 4, 5)))[:-8])
    ref = NpyRef({"path": "a.npy", "dtype": "float64", "shape": [3, 4, 5]}, store)
    slices = slices_of(ref, Deadline())
    with pytest.raises(Exception, match="ends before its array does"):
        slices.plane(slices.checked((1, 2), (2, 0, 0)))

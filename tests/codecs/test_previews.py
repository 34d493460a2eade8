"""What objects show of themselves: bounded reads, nothing raised, nothing run."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from djupyter.codecs.array_card import array_card
from djupyter.codecs.attachment import Attachment
from djupyter.codecs.file_card import file_card
from djupyter.codecs.npy_part import NpyPart
from djupyter.codecs.npy_ref import NpyRef
from djupyter.codecs.object_ref import ObjectRef
from djupyter.codecs.zarr_card import zarr_array_card, zarr_group_card
from djupyter.codecs.zarr_files import ZarrFiles
from djupyter.errors import DataJointError
from djupyter.render.object_card import object_html, object_text
from djupyter.render.pictures import picture as array_picture
from djupyter.settings.stores import store_spec
from djupyter.stores.store import Entry, Store


class Counted(io.BytesIO):
    """A file that knows how much of it was read."""

    taken = 0

    def read(self, size=-1):
        data = super().read(size)
        self.taken += len(data)
        return data


def npy(array: np.ndarray) -> bytes:
    target = io.BytesIO()
    np.save(target, array)
    return target.getvalue()


def card(name: str, content: bytes, **options):
    return file_card(name, len(content), lambda: io.BytesIO(content), (), **options)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    entry = {"raw": {"protocol": "file", "location": str(tmp_path)}}
    return Store("raw", store_spec(entry, "raw"))


# Parts of .npy files


@given(
    st.lists(st.integers(1, 6), min_size=0, max_size=4).map(tuple),
    st.booleans(),
    st.sampled_from(["<f8", ">i2", "u1", "c16", "<U3", "M8[s]"]),
    st.data(),
)
def test_a_part_of_a_npy_file_is_that_part_of_the_array(shape, fortran, dtype, data):
    array = np.arange(np.prod(shape, dtype=int)).astype(dtype).reshape(shape)
    array = np.asfortranarray(array) if fortran and shape else array
    index = tuple(
        data.draw(st.one_of(st.integers(0, n - 1), st.integers(1, n).map(lambda k: slice(0, k))))
        for n in shape
    )
    found = NpyPart(io.BytesIO(npy(array))).read(index)
    assert np.asarray(found).dtype == np.asarray(array[index]).dtype
    np.testing.assert_array_equal(found, array[index])


def test_of_a_large_npy_file_little_is_read():
    file = Counted(npy(np.zeros((50, 400, 400))))
    shown = file_card("a.npy", 64_000_000, lambda: file, (), budget=1_000_000)
    assert file.taken < 1_100_000
    assert dict(shown.facts)["shape"] == "50 × 400 × 400"
    assert shown.note.startswith("Shown: [25, ")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x93NUMPY", b"nothing of the kind", npy(np.zeros(9))[:-1], npy(np.zeros(9))[:60]],
)
def test_a_damaged_npy_file_is_refused(content):
    with pytest.raises(DataJointError):
        card("a.npy", content)


def test_python_objects_are_never_loaded():
    target = io.BytesIO()
    np.save(target, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataJointError, match="never loaded"):
        card("a.npy", target.getvalue())


# Arrays


@pytest.mark.parametrize(
    ("array", "values"),
    [
        (np.arange(6).reshape(2, 3), "0 … 5, mean 2.5"),
        (np.array([1.0, np.nan, 3.0]), "1 … 3, mean 2, 1 not finite"),
        (np.array([np.inf, np.nan]), "no finite values"),
        (np.array([True, False, True]), "2 true of 3"),
        (np.array(["a"]), None),
        (np.zeros((0, 3)), None),
        (np.array(5), "5 … 5, mean 5"),
    ],
)
def test_numbers_have_statistics(array, values):
    shown = array_card("array", array.shape, array.dtype, array.__getitem__)
    assert dict(shown.facts).get("values") == values
    assert object_text(shown).startswith("array\n")


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((100,), "svg+xml"),
        ((30, 40), "png"),
        ((30, 40, 3), "png"),
        ((5, 30, 40), "png"),
        ((1, 9), "svg+xml"),
    ],
)
@pytest.mark.parametrize("dtype", ["u1", "f4", "c8", "?", ">i4"])
def test_planes_are_pictures_and_lines_are_traces(shape, kind, dtype):
    array = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    shown = array_card("array", shape, array.dtype, array.__getitem__)
    assert f'src="data:image/{kind}' in shown.picture
    assert len(object_html(shown)) < 400_000


def test_a_picture_of_nothing_finite_is_drawn_all_the_same():
    array = np.full((20, 20), np.nan)
    assert object_html(array_card("array", array.shape, array.dtype, array.__getitem__))


# Files


def picture(kind: str, mode: str = "RGB") -> bytes:
    target = io.BytesIO()
    Image.new(mode, (900, 700)).save(target, kind)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "title", "seen"),
    [
        ("a.png", picture("PNG"), "picture", "<img src=&quot;|<img src"),
        ("a.tif", picture("TIFF", "I;16"), "picture", "<img"),
        ("a.wav", b"RIFF", "sound", "<audio"),
        ("a.mp4", b"....", "film", "<video"),
        ("a.txt", b"<script>alert(1)</script>", "text", "&lt;script&gt;"),
        ("a.json", json.dumps({"a": [1]}).encode(), "text", r"&quot;a&quot;: \["),
        ("a.json", b"[" * 3000, "text", "<pre>"),
        ("a.svg", b"<svg onload=alert(1)>", "text", "&lt;svg"),
        ("a.csv", b"x,y\n1,<b>\n", "table", "<td>&lt;b&gt;</td>"),
        ("a.csv", b"", "table", ""),
        ("a.bin", b"123", "file", ""),
        ("noending", b"123", "file", ""),
    ],
)
def test_a_file_is_shown_by_its_kind_and_nothing_in_it_is_run(name, content, title, seen):
    shown = card(name, content)
    assert shown.title == title
    assert re.search(seen, object_html(shown))
    assert "<script" not in object_html(shown)


def test_a_picture_is_shown_whole(store):
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    target = io.BytesIO()
    Image.fromarray(noise).save(target, "PNG")
    array = array_card("array", noise.shape, noise.dtype, noise.__getitem__)
    for shown in (card("a.png", target.getvalue()), array):
        (url,) = re.findall(r'src="data:image/png;base64,([^"]*)"', object_html(shown))
        with Image.open(io.BytesIO(base64.b64decode(url, validate=True))) as image:
            assert image.size[0] >= 120
            image.load()


@pytest.mark.parametrize("shape", [(872, 1000), (1000, 872, 3), (330, 300), (2000, 300)])
def test_a_picture_keeps_its_proportions(shape):
    with Image.open(io.BytesIO(array_picture(np.zeros(shape, "uint8")))) as image:
        assert image.width / image.height == pytest.approx(shape[1] / shape[0], rel=0.03)


def test_a_text_keeps_its_lines_and_is_not_cut():
    text = "\n".join(f"line {n} < {n + 1}" for n in range(150))
    shown = object_html(card("a.txt", text.encode()))
    assert re.search(r"<pre>line 0 &lt; 1\nline 1 .*\nline 149 &lt; 150</pre>", shown, re.DOTALL)


@pytest.mark.parametrize("name", ["a.wav", "a.mp4"])
def test_what_is_too_large_to_show_says_so(name):
    shown = file_card(name, 10**9, lambda: pytest.fail("it was opened"), ())
    assert "1.0 GB" in shown.note


@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_of_a_long_text_only_the_beginning_is_read(name):
    file = Counted(b"a,b\n" * 100_000)
    shown = file_card(name, 400_000, lambda: file, ())
    assert file.taken < 100_000
    assert "first" in shown.note


# References


def test_references_show_what_they_refer_to(store):
    store.put("x/a.npy", npy(np.eye(8)))
    store.put("d/one.txt", b"hello")
    store.put("d/sub/two.bin", b"12")
    ref = NpyRef({"path": "x/a.npy", "dtype": "float64", "shape": [8, 8]}, store)
    assert "<img" in ref._repr_html_()
    assert not ref.is_loaded
    file = ObjectRef.from_json({"path": "d/one.txt", "size": 5}, store)
    assert "<pre>hello</pre>" in file._repr_html_()
    folder = ObjectRef.from_json({"path": "d", "size": 7, "is_dir": True}, store)
    assert re.search("one.txt.*sub/.*two.bin", folder._repr_html_())


@pytest.mark.parametrize("is_dir", [False, True])
def test_a_missing_object_is_a_card_that_says_so(store, is_dir):
    ref = ObjectRef.from_json({"path": "gone.txt", "size": 5, "is_dir": is_dir}, store)
    assert "Cannot be shown" in ref._repr_html_()
    lost = NpyRef({"path": "gone.npy", "dtype": "float64", "shape": [8, 8]}, store)
    assert "Cannot be shown" in lost._repr_html_()


def test_a_fetched_attachment_is_a_path_that_shows_the_file(tmp_path):
    (tmp_path / "note.txt").write_text("hello")
    path = Attachment(tmp_path / "note.txt")
    assert path == str(tmp_path / "note.txt")
    assert "<pre>hello</pre>" in path._repr_html_()
    assert "Cannot be shown" in Attachment(tmp_path / "gone.txt")._repr_html_()


def test_hostile_names_are_shown_as_text(store):
    ref = ObjectRef.from_json({"path": "<img src=x onerror=alert(1)>.txt", "size": 1}, store)
    assert "<img" not in ref._repr_html_()


# Zarr


def test_a_zarr_array_shows_its_chunks_and_a_picture_of_few(store):
    array = zarr.create_array(
        zarr.storage.MemoryStore(), shape=(40, 300, 400), chunks=(1, 100, 200), dtype="uint16"
    )
    array[20] = np.random.default_rng(0).integers(0, 4000, (300, 400))
    array.attrs["unit"] = "<b>"
    shown = zarr_array_card(array)
    facts = dict(shown.facts)
    assert facts["chunks"] == "1 × 100 × 200 (40 × 3 × 2 of them)"
    assert facts["@unit"] == "<b>"
    assert str(shown.picture).startswith("<img")
    assert "<b>" not in object_html(shown)


@pytest.mark.parametrize("shape", [(2000, 1500), (5, 5)])
def test_a_chunk_that_is_larger_than_a_preview_may_read_stays_where_it_is(shape):
    array = zarr.create_array({}, shape=shape, chunks=(2000, 1500), dtype="float64", fill_value=1)
    log = zarr.storage.LoggingStore(array.store, log_level="ERROR")
    watched = zarr.open_array(log, mode="r")
    log.counter.clear()
    shown = zarr_array_card(watched)
    assert log.counter["get"] == 0
    assert "values" not in dict(shown.facts)
    assert shown.note == "Not shown: a chunk has 24.0 MB, a preview reads 8.0 MB."
    assert not shown.failed
    assert "values" in dict(zarr_array_card(array, 30_000_000).facts)


def test_the_setting_says_how_much_of_a_fetched_array_is_read(small_lab):
    T = small_lab.table("z : <zarr@raw>")
    T.insert1((1, np.ones((100, 100))))
    assert "values" in dict(zarr_array_card(T.fetch1("z")).facts)
    small_lab.connection.settings["display.preview_bytes"] = 1000
    assert "Not shown" in zarr_array_card(T.fetch1("z")).note


@pytest.mark.parametrize("count", [1000, 5000])
def test_of_very_many_chunks_few_are_counted(store, monkeypatch, count):
    array = zarr.create_array(
        ZarrFiles(store, "many.zarr"), shape=(count - 1,), chunks=(1,), dtype="uint8"
    )
    listed = []

    def entries(self, prefix=""):
        for number in range(count):  # as if they were there
            listed.append(number)
            yield Entry(f"{prefix}/c/{number}", 10_000, 0.0)

    monkeypatch.setattr(Store, "entries", entries)
    text = object_text(zarr_array_card(array))
    if count == 1000:
        assert re.search(r"stored +10.0 MB\n", text)
    else:
        assert re.search(r"stored +more than 10.0 MB, in more than 1,000 files", text)
        assert len(listed) < 1100


def test_a_zarr_group_shows_a_tree():
    group = zarr.open_group(zarr.storage.MemoryStore(), mode="w")
    group.create_group("sub").create_array("x", shape=(3,), dtype="f4")
    group.create_array("y", shape=(2, 5), dtype="i2")
    text = object_text(zarr_group_card(group))
    assert re.search(r"sub/\s+x  float32 3, chunks 3, 12 bytes\s+y  int16 2 × 5, ", text)

"""Every codec through tables: what goes in comes out, on every database and in every kind of store."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import djupyter as dj
from djupyter.codecs.hash import content_hash
from djupyter.errors import DataJointError
from tests.object_stores import Lab

VALUE = {"a": np.arange(6.0).reshape(2, 3), "b": [1, "two", None], "c": b"\x00\xff"}


def same(left: Any, right: Any) -> bool:
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right)
    return bool(left == right)


@pytest.mark.parametrize("declared", ["<blob>", "<blob@raw>", "<blob@>"])
def test_blobs(lab: Lab, declared: str) -> None:
    T = lab.table(f"x = null : {declared}")
    T.insert([(1, VALUE), (2, None), (3, VALUE)])
    rows = T.to_dicts(order_by="KEY")
    assert same(rows[0]["x"], VALUE)
    assert rows[1]["x"] is None
    assert same(rows[2]["x"], VALUE)
    if "@" in declared:
        first, other = [row for row in lab.raw(T, "x") if row]
        assert first == other
        assert lab.objects() == [first["path"]]
        assert set(first) == {"hash", "path", "schema", "store", "size"}
        assert (first["schema"], first["store"]) == (lab.schema.database, "raw")
        data = lab.store.get(first["path"])
        assert (first["size"], first["hash"]) == (len(data), content_hash(data))
    else:
        assert lab.objects() == []


@pytest.mark.parametrize("declared", ["<attach>", "<attach@raw>", "<attach@>"])
def test_attachments(lab: Lab, declared: str) -> None:
    T = lab.table(f"x : {declared}")
    source = lab.file("a file.txt")
    T.insert([(1, source), (2, str(lab.file("deeper/a file.txt", b"other")))])
    first, other = (Path(path) for path in T.to_arrays("x", order_by="KEY"))
    assert first == Path(lab.connection.settings["download_path"], "a file.txt")
    assert first.read_bytes() == b"hello"
    assert (other.name, other.read_bytes()) == ("a file_1.txt", b"other")
    assert (T & "k = 1").fetch1("x") == str(first)
    if "@" in declared:
        assert sorted(map(lab.store.get, lab.objects())) == [
            b"a file.txt\0hello",
            b"a file.txt\0other",
        ]


def test_one_attachment_of_many_rows_is_one_file(small_lab: Lab) -> None:
    T = small_lab.table("x : <attach@raw>")
    source = small_lab.file("a.bin", bytes(4 << 20))
    T.insert([(k, source) for k in range(40)])
    assert {Path(path).name for path in T.to_arrays("x")} == {"a.bin"}
    assert os.listdir(small_lab.connection.settings["download_path"]) == ["a.bin"]


def test_bytes_by_their_content(lab: Lab) -> None:
    T = lab.table("x : <hash@raw>")
    T.insert([(1, b"hello"), (2, bytearray(b"hello")), (3, memoryview(b"")), (4, b"other")])
    assert list(T.to_arrays("x", order_by="KEY")) == [b"hello", b"hello", b"", b"other"]
    folder = f"_hash/{lab.schema.database}"
    assert f"{folder}/lvauakv4jmvhnolrtwiraf6fsi" in lab.objects()
    assert f"{folder}/2qoyzwmpaczaj2mabgmoz6ccpy" in lab.objects()
    assert len(lab.objects()) == 3


def test_files_bytes_and_file_objects(lab: Lab) -> None:
    T = lab.table("x : <object@>")
    T.insert([(1, b"hello"), (2, (".dat", b"pair")), (3, ("txt", io.BytesIO(b"read")))])
    T.insert1((4, lab.file("movie.avi", b"frames")))
    refs = list(T.to_arrays("x", order_by="KEY"))
    assert [ref.read() for ref in refs] == [b"hello", b"pair", b"read", b"frames"]
    assert [ref.ext for ref in refs] == [None, ".dat", "txt", ".avi"]
    assert [ref.size for ref in refs] == [5, 4, 4, 6]
    assert all(ref.verify() and not ref.is_dir and ref.store == "raw" for ref in refs)
    assert [Path(ref.path).suffix for ref in refs] == ["", ".dat", ".txt", ".avi"]
    assert refs[0].path.startswith(f"_schema/{lab.schema.database}/t/k=1/x_")
    with refs[3].open() as file:
        assert file.read(2) == b"fr"
    assert refs[1].download(lab.folder).read_bytes() == b"pair"


def test_folders_with_a_manifest(lab: Lab) -> None:
    T = lab.table("x : <object@raw>")
    lab.file("f.zarr/x.bin")
    lab.file("f.zarr/s/y.bin", b"abc")
    T.insert1((1, lab.folder / "f.zarr"))
    ref = T.fetch1("x")
    assert (ref.is_dir, ref.size, ref.item_count, ref.ext) == (True, 8, 2, None)
    assert ref.listdir() == ["s", "x.bin"]
    assert list(ref.walk()) == [("", ["s"], ["x.bin"]), ("s", [], ["y.bin"])]
    assert ref.open("s/y.bin").read() == b"abc"
    manifest = json.loads(lab.store.get(f"{ref.path}.manifest.json"))
    assert manifest["files"] == [{"path": "x.bin", "size": 5}, {"path": "s/y.bin", "size": 3}]
    assert (manifest["total_size"], manifest["item_count"]) == (8, 2)
    assert ref.verify()
    copy = ref.download(lab.folder / "copy")
    assert (copy / "s" / "y.bin").read_bytes() == b"abc"
    assert ref.fsmap["s/y.bin"] == b"abc"


ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.array(3.5),
    np.zeros((0, 4), "int8"),
    np.arange(4, dtype=">i2"),
    np.array(["a", "µm"]),
    np.array([(1, 2.5)], dtype=[("a", "<i4"), ("b", "<f8")]),
    np.asfortranarray(np.arange(6).reshape(2, 3)),
    np.arange(10)[::3],
    np.array(["2024-02-29"], "M8[D]"),
]


def test_arrays(lab: Lab) -> None:
    T = lab.table("x : <npy@raw>")
    T.insert(list(enumerate(ARRAYS)))
    for key, array in enumerate(ARRAYS):
        ref = (T & {"k": key}).fetch1("x")
        assert (ref.shape, ref.dtype, ref.is_loaded) == (array.shape, array.dtype, False)
        np.testing.assert_array_equal(ref.load(), array)
        np.testing.assert_array_equal(ref.load(mmap_mode="r"), array)
        assert ref.path.endswith(".npy")
        np.testing.assert_array_equal(np.load(io.BytesIO(lab.store.get(ref.path))), array)
    first = (T & "k = 0").fetch1("x")
    assert (np.mean(first), first[1, 2], len(first)) == (2.5, 5.0, 2)


def test_files_that_lie_in_the_store_already(lab: Lab) -> None:
    T = lab.table("x : <filepath@raw>")
    lab.store.put("p/q.dat", b"1234")
    T.insert([(1, "p/q.dat"), (2, Path("p"))])
    file, folder = T.to_arrays("x", order_by="KEY")
    assert (file.path, file.size, file.is_dir, file.read()) == ("p/q.dat", 4, False, b"1234")
    assert (folder.path, folder.size, folder.is_dir) == ("p", None, True)
    assert folder.listdir() == ["q.dat"]
    assert lab.objects() == ["p/q.dat"]
    lab.connection.settings["stores"]["filepath_default"] = "raw"
    lab.table("x : <filepath@>", "U").insert1((1, "p/q.dat"))


@pytest.mark.parametrize(
    "path", ["_hash/x", "_schema", "_schema/lab/t/x", "../etc/passwd", "/etc/passwd", "nope", "p/."]
)
def test_other_paths_are_refused(small_lab: Lab, path: str) -> None:
    T = small_lab.table("x : <filepath@raw>")
    small_lab.store.put("p/q.dat", b"1234")
    with pytest.raises(DataJointError, match="`x`"):
        T.insert1((1, path))
    assert len(T()) == 0


# Codecs of users, by datajoint's signature


class Fraction(dj.Codec, register=False):
    name = "fraction"

    def get_dtype(self, is_store: bool) -> str:
        return "varchar(40)"

    def encode(self, value, *, key=None, store_name=None):
        return f"{value[0]}/{value[1]}"

    def decode(self, stored, *, key=None):
        return tuple(map(int, stored.split("/")))


class Celsius(dj.Codec, register=False):
    name = "celsius"

    def get_dtype(self, is_store: bool) -> str:
        return "int32"

    def encode(self, value, *, key=None, store_name=None):
        return round(value * 100)

    def decode(self, stored, *, key=None):
        return stored / 100


class Token(dj.Codec, register=False):
    name = "token"

    def get_dtype(self, is_store: bool) -> str:
        return "uuid"

    def encode(self, value, *, key=None, store_name=None):
        import uuid

        return uuid.UUID(int=value)

    def decode(self, stored, *, key=None):
        return stored.int


class Day(dj.Codec, register=False):
    name = "day"

    def get_dtype(self, is_store: bool) -> str:
        return "date"

    def encode(self, value, *, key=None, store_name=None):
        import datetime

        return datetime.date.fromordinal(value)

    def decode(self, stored, *, key=None):
        return stored.toordinal()


class Tags(dj.Codec, register=False):
    name = "tags"

    def get_dtype(self, is_store: bool) -> str:
        return "<blob>" if is_store else "json"

    def encode(self, value, *, key=None, store_name=None):
        return sorted(value)

    def decode(self, stored, *, key=None):
        return set(stored)


class Text(dj.SchemaCodec, register=False):
    """Written for datajoint: it places and writes its objects by the helpers of its base class."""

    name = "text"
    seen: list[Any] = []  # noqa: RUF012 - the test looks at it

    def encode(self, value, *, key=None, context=None, store_name=None):
        schema, table, field, primary_key = self._extract_context(key, context)
        config = self._codec_config(key, context)
        path, _ = self._build_path(
            schema, table, field, primary_key, ext=".txt", store_name=store_name, config=config
        )
        self._get_backend(store_name, config).put_buffer(value.encode(), path)
        self.seen.append((schema, table, field, primary_key))
        return {"path": path, "store": store_name, "length": len(value)}

    def decode(self, stored, *, key=None, context=None):
        backend = self._get_backend(stored["store"], self._codec_config(key, context))
        return backend.get_buffer(stored["path"]).decode()


@pytest.fixture
def user_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    from djupyter.codecs import registry

    known = dict(registry._codecs)
    for codec in (Fraction, Celsius, Token, Day, Tags, Text):
        known[codec.name] = codec()
    monkeypatch.setattr(registry, "_codecs", known)


@pytest.mark.usefixtures("user_codecs")
@pytest.mark.parametrize(
    ("declared", "values"),
    [
        ("<fraction>", [(3, 4), (1, 2)]),
        ("<celsius>", [36.6, -3.5]),
        ("<token>", [2**100, 7]),
        ("<day>", [738000, 1]),
        ("<tags>", [{"a", "b"}, set()]),
        ("<tags@raw>", [{"a", "b"}, set()]),
        ("<tags@>", [{"a", "b"}, set()]),
        ("<text@raw>", ["µm", ""]),
    ],
)
def test_codecs_of_users(small_lab: Lab, declared: str, values: list[Any]) -> None:
    T = small_lab.table(f"x = null : {declared}")
    T.insert([(1, values[0]), (2, None), (3, values[1])])
    assert list(T.to_arrays("x", order_by="KEY")) == [values[0], None, values[1]]
    T.update1({"k": 1, "x": values[1]})
    assert (T & "k = 1").fetch1("x") == values[1]
    assert declared.strip("<>").split("@")[0] in repr(T())
    if declared.startswith("<text"):
        assert Text.seen[-1] == (small_lab.schema.database, "t", "x", {"k": 1})
    elif "@" in declared:
        assert len(small_lab.objects()) == 2


@pytest.mark.usefixtures("user_codecs")
def test_a_value_that_the_column_of_a_codec_cannot_hold_is_refused(small_lab: Lab) -> None:
    T = small_lab.table("x : <fraction>")
    with pytest.raises(DataJointError, match=r"`x` : <fraction>"):
        T.insert1((1, (10**50, 1)))
    with pytest.raises(DataJointError, match=r"T, row 1.*`x` : <fraction>"):
        T.insert([(1, (1, 2)), (2, 3)])
    assert len(T()) == 0


# What is refused


class TextFile:
    """A file that was opened as text, and never ends."""

    def read(self, size: int) -> str:
        return "x"


@pytest.mark.parametrize(
    ("declared", "value", "kind", "message"),
    [
        ("<attach@raw>", 5, TypeError, "expects the path of a file"),
        ("<attach>", "nowhere.txt", FileNotFoundError, "Attachment file not found"),
        ("<attach>", ".", IsADirectoryError, "is a folder"),
        ("<hash@raw>", "text", TypeError, "expects bytes, got str"),
        ("<object@raw>", "nowhere.txt", DataJointError, "Source path not found"),
        ("<object@raw>", 5, TypeError, "<object> expects"),
        ("<object@raw>", ("txt", TextFile()), DataJointError, "binary mode"),
        ("<object@raw>", ("txt", 5), TypeError, "<object> expects"),
        ("<npy@raw>", [1, 2], DataJointError, "requires numpy.ndarray, got list"),
        ("<npy@raw>", np.array([None]), DataJointError, "does not support object dtype"),
        ("<filepath@raw>", 5, TypeError, "expects a path in the store"),
        ("<filepath@raw>", "nope", FileNotFoundError, "File not found in store 'raw': nope"),
        ("<filepath@raw>", "_hash/x", ValueError, "reserved section '_hash'"),
        ("<blob@raw>", object(), DataJointError, "object"),
    ],
)
def test_values_of_a_wrong_kind_are_refused(
    small_lab: Lab, declared: str, value: Any, kind: type[Exception], message: str
) -> None:
    T = small_lab.table(f"x : {declared}")
    with pytest.raises(DataJointError) as caught:
        T.insert([{"k": 7, "x": value}])
    for part in (message, "`x`", declared, "T"):
        assert part in str(caught.value)
    assert isinstance(caught.value.__cause__, kind)
    assert not T()
    assert small_lab.objects() == []


@pytest.mark.parametrize("declared", ["<npy>", "<hash>", "<object>", "<filepath>"])
def test_codecs_of_stores_need_one(small_lab: Lab, declared: str) -> None:
    with pytest.raises(DataJointError, match=r"keeps|refers to"):
        small_lab.table(f"x : {declared}")


@pytest.mark.parametrize("declared", ["<npy@cold>", "<blob@cold>", "<attach@cold>"])
def test_a_store_that_is_not_configured_is_named(small_lab: Lab, declared: str) -> None:
    T = small_lab.table(f"x : {declared}")
    value = small_lab.file("a.txt") if "attach" in declared else np.zeros(2)
    with pytest.raises(DataJointError, match=r"'cold' is requested.*Configured: raw.*`x` : <"):
        T.insert1((1, value))
    assert not T()
    assert small_lab.objects() == []


def test_a_store_that_cannot_be_used_is_no_fault_of_the_value(small_lab: Lab) -> None:
    T = small_lab.table("x : <object@cold>")
    missing = str(small_lab.folder / "none")
    for entry, expected in [
        (None, r"'cold' is requested but not configured"),
        ({"protocol": "file"}, r"is missing: location"),
        ({"protocol": "ftp", "location": ""}, r"Unknown protocol"),
        ({"protocol": "file", "location": missing}, r"Inaccessible local directory .*none"),
    ]:
        small_lab.connection.settings["stores"] = {"cold": entry} if entry else {}
        with pytest.raises(DataJointError, match=expected) as caught:
            T.insert1((1, b"abc"))
        assert "(for the attribute `x` : <object@cold>)" in str(caught.value)
        assert "cannot hold" not in str(caught.value)
        assert not isinstance(caught.value, dj.errors.InvalidValueError)


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../b", "", "."])
def test_no_row_is_made_that_leads_out_of_its_store(small_lab: Lab, path: str) -> None:
    T = small_lab.table("x : <object@raw>")
    with pytest.raises(DataJointError, match=r"lead out of its store|names no object"):
        T.insert1((1, {"path": path, "store": "raw", "size": 3}))
    assert not T()


def test_without_a_default_store_a_value_for_it_is_refused(small_lab: Lab) -> None:
    T = small_lab.table("x : <npy@>")
    del small_lab.connection.settings["stores"]["default"]
    with pytest.raises(DataJointError, match=r"stores\.default is not configured"):
        T.insert1((1, np.zeros(2)))


def test_a_store_that_is_gone_when_it_is_read_is_named_with_the_row(small_lab: Lab) -> None:
    T = small_lab.table("x : <npy@raw>")
    T.insert1((1, np.zeros(2)))
    small_lab.connection.settings["stores"] = {}
    with pytest.raises(DataJointError, match=r"'raw' is requested.*`x` of .*row k=1"):
        T.fetch1("x")


def test_symbolic_links_do_not_lead_a_folder_out(small_lab: Lab) -> None:
    T = small_lab.table("x : <object@raw>")
    small_lab.file("secret/password", b"x")
    small_lab.file("f/a", b"x")
    os.symlink(small_lab.folder / "secret", small_lab.folder / "f" / "link")
    T.insert1((1, small_lab.folder / "f"))
    assert T.fetch1("x").listdir() == ["a"]

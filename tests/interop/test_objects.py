"""Both libraries share stores: what the one has written the other one reads, checks and collects."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import datajoint
import numpy as np
import pytest

import djupyter as dj
from tests.interop.conftest import Both

TABLE = """
subject : varchar(150)
day : date
n : int32
---
ha = null : <hash@main>
bl = null : <blob@main>
at = null : <attach@main>
row = null : <attach>
ob = null : <object@main>
np = null : <npy@main>
fp = null : <filepath@main>
"""
KEY = {"subject": "a/b c", "day": "2024-02-29", "n": 1}
SPECS: list[dict[str, Any]] = [
    {},
    {"subfolding": [2, 3], "hash_prefix": "hh", "schema_prefix": "ss", "token_length": 12},
    {"partition_pattern": "{subject}/{day}/{nobody}", "filepath_prefix": "p"},
    {"hash_prefix": "deep/hh", "schema_prefix": "deep/ss", "filepath_prefix": "p"},
]


def need_their_inserts(both: Both) -> None:
    """Skip where datajoint cannot insert what most codecs of stores give it; it reads it everywhere."""
    if both.server == "mariadb":
        pytest.skip("datajoint cannot insert into most codecs of stores on MariaDB")


class Shared:
    """One table in one schema, with one store, in both libraries.

    Attributes
    ----------
    mine, theirs
        The table class of each.
    root
        The folder of the store.
    """

    def __init__(self, both: Both, folder: Path, spec: dict[str, Any]) -> None:
        self.both, self.folder, self.root = both, folder, folder / "store"
        self.root.mkdir()
        self.entry = {"protocol": "file", "location": str(self.root), **spec}
        stores = {"default": "main", "main": self.entry}
        self.downloads = folder / "downloads"
        for config in (both.peer.config, both.connection.settings):
            config["stores"] = stores
            config["download_path"] = str(self.downloads)
        self.schema = dj.Schema(both.schema_name(), connection=both.connection)
        self.mine = self.schema(type("Obj", (dj.Manual,), {"definition": TABLE}))
        theirs = type("Obj", (datajoint.Manual,), {"definition": TABLE})
        self.theirs = both.peer.Schema(both.schema_name())(theirs)

    def file(self, name: str, contents: bytes = b"hello") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
        return path

    def values(self) -> list[dict[str, Any]]:
        """Return rows with values of every kind for the codecs that both have."""
        self.file("f.zarr/x.bin")
        self.file("f.zarr/s/y.bin", b"abc")
        (self.root / "p" / "sub").mkdir(parents=True, exist_ok=True)
        (self.root / "p" / "sub" / "r").write_bytes(b"5")
        (self.root / "p" / "q.dat").write_bytes(b"1234")
        return [
            {
                "ha": b"hello",
                "bl": {"x": np.arange(5), "y": [1, "two"]},
                "at": str(self.file("a file.txt")),
                "ob": str(self.file("movie.txt")),
                "np": np.arange(6.0).reshape(2, 3),
                "fp": "p/q.dat",
            },
            {
                "ha": b"",
                "bl": "µm",
                "at": str(self.file("é.bin", b"\0\0")),
                "ob": str(self.folder / "f.zarr"),
                "np": np.array([1, -2], ">i2"),
                "fp": "p/sub",
            },
            {"ob": b"bytes", "np": np.array(["a", "µ"])},
            {"ob": (".dat", b"pair"), "np": np.array(3.5)},
            {"ob": ("dat", io.BytesIO(b"read")), "np": np.zeros((0, 3), "int8")},
        ]

    def fill(self, table: Any) -> None:
        if table is self.theirs:
            need_their_inserts(self.both)
        for number, values in enumerate(self.values()):
            table.insert1({**KEY, "n": number, **values})

    def files(self) -> set[str]:
        return {
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if path.is_file()
        }


@pytest.fixture(params=SPECS, ids=["plain", "folded", "partitioned", "deep"])
def shared(request: pytest.FixtureRequest, both: Both, tmp_path: Path) -> Shared:
    return Shared(both, tmp_path, request.param)


@pytest.fixture
def plain(both: Both, tmp_path: Path) -> Shared:
    return Shared(both, tmp_path, {})


NAMES = ("ha", "bl", "at", "ob", "np", "fp")


def read(table: Any) -> list[dict[str, Any]]:
    """Return the contents of all rows, read through the library of the table."""
    found = []
    for row in table.to_dicts(order_by="n"):
        contents = {name: value for name, value in row.items() if name in ("ha", "bl")}
        contents["at"] = row["at"] and (Path(row["at"]).name, Path(row["at"]).read_bytes())
        for name in ("ob", "fp"):
            contents[name] = row[name] and described(row[name])
        array = np.asarray(row["np"].load())
        contents["np"] = (array.dtype.str, array.shape, array.tolist())
        assert (row["np"].shape, row["np"].ndim) == (array.shape, array.ndim)
        found.append(plain_of(contents))
    return found


def described(ref: Any) -> Any:
    assert ref.verify()
    assert ref.exists()
    told = (ref.path, ref.store, ref.size, ref.ext, ref.is_dir, ref.item_count, ref.timestamp)
    if not ref.is_dir:
        return told, ref.read()
    walked = sorted((folder, sorted(inside), sorted(names)) for folder, inside, names in ref.walk())
    return told, sorted(ref.listdir()), walked


def plain_of(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tolist()
    if isinstance(value, dict):
        return {name: plain_of(each) for name, each in value.items()}
    return value


@pytest.mark.parametrize("writer", ["mine", "theirs"])
def test_what_either_writes_both_read_alike(shared: Shared, writer: str) -> None:
    shared.fill(getattr(shared, writer))
    mine, theirs = read(shared.mine), read(shared.theirs)
    assert mine == theirs
    assert mine[0]["ha"] == b"hello"
    assert mine[0]["at"][1] == b"hello"
    assert [row["ob"][1] for row in mine] == [
        b"hello",
        ["s", "x.bin"],
        b"bytes",
        b"pair",
        b"read",
    ]
    assert mine[1]["ob"][2] == [("", ["s"], ["x.bin"]), ("s", [], ["y.bin"])]


def test_both_write_the_same_documents_to_the_same_places(shared: Shared) -> None:
    """Only tokens and times differ."""
    shared.fill(shared.theirs)
    theirs, their_files = documents(shared), shared.files()
    (shared.theirs & True).delete(prompt=False)
    for path in their_files - {"p/q.dat", "p/sub/r"}:
        (shared.root / path).unlink()
    shared.fill(shared.mine)
    assert documents(shared) == theirs
    assert without_tokens(shared, shared.files()) == without_tokens(shared, their_files)


def documents(shared: Shared) -> list[Any]:
    """Return the documents in the rows, without tokens and times."""
    both = shared.both
    quote = both.connection.backend.quote
    full = f"{quote(both.schema_name())}.{quote('obj')}"
    columns = ", ".join(map(quote, NAMES))
    import json

    rows = both.connection.fetch(f"SELECT {columns} FROM {full} ORDER BY n")
    found = [[value and json.loads(value) for value in row] for row in rows]
    for row in found:
        for document in filter(None, row):
            document["path"] = without_tokens(shared, [document["path"]]).pop()
            if "timestamp" in document:
                document["timestamp"] = "T"
    return found


def without_tokens(shared: Shared, paths: Any) -> set[str]:
    import re

    length = shared.entry.get("token_length", 8)
    return {re.sub(rf"/(ob|np)_[\w-]{{{length}}}", r"/\1_TOKEN", path) for path in paths}


def test_rows_of_one_are_updated_and_replaced_by_the_other(plain: Shared) -> None:
    need_their_inserts(plain.both)
    plain.fill(plain.theirs)
    key = {**KEY, "n": 0}
    plain.mine.update1({**key, "bl": [1, 2], "ob": b"mine", "np": np.ones(2)})
    row = (plain.theirs & key).fetch1()
    assert (row["bl"], row["ob"].read(), row["np"].load().tolist()) == ([1, 2], b"mine", [1, 1])
    plain.theirs.update1({**key, "bl": "theirs", "np": np.zeros(1)})
    row = (plain.mine & key).fetch1()
    assert (row["bl"], row["ob"].read(), row["np"].load().tolist()) == ("theirs", b"mine", [0])


def test_content_is_stored_once_by_both(plain: Shared) -> None:
    plain.theirs.insert1({**KEY, "ha": b"hello"})
    before = {path: (plain.root / path).stat().st_mtime_ns for path in plain.files()}
    plain.mine.insert1({**KEY, "n": 2, "ha": b"hello"})
    plain.theirs.insert1({**KEY, "n": 3, "ha": b"hello"})
    assert {path: (plain.root / path).stat().st_mtime_ns for path in plain.files()} == before


def test_attachments_in_the_row(plain: Shared) -> None:
    plain.theirs.insert1({**KEY, "row": str(plain.file("a.txt"))})
    plain.mine.insert1({**KEY, "n": 2, "row": plain.file("b.txt", b"other")})
    found = {Path(path).name: Path(path).read_bytes() for path in plain.mine.to_arrays("row")}
    assert found == {"a.txt": b"hello", "b.txt": b"other"}
    if plain.both.is_postgresql:  # there they cannot read what either has written
        return
    found = {Path(path).name: Path(path).read_bytes() for path in plain.theirs.to_arrays("row")}
    assert found == {"a.txt": b"hello", "b.txt": b"other"}


def stage(table: Any, n: int) -> None:
    with table.staged_insert1 as staged:
        staged.rec.update(KEY, n=n)
        with staged.open("ob", ".bin") as file:
            file.write(b"abc")
    with table.staged_insert1 as staged:
        staged.rec.update(KEY, n=n + 1)
        staged.store("ob", ".zarr")["x/0"] = b"12345"


def test_staged_inserts_of_either_are_read_by_both(plain: Shared) -> None:
    stage(plain.mine, 0)
    stage(plain.theirs, 2)
    mine = [described(ref) for ref in plain.mine.to_arrays("ob", order_by="n")]
    theirs = [described(ref) for ref in plain.theirs.to_arrays("ob", order_by="n")]
    assert mine == theirs
    told = [(size, ext, is_dir, count) for (_, _, size, ext, is_dir, count, _), *_ in mine]
    assert told == [(3, ".bin", False, None), (5, ".zarr", True, 1)] * 2
    found = documents_keys(plain)
    assert found[0] == found[2]
    assert found[1] == found[3]


def documents_keys(shared: Shared) -> list[Any]:
    return [sorted(document[3]) for document in documents(shared)]


@pytest.mark.parametrize("writer", ["mine", "theirs"])
def test_damage_is_noticed_by_both(plain: Shared, writer: str) -> None:
    plain.fill(getattr(plain, writer))
    for table in (plain.mine, plain.theirs):
        file, folder = (table & "n < 2").to_arrays("ob", order_by="n")
        assert file.verify()
        assert folder.verify()
    (plain.root / file.path).write_bytes(b"changed")
    (plain.root / folder.path / "s" / "y.bin").unlink()
    (content,) = [path for path in plain.files() if path.endswith("lvauakv4jmvhnolrtwiraf6fsi")]
    (plain.root / content).write_bytes(b"HELLO")
    for table, error in (
        (plain.mine, dj.DataJointError),
        (plain.theirs, datajoint.DataJointError),
    ):
        for ref in (table & "n < 2").to_arrays("ob", order_by="n"):
            with pytest.raises(error):
                ref.verify()
        with pytest.raises(error, match="Hash mismatch"):
            (table & "n = 0").fetch1("ha")
    (plain.root / content).unlink()
    for table in (plain.mine, plain.theirs):
        with pytest.raises(Exception, match="Missing external file"):
            (table & "n = 0").fetch1("ha")


@pytest.mark.parametrize("writer", ["mine", "theirs"])
def test_their_garbage_collector_keeps_what_either_refers_to(plain: Shared, writer: str) -> None:
    plain.fill(plain.mine)
    before = {**KEY, "n": 1}
    (getattr(plain, writer) & before).delete(prompt=False)
    collector = datajoint.gc.GarbageCollector(
        plain.both.peer.Schema(plain.both.schema_name()), store="main"
    )
    kept = read(plain.mine)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = collector.collect(dry_run=False)
    # Of the row: hash, blob, attachment; the folder's two files, its manifest, the array.
    assert (report["hash_paths_deleted"], report["schema_paths_deleted"]) == (3, 4)
    assert read(plain.mine) == kept
    assert read(plain.theirs) == kept


@pytest.mark.parametrize("writer", ["mine", "theirs"])
def test_both_garbage_collectors_agree_on_what_is_in_use(plain: Shared, writer: str) -> None:
    plain.fill(getattr(plain, writer))
    stage(plain.mine, 10)
    stage(plain.theirs, 20)
    plain.mine.insert1({**KEY, "n": 30, "ha": b"hello", "bl": "of its own"})
    for n in (1, 3, 11, 20, 30):  # one of each kind, and content that another row refers to
        (plain.mine & {"n": n}).delete(prompt=False)
    plain.both.connection.settings["objects.grace_period"] = 0
    mine = dj.gc.GarbageCollector(plain.schema, store="main")
    name = plain.both.schema_name()
    theirs = datajoint.gc.GarbageCollector(plain.both.peer.Schema(name), store="main")
    for kind in ("hash", "schema"):
        references, listed = f"{kind}_references", f"list_{kind}_paths"
        assert getattr(mine, references)() == set(getattr(theirs, references)())
        assert getattr(mine, listed)(name) == dict(getattr(theirs, listed)(name))
    ours, other = mine.collect(), theirs.collect()
    for key in set(ours) & set(other) - {"errors", "scan_errors"}:
        alike = sorted if isinstance(ours[key], list) else lambda value: value
        assert alike(ours[key]) == alike(other[key]), key
    assert ours["hash_paths_orphaned"] > 0
    assert ours["schema_paths_orphaned"] > 0
    before = plain.files()
    done = mine.collect(dry_run=False)
    gone = {*other["orphaned_hash_paths"], *other["orphaned_schema_paths"]}
    assert before - plain.files() == gone
    assert done["deleted"] == len(gone)
    assert theirs.collect()["hash_paths_orphaned"] == 0
    assert read(plain.mine & "n < 10") == read(plain.theirs & "n < 10")


def test_a_default_store_is_written_by_its_name(plain: Shared) -> None:
    definition = "k : int32\n---\nx : <npy@>\ny : <blob@>"
    Mine = plain.schema(type("Def", (dj.Manual,), {"definition": definition}))
    Mine.insert1((1, np.arange(3), "text"))
    theirs = plain.both.peer.Schema(plain.both.schema_name())(
        type("Def", (datajoint.Manual,), {"definition": definition})
    )
    row = theirs.fetch1()
    assert (row["x"].load().tolist(), row["y"], row["x"].store) == ([0, 1, 2], "text", "main")


@pytest.mark.parametrize("writer", ["mine", "theirs"])
def test_stores_in_the_cloud(
    both: Both, tmp_path: Path, s3_entry: dict[str, Any], writer: str
) -> None:
    shared = Shared(both, tmp_path, {})
    for config in (both.peer.config, both.connection.settings):
        config["stores"] = {"default": "main", "main": s3_entry}
    table = getattr(shared, writer)
    if table is shared.theirs:
        need_their_inserts(both)
    for number, values in enumerate(shared.values()):
        del values["ob"], values["np"]
        values.pop("fp", None)
        table.insert1({**KEY, "n": number, **values, "np": np.arange(3), "ob": b"bytes"})
    stage(shared.mine, 10)
    kept = read(shared.mine & "n < 10")
    assert kept == read(shared.theirs & "n < 10")
    refs = [
        [*map(described, t.to_arrays("ob", order_by="n"))] for t in (shared.mine, shared.theirs)
    ]
    assert refs[0] == refs[1]

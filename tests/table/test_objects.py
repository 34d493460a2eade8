"""Rows with objects: what is written, kept, copied, replaced and undone, and what errors say."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import djupyter as dj
from djupyter.errors import DataJointError, MissingExternalFile
from tests.conftest import Database
from tests.object_stores import Lab

ALL = """
k : int32
---
b = null : <blob@raw>
a = null : <attach@>
h = null : <hash@raw>
o = null : <object@raw>
n = null : <npy@>
"""


def row(lab: Lab, k: int, mark: str = "") -> dict[str, Any]:
    """Return a row with an object of every kind."""
    text = f"{k}{mark}"
    return {
        "k": k,
        "b": {"text": text},
        "a": lab.file(f"{text}.txt", text.encode()),
        "h": text.encode(),
        "o": (".bin", text.encode()),
        "n": np.full(3, k),
    }


def plain(fetched: dict[str, Any]) -> dict[str, Any]:
    """Return a fetched row with the contents of its objects."""
    return {
        "k": fetched["k"],
        "b": fetched["b"]["text"],
        "a": Path(fetched["a"]).read_text(),
        "h": fetched["h"].decode(),
        "o": fetched["o"].read().decode(),
        "n": fetched["n"].load().tolist(),
    }


def expected(k: int, mark: str = "") -> dict[str, Any]:
    return {"k": k, **dict.fromkeys("baho", f"{k}{mark}"), "n": [k] * 3}


@pytest.fixture
def T(small_lab: Lab) -> Any:
    return small_lab.table(ALL)


class Stop(Exception):
    """What a user's code may raise."""


# In


def test_one_row_many_rows_and_frames(small_lab: Lab, T: Any) -> None:
    T.insert1(row(small_lab, 1))
    T.insert([row(small_lab, k) for k in (2, 3)])
    T.insert(pd.DataFrame([row(small_lab, k) for k in (4, 5)]))
    T.insert((row(small_lab, k) for k in (6, 7)), chunk_size=1)
    fetched = T.to_dicts(order_by="KEY")
    assert [plain(each) for each in fetched] == [expected(k) for k in range(1, 8)]
    assert len(small_lab.objects()) == 7 * 5


@pytest.mark.parametrize("where", ["<blob>", "<blob@raw>"])
def test_many_large_blobs_keep_their_rows(small_lab: Lab, where: str) -> None:
    T = small_lab.table(f"x = null : {where}")
    values = [None if k % 5 == 4 else np.full(40_000, float(k)) for k in range(12)]
    T.insert({"k": k, "x": value} for k, value in enumerate(values))
    for row in T.to_dicts(order_by="k"):
        expected = values[row["k"]]
        assert row["x"] is None if expected is None else np.array_equal(row["x"], expected)


@pytest.mark.parametrize("where", ["<blob>", "<blob@raw>"])
def test_a_value_among_many_large_blobs_that_does_not_fit_is_named(
    small_lab: Lab, where: str
) -> None:
    T = small_lab.table(f"x : {where}")
    values = [np.full(40_000, float(k)) for k in range(12)]
    rows: list[dict[str, Any]] = [{"k": k, "x": value} for k, value in enumerate(values)]
    rows[7]["x"] = object()
    with pytest.raises(DataJointError, match=r"row 7: Attribute `x` : <blob.*object"):
        T.insert(rows)
    assert len(T()) == 0


def test_null_is_no_object(small_lab: Lab, T: Any) -> None:
    T.insert([{"k": 1}, {"k": 2, "n": None, "b": None}])
    assert [*T.to_arrays("b", order_by="KEY")] == [*T.to_arrays("n")] == [None, None]
    assert small_lab.objects() == []


def test_validating_writes_nothing(small_lab: Lab, T: Any) -> None:
    good, bad = row(small_lab, 1), row(small_lab, 2) | {"n": [1], "a": "nowhere"}
    result = T.validate([good, bad])
    assert [(number, name) for number, name, _ in result.errors] == [(1, "a"), (1, "n")]
    assert small_lab.objects() == []


def test_an_update_writes_a_new_object(small_lab: Lab, T: Any) -> None:
    T.insert1(row(small_lab, 1))
    before = T.fetch1()
    changes = row(small_lab, 1, "new")
    T.update1(changes)
    assert plain(T.fetch1()) == expected(1, "new")
    assert before["o"].read() == b"1"
    T.update1({"k": 1, "o": None})
    assert T.fetch1("o") is None
    count = len(small_lab.objects())
    with pytest.raises(DataJointError, match="one existing entry"):
        T.update1({"k": 9, "o": b"lost", "n": np.zeros(1)})
    assert len(small_lab.objects()) == count


def test_replaced_rows_have_the_new_objects(small_lab: Lab, T: Any) -> None:
    T.insert([row(small_lab, k) for k in (1, 2)])
    T.insert([row(small_lab, k, "new") for k in (2, 3)], replace=True)
    fetched = [plain(each) for each in T.to_dicts(order_by="KEY")]
    assert fetched == [expected(1), expected(2, "new"), expected(3, "new")]


def test_skipped_rows_keep_their_objects(small_lab: Lab, T: Any) -> None:
    T.insert1(row(small_lab, 1))
    T.insert([row(small_lab, k, "new") for k in (1, 2)], skip_duplicates=True)
    fetched = [plain(each) for each in T.to_dicts(order_by="KEY")]
    assert fetched == [expected(1), expected(2, "new")]


def test_a_row_that_was_fetched_may_be_inserted_again(small_lab: Lab, T: Any) -> None:
    T.insert1(row(small_lab, 1))
    before = small_lab.objects()
    T.insert1(T.fetch1() | {"k": 2})
    assert [plain(each) for each in T.to_dicts(order_by="KEY")] == [
        expected(1),
        expected(1) | {"k": 2},
    ]
    assert small_lab.objects() == before


# Out


def test_every_way_out_gives_the_same_objects(small_lab: Lab) -> None:
    T = small_lab.table("x : <blob@raw>\ny : <npy@raw>")
    T.insert([(k, [k], np.full((1, 3), k)) for k in range(3)])
    dicts = T.to_dicts(order_by="KEY")
    assert [each["x"] for each in dicts] == [[0], [1], [2]]
    assert [each["x"] for each in T] == [[0], [1], [2]]
    assert (T & "k = 1").fetch1("x") == [1]
    assert [*T.to_arrays("x", order_by="KEY")] == [[0], [1], [2]]
    frame = T.to_pandas(order_by="KEY")
    assert [*frame["x"]] == [[0], [1], [2]]
    assert [ref.load().tolist() for ref in frame["y"]] == [[[k] * 3] for k in range(3)]
    assert T.proj("x").to_arrow(order_by="KEY")["x"].to_pylist() == [[0], [1], [2]]
    assert T.proj("x").to_polars(order_by="KEY")["x"].to_list() == [[0], [1], [2]]
    assert [key["k"] for key in T.keys(order_by="KEY")] == [0, 1, 2]


def test_squeezing_takes_arrays_only(small_lab: Lab) -> None:
    T = small_lab.table("x : <blob@raw>")
    T.insert1((1, np.full((1, 3), 5)))
    assert T.fetch1("x", squeeze=True).shape == (3,)
    assert T.fetch1("x").shape == (1, 3)


def test_references_go_to_arrow_as_the_documents_of_their_rows(small_lab: Lab) -> None:
    T = small_lab.table("x : <npy@raw>\ny = null : <object@raw>")
    T.insert([(1, np.zeros(2), b"abc"), (2, np.ones(3), None)])
    for found in (T.to_arrow(order_by="KEY"), T.to_polars(order_by="KEY").to_arrow()):
        assert [json.loads(text) for text in found["x"].to_pylist()] == small_lab.raw(T, "x")
        first, other = found["y"].to_pylist()
        ref = dj.ObjectRef.from_json(first, backend=small_lab.store)
        assert (ref.read(), other) == (b"abc", None)


def test_joined_and_renamed_objects_are_decoded(small_lab: Lab) -> None:
    T = small_lab.table("x : <npy@raw>")
    U = small_lab.table("-> T\n---\nz : <blob@raw>", "U")
    T.insert1((1, np.arange(3)))
    U.insert1((1, "text"))
    found = (T.proj(y="x") * U).fetch1()
    assert (found["y"].load().tolist(), found["z"]) == ([0, 1, 2], "text")
    assert dj.U("k").aggr(T * U, n="count(*)").fetch1("n") == 1


def test_a_preview_reads_only_rows(small_lab: Lab, T: Any) -> None:
    folder = small_lab.file("f/a").parent
    small_lab.file("f/b", bytes(1229))
    F = small_lab.table("p : <filepath@raw>\nq = null : <object@raw>", "F")
    small_lab.store.put("p/q.dat", b"1")
    T.insert1(row(small_lab, 1) | {"n": np.zeros((2, 3)), "o": b"hello"})
    F.insert([(1, "p/q.dat", folder), (2, "p", None)])
    for path in small_lab.objects():
        small_lab.store.remove(path)
    for shown in (repr(T()), T()._repr_html_()):
        assert "npy float64 (2, 3)" in shown
        assert "file 5 bytes" in shown
        assert "hash 1 byte" in shown
        assert "attach 7 bytes" in shown
    assert "folder 2 files 1.2 kB" in repr(F())
    assert "file 1 byte" in repr(F())


# Copies


def test_a_query_copies_references_within_a_database(small_lab: Lab, T: Any) -> None:
    T.insert([row(small_lab, k) for k in (1, 2)])
    U = small_lab.table(ALL, "U")
    before = small_lab.objects()
    U.insert(T & "k = 2")
    assert plain(U.fetch1()) == expected(2)
    assert small_lab.objects() == before
    assert small_lab.raw(U, "o") == small_lab.raw(T, "o")[1:]


@pytest.mark.parametrize(
    ("source", "target"),
    [("<blob>", "<blob@raw>"), ("<blob@raw>", "<blob>"), ("<npy@raw>", "<object@raw>"),
     ("varchar(20)", "<blob>"), ("json", "<object@raw>"), ("<blob>", "bytes")],
)  # fmt: skip
def test_a_query_of_another_codec_is_refused(small_lab: Lab, source: str, target: str) -> None:
    S = small_lab.table(f"x = null : {source}", "S")
    T = small_lab.table(f"x = null : {target}", "T2")
    S.insert1((1, None))
    with pytest.raises(DataJointError, match=r"`x` is .* in the query and .* in T2"):
        T.insert(S)
    assert not T()


@pytest.fixture
def elsewhere(db: Database, tmp_path: Path) -> Any:
    """Another database, with a store of its own under the same name."""
    connection = dj.Connection(f"sqlite:///{tmp_path / 'other.db'}", settings=dj_settings())
    other = Database("sqlite", connection.url if hasattr(connection, "url") else "")
    other.__dict__["connection"] = connection
    (tmp_path / "cold").mkdir()
    yield Lab(other, {"protocol": "file", "location": str(tmp_path / "cold")}, tmp_path / "there")
    connection.close()


def dj_settings() -> Any:
    from djupyter.settings import Settings

    return Settings(safemode=False)


def test_a_query_of_another_connection_brings_its_objects(
    small_lab: Lab, T: Any, elsewhere: Lab
) -> None:
    T.insert([row(small_lab, k) for k in (1, 2)])
    T.update1({"k": 2, "o": None})
    U = elsewhere.table(ALL, "U")
    U.insert(T)
    for path in small_lab.objects():
        small_lab.store.remove(path)
    first, other = U.to_dicts(order_by="KEY")
    assert plain(first) == expected(1)
    assert other["o"] is None
    assert len(elsewhere.objects()) == 9
    # An attachment goes over without a copy in the folder for downloads.
    assert not Path(small_lab.connection.settings["download_path"]).exists()


def test_a_folder_goes_to_another_connection_with_its_manifest(
    small_lab: Lab, elsewhere: Lab
) -> None:
    T = small_lab.table("x : <object@raw>")
    small_lab.file("f/a")
    small_lab.file("f/s/b")
    T.insert1((1, small_lab.folder / "f"))
    U = elsewhere.table("x : <object@raw>", "U")
    U.insert(T)
    ref = U.fetch1("x")
    assert ref.verify()
    assert (ref.open("s/b").read(), ref.item_count) == (b"hello", 2)
    assert len(elsewhere.objects()) == 3


def test_a_file_of_the_user_must_be_there_too(small_lab: Lab, elsewhere: Lab) -> None:
    T = small_lab.table("x : <filepath@raw>")
    small_lab.store.put("p/q", b"1234")
    T.insert1((1, "p/q"))
    U = elsewhere.table("x : <filepath@raw>", "U")
    with pytest.raises(DataJointError, match="File not found in store 'raw': p/q"):
        U.insert(T)
    elsewhere.store.put("p/q", b"other")
    with pytest.raises(DataJointError, match="its size differs"):
        U.insert(T)
    elsewhere.store.put("p/q", b"4321")
    U.insert(T)
    assert U.fetch1("x").read() == b"4321"


def test_objects_go_from_one_store_to_another(small_lab: Lab, T: Any, tmp_path: Path) -> None:
    (tmp_path / "cold").mkdir()
    entry = {"protocol": "file", "location": str(tmp_path / "cold")}
    small_lab.connection.settings["stores"]["cold"] = entry
    T.insert1(row(small_lab, 1))
    C = small_lab.table(ALL.replace("<attach@>", "<attach@raw>").replace("@raw", "@cold"), "C")
    C.insert([{name: value for name, value in each.items() if name in "kbah"} for each in T])
    assert {Path(path).parts[0] for path in small_lab.objects("cold")} == {"_hash"}
    assert C.fetch1("b") == {"text": "1"}


# Transactions


def failing(lab: Lab, work: Any) -> None:
    """Do something in a transaction that fails afterwards."""
    with lab.connection.transaction:
        work()
        raise Stop


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt])
def test_a_rollback_leaves_no_object(small_lab: Lab, T: Any, error: type[BaseException]) -> None:
    def work() -> None:
        with small_lab.connection.transaction:
            T.insert([row(small_lab, k) for k in (1, 2)])
            T.update1(row(small_lab, 1, "new"))
            assert small_lab.objects()
            raise error

    with pytest.raises(error):
        work()
    assert not T()
    assert [path for path in small_lab.objects() if not path.startswith("_hash")] == []


def test_a_savepoint_takes_its_own_objects_only(small_lab: Lab) -> None:
    T = small_lab.table("x : <object@raw>")
    with small_lab.connection.transaction:
        T.insert1((1, b"outer"))
        with pytest.raises(Stop):
            failing(small_lab, lambda: T.insert1((2, b"inner")))
        T.insert1((3, b"outer"))
    assert [ref.read() for ref in T.to_arrays("x")] == [b"outer"] * 2
    assert len(small_lab.objects()) == 2


def test_an_outer_rollback_takes_what_was_nested(small_lab: Lab) -> None:
    T = small_lab.table("x : <object@raw>")

    def nested() -> None:
        with small_lab.connection.transaction:
            T.insert1((1, b"inner"))

    with pytest.raises(Stop):
        failing(small_lab, nested)
    assert small_lab.objects() == []


@pytest.mark.parametrize("bad", [{"k": 1}, {"k": 3, "n": [1]}, {"k": 4, "wrong": 1}])
def test_a_refused_insert_leaves_no_object(small_lab: Lab, T: Any, bad: dict[str, Any]) -> None:
    T.insert1({"k": 1})
    rows = [row(small_lab, 2) | {"h": None, "b": None, "a": None}, bad]
    with pytest.raises(DataJointError):
        T.insert(rows)
    assert len(T()) == 1
    assert small_lab.objects() == []


def test_ctrl_c_while_objects_are_written_leaves_none(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    T = lab.table("x : <object@raw>")
    put, count = type(lab.store).put, 0

    def interrupted(store: Any, path: str, data: Any) -> None:
        nonlocal count
        put(store, path, data)
        count += 1
        if count == 5:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(type(lab.store), "put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        T.insert([(k, bytes([k])) for k in range(50)])
    assert not T()
    assert lab.objects() == []
    assert not lab.connection.in_transaction
    T.insert1((1, b"x"))
    assert T.fetch1("x").read() == b"x"


def test_make_writes_objects_of_keys_that_succeed(small_lab: Lab) -> None:
    Source = small_lab.table("k : int32\n---\n", "Source")
    Source.insert([(k,) for k in range(3)])

    def make(self: Any, key: dict[str, Any]) -> None:
        self.insert1({**key, "x": np.full(3, key["k"]), "y": b"%d" % key["k"]})
        if key["k"] == 1:
            raise Stop

    Made = small_lab.table(
        "-> Source\n---\nx : <npy@raw>\ny : <object@raw>", "Made", dj.Computed, make=make
    )
    result = Made.populate(suppress_errors=True)
    assert result["success_count"] == 2
    assert [ref.load()[0] for ref in Made.to_arrays("x", order_by="KEY")] == [0, 2]
    assert len(small_lab.objects()) == 4


# What is not as it should be


def place(lab: Lab, name: str) -> str:
    return rf"\(attribute `{name}` of .*{lab.schema.database}.*t.*, row k=1\)"


@pytest.mark.parametrize("name", ["b", "a", "h"])
def test_content_that_is_gone_is_named(small_lab: Lab, T: Any, name: str) -> None:
    T.insert1(row(small_lab, 1))
    for path in small_lab.objects():
        small_lab.store.remove(path)
    with pytest.raises(MissingExternalFile, match=place(small_lab, name)):
        T.fetch1(name)


@pytest.mark.parametrize("name", ["b", "a", "h"])
def test_content_that_has_changed_is_named(small_lab: Lab, T: Any, name: str) -> None:
    T.insert1(row(small_lab, 1))
    (document,) = small_lab.raw(T, name)
    small_lab.store.put(document["path"], b"x" * document["size"])
    with pytest.raises(DataJointError, match=rf"(?s)Hash mismatch.*{place(small_lab, name)}"):
        T.fetch1(name)


def test_references_tell_when_their_object_is_gone_or_has_changed(small_lab: Lab, T: Any) -> None:
    T.insert1(row(small_lab, 1))
    found = T.fetch1()
    small_lab.store.put(found["o"].path, b"longer than it was")
    with pytest.raises(dj.errors.ObjectIntegrityError, match="has 18 bytes, not 1"):
        found["o"].verify()
    data = small_lab.store.get(found["n"].path)
    for damaged in (data[:-1], b"x" + data[1:], data[:20], b""):
        small_lab.store.put(found["n"].path, damaged)
        with pytest.raises(DataJointError, match="is damaged"):
            T.fetch1("n").load()
    other = small_lab.table("x : <npy@raw>", "Other")
    other.insert1((1, np.zeros((5, 5))))
    small_lab.store.put(found["n"].path, small_lab.store.get(other.fetch1("x").path))
    with pytest.raises(DataJointError, match="it was changed"):
        T.fetch1("n").load()
    small_lab.store.remove(found["n"].path)
    with pytest.raises(MissingExternalFile):
        T.fetch1("n").load()
    small_lab.store.remove(found["o"].path)
    with pytest.raises(MissingExternalFile):
        found["o"].read()


DOCUMENTS = [
    [], 5, "text", {}, {"path": 5}, {"path": None}, {"path": "../../etc/passwd", "hash": "x"},
    {"path": "/etc/passwd", "hash": "x"}, {"path": "a", "store": "nowhere", "hash": "x"},
    {"path": "a", "store": 5, "hash": "x"}, {"hash": "x"}, {"path": "a"},
]  # fmt: skip


@pytest.mark.parametrize("document", DOCUMENTS, ids=json.dumps)
def test_rows_that_hold_something_else_are_named(small_lab: Lab, T: Any, document: Any) -> None:
    T.insert1({"k": 1})
    text = json.dumps(document)
    for name in "bah":
        set_document(small_lab, T, name, text)
        with pytest.raises(DataJointError, match=place(small_lab, name)):
            T.fetch1(name)
    for name in "on":
        set_document(small_lab, T, name, text)
        with pytest.raises(DataJointError):
            opened(T, name)
    assert repr(T())
    assert T()._repr_html_()


def opened(table: Any, name: str) -> Any:
    ref = table.fetch1(name)
    return ref.load() if name == "n" else ref.read()


def set_document(lab: Lab, table: Any, name: str, text: str) -> None:
    """Write into a row what no codec would."""
    backend = lab.connection.backend
    schema, physical = backend.locate(table().name)
    full = ".".join(map(backend.quote, filter(None, [schema, physical])))
    mark = "?" if backend.name == "sqlite" else "%s"
    lab.connection.execute(f"UPDATE {full} SET {backend.quote(name)} = {mark}", (text,))


def test_objects_of_rows_that_are_passed_over_are_removed(lab: Lab) -> None:
    definition = "j : varchar(8)\nk : float64\n---\no = null : <object@>\nn = null : <npy@>\nz = null : <zarr@>"
    T = lab.table(definition)
    folder = lab.file("folder/deep/x", b"x").parent.parent
    T.insert1({"j": "a", "k": 0.1, "o": b"old", "n": np.zeros(1)})
    before = lab.objects()

    def rows(*keys: tuple[str, float]) -> list[dict[str, Any]]:
        return [{"j": j, "k": k, "o": folder, "n": np.ones(2), "z": np.ones(9)} for j, k in keys]

    T.insert(rows(("a", 0.1)), skip_duplicates=True)
    T.insert1(rows(("a", 0.1))[0], skip_duplicates=True)
    assert lab.objects() == before
    T.insert(rows(("a", 0.1), ("b", 0.2), ("b", 0.2), ("A", 1 / 3)), skip_duplicates=True)
    assert T.to_arrays("j", order_by="j, k").tolist() in (["A", "a", "b"], ["a", "A", "b"])
    assert dj.gc.scan(lab.schema, grace_period=0).orphans == 0
    assert lab.schema.verify()
    assert [ref.read() for ref in (T & "j = 'a'").to_arrays("o")] == [b"old"]
    assert (T & "j = 'b'").fetch1("o").verify()
    # A file, its array; twice a folder's file with its manifest, an array, and two files of Zarr.
    assert len(lab.objects()) == 2 + 2 * 5


def test_rows_passed_over_in_a_transaction_that_is_undone_leave_nothing(small_lab: Lab) -> None:
    T = small_lab.table("n = null : <npy@>")
    T.insert1((1, np.zeros(1)))
    before = small_lab.objects()
    with pytest.raises(RuntimeError), small_lab.connection.transaction:  # noqa: PT012
        T.insert([(1, np.ones(2)), (2, np.ones(2))], skip_duplicates=True)
        raise RuntimeError
    assert small_lab.objects() == before
    with small_lab.connection.transaction:
        T.insert([(1, np.ones(2)), (2, np.ones(2))], skip_duplicates=True)
    assert len(small_lab.objects()) == 2
    assert [ref.load().tolist() for ref in T.to_arrays("n", order_by="k")] == [[0], [1, 1]]

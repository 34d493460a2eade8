"""Objects that no row refers to are found by listing and removed; what may be in use never is."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import djupyter as dj
from djupyter.settings import Settings
from djupyter.stores.store import Store
from djupyter.table.covering import uncovered
from djupyter.table.placing import Sections, key_of
from tests.conftest import Database

DEFINITION = """
n : int32
---
b = null : <blob@raw>
a = null : <npy@raw>
o = null : <object@raw>
"""
OLD = time.time() - 10 * 86_400


def with_stores(connection: dj.Connection, **entries: Any) -> dj.Connection:
    connection.settings["stores"] = {"default": next(iter(entries)), **entries}
    return connection


def declared(connection: dj.Connection, name: str, definition: str = DEFINITION) -> Any:
    schema = dj.Schema(name, connection=connection)
    return schema, schema(type("Item", (dj.Manual,), {"definition": definition}))


def filled(table: Any, numbers: range = range(4)) -> None:
    table.insert({"n": n, "b": np.arange(n), "a": np.full(n, 1.5), "o": b"x" * n} for n in numbers)


def paths(store: Store) -> set[str]:
    return {entry.path for entry in store.entries()}


def all_read(table: Any) -> list[tuple[int, int, int]]:
    """Read every object of every row."""
    rows = table.to_dicts(order_by="KEY")
    return [(row["b"].size, row["a"].load().size, len(row["o"].read())) for row in rows]


@pytest.fixture
def lab(db: Database, tmp_path: Path) -> Any:
    """A schema with a table of objects and a folder for them, on each database."""
    folder = tmp_path / "raw"
    folder.mkdir()
    with_stores(db.connection, raw={"protocol": "file", "location": str(folder)})
    return declared(db.connection, db.schema_name("lab"))


@pytest.fixture
def local(tmp_path: Path) -> Any:
    """The same on SQLite."""
    folder = tmp_path / "raw"
    folder.mkdir()
    connection = dj.Connection(
        f"sqlite:///{tmp_path / 'local.db'}", settings=Settings(safemode=False)
    )
    with_stores(connection, raw={"protocol": "file", "location": str(folder)})
    yield declared(connection, "lab")
    connection.close()


def the_store(schema: Any, name: str = "raw") -> Store:
    return schema.connection.stores.get(name)


# What is found, and removed


def test_objects_of_deleted_rows_are_removed_and_all_others_stay(lab: Any) -> None:
    schema, table = lab
    filled(table)
    assert dj.gc.scan(schema, grace_period=0).orphans == 0
    (table & "n < 2").delete()
    before = paths(the_store(schema))
    seen = dj.gc.collect(schema, grace_period=0)
    assert (seen.orphans, seen.removed, seen.dry_run) == (6, 0, True)
    assert paths(the_store(schema)) == before
    done = dj.gc.collect(schema, dry_run=False, grace_period=0)
    assert (done.removed, done.removed_bytes) == (6, seen.orphan_bytes)
    assert len(paths(the_store(schema))) == 6
    assert all_read(table) == [(2, 2, 2), (3, 3, 3)]


def test_many_objects_are_removed_at_once_and_their_folders_with_them(
    local: Any, tmp_path: Path
) -> None:
    schema, table = local
    filled(table, range(1))
    store, kept = the_store(schema), paths(the_store(schema))
    for n in range(1, 701):
        store.put(f"_schema/lab/item/n={n}/o_x1y2z3w4", b"left behind")
    failing = tmp_path / "raw" / "_schema" / "lab" / "item" / "n=350"
    remove = os.unlink

    def refusing(path: Any, *arguments: Any, **options: Any) -> None:
        if Path(path).parent == failing:
            raise PermissionError("not yours")
        remove(path, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "unlink", refusing)
        done = dj.gc.collect(schema, dry_run=False, grace_period=0)
    assert (done.orphans, done.removed) == (700, 699)
    assert done.failures == ("_schema/lab/item/n=350/o_x1y2z3w4: not yours",)
    assert paths(store) == {*kept, "_schema/lab/item/n=350/o_x1y2z3w4"}
    assert {folder.name for folder in failing.parent.iterdir()} == {"n=0", "n=350"}


def test_collection_works_on_every_store(store_entry: dict[str, Any], tmp_path: Path) -> None:
    connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
    schema, table = declared(with_stores(connection, raw=store_entry), "lab")
    source = tmp_path / "folder"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "x.bin").write_bytes(b"abc")
    filled(table)
    table.insert([{"n": 10, "o": source}, {"n": 11, "o": source}])
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 0
    (table & "n in (1, 10)").delete()
    done = dj.gc.collect(schema, dry_run=False, grace_period=0)
    assert (done.removed, done.failures) == (5, ())  # with a folder's file and its manifest
    assert (table & "n = 11").fetch1("o").verify()
    assert all_read(table & "n < 10") == [(0, 0, 0), (2, 2, 2), (3, 3, 3)]


def test_objects_younger_than_the_grace_period_stay(lab: Any) -> None:
    schema, table = lab
    filled(table)
    table.delete()
    done = dj.gc.collect(schema, dry_run=False)
    assert (done.orphans, done.young, done.removed) == (0, 12, 0)
    for entry in the_store(schema).entries():
        os.utime(the_store(schema).full_path(entry.path), (OLD, OLD))
    assert dj.gc.collect(schema, dry_run=False).removed == 12
    assert paths(the_store(schema)) == set()


def test_a_folder_is_as_young_as_the_youngest_file_in_it(local: Any) -> None:
    schema, _ = local
    store, folder = the_store(schema), "_schema/lab/item/n=1/o_x1y2z3w4"
    for name in ("0.0", "0.1"):
        store.put(f"{folder}/{name}", b"chunk")
    os.utime(store.full_path(f"{folder}/0.0"), (OLD, OLD))
    assert dj.gc.collect(schema, dry_run=False).removed == 0
    os.utime(store.full_path(f"{folder}/0.1"), (OLD, OLD))
    assert dj.gc.collect(schema, dry_run=False).removed == 2


def test_content_stays_while_one_row_refers_to_it(lab: Any) -> None:
    schema, table = lab
    table.insert([{"n": n, "b": np.arange(9)} for n in range(3)])
    assert len(paths(the_store(schema))) == 1
    (table & "n < 2").delete()
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 0
    assert (table & "n = 2").fetch1("b").size == 9
    table.delete()
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 1


def test_content_that_is_inserted_again_is_young_again(local: Any) -> None:
    schema, table = local
    table.insert1({"n": 1, "b": np.arange(9)})
    table.delete()
    (path,) = paths(the_store(schema))
    os.utime(the_store(schema).full_path(path), (OLD, OLD))
    with schema.connection.transaction:
        table.insert1({"n": 2, "b": np.arange(9)})
        with dj.Connection(schema.connection.url, settings=schema.connection.settings) as other:
            done = dj.gc.collect(dj.Schema("lab", connection=other), dry_run=False)
    assert (done.removed, done.young) == (0, 1)
    assert table.fetch1("b").size == 9


def test_leftovers_of_killed_writers_are_orphans(local: Any) -> None:
    schema, table = local
    filled(table)
    store = the_store(schema)
    for folder in ("_hash/lab", "_schema/lab/item/n=1", "_schema/lab/item"):
        store.put(f"{folder}/.{uuid4().hex}.part", b"half")
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 3


def test_paths_of_staged_inserts_by_class_name_count(local: Any) -> None:
    schema, table = local
    store = the_store(schema)
    for number in (1, 2):
        store.put(f"_schema/lab/Item/n={number}/o_x1y2z3w4.bin", b"abc")
    table.insert1(
        {"n": 1, "o": {"path": "_schema/lab/Item/n=1/o_x1y2z3w4.bin", "store": "raw", "size": 3}}
    )
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 1
    assert (table & "n = 1").fetch1("o").read() == b"abc"


def test_partitioned_objects_are_collected(tmp_path: Path) -> None:
    connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
    entry = {"protocol": "file", "location": str(tmp_path), "partition_pattern": "{n}"}
    schema, table = declared(with_stores(connection, raw=entry), "lab")
    _, other = declared(connection, "other")
    filled(table)
    filled(other)
    assert any(path.startswith("_schema/n=1/lab/item/a_") for path in paths(the_store(schema)))
    table.delete()
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 12
    assert all_read(other) == [(n, n, n) for n in range(4)]


def test_files_of_users_are_never_touched(tmp_path: Path) -> None:
    connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
    entry = {"protocol": "file", "location": str(tmp_path), "schema_prefix": "", "hash_prefix": ""}
    schema, table = declared(with_stores(connection, raw=entry), "lab")
    files = ("lab/readme.txt", "lab/item/notes.txt", "readme.txt", "lab/item/n=1/notes.txt")
    for path in files:
        the_store(schema).put(path, b"mine")
    filled(table)
    table.delete()
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 12
    assert paths(the_store(schema)) == set(files)


def test_a_file_that_a_filepath_refers_to_stays_wherever_it_lies(tmp_path: Path) -> None:
    connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
    entry = {"protocol": "file", "location": str(tmp_path), "schema_prefix": ""}
    with_stores(connection, raw=entry)
    schema, table = declared(connection, "lab", "n : int32\n---\nf : <filepath@raw>")
    path = "lab/item/n=1/f_x1y2z3w4.dat"
    the_store(schema).put(path, b"mine")
    table.insert1({"n": 1, "f": path})
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 0
    table.delete(collect=True)
    assert paths(the_store(schema)) == {path}


# Whose rows count


def test_rows_of_all_tables_and_schemas_count(lab: Any, db: Database) -> None:
    schema, table = lab
    filled(table, range(3))
    name = db.schema_name("other")
    _, copy = declared(db.connection, name)
    copy.insert(table & "n = 1")
    hidden = schema(type("Hidden", (dj.Manual,), {"definition": DEFINITION}))
    hidden.insert(table & "n = 2")
    table.delete()
    with dj.Connection(db.url, settings=db.connection.settings) as fresh:
        done = dj.gc.collect(
            dj.Schema(schema.name, connection=fresh), dry_run=False, grace_period=0
        )
    assert done.removed == 3
    assert all_read(copy) == [(1, 1, 1)]
    assert all_read(hidden) == [(2, 2, 2)]


def test_a_row_without_a_store_name_means_the_default_store(lab: Any, tmp_path: Path) -> None:
    schema, table = lab
    (tmp_path / "cold").mkdir()
    stores = {**schema.connection.settings["stores"]}
    stores["cold"] = {"protocol": "file", "location": str(tmp_path / "cold")}
    schema.connection.settings["stores"] = stores
    path = "_schema/lab/item/n=1/o_x1y2z3w4.bin".replace("lab", schema.name)
    for name in ("raw", "cold"):
        the_store(schema, name).put(path, b"abc")
    table.insert1({"n": 1, "o": {"path": path, "store": None, "size": 3}})
    assert dj.gc.collect(schema, store="raw", dry_run=False, grace_period=0).removed == 0
    assert dj.gc.collect(schema, store="cold", dry_run=False, grace_period=0).removed == 1
    assert dj.gc.GarbageCollector(schema, store="raw").collect()["schema_paths_orphaned"] == 0


@pytest.mark.parametrize("location", ["raw", "raw/../raw", ""])
def test_a_row_that_names_another_store_of_the_same_place_counts(
    local: Any, tmp_path: Path, location: str
) -> None:
    schema, table = local
    filled(table)
    stores = {
        "default": "other",
        "other": {"protocol": "file", "location": str(tmp_path / location)},
    }
    if (
        not location
    ):  # a store around the other one: the same objects, their paths one folder longer
        sections = {"hash_prefix": "raw/_hash", "schema_prefix": "raw/_schema"}
        stores["other"] |= sections  # type: ignore[operator]
        stores["raw"] = schema.connection.settings["stores"]["raw"]
    schema.connection.settings["stores"] = stores
    report = dj.gc.collect(schema, store="other", dry_run=False, grace_period=0)
    assert (report.files, report.removed) == (12, 0)


# Failing closed


def refused(schema: Any, words: str, **options: Any) -> None:
    before = paths(the_store(schema))
    with pytest.raises(dj.errors.CollectionRefused, match=words):
        dj.gc.collect(schema, dry_run=False, grace_period=0, **options)
    assert not dj.gc.scan(schema, grace_period=0).is_complete
    assert paths(the_store(schema)) == before


def test_an_object_of_a_codec_that_is_not_here_is_in_use(lab: Any) -> None:
    schema, table = lab
    filled(table, range(2))
    mystery = schema(
        type("Mystery", (dj.Manual,), {"definition": "n : int32\n---\nm : <mystery@raw>"})
    )
    (row,) = (table & "n = 1").proj("o").cursor().fetchall()
    document = json.loads(row[1])
    kept = {"deep": [{"where": document["path"]}], "n": 1}
    sql = f"INSERT INTO {_quoted(mystery)} VALUES (%s, %s)"
    schema.connection.query(sql, (1, json.dumps(kept)))
    table.delete()
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 5
    assert document["path"] in paths(the_store(schema))
    schema.connection.query(sql, (2, json.dumps({"n": 2})))
    refused(schema, r"attribute `m` of .*mystery.* <mystery@raw> is not available")


def test_a_document_that_cannot_be_read_stops_everything(lab: Any) -> None:
    schema, table = lab
    filled(table)
    schema.connection.query(f"UPDATE {_quoted(table)} SET o = %s WHERE n = 1", ('{"size": 3}',))
    (table & "n = 2").delete()
    refused(schema, r"attribute `o` of .*item.* no path")


def test_a_document_that_is_no_json_stops_everything(local: Any) -> None:
    schema, table = local
    filled(table)
    # As a program may leave it that switches checks off.
    schema.connection.query("PRAGMA ignore_check_constraints = ON")
    schema.connection.query(f"UPDATE {_quoted(table)} SET o = '{{half' WHERE n = 1")
    refused(schema, r"attribute `o` of .*item.* not JSON")


def test_a_codec_that_fails_stops_everything(local: Any) -> None:
    schema, table = local

    class FailingReferences(dj.Codec):
        name = "failing_references"

        def get_dtype(self, is_store: bool) -> str:
            return "json"

        def encode(self, value: Any, **_: Any) -> Any:
            return {"value": value}

        def decode(self, stored: Any, **_: Any) -> Any:
            return stored["value"]

        def referenced_paths(self, stored: Any) -> Any:
            raise ZeroDivisionError("its own fault")

    definition = "n : int32\n---\nf : <failing_references>"
    failing = schema(type("Failing", (dj.Manual,), {"definition": definition}))
    filled(table)
    failing.insert1((1, 2))
    refused(
        schema, "attribute `f` of .*failing.* its codec fails: ZeroDivisionError: its own fault"
    )


def test_a_store_that_cannot_be_listed_stops_everything(local: Any, tmp_path: Path) -> None:
    schema, table = local
    filled(table)
    table.delete()
    stores = {**schema.connection.settings["stores"]}
    stores["gone"] = {"protocol": "file", "location": str(tmp_path / "gone")}
    schema.connection.settings["stores"] = stores
    refused(schema, "the store 'gone' cannot be")
    assert dj.gc.collect(schema, store="raw", dry_run=False, grace_period=0).removed == 12


def test_nothing_is_collected_inside_a_transaction(lab: Any) -> None:
    schema, table = lab
    filled(table)

    def work() -> None:
        with schema.connection.transaction:
            table.delete()
            dj.gc.collect(schema, dry_run=False, grace_period=0)

    with pytest.raises(dj.DataJointError, match="A transaction is open"):
        work()
    assert all_read(table) == [(n, n, n) for n in range(4)]


def test_a_schema_and_a_store_must_be_known(local: Any) -> None:
    schema, _ = local
    with pytest.raises(dj.DataJointError, match="at least one schema"):
        dj.gc.scan()
    with pytest.raises(dj.DataJointError, match="not configured"):
        dj.gc.scan(schema, store="rwa")
    with pytest.raises(dj.DataJointError, match="not configured"):
        dj.gc.GarbageCollector(schema, store="rwa")


# While others work


def test_rows_that_are_inserted_during_a_collection_keep_their_objects(
    db: Database, tmp_path: Path
) -> None:
    settings = db.connection.settings
    with_stores(db.connection, raw={"protocol": "file", "location": str(tmp_path)})
    schema, table = declared(db.connection, db.schema_name("lab"))
    table.insert1({"n": -1, "b": np.arange(3)})  # so that no writer meets an empty catalogue
    stop, errors = threading.Event(), []

    def write(which: int) -> None:
        try:
            with dj.Connection(db.url, settings=settings) as own:
                mine = dj.FreeTable(own, str(table().name))
                for n in range(1000 * which, 1000 * which + 40):
                    # The same contents again and again, of rows that come and go.
                    row = {"n": n, "b": np.arange(n % 5), "a": np.ones(3), "o": b"xyz"}
                    mine.insert1(row)
                    if n % 3 == 0:
                        (mine & {"n": n}).delete()
        except Exception as error:
            errors.append(error)
        finally:
            stop.set() if which == 0 else None

    threads = [threading.Thread(target=write, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    removed = 0
    while any(thread.is_alive() for thread in threads):
        removed += dj.gc.collect(schema, dry_run=False, grace_period=60).removed
    for thread in threads:
        thread.join()
    assert not errors
    assert all(row["b"] is not None for row in (table & "n >= 0").to_dicts())
    assert len(all_read(table & "n >= 0")) == len(table) - 1
    done = dj.gc.collect(schema, dry_run=False, grace_period=0)
    assert done.removed > 0
    assert len(all_read(table & "n >= 0")) == len(table) - 1


def test_progress_is_told_step_by_step(local: Any) -> None:
    schema, table = local
    filled(table)
    (table & "n = 1").delete()
    heard: list[dj.gc.ObjectProgress] = []
    dj.gc.collect(schema, dry_run=False, grace_period=0, progress=heard.append)
    last = {moment.step: moment.done for moment in heard}
    assert last == {"listing": 12, "reading rows": 3, "removing": 3}


# At once, with the rows


def test_a_deletion_may_free_the_objects_of_its_rows(lab: Any) -> None:
    schema, table = lab
    schema.connection.settings["objects.grace_period"] = 0
    filled(table)
    copy = schema(type("Copy", (dj.Manual,), {"definition": DEFINITION}))
    copy.insert(table & "n = 3")
    assert (table & "n in (2, 3)").delete(collect=True) == 2
    assert len(paths(the_store(schema))) == 9
    assert all_read(table) == [(0, 0, 0), (1, 1, 1)]
    assert all_read(copy) == [(3, 3, 3)]


def test_content_that_another_insert_may_have_found_is_not_freed_at_once(lab: Any) -> None:
    schema, table = lab
    filled(table, range(1, 2))
    table.delete(collect=True)
    (left,) = paths(the_store(schema))
    assert left.startswith("_hash/")


def test_objects_are_freed_when_the_outermost_transaction_is_permanent(lab: Any) -> None:
    schema, table = lab
    schema.connection.settings["objects.grace_period"] = 0
    filled(table)
    before = paths(the_store(schema))

    def undone() -> None:
        with schema.connection.transaction:
            table.delete(collect=True)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    assert all_read(table) == [(n, n, n) for n in range(4)]
    with schema.connection.transaction:
        table.delete(collect=True)
        assert paths(the_store(schema)) == before
    assert paths(the_store(schema)) == set()


def test_rows_are_deleted_and_objects_stay_when_not_all_can_be_read(lab: Any) -> None:
    schema, table = lab
    filled(table)
    schema.connection.query(f"UPDATE {_quoted(table)} SET o = %s WHERE n = 1", ('{"size": 3}',))
    with pytest.warns(UserWarning, match=r"(?s)left for dj.gc.collect.*attribute `o`"):
        (table & "n = 2").delete(collect=True)
    assert len(table) == 3
    assert len(paths(the_store(schema))) == 12


# In datajoint's words


def test_the_collector_of_datajoint_reports_by_its_keys(lab: Any) -> None:
    schema, table = lab
    schema.connection.settings["objects.grace_period"] = 0
    filled(table)
    collector = dj.gc.GarbageCollector(schema, store="raw")
    hashes, schemas = collector.hash_references(), collector.schema_references()
    assert (len(hashes), len(schemas)) == (4, 8)
    assert set(collector.list_hash_paths(schema.name)) == hashes
    assert set(collector.list_schema_paths(schema.name)) == schemas
    (table & "n = 1").delete()
    seen = collector.collect()
    assert (seen["hash_paths_stored"], seen["hash_paths_referenced"]) == (4, 3)
    assert (seen["schema_paths_orphaned"], len(seen["orphaned_schema_paths"])) == (2, 2)
    assert set(seen["orphaned_hash_paths"]) < hashes
    assert (seen["deleted"], seen["dry_run"]) == (0, True)
    done = collector.collect(dry_run=False)
    assert (done["deleted"], done["hash_paths_deleted"], done["schema_paths_deleted"]) == (3, 1, 2)
    assert (done["errors"], done["scan_errors"]) == (0, [])
    path = next(iter(collector.schema_references()))
    assert collector.delete_schema_path(path)
    assert not collector.delete_schema_path(path)


# Reports


def test_a_report_tells_what_lies_where_as_text_html_and_json(local: Any) -> None:
    schema, table = local
    filled(table)
    (table & "n = 1").delete()
    report = dj.gc.scan(schema, grace_period=0)
    assert "3 of 12 files" in repr(report)
    assert "3 of 12 files" in report._repr_html_()
    told = json.loads(json.dumps(report.to_dict()))
    assert [section["section"] for section in told["sections"]] == ["hash", "schema"]
    assert told["orphans"] == len(told["examples"]) == 3


# Laws

_parts = st.lists(st.sampled_from(["a", "b", "a.b", "a-", "ab", "c"]), min_size=1, max_size=4)
_paths = st.lists(_parts.map("/".join), max_size=12)


@given(_paths, _paths)
def test_the_merge_finds_what_a_search_one_by_one_finds(
    files: list[str], references: list[str]
) -> None:
    expected = sorted(
        path
        for path in files
        if not any(path == ref or path.startswith(f"{ref}/") for ref in references)
    )
    entries = sorted((key_of(path), path) for path in files)
    found = uncovered(entries, sorted({key_of(path) for path in references}))
    assert sorted(path for _, path in found) == expected


@given(
    st.lists(
        st.sampled_from(["lab", "_hash", "_schema", "n=1", "item", "x_abcd", "y.txt"]), min_size=1
    )
)
def test_what_is_placed_lies_in_a_section_of_its_schema(parts: list[str]) -> None:
    path = "/".join(parts)
    placed = Sections("_hash", "_schema", frozenset({"lab"})).place(path)
    if placed is not None:
        assert placed.schema == "lab"
        assert parts[0] == {"hash": "_hash", "schema": "_schema"}[placed.kind]
        assert path == placed.unit or path.startswith(f"{placed.unit}/")


def _quoted(table: Any) -> str:
    backend = table.connection.backend
    return backend.dialect.identifier_preparer.format_table(backend.table(table().name))


# Uploads in parts


def begun(store: Store, path: str) -> None:
    """Begin to send an object in parts, as a writer that is killed then."""
    bucket, _, key = store.full_path(path).partition("/")
    upload = store.fs.call_s3("create_multipart_upload", Bucket=bucket, Key=key)["UploadId"]
    store.fs.call_s3(
        "upload_part", Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"part"
    )


@pytest.fixture
def on_s3(s3_entry: dict[str, Any]) -> Any:
    """A schema with a table of objects on S3, and uploads of all kinds that nobody finished."""
    connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
    schema, table = declared(with_stores(connection, raw=s3_entry), "lab")
    filled(table)
    for path in (
        "_hash/lab/lvauakv4jmvhnolrtwiraf6fsi",
        "_schema/lab/item/n=7/a_x1y2z3w4.npy",
        "_schema/n=7/lab/item/a_x1y2z3w4.npy",
        "_schema/other/item/n=7/a_x1y2z3w4.npy",
        "mine/large.dat",
    ):
        begun(the_store(schema), path)
    return schema, table


def left(schema: Any) -> list[str]:
    return sorted(upload.path for upload in the_store(schema).uploads())


def test_uploads_that_nobody_finished_are_found_and_given_up(on_s3: Any) -> None:
    schema, table = on_s3
    before = left(schema)
    assert len(before) == 5
    seen = dj.gc.scan(schema)  # the server says that all uploads began in 2010
    assert (seen.uploads, seen.uploads_removed, seen.orphans) == (3, 0, 0)
    assert "3 uploads were begun long ago and never finished." in repr(seen)
    assert left(schema) == before
    done = dj.gc.collect(schema, dry_run=False)
    assert (done.uploads, done.uploads_removed, done.failures) == (3, 3, ())
    assert done.to_dict()["uploads_removed"] == 3
    assert "the parts of 3 were removed" in done._repr_html_()
    # Those of other schemas and of users stay.
    assert left(schema) == ["_schema/other/item/n=7/a_x1y2z3w4.npy", "mine/large.dat"]
    assert dj.gc.collect(schema, dry_run=False).uploads == 0
    assert all_read(table) == [(n, n, n) for n in range(4)]


def test_uploads_that_may_still_be_written_stay(on_s3: Any) -> None:
    schema, table = on_s3
    before = left(schema)
    done = dj.gc.collect(schema, dry_run=False, grace_period=time.time() - 10_000)
    assert (done.uploads, left(schema)) == (0, before)
    table.delete(collect=True)
    assert left(schema) == before


def test_uploads_are_listed_page_by_page(on_s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    schema, _ = on_s3
    fs = the_store(schema).fs
    call = fs.call_s3

    def paged(method: str, **asked: Any) -> Any:
        after = asked.pop("KeyMarker", ""), asked.pop("UploadIdMarker", "")
        page = call(method, **asked)
        if method != "list_multipart_uploads":
            return page
        found = sorted(page.get("Uploads", ()), key=lambda each: (each["Key"], each["UploadId"]))
        rest = [each for each in found if (each["Key"], each["UploadId"]) > after]
        marks = {"NextKeyMarker": rest[0]["Key"], "NextUploadIdMarker": rest[0]["UploadId"]}
        return {"Uploads": rest[:1], "IsTruncated": len(rest) > 1, **marks}

    monkeypatch.setattr(fs, "call_s3", paged)
    assert len(left(schema)) == 5


def test_objects_are_collected_where_uploads_may_not_be_listed(
    on_s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema, table = on_s3
    fs = the_store(schema).fs
    call = fs.call_s3

    def refused(method: str, **asked: Any) -> Any:
        if method == "list_multipart_uploads":
            raise PermissionError("Access Denied")
        return call(method, **asked)

    table.delete()
    monkeypatch.setattr(fs, "call_s3", refused)
    done = dj.gc.collect(schema, dry_run=False, grace_period=0)
    assert done.removed == 12
    (told,) = done.failures
    assert "unfinished uploads to the store 'raw'" in told

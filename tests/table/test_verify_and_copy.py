"""Objects of a schema are checked against its rows, and copied from store to store without a row losing one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import djupyter as dj
from djupyter.settings import Settings
from tests.conftest import Database
from tests.table.test_collect import all_read, declared, filled, paths, the_store, with_stores


def of_kinds(connection: dj.Connection, name: str, folder: Path) -> Any:
    """A table filled with a blob, an array, a file and a folder in each of four rows."""
    schema, table = declared(connection, name)
    filled(table)
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "x.bin").write_bytes(b"abc")
    (folder / "y.bin").write_bytes(b"de")
    table.insert1({"n": 9, "o": folder})
    return schema, table


@pytest.fixture
def lab(db: Database, tmp_path: Path) -> Any:
    entries = {}
    for name in ("raw", "cold"):
        (tmp_path / name).mkdir()
        entries[name] = {"protocol": "file", "location": str(tmp_path / name)}
    with_stores(db.connection, **entries)
    return of_kinds(db.connection, db.schema_name("lab"), tmp_path / "source")


# Verifying


def test_a_schema_with_all_its_objects_is_valid(lab: Any) -> None:
    schema, _ = lab
    result = schema.verify()
    assert result
    assert (result.rows, result.objects, result.hashed) == (5, 13, 0)
    assert schema.verify(hashes=True).hashed == 4


def test_what_is_missing_or_changed_is_told_with_table_key_and_attribute(lab: Any) -> None:
    schema, table = lab
    store = the_store(schema)
    store.remove((table & "n = 1").fetch1("o").path)
    store.put((table & "n = 2").fetch1("o").path, b"longer than it was")
    store.put((table & "n = 3").fetch1("a").path, b"cut")
    store.remove((table & "n = 9").fetch1("o").path + "/y.bin")
    result = schema.verify()
    assert not result
    found = {(each.key, each.attribute, each.kind) for each in result.findings}
    assert found == {
        ("n=1", "o", "missing"),
        ("n=2", "o", "changed"),
        ("n=3", "a", "changed"),
        ("n=9", "o", "changed"),
    }
    assert "1 missing, 3 changed" in repr(result)
    assert "1 missing, 3 changed" in result._repr_html_()
    assert json.loads(json.dumps(result.to_dict()))["counts"]["changed"] == 3


def test_contents_are_compared_on_request(lab: Any) -> None:
    schema, _ = lab
    store = the_store(schema)
    path = next(path for path in sorted(paths(store)) if path.startswith("_hash/"))
    store.put(path, b"?" * store.info(path).size)  # type: ignore[union-attr]
    assert schema.verify()
    (finding,) = schema.verify(hashes=True).changed
    assert finding.path == path
    assert "has the hash" in finding.reason


def test_files_of_users_and_rows_that_say_nothing_are_checked_too(tmp_path: Path) -> None:
    connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
    with_stores(connection, raw={"protocol": "file", "location": str(tmp_path)})
    schema, table = declared(
        connection, "lab", "n : int32\n---\nf : <filepath@raw>\no = null : <object@raw>"
    )
    the_store(schema).put("mine/a.dat", b"abc")
    the_store(schema).put("mine/b.dat", b"abc")
    table.insert([{"n": 1, "f": "mine/a.dat"}, {"n": 2, "f": "mine/b.dat"}, {"n": 3, "f": "mine"}])
    assert schema.verify()
    the_store(schema).remove("mine/b.dat")
    connection.query("UPDATE `lab.item` SET o = '{}' WHERE n = 1")
    result = schema.verify()
    assert [(each.kind, each.key) for each in result.findings] == [
        ("unreadable", "n=1"),
        ("missing", "n=2"),
    ]


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "", ".", "a/.."])
def test_a_row_that_leads_out_of_its_store_is_told_like_any_other(path: str) -> None:
    connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
    with_stores(connection, raw={"protocol": "memory", "location": "led-out"})
    schema, table = declared(connection, "lab", "n : int32\n---\no = null : <object@raw>")
    table.insert([{"n": 1, "o": b"abc"}, {"n": 2}])
    document = json.dumps({"path": path, "store": "raw", "size": 3})
    connection.query("UPDATE `lab.item` SET o = ? WHERE n = 2", (document,))
    result = schema.verify(hashes=True)
    assert [(each.kind, each.key, each.attribute) for each in result.findings] == [
        ("unreadable", "n=2", "o")
    ]
    assert repr(path) in result.findings[0].reason
    assert result.objects == 1


def test_verification_works_on_every_store(store_entry: dict[str, Any], tmp_path: Path) -> None:
    connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
    with_stores(connection, raw=store_entry)
    schema, table = of_kinds(connection, "lab", tmp_path / "source")
    steps: list[str] = []
    assert schema.verify(hashes=True, progress=lambda moment: steps.append(moment.step))
    assert list(dict.fromkeys(steps)) == ["reading rows", "listing", "checking"]
    the_store(schema).remove((table & "n = 9").fetch1("o").path)
    assert [each.key for each in schema.verify().missing] == ["n=9"]


# Copying


def test_copies_are_complete_and_made_once(lab: Any) -> None:
    schema, table = lab
    done = schema.copy_objects("raw", "cold", hashes=True)
    assert done
    assert (done.objects, done.files, done.rows) == (13, 15, 0)
    assert paths(the_store(schema)) == paths(the_store(schema, "cold"))
    again = schema.copy_objects("raw", "cold")
    assert (again.files, again.skipped) == (0, 15)
    assert (table & "n = 1").fetch1("o").store == "raw"


def test_rewritten_rows_refer_to_the_copies_and_the_originals_can_be_collected(lab: Any) -> None:
    schema, table = lab
    done = schema.copy_objects("raw", "cold", rewrite=True)
    assert (done.rows, done.failures) == (13, [])
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 15
    assert paths(the_store(schema)) == set()
    assert all_read(table & "n < 9") == [(n, n, n) for n in range(4)]
    assert (table & "n = 9").fetch1("o").verify()
    assert schema.verify(hashes=True)
    assert schema.copy_objects("raw", "cold", rewrite=True).objects == 0


def test_sections_of_other_names_are_kept_apart(lab: Any) -> None:
    schema, table = lab
    stores = {**schema.connection.settings["stores"]}
    stores["cold"] = {**stores["cold"], "hash_prefix": "h", "schema_prefix": "s/t"}
    schema.connection.settings["stores"] = stores
    schema.copy_objects("raw", "cold", rewrite=True)
    assert {path.split("/")[0] for path in paths(the_store(schema, "cold"))} == {"h", "s"}
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 15
    assert schema.verify(hashes=True)
    table.delete()
    assert dj.gc.collect(schema, dry_run=False, grace_period=0).removed == 15


def test_a_row_whose_object_cannot_be_copied_stays_as_it_is(lab: Any) -> None:
    schema, table = lab
    the_store(schema).remove((table & "n = 1").fetch1("o").path)
    done = schema.copy_objects("raw", "cold", rewrite=True)
    assert not done
    assert (done.rows, len(done.failures)) == (12, 1)
    assert (table & "n = 1").fetch1("o").store == "raw"
    assert (table & "n = 2").fetch1("o").store == "cold"


def test_a_row_that_changes_meanwhile_keeps_its_new_object(lab: Any, db: Database) -> None:
    schema, table = lab
    changed: list[Any] = []

    def change(moment: Any) -> None:
        # The first objects are copied; nothing is rewritten yet.
        if moment.done and not changed:
            with dj.Connection(db.url, settings=db.connection.settings) as other:
                dj.FreeTable(other, str(table().name)).update1({"n": 3, "o": b"new"})
            changed.append(True)

    schema.connection.settings["objects.workers"] = 1
    done = schema.copy_objects("raw", "cold", rewrite=True, progress=change)
    assert done.rows == 12
    assert (table & "n = 3").fetch1("o").read() == b"new"
    assert schema.verify(hashes=True)


def test_copying_works_between_all_stores(store_entry: dict[str, Any], tmp_path: Path) -> None:
    connection = dj.Connection("sqlite://", settings=Settings(safemode=False))
    with_stores(connection, raw=store_entry, cold={"protocol": "memory", "location": tmp_path.name})
    schema, table = of_kinds(connection, "lab", tmp_path / "source")
    assert schema.copy_objects("raw", "cold", rewrite=True, hashes=True)
    assert schema.copy_objects("cold", "raw", rewrite=True, hashes=True).rows == 13
    assert schema.verify(hashes=True)
    assert all_read(table & "n < 9") == [(n, n, n) for n in range(4)]


def test_only_two_stores_that_are_there_can_be_named(lab: Any) -> None:
    schema, _ = lab
    with pytest.raises(dj.DataJointError, match="to itself"):
        schema.copy_objects("raw", "raw")
    with pytest.raises(dj.DataJointError, match="not configured"):
        schema.copy_objects("raw", "clod")
    assert np.array_equal(schema.get_table("Item").to_arrays("n"), [0, 1, 2, 3, 9])

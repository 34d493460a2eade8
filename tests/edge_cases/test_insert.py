"""Statements 119 to 134: what may be inserted, and what an insert leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import djupyter as dj
from djupyter.errors import DuplicateError, IntegrityError, MissingAttributeError


@pytest.fixture
def T(schema: dj.Schema) -> Any:
    @schema
    class T(dj.Manual):
        definition = """
        a : int32
        ---
        x = null : int32
        name = 'none' : varchar(8)
        """

    return T


def rows(query: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in query.to_dicts(order_by="KEY")]


@pytest.mark.statement(119)
def test_rows_with_different_fields_go_together(T: Any) -> None:
    """Instead of an error: what a row leaves out is its default."""
    T.insert([{"a": 1, "x": 1}, {"name": "two", "a": 2}, (3, None, "three")])
    assert rows(T) == [(1, 1, "none"), (2, None, "two"), (3, None, "three")]


@pytest.mark.statement(120)
def test_an_extra_field_is_a_key_error_unless_ignored(T: Any) -> None:
    with pytest.raises(KeyError, match="nope"):
        T.insert1({"a": 1, "nope": 1})
    T.insert1({"a": 1, "nope": 1}, ignore_extra_fields=True)
    assert rows(T) == [(1, None, "none")]


@pytest.mark.statement(121)
def test_what_is_no_row_is_refused(T: Any) -> None:
    """A text too: it is not taken for a sequence of characters."""
    with pytest.raises(dj.DataJointError, match="Incorrect number of attributes: 2 given; 3 expected"):  # fmt: skip
        T.insert([(1, 2)])
    for wrong in (5, None, "abc"):
        with pytest.raises(dj.DataJointError, match="cannot be inserted"):
            T.insert([wrong])
    assert len(T) == 0


@pytest.mark.statement(122)
def test_an_empty_row_is_all_defaults_or_refused(T: Any, schema: dj.Schema) -> None:
    """On every backend."""

    @schema
    class Rig(dj.Manual):
        definition = "---\nvoltage = 5 : int8"

    Rig.insert1({})
    assert Rig.fetch1("voltage") == 5
    with pytest.raises(MissingAttributeError, match="`a`"):
        T.insert1({})


@pytest.mark.statement(123)
def test_skip_duplicates_skips_keys_and_not_broken_references(fresh: SimpleNamespace) -> None:
    fresh.A.insert([(1, 99, "changed"), (4, 40, "four")], skip_duplicates=True)
    assert (fresh.A & "a = 1").fetch1("name") == "one"
    assert len(fresh.A) == 4
    with pytest.raises(IntegrityError):
        fresh.B.insert([(1, 1, 0), (77, 1, 0)], skip_duplicates=True)


@pytest.mark.statement(124, 125)
def test_a_conflict_in_another_unique_index_is_an_error(schema: dj.Schema) -> None:
    """On every backend, with skip_duplicates and with replace; no other row is deleted."""

    @schema
    class U(dj.Manual):
        definition = "a : int32\n---\nx : int32\nunique index (x)"

    U.insert([(1, 1), (2, 2)])
    for options in ({}, {"skip_duplicates": True}, {"replace": True}):
        with pytest.raises(DuplicateError):
            U.insert([(3, 1)], **options)
    with pytest.raises(DuplicateError):
        U.insert([(1, 2)], replace=True)
    assert rows(U) == [(1, 1), (2, 2)]


@pytest.mark.statement(125)
def test_replace_keeps_children(fresh: SimpleNamespace) -> None:
    """On every backend: the row changes in its place, which no reference to it forbids."""
    fresh.A.insert([(1, 11, "uno"), (4, None, "four")], replace=True)
    assert (fresh.A & "a = 1").fetch1() == {"a": 1, "x": 11, "name": "uno"}
    assert (len(fresh.A), len(fresh.B)) == (4, 3)


@pytest.mark.statement(126)
def test_a_duplicate_is_named_with_what_to_do(T: Any) -> None:
    T.insert1((1, 1, "one"))
    with pytest.raises(DuplicateError, match=r"a=1 already.*skip_duplicates"):
        T.insert([(2, 2, "two"), (1, 3, "three")])
    assert len(T) == 1
    T.insert([(2, 2, "two"), (1, 3, "three")], skip_duplicates=True)
    assert rows(T) == [(1, 1, "one"), (2, 2, "two")]


@pytest.mark.statement(127, 128)
def test_queries_and_classes_are_inserted_by_name(fresh: SimpleNamespace, T: Any) -> None:
    T.insert(fresh.A)
    assert len(T) == 3
    T.delete_quick()
    T.insert(fresh.A.proj(name="name") & "a < 3")
    assert rows(T) == [(1, None, "one"), (2, None, "two")]
    T.insert(fresh.A, skip_duplicates=True)
    assert len(T) == 3
    with pytest.raises(dj.DataJointError, match="`b`"):
        T.insert(fresh.B)
    T.delete_quick()
    T.insert(fresh.D, ignore_extra_fields=True)
    assert rows(T) == [(1, None, "none"), (2, None, "none")]
    with pytest.raises(dj.DataJointError, match="chunk_size"):
        T.insert(fresh.A, chunk_size=2)


@pytest.mark.statement(129)
def test_chunks_are_committed_one_by_one(T: Any) -> None:
    """A size of 0 is refused, for it would insert nothing."""
    wrong = [(n, n, "x") for n in (1, 2, 3, 4, 5, 6, 6)]
    with pytest.raises(DuplicateError):
        T.insert(wrong, chunk_size=3)
    assert len(T) == 6
    T.delete_quick()
    with pytest.raises(dj.DataJointError, match="at least 1"):
        T.insert(wrong, chunk_size=0)


@pytest.mark.statement(129)
def test_chunks_inside_a_transaction_go_with_it(T: Any) -> None:
    with pytest.raises(DuplicateError), T.connection.transaction:
        T.insert([(n, n, "x") for n in (1, 2, 3, 4, 4)], chunk_size=2)
    assert len(T) == 0


@pytest.mark.statement(130)
def test_files_frames_and_record_arrays_are_rows(T: Any, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("name,a,x\none,1,\n,2,20\n")
    T.insert(path)
    T.insert(pl.DataFrame({"a": [3], "x": [None]}))
    T.insert(pa.table({"a": [4], "name": ["four"]}))
    T.insert(np.array([(5, 50)], dtype=[("a", int), ("x", int)]))
    T.insert(pd.DataFrame({"x": [60]}, index=pd.Index([6], name="a")))
    assert rows(T.proj("x")) == [(1, None), (2, 20), (3, None), (4, None), (5, 50), (6, 60)]
    assert (T & "a = 1").fetch1("name") == "one"


@pytest.mark.statement(131)
def test_computed_tables_are_filled_by_make_only_but_not_their_parts(
    fresh: SimpleNamespace, schema: dj.Schema
) -> None:
    A = fresh.A

    @schema
    class Sum(dj.Computed):
        definition = "-> A\n---\ns : int32"

        class Item(dj.Part):
            definition = "-> master\ni : int32"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "s": 1})

    with pytest.raises(dj.DataJointError, match="inside its make"):
        Sum.insert1((1, 1))
    Sum.insert1((1, 1), allow_direct_insert=True)
    Sum.Item.insert1((1, 7))
    assert (len(Sum), len(Sum.Item), len(A)) == (1, 1, 3)


@pytest.mark.statement(132)
def test_contents_are_inserted_while_there_are_more_of_them_than_rows(schema: dj.Schema) -> None:
    """Rows of contents may have different fields, and a changed one never changes the table."""

    def declared(contents: Any) -> Any:
        given = contents

        class Kind(dj.Lookup):
            definition = "kind : varchar(8)\n---\nn = 0 : int32"
            contents = given

        return schema(Kind)

    assert rows(declared([("a", 1), {"kind": "b"}])) == [("a", 1), ("b", 0)]
    assert rows(declared([("a", 5), ("b", 5)])) == [("a", 1), ("b", 0)]
    assert rows(declared((k, 5) for k in "abc")) == [("a", 1), ("b", 0), ("c", 5)]


@pytest.mark.statement(133)
def test_a_part_of_a_lookup_has_contents_too(schema: dj.Schema) -> None:
    @schema
    class Kind(dj.Lookup):
        definition = "kind : varchar(8)"
        contents = zip(["a", "b"], strict=True)

        class Alias(dj.Part):
            definition = "-> master\nalias : varchar(8)"
            contents = [("a", "alpha"), ("b", "beta")]  # noqa: RUF012

    assert rows(Kind.Alias) == [("a", "alpha"), ("b", "beta")]


@pytest.fixture
def Rig(schema: dj.Schema) -> Iterator[Any]:
    @schema
    class Rig(dj.Manual):
        definition = "---\nvoltage : int8"

    return Rig


@pytest.mark.statement(134)
def test_a_singleton_is_a_table_like_any_other(Rig: Any) -> None:
    """It has no key, but len, previews, fetch1, update1 and keys work all the same."""
    assert Rig.primary_key == []
    Rig.insert1({"voltage": 5})
    with pytest.raises(DuplicateError):
        Rig.insert1({"voltage": 6})
    assert Rig.to_dicts() == [{"voltage": 5}]
    assert (len(Rig), bool(Rig()), Rig.fetch1("voltage"), Rig.keys()) == (1, True, 5, [{}])
    assert "5" in repr(Rig())
    Rig.update1({"voltage": 7})
    assert Rig.fetch1() == {"voltage": 7}
    assert Rig.delete(prompt=False) == 1
    assert len(Rig) == 0

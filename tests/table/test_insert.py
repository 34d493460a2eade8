"""Rows in every form arrive, all of them or none, and errors name the row."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import djupyter as dj
from djupyter.errors import (
    DuplicateError,
    IntegrityError,
    InvalidValueError,
    MissingAttributeError,
    UnknownAttributeError,
)
from tests.conftest import Database

ROWS = [{"a": 1, "x": 10, "name": "one"}, {"a": 2, "x": None, "name": "two"}]


@pytest.fixture
def A(schema: dj.Schema) -> Any:
    @schema
    class A(dj.Manual):
        definition = """
        a : int32
        ---
        x = null : int32
        name = 'none' : varchar(8)
        """

    return A


@pytest.fixture
def B(schema: dj.Schema, A: Any) -> Any:
    @schema
    class B(dj.Manual):
        definition = """
        -> A
        b : int8
        ---
        y : float64
        """

    return B


def test_a_refused_batch_raises_and_says_nothing_beside_that(
    A: Any, caplog: pytest.LogCaptureFixture
) -> None:
    A.insert(ROWS)
    with pytest.raises(DuplicateError):
        A.insert([*({"a": n} for n in range(10, 1000)), {"a": 1}])
    assert [record.getMessage() for record in caplog.records] == []


def records() -> np.ndarray[Any, Any]:
    return np.array(
        [(1, 10, "one"), (2, 20, "two")], dtype=[("a", int), ("x", int), ("name", "U8")]
    )


def test_rows_may_be_dicts_tuples_or_lists(A: Any) -> None:
    A.insert([ROWS[0], (2, None, "two"), [3, 30, "three"]])
    assert A.to_dicts(order_by="KEY") == [*ROWS, {"a": 3, "x": 30, "name": "three"}]


def test_rows_may_be_a_record_array_or_its_records(A: Any) -> None:
    A.insert(records()[:1])
    A.insert(list(records()[1:]))
    A.insert1(np.array([(3, 30)], dtype=[("a", int), ("x", int)])[0])
    assert list(A.to_arrays("x", order_by="KEY")) == [10, 20, 30]


def test_a_frame_gives_its_named_index_and_its_gaps_are_null(A: Any) -> None:
    A.insert(pd.DataFrame(ROWS).set_index("a"))
    A.insert(pd.DataFrame({"a": [3, 4], "x": [np.nan, 40.0]}))
    assert A.to_dicts(order_by="KEY")[:2] == ROWS
    assert [row["x"] for row in A.to_dicts(order_by="KEY")] == [10, None, None, 40]


def test_insert_dataframe_takes_an_unnamed_index_as_the_key_when_told(A: Any) -> None:
    A.insert_dataframe(pd.DataFrame({"x": [1, 2]}, index=[7, 8]), index_as_pk=True)
    A.insert_dataframe(pd.DataFrame({"a": [9]}, index=[0]), index_as_pk=False)
    assert list(A.to_arrays("a", order_by="KEY")) == [7, 8, 9]


def test_a_table_fetched_to_pandas_can_be_inserted_again(A: Any) -> None:
    A.insert(ROWS)
    frame = A.to_pandas()
    A.delete()
    A.insert(frame)
    assert A.to_dicts(order_by="KEY") == ROWS


@pytest.mark.parametrize("frame", [pl.DataFrame(ROWS), pa.Table.from_pylist(ROWS)])
def test_polars_and_arrow_tables_are_rows(A: Any, frame: object) -> None:
    A.insert(frame)
    assert A.to_dicts(order_by="KEY") == ROWS


def test_a_csv_file_is_rows_and_its_gaps_are_null(A: Any, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('\ufeffa, x,name\n1,10,one\n\n2,,two\n3,5,""\n', encoding="utf-8")
    A.insert(path)
    assert A.to_dicts(order_by="KEY") == [*ROWS, {"a": 3, "x": 5, "name": ""}]


def test_json_in_a_csv_file_is_read_as_json(schema: dj.Schema, tmp_path: Path) -> None:
    @schema
    class J(dj.Manual):
        definition = """
        j : int8
        ---
        doc = null : json
        on = null : bool
        """

    path = tmp_path / "rows.csv"
    path.write_text('j,doc,on\n1,"{""a"": [1, 2]}",true\n2,,0\n')
    J.insert(path)
    assert J.to_dicts(order_by="KEY") == [
        {"j": 1, "doc": {"a": [1, 2]}, "on": True},
        {"j": 2, "doc": None, "on": False},
    ]
    path.write_text("j,doc\n3,1\n4,{a\n")
    with pytest.raises(InvalidValueError, match=r"J, row 1.*`doc`.*JSON document"):
        J.insert(path)


def test_a_damaged_csv_file_is_refused_with_its_line(A: Any, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,x\n1,2\n3\n")
    with pytest.raises(dj.DataJointError, match=r"rows.csv, line 3: 1 values for 2 names"):
        A.insert(path)
    assert len(A) == 0
    with pytest.raises(dj.DataJointError, match="does not exist"):
        A.insert(tmp_path / "none.csv")


def test_a_query_or_a_class_is_inserted_by_name_inside_the_database(
    schema: dj.Schema, A: Any
) -> None:
    @schema
    class Copy(dj.Manual):
        definition = "a : int32\n---\nname : varchar(8)"

    A.insert(ROWS)
    Copy.insert(A.proj("name") & dj.Top(1))
    assert Copy.to_dicts() == [{"a": 1, "name": "one"}]
    with pytest.raises(UnknownAttributeError, match="`x`"):
        Copy.insert(A)
    Copy.insert(A, ignore_extra_fields=True, skip_duplicates=True)
    assert len(Copy) == 2
    with pytest.raises(dj.DataJointError, match="chunk_size"):
        Copy.insert(A, ignore_extra_fields=True, chunk_size=1)
    with pytest.raises(MissingAttributeError, match="`name`"):
        Copy.insert(A.proj())


def test_a_query_on_another_connection_is_streamed_over(A: Any, tmp_path: Path) -> None:
    with dj.Connection(f"sqlite:///{tmp_path / 'other.db'}") as other:
        elsewhere = dj.Schema("elsewhere", connection=other)

        @elsewhere
        class Source(dj.Manual):
            definition = "a : int32\n---\nname : varchar(8)"

        Source.insert([(1, "one"), (2, "two")])
        A.insert(Source & "a > 1")
    assert A.to_dicts() == [{"a": 2, "x": None, "name": "two"}]


def test_rows_with_different_attributes_go_together_and_leave_defaults(A: Any) -> None:
    A.insert([{"a": 1, "x": 1}, {"a": 2}, {"name": "three", "a": 3}, (4, 4, "four")])
    assert A.to_arrays("name", order_by="KEY").tolist() == ["none", "none", "three", "four"]


def test_the_order_in_which_rows_name_attributes_does_not_matter(A: Any) -> None:
    A.insert([{"name": "one", "x": 10, "a": 1}, {"x": None, "a": 2, "name": "two"}])
    assert A.to_dicts(order_by="KEY") == ROWS


def test_an_inserted_none_is_null_or_refused_but_never_the_default(A: Any) -> None:
    with pytest.raises(
        MissingAttributeError, match=r"`name` must not be NULL.*Leave the attribute out"
    ):
        A.insert1({"a": 1, "name": None})


def test_a_missing_attribute_is_named_with_all_that_are_required(A: Any, B: Any) -> None:
    A.insert(ROWS)
    with pytest.raises(MissingAttributeError, match=r"B, row 1: attribute `y` is missing.*a, b, y"):
        B.insert([{"a": 1, "b": 1, "y": 0}, {"a": 1, "b": 2}])
    with pytest.raises(MissingAttributeError, match=r"^B: attribute `a`"):
        B.insert1({})


def test_an_extra_attribute_is_refused_with_the_nearest_name_or_ignored(A: Any) -> None:
    with pytest.raises(KeyError, match=r"nmae.*Did you mean `name`"):
        A.insert1({"a": 1, "nmae": "x"})
    A.insert1({"a": 1, "nmae": "x"}, ignore_extra_fields=True)
    A.insert(pd.DataFrame({"a": [2], "other": [0]}), ignore_extra_fields=True)
    assert len(A) == 2


@pytest.mark.parametrize("name", [2, None, (1, 2)])
def test_a_name_that_is_no_text_is_refused_like_any_other(A: Any, name: object) -> None:
    with pytest.raises(UnknownAttributeError, match="is not found in A"):
        A.insert1({"a": 1, name: 3})
    assert not A()


def test_a_value_that_does_not_fit_is_shown_with_its_row(A: Any) -> None:
    with pytest.raises(
        InvalidValueError, match=r"A, row 1: Attribute `x` : int32 cannot hold 'abc'"
    ):
        A.insert([(1, 1, "a"), (2, "abc", "b")])
    with pytest.raises(
        InvalidValueError, match=r"^A: Attribute `name` : varchar\(8\).*'123456789'"
    ):
        A.insert1((1, 1, "123456789"))


def test_positions_count_from_the_first_row_whatever_the_batches(A: Any) -> None:
    rows = ({"a": i, "x": "bad" if i == 25_000 else i} for i in range(30_000))
    with pytest.raises(InvalidValueError, match="row 25000"):
        A.insert(rows)
    assert len(A) == 0


@pytest.mark.parametrize(
    "form",
    [lambda rows: rows, iter, pd.DataFrame, pl.DataFrame],
    ids=["list", "iterator", "pandas", "polars"],
)
def test_an_insert_is_all_or_nothing(A: Any, form: Any) -> None:
    with pytest.raises(DuplicateError):
        A.insert(form([{"a": 1}, {"a": 2}, {"a": 1}]))
    assert len(A) == 0


def test_the_first_key_that_is_there_twice_is_named(A: Any, B: Any) -> None:
    A.insert(ROWS)
    B.insert([(1, 1, 0.5)])
    with pytest.raises(DuplicateError, match="B, row 1: there is a row with a=1, b=1 already"):
        B.insert([(2, 1, 0), (1, 1, 0), (2, 1, 0)])
    with pytest.raises(DuplicateError, match="B, row 2: there is a row with a=2, b=1"):
        B.insert([(2, 1, 0), (2, 2, 0), (2, 1, 0)])


def test_the_first_orphan_is_named_with_its_parent(A: Any, B: Any) -> None:
    A.insert(ROWS)
    for options in ({}, {"skip_duplicates": True}, {"replace": True}):
        with pytest.raises(
            IntegrityError, match="B, row 1: a=9 refers to a row of A that does not exist"
        ):
            B.insert([(1, 1, 0), (9, 1, 0)], **options)
    assert len(B) == 0


def test_skip_duplicates_skips_the_primary_key_only(schema: dj.Schema) -> None:
    @schema
    class U(dj.Manual):
        definition = "a : int8\n---\nx : int8\nunique index (x)"

    U.insert([(1, 1)])
    U.insert([(1, 5), (2, 2)], skip_duplicates=True)
    assert U.to_dicts(order_by="KEY") == [{"a": 1, "x": 1}, {"a": 2, "x": 2}]
    with pytest.raises(DuplicateError, match="x"):
        U.insert([(3, 1)], skip_duplicates=True)


def test_replace_puts_new_rows_in_the_place_of_old_ones_and_keeps_children(A: Any, B: Any) -> None:
    A.insert(ROWS)
    B.insert([(1, 1, 0.5)])
    A.insert([{"a": 1, "x": 11}, {"a": 3}], replace=True)
    assert (A & "a = 1").fetch1() == {"a": 1, "x": 11, "name": "none"}
    assert len(A) == 3
    assert len(B) == 1


def test_replace_reports_another_unique_index_as_an_error(schema: dj.Schema) -> None:
    @schema
    class U(dj.Manual):
        definition = "a : int8\n---\nx : int8\nunique index (x)"

    U.insert([(1, 1), (2, 2)])
    with pytest.raises(DuplicateError) as caught:
        U.insert([(1, 2)], replace=True)
    # The key is there too, but that is what replace is for.
    assert "replace=True" not in str(caught.value)
    assert U.to_arrays("x", order_by="KEY").tolist() == [1, 2]


def test_chunks_are_committed_one_by_one(A: Any) -> None:
    rows = [{"a": 1}, {"a": 2}, {"a": 3}, {"a": 3}]
    for form in (rows, pd.DataFrame(rows)):
        with pytest.raises(DuplicateError):
            A.insert(form, chunk_size=2)
        assert A.to_arrays("a", order_by="KEY").tolist() == [1, 2]
        A.delete()
    with pytest.raises(dj.DataJointError, match="at least 1"):
        A.insert(rows, chunk_size=0)


def test_an_insert_in_a_transaction_that_fails_leaves_what_came_before(
    A: Any, db: Database
) -> None:
    with db.connection.transaction:
        A.insert([{"a": 1}])
        with pytest.raises(DuplicateError):
            A.insert([{"a": 2}, {"a": 1}])
        A.insert([{"a": 3}])
    assert A.to_arrays("a", order_by="KEY").tolist() == [1, 3]


def test_a_generator_is_inserted_in_bounded_memory(A: Any) -> None:
    def rows(count: int) -> Iterator[dict[str, int]]:
        yield from ({"a": i, "x": i} for i in range(count))

    A.insert(rows(20_000))
    A.delete_quick()
    tracemalloc.start()
    A.insert(rows(100_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(A) == 100_000
    assert peak < 20e6


def test_nothing_may_be_inserted_too(A: Any) -> None:
    for nothing in ([], iter(()), pd.DataFrame({"a": []}), records()[:0], A & False):
        A.insert(nothing)
    assert len(A) == 0


@pytest.mark.parametrize("rows", [5, None, "rows.csv", b"x", {"a": 1}])
def test_what_cannot_be_rows_is_refused_with_the_forms_that_can(A: Any, rows: object) -> None:
    with pytest.raises(dj.DataJointError, match=r"insert takes many rows.*For one row use insert1"):
        A.insert(rows)


@pytest.mark.parametrize("row", [5, None, "abc"])
def test_what_cannot_be_a_row_is_refused(A: Any, row: object) -> None:
    with pytest.raises(dj.DataJointError, match=r"cannot be inserted.*a, x, name"):
        A.insert([row])


def test_a_row_of_the_wrong_length_is_refused(A: Any) -> None:
    with pytest.raises(
        dj.DataJointError, match="Incorrect number of attributes: 2 given; 3 expected"
    ):
        A.insert([(1, 2)])


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": 1}, {"a": 2}],
        [(1, 1, "x")],
        pd.DataFrame(ROWS),
        records(),
        "abc",
        5,
        pl.DataFrame(ROWS),
    ],
)
def test_insert1_refuses_many_rows_and_names_insert(A: Any, rows: object) -> None:
    with pytest.raises(dj.DataJointError, match=r"insert1 takes one row.*Use insert"):
        A.insert1(rows)


def test_insert1_refuses_a_query(A: Any) -> None:
    with pytest.raises(dj.DataJointError, match="insert1 takes one row"):
        A.insert1(A & {"a": 1})


def test_a_name_that_stands_twice_is_refused(A: Any, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,x,x\n1,2,3\n")
    for rows in (file, pd.DataFrame([[1, 2, 3]], columns=["a", "x", "x"])):
        with pytest.raises(dj.DataJointError, match="names `x` more than once"):
            A.insert(rows)

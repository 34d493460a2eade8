"""Statements 135 to 137: changing one row, and checking rows without inserting them."""

from __future__ import annotations

import json
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import MissingAttributeError


@pytest.fixture
def T(schema: dj.Schema) -> Any:
    @schema
    class T(dj.Manual):
        definition = """
        id : int32
        ---
        v : int32
        n = null : int32
        name = 'none' : varchar(8)
        """

    T.insert([(1, 10, 5, "one"), (2, 20, None, "two")])
    return T


@pytest.mark.statement(135)
@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": 9, "v": 1}, "one existing entry"),
        ({"v": 1}, "must supply all primary key values"),
        ({"id": None, "v": 1}, "must supply all primary key values"),
        ({"id": 1, "nope": 1}, "`nope`"),
        ([1, 2], "mapping"),
        ({"id": 1}, "name the attributes to change"),
    ],
)
def test_update1_changes_exactly_one_row_or_says_why_not(T: Any, row: Any, message: str) -> None:
    """A key alone is refused with what is missing, not sent as broken SQL."""
    before = T.to_dicts(order_by="id")
    with pytest.raises(dj.DataJointError, match=message):
        T.update1(row)
    assert T.to_dicts(order_by="id") == before


@pytest.mark.statement(135)
def test_update1_refuses_a_restricted_table(T: Any) -> None:
    with pytest.raises(dj.DataJointError, match="restricted"):
        (T & "id = 1").update1({"id": 1, "v": 5})
    T.update1({"id": 1, "v": 11})
    assert T.to_arrays("v", order_by="id").tolist() == [11, 20]


@pytest.mark.statement(135)
def test_an_update_that_changes_nothing_finds_its_row(T: Any) -> None:
    """MySQL counts changed rows, not found ones."""
    T.update1({"id": 1, "v": 10})
    assert (T & "id = 1").fetch1("v") == 10


@pytest.mark.statement(136)
def test_none_resets_to_the_default(T: Any) -> None:
    T.update1({"id": 1, "n": None, "name": None})
    assert (T & "id = 1").fetch1("n", "name") == (None, "none")
    with pytest.raises(MissingAttributeError, match="`v`"):
        T.update1({"id": 1, "v": None})


@pytest.mark.statement(137)
def test_validate_returns_every_problem(T: Any) -> None:
    result = T.validate(
        [
            {"id": 1, "v": 1},  # duplicates are for the insert to find
            {"v": 1},
            {"id": None, "v": 1},
            {"id": 3, "v": None},
            {"id": 3, "v": 1, "nope": 1},
            (1, 2),
            5,
            {"id": 3},
        ]
    )
    assert not result
    assert result.rows_checked == 8
    found = {(row, name) for row, name, _ in result.errors}
    said = {(row, name): message for row, name, message in result.errors}
    assert "Primary key field 'id' is missing or NULL" in said[1, "id"]
    assert "Primary key field 'id' is missing or NULL" in said[2, "id"]
    assert "NULL value not allowed for non-nullable field 'v'" in said[3, "v"]
    assert "2 given; 4 expected" in said[5, None]
    assert found == {(1, "id"), (2, "id"), (3, "v"), (4, "nope"), (5, None), (6, None), (7, "v")}
    assert len(T) == 2


@pytest.mark.statement(137)
@pytest.mark.filterwarnings("ignore:.*as they are")
def test_validate_asks_codecs_and_lets_numbered_keys_be_absent(schema: dj.Schema) -> None:
    @schema
    class Counted(dj.Manual):
        definition = "n : int auto_increment\n---\ndata : <blob>"

    assert Counted.validate([{"data": [1, 2]}])
    result = Counted.validate([{"data": object()}])
    ((row, name, message),) = result.errors
    assert (row, name) == (0, "data")
    assert "Codec validation failed" in message
    assert json.dumps(result.summary())

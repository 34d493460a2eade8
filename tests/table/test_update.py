"""One row is changed, or nothing; rows can be checked without inserting them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import djupyter as dj
from djupyter.errors import IntegrityError, InvalidValueError, MissingAttributeError


@pytest.fixture
def A(schema: dj.Schema) -> Any:
    @schema
    class A(dj.Manual):
        definition = """
        a : int32
        ---
        x = null : int32
        name = 'none' : varchar(8)
        must : bool
        doc = null : json
        seen = CURRENT_TIMESTAMP : datetime
        """

    A.insert([{"a": 1, "x": 1, "name": "one", "must": True}, {"a": 2, "must": False}])
    return A


def test_update1_changes_only_what_it_names_in_only_that_row(A: Any) -> None:
    A.update1({"a": 1, "name": "uno", "doc": [1]})
    assert (A & "a = 1").fetch1("x", "name", "must", "doc") == (1, "uno", True, [1])
    assert (A & "a = 2").fetch1("x", "name", "must", "doc") == (None, "none", False, None)


def test_the_order_of_the_changes_does_not_matter(A: Any) -> None:
    A.update1({"doc": {"k": 1}, "must": False, "name": "uno", "x": 3, "a": 1})
    assert (A & "a = 1").fetch1("x", "name", "must", "doc") == (3, "uno", False, {"k": 1})


def test_none_resets_to_the_default(A: Any) -> None:
    A.update1({"a": 1, "x": None, "name": None})
    assert (A & "a = 1").fetch1("x", "name") == (None, "none")
    with pytest.raises(MissingAttributeError, match="`must` has no default"):
        A.update1({"a": 1, "must": None})
    with pytest.raises(dj.DataJointError, match="give a time"):
        A.update1({"a": 1, "seen": None})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"x": 1}, "must supply all primary key values; missing: a"),
        ({"a": None, "x": 1}, "missing: a"),
        ({"a": 1, "nam": "x"}, "Did you mean `name`"),
        ({"a": 1}, "only the key: name the attributes to change"),
        ({"a": 9, "x": 1}, "one existing entry: A has none with a=9"),
        ((1, 2), "must be a mapping, not tuple"),
        ({"a": 1, "x": "much"}, "`x` : int32 cannot hold 'much'"),
    ],
)
def test_what_update1_cannot_do_it_explains(A: Any, row: Any, message: str) -> None:
    with pytest.raises(dj.DataJointError, match=message):
        A.update1(row)


def test_update1_refuses_a_restricted_table(A: Any) -> None:
    with pytest.raises(dj.DataJointError, match="restricted table"):
        (A & "a = 1").update1({"a": 1, "x": 2})


def test_update1_cannot_orphan_a_row(schema: dj.Schema, A: Any) -> None:
    @schema
    class C(dj.Manual):
        definition = "c : int8\n---\n-> A"

    C.insert1((1, 1))
    C.update1({"c": 1, "a": 2})
    with pytest.raises(IntegrityError):
        C.update1({"c": 1, "a": 7})
    assert C.fetch1("a") == 2


def test_validate_reports_every_problem_of_every_row_and_inserts_nothing(A: Any) -> None:
    rows = [
        {"a": 3, "must": 1},
        {"a": "x", "must": 1, "nmae": 1},
        {"a": 4},
        (1, 2),
        {"a": 5, "must": None, "name": "much too long"},
        5,
    ]
    result = A.validate(rows)
    assert not result
    assert [(row, name) for row, name, _ in result.errors] == [
        (1, "nmae"),
        (1, "a"),
        (2, "must"),
        (3, None),
        (4, "name"),
        (4, "must"),
        (5, None),
    ]
    assert result.rows_checked == 6
    assert "row 1, nmae" in result.summary()
    with pytest.raises(dj.DataJointError, match="7 errors"):
        result.raise_if_invalid()
    assert len(A) == 2


def test_validate_accepts_what_insert_accepts(A: Any) -> None:
    result = A.validate(
        pd.DataFrame({"a": [3, 4], "must": [True, False], "zz": 0}), ignore_extra_fields=True
    )
    assert result.is_valid
    assert bool(result)
    assert result.summary() == "Validation passed: 2 rows checked."
    result.raise_if_invalid()


def test_a_json_document_that_is_none_is_refused_with_its_type(A: Any) -> None:
    with pytest.raises(InvalidValueError, match="`doc` : json"):
        A.update1({"a": 1, "doc": {1, 2}})

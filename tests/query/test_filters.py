"""What is typed above a column is a restriction that finds just the rows it says, on every database."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import djupyter as dj
from djupyter.query.filters import FilterError, restriction

TEXTS = ["", "a", "Ab", "50%", "5_0", "it's", 'say "x"', "back\\slash", "null", "=a", "\\%", "日本"]


@pytest.fixture
def filled(typed: Any) -> Any:
    typed.insert(
        [
            {
                "id": n,
                "i": n,
                "g": n / 2,
                "m": f"{n}.50",
                "flag": n % 2 == 0,
                "d": datetime.date(2024, 1 + n, 28),
                "t": datetime.datetime(2024, 1 + n, 28, 23, 59),
                "u": uuid.UUID(int=n),
                "e": "low" if n % 3 else "high",
                "v": TEXTS[n],
                "blob": [1],
                "j": {},
            }
            for n in range(10)
        ]
    )
    typed.insert1({"id": 10})
    return typed


def ids(table: Any, name: str, entry: str) -> list[int]:
    found = restriction(table.heading[name], entry)
    rows: list[int] = (table if found is None else table & found).to_arrays("id").tolist()
    return sorted(rows)


CASES: list[tuple[str, str, list[int]]] = [
    ("i", "3", [3]),
    ("i", "= 3", [3]),
    ("i", "!=3", [0, 1, 2, 4, 5, 6, 7, 8, 9]),
    ("i", ">= 8", [8, 9]),
    ("i", "<1", [0]),
    ("i", "3..5", [3, 4, 5]),
    ("i", "..1", [0, 1]),
    ("i", "8 ..", [8, 9]),
    ("i", "-5..-1", []),
    ("i", "", list(range(11))),
    ("g", "1.5..2", [3, 4]),
    ("g", "1e0", [2]),
    ("m", "3.5", [3]),
    ("m", "<=1.5", [0, 1]),
    ("i", "null", [10]),
    ("v", "NULL", [10]),
    ("i", "!null", list(range(10))),
    ("blob", "null", [10]),
    ("blob", "!null", list(range(10))),
    ("j", "!null", list(range(10))),
    ("flag", "true", [0, 2, 4, 6, 8]),
    ("flag", "!=yes", [1, 3, 5, 7, 9]),
    ("e", "high", [0, 3, 6, 9]),
    ("e", "LOW, high", list(range(10))),
    ("e", "!=low", [0, 3, 6, 9]),
    ("u", str(uuid.UUID(int=4)), [4]),
    ("d", "2024", list(range(10))),
    ("d", "2024-03", [2]),
    ("d", "2024-03-28", [2]),
    ("d", ">2024-09", [8, 9]),
    ("d", "2024-02-01..2024-03-28", [1, 2]),
    ("t", "2024-03", [2]),
    ("t", "2024-03-28", [2]),
    ("t", "2024-03-28 23:59", [2]),
    ("t", "<2024-02", [0]),
    ("v", "a", [1, 2, 7, 9, 6]),
    ("v", "=a", [1]),
    ("v", "!=a", [0, 2, 3, 4, 5, 6, 7, 8, 9]),
    ("v", '"null"', [8]),
    ("v", "50%", [3]),
    ("v", "_", [4]),
    ("v", "'", [5]),
    ("v", "\\", [7]),
    ("v", '"=a"', [9]),
    ("v", '=""', [0]),
    ("v", '="=a"', [9]),
    ("v", '!= ""', [1, 2, 3, 4, 5, 6, 7, 8, 9]),
]


def test_what_is_typed_finds_its_rows(filled: Any) -> None:
    for name, entry, expected in CASES:
        assert (name, entry, ids(filled, name, entry)) == (name, entry, sorted(expected))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="aA%_\\'\"b .é\n", min_size=1, max_size=4))
def test_any_text_is_found_where_it_is_contained(filled: Any, text: str) -> None:
    holding = {"id": 99, "v": f"x{text}y"}
    filled.insert1(holding, replace=True)
    assert 99 in ids(filled, "v", f'"{text}"')
    assert 99 not in ids(filled, "v", f'"{text}{text}{text}~"')


@pytest.mark.parametrize(
    ("name", "entry", "says"),
    [
        ("i", "three", "no number"),
        ("i", "1..x", "`x` is no number"),
        ("g", "nan", "no number"),
        ("d", "yesterday", "no date"),
        ("d", "2024-13", "no date"),
        ("d", "2024-02-30", "no date"),
        ("e", "middle", "low, high"),
        ("e", ",", "low, high"),
        ("flag", "maybe", "true, false"),
        ("blob", "x", "null or !null"),
        ("j", "x", "null or !null"),
    ],
)
def test_what_cannot_be_read_says_what_may_be_typed(
    typed_attributes: Any, name: str, entry: str, says: str
) -> None:
    with pytest.raises(FilterError, match=says):
        restriction(typed_attributes[name], entry)


@pytest.fixture
def typed_attributes() -> Any:
    from djupyter.definition.types import parse_type
    from djupyter.heading.attribute import Attribute

    types = {"i": "int16", "g": "float64", "d": "date", "e": "enum('low', 'high')"}
    types |= {"flag": "bool", "blob": "<blob>", "j": "json"}
    return {name: Attribute(name, parse_type(text)) for name, text in types.items()}


def test_a_wrong_uuid_is_refused_by_the_restriction(filled: Any) -> None:
    with pytest.raises(dj.DataJointError, match="u"):
        ids(filled, "u", "6f")

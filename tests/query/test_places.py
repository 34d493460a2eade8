"""Places in documents are compared by what lies there, alike on every database."""

from __future__ import annotations

from typing import Any

import pytest

import djupyter as dj

LONG = "x" * 600
DOCUMENTS: list[Any] = [
    {"k": 1},
    {"k": "1"},
    {"k": 1.0},
    {"k": True},
    {"k": None},
    {"k": "a "},
    {"k": [1, "x"]},
    {"k": {"0": 1}},
    {},
    "text",
    [1, None],
    None,
    {"k": LONG},
    {"k": "[1]"},
]
NOTHING = [4, 8, 9, 10, 11]


@pytest.fixture
def documents(schema: dj.Schema) -> Any:
    @schema
    class Document(dj.Manual):
        definition = """
        id : int32
        ---
        j = null : json
        index (j.k)
        """

    Document.insert([{"id": i, "j": document} for i, document in enumerate(DOCUMENTS)])
    return Document


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"j.k": "1"}, [1]),
        ({"j.k": "a"}, []),
        ({"j.k": "a "}, [5]),
        ({"j.k": LONG}, [12]),
        ({"j.k": "[1]"}, [13]),
        (dj.Not({"j.k": "1"}), [5, 12, 13]),
        ({"j.k": 1}, [0, 2, 3]),
        (dj.Not({"j.k": 2}), [0, 2, 3]),
        ({"j.k": None}, NOTHING),
        ({"j.k": [1, "x"]}, [6]),
        (dj.Not({"j.k": [1, "x"]}), [0, 1, 2, 3, 5, 7, 12, 13]),
        ({"j.k[0]": 1}, [6]),
        ({"j.k[1]": "x"}, [6]),
        ({"j.k.0": 1}, [7]),
        ({"j[0]": 1}, [10]),
        ({"j[0].k": 1}, []),
        ({"j.k:text": "true"}, [3]),
    ],
    ids=str,
)
def test_a_value_at_a_place_is_compared_by_its_kind(
    documents: Any, condition: Any, found: list[int]
) -> None:
    assert (documents & condition).to_arrays("id").tolist() == found
    assert (documents & dj.AndList([condition, "id >= 0"])).to_arrays("id").tolist() == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("j.k = '1'", [0, 1]),
        ("j.k in ('1', 'x')", [0, 1]),
        ("j.k = 'true'", [3]),
        ("j.k = '1.0'", [2]),
        ("j.k = 'a'", []),
        ("j.k <> '1'", [2, 3, 5, 6, 7, 12, 13]),
        ("j.k is null", NOTHING),
        ("j.k[0] is not null", [6]),
        ("j.k[0] = '1'", [6]),
        ("j.k > 0", [0, 2, 3]),
        (f"j.k = '{LONG}'", [12]),
        ("concat(j.k, '!') = '1!'", [0, 1]),
    ],
    ids=str,
)
def test_a_condition_reads_a_place_as_text_beside_text(
    documents: Any, condition: str, found: list[int]
) -> None:
    assert (documents & condition).to_arrays("id").tolist() == found


def test_a_place_becomes_an_attribute_as_text(documents: Any) -> None:
    query = (documents & "id in (0, 1, 2, 3, 4, 5, 8)").proj(v="j.k")
    assert query.to_arrays("v").tolist() == ["1", "1", "1.0", "true", None, "a ", None]


def test_text_beside_text_needs_no_attribute(documents: Any) -> None:
    named = (documents & {"id": 1}).proj(kind="'none'")
    for condition in ("kind is not null", {"kind": "none"}, [{"kind": "none"}, {"kind": "some"}]):
        assert (named & condition).to_arrays("id").tolist() == [1]
    assert len(named & "'x' is null") == 0
    either = named & [{"id": 1, "kind": "none"}, {"id": 2, "kind": None}]
    assert documents.proj().aggr(either, n="count(*)").to_arrays("id", "n")[0].tolist() == [1]


def test_texts_without_an_attribute_compare_by_their_characters(documents: Any) -> None:
    named = (documents & {"id": 1}).proj(kind="'a '", other="'A'")
    for condition, count in {
        "kind = 'a'": 0,
        "kind = 'A '": 0,
        "kind > 'a'": 1,
        "kind <= '_'": 0,
        "other < '_'": 1,
        "other = kind": 0,
        "'é' = 'É'": 0,
    }.items():
        assert len(named & condition) == count, condition

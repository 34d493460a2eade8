"""Statements 1 to 34: what may stand right of `&` and `-`, and which rows it leaves."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import djupyter as dj
from djupyter.errors import InvalidValueError, QuerySyntaxError, UnknownAttributeError


def a(query: Any) -> list[int]:
    return sorted(query.to_arrays("a").tolist())


def c(query: Any) -> list[int]:
    return sorted(query.to_arrays("c").tolist())


ALL = [1, 2, 3]


@pytest.mark.statement(1)
def test_true_selects_all_and_false_nothing(t: SimpleNamespace) -> None:
    assert (len(t.A & True), len(t.A & False), len(t.A - True), len(t.A - False)) == (3, 0, 0, 3)


@pytest.mark.statement(2, 3)
@pytest.mark.parametrize("wrong", [None, [None], 5, np.bool_(True), np.int64(1), 1.5, object()])
def test_none_and_numbers_are_no_conditions(t: SimpleNamespace, wrong: object) -> None:
    """np.bool_(True) is refused although it looks like True: it is what a comparison of arrays leaves behind."""
    for restrict in (lambda: t.A & wrong, lambda: t.A - wrong, lambda: t.A & dj.Not(wrong)):
        with pytest.raises(dj.DataJointError, match="Invalid restriction type"):
            restrict()


@pytest.mark.statement(4)
@pytest.mark.parametrize("empty", [[], (), set(), frozenset()])
def test_an_empty_list_selects_nothing(t: SimpleNamespace, empty: object) -> None:
    assert a(t.A & empty) == []
    assert a(t.A - empty) == ALL
    assert a(t.A & [empty]) == []


@pytest.mark.statement(5)
def test_an_empty_mapping_selects_everything(t: SimpleNamespace) -> None:
    assert a(t.A & {}) == a(t.A & [{}]) == ALL
    assert a(t.A - {}) == []


@pytest.mark.statement(6)
def test_names_that_are_no_attributes_are_ignored_in_a_mapping(t: SimpleNamespace) -> None:
    assert a(t.A & {"foo": 1}) == a(t.A & {"A": 1}) == ALL
    assert a(t.A & {"foo": 1, "a": 2}) == [2]


@pytest.mark.statement(6)
def test_such_a_mapping_deletes_nothing(fresh: SimpleNamespace) -> None:
    """Instead of deleting everything."""
    with pytest.raises(dj.DataJointError, match="foo"):
        (fresh.A & {"foo": 1}).delete(prompt=False)
    assert len(fresh.A) == 3


@pytest.mark.statement(7)
def test_empty_text_is_a_syntax_error(t: SimpleNamespace) -> None:
    with pytest.raises(QuerySyntaxError):
        t.A & ""
    assert a(t.A & "TRUE") == ALL


@pytest.mark.statement(8)
def test_an_unknown_name_in_text_is_reported_before_any_statement_runs(t: SimpleNamespace) -> None:
    with pytest.raises(UnknownAttributeError, match="Attribute `nope` is not found in query"):
        t.A & "nope = 1"
    with pytest.raises(UnknownAttributeError, match="Did you mean `name`"):
        t.A & "nam = 'one'"


@pytest.mark.statement(9)
def test_none_asks_for_null(t: SimpleNamespace) -> None:
    assert a(t.A & {"x": None}) == [2]
    assert a(t.A - {"x": None}) == [1, 3]


@pytest.mark.statement(10)
def test_a_negated_equality_drops_null(t: SimpleNamespace) -> None:
    assert a(t.A - {"x": 10}) == [3]
    assert a(t.A - "x = 10") == [3]


@pytest.mark.statement(11)
def test_lists_are_or_and_and_lists_are_and(t: SimpleNamespace) -> None:
    assert a(t.A & ["a = 3", {"a": 1}]) == [1, 3]
    assert a(t.A & [t.B & "y > 3", "a = 3"]) == [2, 3]
    assert a(t.A & dj.AndList(["a > 1", t.B])) == [2]
    assert a(t.A & dj.AndList()) == ALL


@pytest.mark.statement(12)
def test_false_items_are_ignored_and_a_true_one_decides(t: SimpleNamespace) -> None:
    assert a(t.A & [False, "a = 1"]) == [1]
    assert a(t.A & [True, "a = 1"]) == ALL
    assert a(t.A - [True, "a = 1"]) == []
    assert a(t.A & dj.AndList([True, "a = 1"])) == [1]


@pytest.mark.statement(13)
def test_a_double_negation_is_none_and_a_negated_table_has_no_rows(t: SimpleNamespace) -> None:
    assert a(t.A & dj.Not(dj.Not({"x": 10}))) == [1]
    negated = -t.A
    assert isinstance(negated, dj.Not)
    assert not hasattr(negated, "to_dicts")
    with pytest.raises(TypeError):
        len(negated)  # type: ignore[arg-type]


@pytest.mark.statement(14)
@pytest.mark.parametrize(
    ("records", "kept"),
    [
        (lambda: ({"a": n} for n in (1, 2)), [1, 2]),
        (lambda: np.array([(1, 9), (3, 9)], dtype=[("a", int), ("q", int)]), [1, 3]),
        (lambda: np.array([(2,)], dtype=[("a", int)])[0], [2]),
        (lambda: pd.DataFrame({"a": [1, 3]}), [1, 3]),
        (lambda: pd.DataFrame({"q": [1]}, index=pd.Index([2], name="a")), [2]),
    ],
    ids=["generator", "record array", "numpy.void", "frame", "indexed frame"],
)
def test_records_of_all_kinds_are_mappings(t: SimpleNamespace, records: Any, kept: Any) -> None:
    assert a(t.A & records()) == kept


@pytest.mark.statement(15)
def test_nan_asks_for_null_where_null_may_be(t: SimpleNamespace) -> None:
    """Instead of being written into the statement as a name."""
    assert a(t.A & {"x": np.nan}) == [2]
    assert a(t.A & pd.DataFrame({"x": [np.nan, 30.0]})) == [2, 3]
    with pytest.raises(InvalidValueError):
        t.A & {"a": np.nan}
    with pytest.raises(InvalidValueError):
        t.A & {"x": float("inf")}


@pytest.mark.statement(16)
def test_the_universal_relation_restricts_nothing(t: SimpleNamespace) -> None:
    assert a(t.A & dj.U("a")) == ALL
    assert a(t.A - dj.U("a")) == []


@pytest.mark.statement(17)
@pytest.mark.parametrize(
    "word", ["She\\Hulk", "it's", '"quoted"', "50%", "%s", "a_b", "`", "é🐭", "--", "\\'", ":x"]
)
def test_a_text_in_a_mapping_finds_itself(schema: dj.Schema, word: str) -> None:
    @schema
    class Word(dj.Manual):
        definition = "word : varchar(20)"

    Word.insert([(word,), ("other",), ("SheHulk",)])
    assert (Word & {"word": word}).to_arrays("word").tolist() == [word]
    assert (Word & [{"word": word}, {"word": "x"}]).to_arrays("word").tolist() == [word]


@pytest.mark.statement(18)
def test_a_percent_sign_is_a_percent_sign(t: SimpleNamespace) -> None:
    """A doubled one, which the drivers want elsewhere, means the same as a single one in LIKE."""
    assert a(t.A & "name like 'o%'") == [1, 3]
    assert a(t.A & "name like 'o%%'") == [1, 3]
    assert a(t.A & "name = 'o''ne%'") == [3]
    assert a(t.A & "name = 'o''ne%%'") == []


@pytest.mark.statement(19)
def test_a_number_may_be_text_but_a_list_is_refused(t: SimpleNamespace) -> None:
    """Instead of an empty answer or an error of the server."""
    assert a(t.A & {"a": "1"}) == [1]
    for values in ([1, 2], (1, 2), {1, 2}):
        with pytest.raises(InvalidValueError, match="for v in values"):
            t.A & {"a": values}


@pytest.fixture
def typed(schema: dj.Schema) -> Any:
    @schema
    class Typed(dj.Manual):
        definition = """
        id : int32
        ---
        f = null : float32
        m = null : decimal(6,2)
        b = null : bool
        d = null : date
        u = null : uuid
        e = null : enum('low', 'High')
        blob = null : <blob>
        raw = null : bytes
        """

    row = {"f": 0.1, "m": "2.5", "b": True, "d": "2024-01-31", "u": ID, "e": "High"}
    Typed.insert([{"id": 1, **row, "blob": [1, 2], "raw": b"\0\xff"}, {"id": 2}])
    return Typed


ID = uuid.UUID(int=7)


@pytest.mark.statement(20, 21, 23, 25)
@pytest.mark.parametrize(
    "condition",
    [
        {"f": np.float32(0.1)},
        {"f": 0.1},
        "f = 0.1",
        {"m": Decimal("2.5")},
        {"m": "2.50"},
        {"d": datetime.date(2024, 1, 31)},
        {"d": "2024-01-31"},
        {"d": datetime.datetime(2024, 1, 31)},
        {"d": np.datetime64("2024-01-31")},
        {"d": pd.Timestamp("2024-01-31")},
        "d = '2024-01-31'",
        {"b": True},
        {"b": 1},
        {"b": np.bool_(True)},
        "b",
        "b = 1",
        "b = true",
        {"u": ID},
        {"u": str(ID)},
        f"u = '{ID}'",
        {"e": "High"},
        "e = 'High'",
    ],
    ids=repr,
)
def test_values_match_in_every_form(typed: Any, condition: Any) -> None:
    """Also 0.1 on a float32, numpy dates, whole numbers on a bool and UUIDs, which used to depend on the backend."""
    assert (typed & condition).to_arrays("id").tolist() == [1]


@pytest.mark.statement(22)
def test_bytes_are_compared_and_blobs_refused(typed: Any) -> None:
    """Instead of a syntax error, and of never matching."""
    assert (typed & {"raw": b"\0\xff"}).keys() == [{"id": 1}]
    with pytest.raises(InvalidValueError):
        typed & {"blob": [1, 2]}
    with pytest.raises(InvalidValueError):
        typed & {"e": b"High"}


@pytest.mark.statement(24)
def test_members_of_an_enum_are_told_apart_by_case(typed: Any) -> None:
    """On every backend; a text that is no member is refused with the members."""
    with pytest.raises(InvalidValueError, match="low"):
        typed & {"e": "high"}
    assert len(typed & "e = 'LOW'") == len(typed & "e = 'high'") == 0


@pytest.mark.statement(25)
def test_a_malformed_uuid_is_refused(typed: Any) -> None:
    for condition in ({"u": "not-a-uuid"}, "u = 'not-a-uuid'"):
        with pytest.raises(InvalidValueError, match="UUID"):
            typed & condition


@pytest.mark.statement(26)
def test_without_common_attributes_all_or_nothing(t: SimpleNamespace) -> None:
    empty = t.N & False
    assert (len(t.A & t.N), len(t.A & empty), len(t.A - t.N), len(t.A - empty)) == (3, 0, 0, 3)


@pytest.mark.statement(27)
def test_a_relation_keeps_rows_with_a_match(t: SimpleNamespace) -> None:
    assert a(t.A & t.B) == a(t.A() & t.B()) == [1, 2]
    assert a(t.A - t.B) == a(t.A() - t.B()) == [3]


@pytest.mark.statement(28)
def test_null_in_the_relation_does_not_empty_a_difference(t: SimpleNamespace) -> None:
    """Instead of no row at all."""
    assert a(t.A & t.C) == [1, 3]
    assert a(t.A - t.C) == [2]


@pytest.mark.statement(29)
def test_rows_that_refer_to_nothing_stay_in_a_difference(t: SimpleNamespace) -> None:
    """Instead of being in neither `C & A` nor `C - A`."""
    assert c(t.C & t.A) == [1, 3]
    assert c(t.C - t.A) == [2]


@pytest.mark.statement(30)
def test_namesakes_of_other_origin_are_refused(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="different lineages"):
        t.A & t.D
    with pytest.raises(dj.DataJointError, match="`x`: lineage missing"):
        t.A & t.E


@pytest.mark.statement(31)
def test_the_check_of_lineage_can_be_left_out(t: SimpleNamespace) -> None:
    """On the class too, where it used to be a TypeError."""
    assert a(t.A().restrict(t.D, semantic_check=False)) == [1, 2]
    assert a(t.A.restrict(t.D, semantic_check=False)) == [1, 2]


@pytest.mark.statement(32)
def test_after_a_rename_only_the_new_name_is_known(t: SimpleNamespace) -> None:
    with pytest.raises(UnknownAttributeError):
        t.A.proj(q="x") & "x = 10"
    assert (t.A & "x = 10").proj(q="x").fetch1() == {"a": 1, "q": 10}
    assert (t.A.proj(q="x") & {"x": 10}).to_arrays("a").tolist() == ALL


@pytest.mark.statement(33)
@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("x between 5 and 15", [1]),
        ("a in (1, 3)", [1, 3]),
        ("a not in (1, 3)", [2]),
        ("length(name) = 3", [1, 2]),
        ("`a` = 1", [1]),
        ("coalesce(x, 0) = 0", [2]),
        ("current_date > '2020-01-01'", ALL),
        ("current_date + interval 1 day > current_date", ALL),
    ],
)
def test_conditions_are_one_language(t: SimpleNamespace, condition: str, kept: list[int]) -> None:
    """Words of SQL such as current_date are no attributes, on any backend."""
    assert a(t.A & condition) == kept


@pytest.mark.statement(33)
def test_a_qualified_name_is_refused_before_it_reaches_the_server(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError):
        t.A & "A.x = 10"


@pytest.mark.statement(34)
def test_text_in_quotes_of_either_kind_is_text(t: SimpleNamespace) -> None:
    """Double quotes never make a name; backquotes do."""
    assert a(t.A & "name = 'nope=1'") == []
    assert a(t.A & 'name = "one"') == [1]
    assert a(t.A & "`name` = 'one'") == [1]

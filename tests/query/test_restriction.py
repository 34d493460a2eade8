import datetime
import uuid
from decimal import Decimal
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import djupyter as dj
from djupyter.errors import InvalidValueError, QuerySyntaxError, UnknownAttributeError


def a(query: Any) -> list[int]:
    return sorted(query.to_arrays("a").tolist())


ALL = [1, 2, 3]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (True, ALL),
        (False, []),
        ([], []),
        ((), []),
        (set(), []),
        ([[]], []),
        ({}, ALL),
        ([{}], ALL),
        (dj.AndList(), ALL),
        ({"foo": 1}, ALL),
        ({"A": 1}, ALL),
        ({"foo": 1, "a": 2}, [2]),
        ("TRUE", ALL),
        ("false", []),
        ({"x": None}, [2]),
        ({"x": 10}, [1]),
        (["a = 1", {"a": 3}], [1, 3]),
        ([False, "a=1"], [1]),
        ([True, "a=1"], ALL),
        (dj.AndList(["a > 1", {"a": 3}]), [3]),
        (dj.AndList([["a=1", "a=2"], "a>1"]), [2]),
        (dj.Not(dj.Not("a=1")), [1]),
        (dj.Not("a=1"), [2, 3]),
        (lambda: (key for key in [{"a": 1}, {"a": 2}]), [1, 2]),
        (lambda: ({"a": n} for n in range(2, 9)), [2, 3]),
        (np.array([(1, 5.0), (3, 5.0)], dtype=[("a", int), ("other", float)]), [1, 3]),
        (np.array([(1,)], dtype=[("a", int)])[0], [1]),
        (pd.DataFrame({"a": [1, 3]}), [1, 3]),
        (pd.DataFrame({"other": [1, 3]}, index=pd.Index([2, 2], name="a")), [2]),
        (dj.U("a"), ALL),
        ([{"a": 1, "x": None}, {"a": 2, "x": None}, {"a": 3, "x": 30}], [2, 3]),
        ([{"a": 1}, {"x": 30}, "a = 2"], ALL),
        ("x between 5 and 15", [1]),
        ("a in (1, 3)", [1, 3]),
        ("name like 'o%'", [1, 3]),
        ("name = 'o''ne%'", [3]),
        ({"name": "o'ne%"}, [3]),
        ('name = "nope=1"', []),
        ("`a` = 1", [1]),
        ({"a": "1"}, [1]),
        ({"a": np.int64(1)}, [1]),
        ({"name": np.str_("one")}, [1]),
        ({"x": np.nan}, [2]),
        ({"x": pd.NA}, [2]),
        ({"x": 10.0}, [1]),
    ],
)
def test_conditions_select(t: SimpleNamespace, condition: object, kept: list[int]) -> None:
    # A generator serves one test only.
    query = t.A & (condition() if isinstance(condition, FunctionType) else condition)
    assert a(query) == kept
    assert len(query) == len(kept)
    assert bool(query) == bool(kept)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (True, []),
        (False, ALL),
        ([], ALL),
        ({}, []),
        ({"x": None}, [1, 3]),
        ({"x": 10}, [3]),  # NOT of unknown is unknown
        (dj.Not("a=1"), [1]),
        ([{"a": 1}, {"a": 2}], [3]),
        (dj.AndList(["a > 1", "a < 3"]), [1, 3]),
        (dj.U("a"), []),
    ],
)
def test_conditions_exclude(t: SimpleNamespace, condition: object, kept: list[int]) -> None:
    assert a(t.A - condition) == kept
    assert a(t.A & dj.Not(condition)) == kept


def test_a_truth_of_numpy_is_refused_by_its_name(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match=r"type numpy\.bool.*write bool\(\.\.\.\)"):
        t.A & np.bool_(True)


@pytest.mark.parametrize("wrong", [None, 5, 1.5, np.bool_(True), b"a=1", object(), [None], [[5]]])
def test_other_things_are_no_conditions(t: SimpleNamespace, wrong: object) -> None:
    with pytest.raises(dj.DataJointError, match="Invalid restriction type"):
        t.A & wrong
    with pytest.raises(dj.DataJointError, match="Invalid restriction type"):
        t.A - wrong
    with pytest.raises(dj.DataJointError, match="Invalid restriction type"):
        t.A & dj.Not(wrong)


@pytest.mark.parametrize("text", ["", "  ", "a = ", "a = 1; drop table x", "select 1"])
def test_text_that_is_no_condition_is_a_syntax_error(t: SimpleNamespace, text: str) -> None:
    with pytest.raises(QuerySyntaxError):
        t.A & text


def test_an_unknown_name_is_reported_when_the_query_is_built(t: SimpleNamespace) -> None:
    with pytest.raises(UnknownAttributeError, match=r"`nam` is not found.*Did you mean `name`"):
        t.A & "nam = 'one'"


def test_keys_differ_by_case(schema: dj.Schema) -> None:
    @schema
    class Word(dj.Manual):
        definition = "word : varchar(10)"

    Word.insert([("abc",), ("ABC",), ("She\\Hulk",), ("50%",), ("a\"b'c`d",), ("é🐭",)])
    for word in Word.to_arrays("word"):
        assert (Word & {"word": word}).fetch1("word") == word
        assert len(Word & [{"word": word}, {"word": "none"}]) == 1
    assert len(Word & 'word = "She\\\\Hulk"') == 1


def test_a_negated_relation_is_a_restriction_only(t: SimpleNamespace) -> None:
    assert isinstance(-t.A, dj.Not)
    assert not hasattr(-t.A, "to_dicts")
    assert a(t.A & -t.B) == [3]


# Values


MOMENT = datetime.datetime(2024, 1, 31, 12, 30, 0, 250000)
ID = uuid.UUID(int=7)


@pytest.mark.parametrize(
    "condition",
    [
        {"i": 5},
        {"i": np.int8(5)},
        {"i": "5"},
        {"f": np.float32(0.1)},
        {"f": 0.1},
        {"g": 0.1},
        {"m": Decimal("2.50")},
        {"m": "2.5"},
        {"m": 2.5},
        {"flag": True},
        {"flag": 1},
        {"flag": np.bool_(True)},
        {"d": datetime.date(2024, 1, 31)},
        {"d": "2024-01-31"},
        {"d": np.datetime64("2024-01-31")},
        {"d": pd.Timestamp("2024-01-31")},
        {"d": datetime.datetime(2024, 1, 31)},
        {"t": MOMENT},
        {"t": "2024-01-31 12:30:00.25"},
        {"t": np.datetime64(MOMENT)},
        {"t": np.datetime64(MOMENT).astype("datetime64[ns]")},
        {"t": pd.Timestamp(MOMENT)},
        {"u": ID},
        {"u": str(ID)},
        {"u": ID.hex},
        {"e": "low"},
        {"v": "a'b\"c%d\\e"},
        {"raw": b"\x00\xff"},
        {"j": {"car": {"l": [{"s": 1}], "ok": True, "n": "Rev"}}},
        {"j.car.n": "Rev"},
        {"j.car.l[0].s": 1},
        {"j.car.ok": True},
        {"j.zzz": None},
        {"j.car.l": [{"s": 1}]},
        {"j.car.l[0].s:unsigned": 1},
        "d = '2024-01-31'",
        "t > '2024-01-31'",
        "m = 2.5",
        "u = '00000000-0000-0000-0000-000000000007'",
        "flag",
        "flag = true",
    ],
    ids=str,
)
def test_values_of_all_kinds_are_compared(typed: Any, condition: Any) -> None:
    row = {
        "i": 5, "f": 0.1, "g": 0.1, "m": "2.50", "flag": True, "d": "2024-01-31", "t": MOMENT, "u": ID,
        "e": "low", "v": "a'b\"c%d\\e", "raw": b"\x00\xff", "j": {"car": {"l": [{"s": 1}], "ok": True, "n": "Rev"}},
    }  # fmt: skip
    typed.insert([{"id": 1, **row}, {"id": 2, "j": {"zzz": 1}}])
    assert (typed & condition).to_arrays("id").tolist() == [1]
    if isinstance(condition, dict):
        assert (typed & [condition, {"id": 99}]).to_arrays("id").tolist() == [1]
        if not any("." in name for name in condition):
            assert (typed & [condition, condition]).to_arrays("id").tolist() == [1]


@pytest.mark.parametrize(
    "condition",
    [
        {"u": "not-a-uuid"},
        {"i": 70000},
        {"i": 1.5},
        {"i": [1, 2]},
        {"d": "yesterday"},
        {"e": "middle"},
        {"raw": "text"},
        {"blob": np.zeros(3)},
        {"id": float("nan")},
        "d > 'yesterday'",
    ],
    ids=str,
)
def test_a_value_that_its_attribute_cannot_hold_is_refused(typed: Any, condition: Any) -> None:
    with pytest.raises(InvalidValueError):
        typed & condition
    if isinstance(condition, dict):
        with pytest.raises(InvalidValueError):
            typed & [condition, condition]


def test_a_list_for_a_value_is_refused_with_what_to_write(t: SimpleNamespace) -> None:
    with pytest.raises(InvalidValueError, match=r"write \[\{'a': v\} for v in values\]"):
        t.A & {"a": [1, 2]}
    with pytest.raises(InvalidValueError, match="for v in values"):
        t.A.proj(d="a * 2") & {"d": {1, 2}}


def test_computed_attributes_are_compared_with_scalars_of_numpy(t: SimpleNamespace) -> None:
    query = t.A.proj(d="x * 2", s="concat(name, '!')")
    assert a(query & {"d": np.int64(20)}) == [1]
    assert a(query & {"d": np.nan}) == [2]
    assert a(query & {"s": np.str_("two!")}) == [2]
    assert a(query & [{"s": "two!"}, {"s": None}, {"s": "one!"}]) == [1, 2]


# Relations


def test_a_relation_keeps_rows_with_a_match(t: SimpleNamespace) -> None:
    for other in (t.B, t.B()):
        assert a(t.A & other) == [1, 2]
        assert a(t.A - other) == [3]
    assert a(t.A & t.C) == [1, 3]
    assert (t.C & t.A).to_arrays("c").tolist() == [1, 3]


def test_null_never_empties_a_difference(t: SimpleNamespace) -> None:
    assert a(t.A - t.C) == [2]
    assert (t.C - t.A).to_arrays("c").tolist() == [2]
    assert (t.C - (t.A & "a < 9")).to_arrays("c").tolist() == [2]
    assert (t.C & dj.Not([t.A & "a < 9"])).to_arrays("c").tolist() == [2]
    assert a(t.A - (t.C & "c < 9")) == [2]
    assert a(t.A - (t.C & "c = 2")) == ALL
    assert a(t.A & dj.Not([t.C, "a = 2"])) == []
    assert a(t.A & [dj.Not(t.C), "a = 3"]) == [2, 3]


def test_without_common_attributes_it_matters_whether_there_are_rows(t: SimpleNamespace) -> None:
    assert len(t.N & t.Ed) == 3
    assert len(t.N - t.Ed) == 0
    assert len(t.N & (t.Ed & False)) == 0
    assert len(t.N - (t.Ed & False)) == 3
    assert len(t.N & t.Ed.proj(n="src")) == 2


def test_namesakes_of_another_origin_are_refused(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match=r"different lineages \(.*\.a\.a vs .*\.d\.a\)"):
        t.A & t.D
    with pytest.raises(dj.DataJointError, match="`x`: lineage missing"):
        t.A - t.E
    assert a(t.A().restrict(t.D, semantic_check=False)) == [1, 2]
    assert a(t.A.restrict(t.D, semantic_check=False)) == [1, 2]


def test_relations_stand_in_lists_and_below_not(t: SimpleNamespace) -> None:
    assert a(t.A & [t.B & "y > 3", {"a": 3}]) == [2, 3]
    assert a(t.A & dj.AndList([t.B, t.C])) == [1]
    assert a(t.A & dj.Not(dj.AndList([t.B, t.C]))) == [2, 3]
    assert a(t.A & dj.Not(dj.Not(t.B))) == [1, 2]
    assert a(t.A & (t.B & "y > 3")) == [2]
    assert a(t.A & (t.B & (t.A & "x = 10"))) == [1]
    assert a(t.A - (t.B & (t.A & "x = 10"))) == [2, 3]


@pytest.mark.parametrize("key", [{}, {"a": 1}])
def test_a_relation_selects_the_same_before_and_after_a_key(t: SimpleNamespace, key: Any) -> None:
    related = t.B & "y < 3"
    assert a((t.A & key) & related) == a((t.A & related) & key) == [1]


def test_limited_and_aggregated_relations_restrict(t: SimpleNamespace) -> None:
    assert a(t.A & (t.B & dj.Top(2))) == [1]
    assert a(t.A - (t.B & dj.Top(2))) == [2, 3]
    counted = t.A.aggr(t.B, n="count(b)")
    assert a(t.A & (counted & "n = 2")) == [1]
    assert a(t.A - (counted & "n = 2")) == [2, 3]
    assert a(t.A & (dj.U("a") & t.B)) == [1, 2]


def test_after_a_rename_only_the_new_name_is_known(t: SimpleNamespace) -> None:
    with pytest.raises(UnknownAttributeError):
        t.A.proj(q="x") & "x = 10"
    assert (t.A.proj(q="x") & "q = 10").fetch1("a") == 1
    assert (t.A & "x = 10").proj(q="x").fetch1() == {"a": 1, "q": 10}


def test_operands_of_different_connections_are_refused(t: SimpleNamespace) -> None:
    other = dj.Schema("lab", connection=dj.Connection("sqlite://"))

    @other
    class Far(dj.Manual):
        definition = "a : int32"

    for combine in (lambda: t.A & Far, lambda: t.A * Far, lambda: t.A.proj() + Far):
        with pytest.raises(dj.DataJointError, match="different connections"):
            combine()


def test_a_mapping_reads_places_in_json_or_refuses_the_name(typed: Any) -> None:
    typed.insert([{"id": 1, "j": [1, 2], "v": "x"}, {"id": 2, "j": {"k": [5]}, "v": "y"}])
    assert (typed & {"j[0]": 1}).keys() == [{"id": 1}]
    assert (typed & [{"j[0]": 1}, {"j.k[0]": 5}]).keys() == [{"id": 1}, {"id": 2}]
    assert not typed & {"j[0]": 99}
    for name in ("j.k[x]", "j.", "j[1e3]", f"j[{'9' * 5000}]", "v.k", "i[0]"):
        with pytest.raises(QuerySyntaxError, match="no place in a JSON document"):
            typed & {name: 1}


def test_a_whole_document_restricts(typed: Any) -> None:
    documents = [{"b": 1, "a": 2}, [1, 2], "text", 5]
    typed.insert([{"id": i, "j": document, "v": "x"} for i, document in enumerate(documents)])
    for i, document in enumerate(documents):
        assert (typed & {"j": document}).keys() == [{"id": i}]
        assert len(typed - {"j": document}) == 3
    assert (typed & [{"j": [1, 2]}, {"j": "text"}]).keys() == [{"id": 1}, {"id": 2}]
    typed.update1({"id": 3, "j": {"n": [1]}})
    assert (typed & {"j": {"n": [1]}}).keys() == [{"id": 3}]


# Many


def test_fifty_thousand_keys_restrict(schema: dj.Schema) -> None:
    @schema
    class Pair(dj.Manual):
        definition = "p : int32\nq : varchar(8)\n---\nf : float64"

    Pair.insert([(i, str(i % 7), i / 3) for i in range(2000)])
    keys = [{"p": i, "q": str(i % 7)} for i in range(1000, 51_000)]
    assert len(Pair & keys) == 1000
    assert len(Pair - keys) == 1000
    assert len(Pair & [{"p": i} for i in range(50_000)]) == 2000
    assert len(Pair & [{"f": i / 3} for i in range(500, 30_000)]) == 1500


def test_many_conditions_are_no_matter_of_depth(t: SimpleNamespace) -> None:
    assert a(t.A & [f"a = {i}" for i in range(3, 3000)]) == [3]
    assert a(t.A & dj.AndList([f"a <> {i}" for i in range(3, 3000)])) == [1, 2]
    query = t.A()
    for i in range(3, 300):
        query &= f"a <> {i}"
    assert a(query) == [1, 2]


def test_a_statement_is_made_once_for_all_values(t: SimpleNamespace) -> None:
    first, second = t.A & {"a": 1} & "x > 5", t.A & {"a": 2} & "x > 700"
    assert first.node.shape == second.node.shape
    assert first.make_sql() == second.make_sql()
    assert (t.A & {"x": None}).make_sql() != (t.A & {"x": 1}).make_sql()


@pytest.mark.parametrize("text", ['x > "abc"', "name > 3", "name = 1", "name in (1, 'one')"])
def test_text_and_numbers_do_not_compare(t: SimpleNamespace, text: str) -> None:
    with pytest.raises(InvalidValueError, match=r"is compared with the (text|number)"):
        t.A & text


def test_a_number_written_as_text_is_a_number(t: SimpleNamespace) -> None:
    assert a(t.A & 'x > "9"') == [1, 3]
    assert a(t.A & "a in ('1', '2')") == [1, 2]


def test_what_is_nested_too_deep_is_refused(t: SimpleNamespace) -> None:
    conditions: object = "a = 1"
    query = t.A.proj()
    for _ in range(2000):
        conditions = [conditions]
    with pytest.raises(QuerySyntaxError, match="nested too deep"):
        t.A & conditions
    for _ in range(400):
        query = t.A.proj() & query
    with pytest.raises(dj.DataJointError, match="nested too deep"):
        len(query)

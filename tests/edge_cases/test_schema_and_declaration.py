"""Statements 192 to 202: declaring tables."""

from __future__ import annotations

import keyword
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import DefinitionError, MissingTableError
from tests.conftest import Database


def declared(schema: dj.Schema, name: str, definition: str) -> Any:
    return schema(type(name, (dj.Manual,), {"definition": definition}))


@pytest.mark.statement(192)
@pytest.mark.parametrize(
    "line",
    ["Wrong : int32", "1st : int32", "nothing", "nothing :", "_hidden : int32", "a b : int32"],
)
def test_a_line_that_cannot_be_read_is_shown_with_its_place(schema: dj.Schema, line: str) -> None:
    with pytest.raises(DefinitionError, match=r"line 3") as caught:
        declared(schema, "T", f"id : int32\n---\n{line}")
    assert line in str(caught.value)
    assert schema.list_tables() == []


WORDS = [
    "select", "group", "table", "order", "key", "index", "from", "where", "user", "values", "limit",
    "desc", "check", "rank", "interval", "current_date", "true", "null", "and", "not", "key",
]  # fmt: skip


@pytest.mark.statement(193)
def test_words_of_sql_are_names_like_any_other(schema: dj.Schema) -> None:
    names = [word for word in dict.fromkeys(WORDS) if not keyword.iskeyword(word)]
    T = declared(schema, "Table", "select : int32\n---\n" + "\n".join(
        f"{name} = null : int32" for name in names if name != "select"
    ))  # fmt: skip
    T.insert([dict.fromkeys(names, place) for place in (1, 2)])
    assert T.heading.names == names
    assert (T & {"group": 2}).fetch1("select", "order") == (2, 2)
    assert (T & "`group` = 2 and `desc` > 1").fetch1("user") == 2
    assert T.proj(total="`select` + `index`").to_arrays("total", order_by="KEY").tolist() == [2, 4]
    assert dj.U("group").aggr(T, n="count(`select`)").to_dicts(order_by="group")[0]["n"] == 1
    T.update1({"select": 1, "table": 9})
    assert (T & "`table` = 9").delete(prompt=False) == 1
    assert T.to_arrays("key", order_by=["`group` desc"]).tolist() == [2]


@pytest.mark.statement(194)
def test_an_empty_definition_makes_a_singleton(schema: dj.Schema) -> None:
    T = declared(schema, "T", "")
    assert (T.primary_key, T.heading.names) == ([], [])
    T.insert1({})
    assert len(T) == 1


@pytest.mark.statement(195)
def test_names_are_short_enough_for_every_database(schema: dj.Schema) -> None:
    """Refused before any server cuts or rejects them, by the same limit everywhere."""
    with pytest.raises(dj.DataJointError, match=r"63|64"):
        declared(schema, "T", f"{'a' * 65} : int32")
    with pytest.raises(dj.DataJointError, match="63"):
        declared(schema, "T" + "x" * 64, "a : int32")
    with pytest.raises(dj.DataJointError, match=r"63|64"):
        declared(schema, "T", f"{'a' * 64} : int32")
    longest = "a" * 63
    T = declared(schema, "Long", f"{longest} : int32")
    T.insert1((5,))
    assert T.fetch1(longest) == 5
    assert T.heading[longest].lineage == f"{schema.name}.long.{longest}"


@pytest.mark.statement(196)
@pytest.mark.parametrize(
    ("written", "value"),
    [("true", True), ("false", False), ("1", True), ("0", False), ("TRUE", True)],
)
def test_defaults_of_truth_values(schema: dj.Schema, written: str, value: bool) -> None:
    """By word and by number on every backend."""
    T = declared(schema, "T", f"id : int32\n---\nflag = {written} : bool")
    T.insert1({"id": 1})
    assert T.fetch1("flag") == value


@pytest.mark.statement(197)
def test_no_table_is_declared_or_altered_inside_a_transaction(schema: dj.Schema) -> None:
    T = declared(schema, "T", "id : int32")
    with schema.connection.transaction:
        with pytest.raises(dj.DataJointError, match="transaction"):
            declared(schema, "U", "id : int32")
        T.definition = "id : int32\n---\nx = null : int32"
        with pytest.raises(dj.DataJointError, match="transaction"):
            T.alter(prompt=False)
    assert schema.list_tables() == ["t"]
    assert T.heading.names == ["id"]


@pytest.mark.statement(198)
def test_a_class_without_an_activated_schema_says_so(schema: dj.Schema) -> None:
    class Loose(dj.Manual):
        definition = "id : int32"

    later = dj.Schema(connection=schema.connection)

    @later
    class Waiting(dj.Manual):
        definition = "id : int32"

    for table in (Loose, Waiting):
        with pytest.raises(dj.DataJointError, match="is not properly configured"):
            len(table.heading)
        with pytest.raises(dj.DataJointError, match="is not properly configured"):
            table.to_dicts()


@pytest.mark.statement(201)
def test_tables_are_not_created_when_told_so(db: Database, schema: dj.Schema) -> None:
    """They are missing when they are used, and work as soon as someone declares them."""
    reader = dj.Schema(schema.name, connection=db.connection, create_tables=False)
    T = declared(reader, "T", "id : int32")
    assert not T.is_declared
    assert schema.list_tables() == []
    with pytest.raises(MissingTableError):
        T.to_dicts()
    declared(schema, "T", "id : int32").insert1((1,))
    assert T.to_dicts() == [{"id": 1}]


@pytest.mark.statement(202)
def test_another_definition_changes_nothing_in_the_database(schema: dj.Schema) -> None:
    """And a warning tells what differs."""
    declared(schema, "T", "id : int32\n---\nx = null : int32").insert1((1, 5))
    with pytest.warns(UserWarning, match="x") as caught:
        T = declared(schema, "T", "id : int32\n---\ny = null : varchar(8)")
    assert "y: only in the definition" in str(caught[0].message)
    assert T.to_dicts() == [{"id": 1, "x": 5}]

"""Statements 154 to 165: what goes with a row and with a table, and what refuses to go."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

import djupyter as dj
from djupyter.errors import IntegrityError, MissingTableError
from tests.conftest import Database


@pytest.fixture
def p(schema: dj.Schema) -> SimpleNamespace:
    """A source, a master with parts of parts of which one refers to the source, and a result."""

    @schema
    class Source(dj.Manual):
        definition = "s : int32"

    @schema
    class Master(dj.Manual):
        definition = "m : int32\n---\n-> [nullable] Source.proj(origin='s')"

        class Item(dj.Part):
            definition = "-> master\ni : int32\n---\n-> Source"

        class Detail(dj.Part):
            definition = "-> master\n-> master.Item\nd : int32"

    @schema
    class Result(dj.Manual):
        definition = "-> Master.proj(mm='m')"

    Source.insert([(1,), (2,), (3,)])
    Master.insert([(1, 3), (2, None)])
    Master.Item.insert([(1, 1, 1), (1, 2, 2), (2, 1, 2)])
    Master.Detail.insert([(1, 1, 1), (2, 1, 1)])
    Result.insert([(1,), (2,)])
    return SimpleNamespace(Source=Source, Master=Master, Result=Result)


def left(p: SimpleNamespace) -> tuple[int, ...]:
    tables = (p.Source, p.Master, p.Master.Item, p.Master.Detail, p.Result)
    return tuple(map(len, tables))


@pytest.mark.statement(154)
def test_descendants_go_in_schemas_that_nobody_activated_too(
    db: Database, fresh: SimpleNamespace
) -> None:
    name = db.schema_name("far")
    with dj.Connection(db.url) as connection:
        far, A = dj.Schema(name, connection=connection), fresh.A
        near = dj.Schema(A().name.schema, connection=connection)

        @far
        class Visitor(dj.Manual):
            definition = f"v : int32\n---\n-> `{near.name}`.`a`"

        Visitor.insert([(1, 1), (2, 3)])
    assert (A & "a = 1").delete(prompt=False) == 1
    assert (len(A), len(fresh.B), len(fresh.C)) == (2, 1, 2)
    visitor = dj.FreeTable(db.connection, f"{name}.visitor")
    assert visitor.to_dicts() == [{"v": 2, "a": 3}]
    dj.Schema(name, connection=db.connection).drop(prompt=False)


@pytest.mark.statement(155, 156)
def test_a_row_goes_by_any_way_that_leads_to_it(fresh: SimpleNamespace) -> None:
    """Renamed and secondary references included."""
    assert (fresh.N & "n = 2").delete(prompt=False) == 1
    assert (len(fresh.N), len(fresh.Ed)) == (2, 0)


@pytest.mark.statement(155, 156)
def test_parts_of_parts_go_with_their_master(p: SimpleNamespace) -> None:
    assert (p.Source & "s = 3").delete(prompt=False) == 1
    assert left(p) == (2, 1, 1, 1, 1)


@pytest.mark.statement(157)
def test_a_part_does_not_go_without_its_master(p: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match=r"delete part table .* before its master"):
        (p.Source & "s = 1").delete(prompt=False)
    assert left(p) == (3, 2, 3, 2, 2)
    with pytest.raises(ValueError, match="enforce, ignore, cascade"):
        p.Source.delete(prompt=False, part_integrity="maybe")


@pytest.mark.statement(157)
def test_part_integrity_may_be_ignored_or_cascade(p: SimpleNamespace) -> None:
    assert (p.Source & "s = 1").delete(prompt=False, part_integrity="ignore") == 1
    assert left(p) == (2, 2, 2, 1, 2)
    assert (p.Source & "s = 2").delete(prompt=False, part_integrity="cascade") == 1
    assert left(p) == (1, 0, 0, 0, 0)


@pytest.mark.statement(158)
def test_a_part_is_not_deleted_directly(p: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError, match="Cannot delete from a Part directly"):
        p.Master.Item.delete(prompt=False)
    assert (p.Master.Item & "m = 1 and i = 2").delete(prompt=False, part_integrity="ignore") == 1
    assert left(p) == (3, 2, 2, 2, 2)
    assert (p.Master.Item & "m = 2").delete(prompt=False, part_integrity="cascade") == 1
    assert left(p) == (3, 1, 1, 1, 1)


@pytest.mark.statement(159)
@pytest.mark.parametrize(("reply", "gone"), [("no", 0), ("Yes please", 0), ("", 0), ("yes", 1)])
def test_it_asks_and_only_yes_deletes(
    fresh: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, reply: str, gone: int
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or reply)
    assert (fresh.A & "a = 1").delete(prompt=True) == gone
    assert len(asked) == 1
    assert len(fresh.A) == 3 - gone
    assert (fresh.A & "a = 2").delete() == 1  # safemode is off in these tests
    assert len(asked) == 1


@pytest.mark.statement(160)
def test_inside_a_transaction_it_deletes_but_does_not_ask(fresh: SimpleNamespace) -> None:
    transaction = fresh.A.connection.transaction
    with transaction:
        assert (fresh.A & "a = 1").delete(prompt=False) == 1
        with pytest.raises(dj.DataJointError, match="transaction"):
            (fresh.A & "a = 2").delete(prompt=True)
    assert (len(fresh.A), len(fresh.B)) == (2, 1)


@pytest.mark.statement(161)
def test_delete_quick_leaves_children_to_the_database(fresh: SimpleNamespace) -> None:
    with pytest.raises(IntegrityError):
        (fresh.A & "a = 1").delete_quick()
    assert fresh.B.delete_quick() is None
    assert fresh.E.delete_quick(get_count=True) == 2


@pytest.mark.statement(162)
def test_deleting_nothing_returns_zero(fresh: SimpleNamespace) -> None:
    assert (fresh.A & "a = 99").delete(prompt=False) == 0
    assert (fresh.A & False).delete(prompt=False) == 0
    assert len(fresh.A) == 3


@pytest.mark.statement(163)
def test_what_is_not_dropped(p: SimpleNamespace, schema: dj.Schema) -> None:
    @schema
    class Tag(dj.Manual):
        definition = "tag : int32"

    @schema
    class Tagged(dj.Manual):
        definition = "t : int32"

        class Item(dj.Part):
            definition = "-> master\n-> Tag"

    with pytest.raises(dj.DataJointError, match=r"drop part table .* before its master"):
        Tag.drop(prompt=False)
    assert Tagged.Item.is_declared
    with pytest.raises(dj.DataJointError, match="Part"):
        p.Master.Item.drop(prompt=False)
    with pytest.raises(ValueError, match="cascade"):
        p.Master.drop(prompt=False, part_integrity="cascade")
    with pytest.raises(dj.DataJointError, match="restricted"):
        (p.Master & "m = 1").drop(prompt=False)
    assert left(p) == (3, 2, 3, 2, 2)


@pytest.mark.statement(164)
def test_a_dropped_table_is_missing(fresh: SimpleNamespace) -> None:
    """A free table of nothing says the same."""
    fresh.B.drop(prompt=False)
    for use in (fresh.B.to_dicts, lambda: len(fresh.B), lambda: fresh.B.insert1((1, 1, 1.0))):
        with pytest.raises(MissingTableError, match="is not in the database"):
            use()
    schema = fresh.A().name.schema
    with pytest.raises(dj.DataJointError, match="nothing"):
        dj.FreeTable(fresh.A.connection, f"{schema}.nothing").to_dicts()


@pytest.mark.statement(165)
def test_a_dropped_table_leaves_no_lineage_and_a_dropped_schema_nothing(
    schema: dj.Schema, fresh: SimpleNamespace
) -> None:
    def noted() -> set[str]:
        backend = schema.connection.backend
        place, table = backend.locate(replace(fresh.D().name, table="~lineage"))
        whole = ".".join(backend.quote(part) for part in (place, table) if part)
        return {n for (n,) in schema.connection.query(f"SELECT table_name FROM {whole}").fetchall()}

    before = noted()
    assert {"a", "b", "c", "d"} <= before
    fresh.A.drop(prompt=False)
    assert sorted(schema.list_tables()) == ["d", "e", "ed", "n", "s"]
    assert noted() == before - {"a", "b", "c"}

    @schema
    class A(dj.Manual):
        definition = "other : int32"

    assert A.heading["other"].lineage == f"{schema.name}.a.other"
    assert schema.exists
    schema.drop(prompt=False)
    assert not schema.exists
    assert schema.name not in dj.list_schemas(schema.connection)

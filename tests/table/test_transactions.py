"""Transactions hold tables together; inner ones are savepoints."""

from __future__ import annotations

from typing import Any

import pytest

import djupyter as dj
from tests.conftest import Database


class Stop(Exception):
    """What a user's code may raise."""


@pytest.fixture
def A(schema: dj.Schema) -> Any:
    @schema
    class A(dj.Manual):
        definition = "a : int8"

    return A


def left(table: Any) -> list[int]:
    return list(table.to_arrays("a", order_by="KEY"))


def test_an_error_rolls_back_and_propagates(A: Any, db: Database) -> None:
    def work() -> None:
        with db.connection.transaction:
            A.insert1((1,))
            assert left(A) == [1]
            raise Stop

    with pytest.raises(Stop):
        work()
    assert left(A) == []
    assert not db.connection.in_transaction


def test_an_inner_transaction_undoes_its_own_part_only(A: Any, db: Database) -> None:
    def inner() -> None:
        with db.connection.transaction:
            A.insert1((2,))
            raise Stop

    with db.connection.transaction:
        A.insert1((1,))
        with pytest.raises(Stop):
            inner()
        with db.connection.transaction:
            A.insert1((3,))
    assert left(A) == [1, 3]


def test_the_outer_transaction_decides_about_the_inner_ones(A: Any, db: Database) -> None:
    def work() -> None:
        with db.connection.transaction:
            with db.connection.transaction:
                A.insert1((1,))
            raise Stop

    with pytest.raises(Stop):
        work()
    assert left(A) == []


def test_transactions_can_be_started_and_ended_by_hand(A: Any, db: Database) -> None:
    connection = db.connection
    connection.start_transaction()
    A.insert1((1,))
    connection.cancel_transaction()
    connection.start_transaction()
    A.insert1((2,))
    connection.start_transaction()
    A.insert1((3,))
    connection.cancel_transaction()
    connection.commit_transaction()
    assert left(A) == [2]
    with pytest.raises(dj.DataJointError, match="no transaction"):
        connection.commit_transaction()


def test_tables_are_neither_declared_nor_dropped_inside_a_transaction(
    A: Any, schema: dj.Schema, db: Database
) -> None:
    class B(dj.Manual):
        definition = "b : int8"

    with db.connection.transaction:
        with pytest.raises(dj.DataJointError, match="inside a transaction"):
            schema(B)
        with pytest.raises(dj.DataJointError, match="inside a transaction"):
            A.drop()
    schema(B)
    assert B.is_declared
    assert A.is_declared


def test_a_schema_is_not_created_inside_a_transaction_but_one_that_is_there_is_opened(
    A: Any, schema: dj.Schema, db: Database
) -> None:
    new = db.schema_name("new")
    with pytest.raises(ValueError, match="stop"), db.connection.transaction:  # noqa: PT012
        A.insert1((1,))
        with pytest.raises(dj.DataJointError, match="cannot be created inside a transaction"):
            dj.Schema(new, connection=db.connection)
        dj.Schema(schema.database, connection=db.connection)
        raise ValueError("stop")
    assert left(A) == []
    assert new not in dj.list_schemas(db.connection)


def test_a_closed_connection_is_opened_by_the_next_query(A: Any, db: Database) -> None:
    A.insert1((1,))
    db.connection.close()
    assert left(A) == [1]

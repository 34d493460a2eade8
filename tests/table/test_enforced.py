"""The database itself keeps rows true: these tests go around the package with SQL of their own."""

from __future__ import annotations

from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import (
    DuplicateError,
    IntegrityError,
    InvalidValueError,
    MissingAttributeError,
    QueryError,
)
from tests.conftest import Database

# For each type: values that its column takes, and values that it must refuse.
TYPES = {
    "int8": ([-128, 127], [-129, 128, 1.5, "'x'"]),
    "int16": ([-32768, 32767], [-32769, 32768, 0.5, "'x'"]),
    "int32": ([-(2**31), 2**31 - 1], [-(2**31) - 1, 2**31, "'x'"]),
    "int64": ([-(2**63), 2**63 - 1], [2**63, "'x'"]),
    "int unsigned": ([0, 2**32 - 1], [-1, 2**32]),
    "float32": ([0, 1.5, 3e38], [1e39, "'x'"]),
    "float64": ([0, 1e300], ["'x'"]),
    "decimal(5,2)": ([0, -999.99, 1.25], [1000, "'x'"]),
    "bool": (["FALSE", "TRUE"], [2, -1, "'x'"]),
    "char(3)": (["'abc'", "''"], ["'abcd'"]),
    "varchar(3)": (["'äöü'", "''"], ["'abcd'"]),
    "enum('a', 'b')": (["'a'", "'b'"], ["'c'", "''", 1]),
    "date": (["'2024-02-29'"], ["'2023-02-29'", "'24-1-1'", "'now'", 5]),
    "datetime": (["'2024-02-29 23:59:59'"], ["'2024-02-29 25:00:00'", "'now'", 5]),
    "datetime(3)": (["'2024-02-29 23:59:59.123000'"], ["'2024-02-29 23:59:60.5'"]),
    "json": (["'{}'", "'[1]'", "'null'"], ["'{'", "'x'"]),
    "uuid": (["'12345678-1234-5678-1234-567812345678'"], ["'1234'", "'x'"]),
    "bytes": (["x'00ff'"], [5]),
    "<blob>": (["x'00ff'"], [5]),
}
GOOD = [(type, value) for type, (values, _) in TYPES.items() for value in values]
BAD = [(type, value) for type, (_, values) in TYPES.items() for value in values]


def sql(db: Database, table: Any, statement: str) -> None:
    """Run SQL with `{t}` for the table's quoted identifier."""
    schema, name = db.connection.backend.locate(table().name)
    quote = db.connection.backend.quote
    place = quote(name) if schema is None else f"{quote(schema)}.{quote(name)}"
    db.connection.query(statement.replace("{t}", place))


@pytest.fixture
def typed(db: Database, schema: dj.Schema) -> Any:
    def declared(type: str) -> Any:
        @schema
        class Typed(dj.Manual):
            definition = f"k : int8\n---\nv : {type}\nw = null : {type}"

        return Typed

    return declared


@pytest.mark.filterwarnings("ignore:These types")
@pytest.mark.parametrize(("type", "value"), GOOD)
def test_the_database_takes_values_of_a_type(
    db: Database, typed: Any, type: str, value: object
) -> None:
    if db.backend != "sqlite" and type in ("uuid", "bytes", "<blob>"):
        pytest.skip("servers write these literals in other ways")
    table = typed(type)
    sql(db, table, f"INSERT INTO {{t}} (k, v, w) VALUES (1, {value}, NULL)")
    sql(db, table, f"INSERT INTO {{t}} (k, v, w) VALUES (2, {value}, {value})")
    table.to_dicts()
    assert len(table) == 2


@pytest.mark.filterwarnings("ignore:These types")
@pytest.mark.parametrize(("type", "value"), BAD)
def test_the_database_refuses_other_values(
    db: Database, typed: Any, type: str, value: object
) -> None:
    if db.backend != "sqlite":
        pytest.skip("servers coerce or refuse literals by rules of their own")
    table = typed(type)
    with pytest.raises(InvalidValueError, match=r"Typed|typed"):
        sql(db, table, f"INSERT INTO {{t}} (k, v) VALUES (1, {value})")
    with pytest.raises(InvalidValueError, match="`w`"):
        sql(db, table, f"INSERT INTO {{t}} (k, v, w) VALUES (1, {TYPES[type][0][0]}, {value})")
    assert len(table) == 0


@pytest.mark.filterwarnings("ignore:These types")
@pytest.mark.parametrize("type", TYPES)
def test_the_database_refuses_null_where_it_is_not_declared(
    db: Database, typed: Any, type: str
) -> None:
    table = typed(type)
    if db.backend == "mysql" and type.startswith("enum"):
        # To these servers the first member of an enum is its default.
        sql(db, table, "INSERT INTO {t} (k) VALUES (1)")
        assert table.fetch1("v") == "a"
        with pytest.raises(MissingAttributeError, match="`v`"):
            table.insert1({"k": 2})
    else:
        with pytest.raises(MissingAttributeError, match="`v`"):
            sql(db, table, "INSERT INTO {t} (k) VALUES (1)")
    with pytest.raises(MissingAttributeError, match="`k`"):
        sql(db, table, "INSERT INTO {t} (k, v) VALUES (NULL, NULL)")


@pytest.fixture
def linked(schema: dj.Schema) -> tuple[Any, Any]:
    @schema
    class Mouse(dj.Manual):
        definition = "mouse : int8\n---\ntag = 'x' : varchar(4)\nunique index (tag)"

    @schema
    class Scan(dj.Manual):
        definition = "-> Mouse\nscan : int8\n---\n-> [nullable, unique] Mouse.proj(partner='mouse')"

    return Mouse, Scan


def test_the_database_refuses_orphans_and_duplicates(db: Database, linked: tuple[Any, Any]) -> None:
    mouse, scan = linked
    sql(db, mouse, "INSERT INTO {t} (mouse) VALUES (1)")
    with pytest.raises(DuplicateError, match="tag"):
        sql(db, mouse, "INSERT INTO {t} (mouse) VALUES (2)")
    with pytest.raises(DuplicateError, match="mouse"):
        sql(db, mouse, "INSERT INTO {t} (mouse, tag) VALUES (1, 'y')")
    with pytest.raises(IntegrityError):
        sql(db, scan, "INSERT INTO {t} (mouse, scan) VALUES (2, 1)")
    with pytest.raises(IntegrityError):
        sql(db, scan, "INSERT INTO {t} (mouse, scan, partner) VALUES (1, 1, 2)")
    sql(
        db,
        scan,
        "INSERT INTO {t} (mouse, scan, partner) VALUES (1, 1, 1), (1, 2, NULL), (1, 3, NULL)",
    )
    with pytest.raises(DuplicateError, match="partner"):
        sql(db, scan, "INSERT INTO {t} (mouse, scan, partner) VALUES (1, 4, 1)")
    with pytest.raises(QueryError):
        sql(db, mouse, "DELETE FROM {t}")
    assert (len(mouse), len(scan)) == (1, 3)


def test_the_database_takes_its_declared_defaults(db: Database, schema: dj.Schema) -> None:
    @schema
    class Defaults(dj.Manual):
        definition = """
        k : int8
        ---
        n = 5 : int8
        f = 0.5 : float64
        d = 1.50 : decimal(4,2)
        s = "it's" : varchar(8)
        yes = true : bool
        e = 'b' : enum('a', 'b')
        day = '2024-01-31' : date
        now = CURRENT_TIMESTAMP : datetime
        """

    sql(db, Defaults, "INSERT INTO {t} (k) VALUES (1)")
    row = Defaults.fetch1()
    assert row.pop("now") is not None
    assert {name: str(value) for name, value in row.items()} == {
        "k": "1",
        "n": "5",
        "f": "0.5",
        "d": "1.50",
        "s": "it's",
        "yes": "True",
        "e": "b",
        "day": "2024-01-31",
    }


def test_a_singleton_row_cannot_be_doubled_in_the_database(db: Database, schema: dj.Schema) -> None:
    @schema
    class Single(dj.Manual):
        definition = ""

    row = "() VALUES ()" if db.backend == "mysql" else "DEFAULT VALUES"
    sql(db, Single, f"INSERT INTO {{t}} {row}")
    with pytest.raises(DuplicateError):
        sql(db, Single, f"INSERT INTO {{t}} {row}")

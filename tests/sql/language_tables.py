"""Four rows on which the condition language is tried, on any database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from djupyter.sql.fragment import Fragment, element
from djupyter.sql.functions import register_sqlite

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TEXT = sa.String(100).with_variant(mysql.VARCHAR(100, collation="utf8mb4_bin"), "mysql", "mariadb")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def make_table(schema: str | None) -> sa.Table:
    """Return a table with an attribute of each family."""
    return sa.Table(
        "subject",
        sa.MetaData(),
        sa.Column("a", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("x", sa.Integer),
        sa.Column("y", sa.Double),
        sa.Column("name", TEXT),
        sa.Column("d", sa.Date),
        sa.Column("ts", MOMENT),
        sa.Column("ok", sa.Boolean),
        sa.Column("car", JSON),
        sa.Column("select", sa.Integer),
        schema=schema,
    )


ROWS = [
    (1, 10, 1.5, "one", date(2024, 1, 31), datetime(2024, 1, 31, 13, 5, 6, 250000), True,
     {"length": 20.5, "ok": True, "make": "Rev", "l": [{"s": 1}]}),
    (2, None, -2.5, "TWO", date(2024, 2, 29), datetime(2024, 2, 29), False,
     {"length": "20.5", "ok": False, "make": "abc"}),
    (3, 30, 0.0, "o'ne%", None, None, None, sa.null()),
    (4, -7, 2.5, "a\\b_c", date(2023, 12, 31), datetime(2023, 12, 31, 23, 59, 59), True,
     {"length": None, "l": []}),
]  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """A filled table and how to ask it."""

    engine: sa.Engine
    table: sa.Table
    dialect: str

    def element(self, fragment: Fragment) -> tuple[sa.ColumnElement[Any], dict[str, Any]]:
        """Return a fragment over the table, and its parameters."""
        built = element(
            fragment,
            lambda name: self.table.c[name],
            lambda index: sa.bindparam(f"v{index}", type_=sa.types.NullType()),
            self.dialect,
        )
        return built, {f"v{index}": value for index, value in enumerate(fragment.values)}

    def where(self, condition: sa.ColumnElement[Any], **values: object) -> set[int]:
        """Return the keys of the rows that satisfy a condition."""
        with self.engine.connect() as connection:
            return set(connection.scalars(sa.select(self.table.c.a).where(condition), values))

    def selected(self, fragment: Fragment) -> set[int]:
        """Return the keys of the rows that satisfy a condition."""
        condition, values = self.element(fragment)
        return self.where(condition, **values)

    def computed(self, fragment: Fragment) -> list[object]:
        """Return what an expression yields for each row."""
        built, values = self.element(fragment)
        query = sa.select(built.label("c")).select_from(self.table).order_by(self.table.c.a)
        with self.engine.connect() as connection:
            return [plain(value) for value in connection.scalars(query, values)]

    def aggregated(self, fragment: Fragment, where: sa.ColumnElement[Any] | None = None) -> object:
        """Return what an aggregate yields for all rows."""
        built, values = self.element(fragment)
        query = (
            sa.select(built.label("c"))
            .select_from(self.table)
            .where(sa.true() if where is None else where)
        )
        with self.engine.connect() as connection:
            return plain(connection.scalar(query, values))


def plain(value: object) -> object:
    """Return an exact number as a float: its type is the affair of the fetch."""
    return float(value) if isinstance(value, Decimal) else value


def fill(engine: sa.Engine, dialect: str, schema: str | None = None) -> Rows:
    """Make the table and its rows."""
    table = make_table(schema)
    table.create(engine)
    names = [column.name for column in table.columns][:8]
    with engine.begin() as connection:
        for row in ROWS:
            connection.execute(table.insert().values(dict(zip(names, row, strict=True))))
    return Rows(engine, table, dialect)


def sqlite_engine(url: str) -> sa.Engine:
    """Return an engine whose connections know our functions."""
    engine = sa.create_engine(url)
    sa.event.listen(engine, "connect", lambda connection, _: register_sqlite(connection))
    return engine


_memory: list[sa.Engine] = []


def in_memory(names: Sequence[str]) -> Rows:
    """Return a table in memory with a row per name, numbered from 0."""
    if not _memory:
        _memory.append(sqlite_engine("sqlite://"))
    table = sa.Table(
        "named",
        sa.MetaData(),
        sa.Column("a", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text),
    )
    table.drop(_memory[0], checkfirst=True)
    table.create(_memory[0])
    with _memory[0].begin() as connection:
        connection.execute(
            table.insert(), [{"a": place, "name": name} for place, name in enumerate(names)]
        )
    return Rows(_memory[0], table, "sqlite")

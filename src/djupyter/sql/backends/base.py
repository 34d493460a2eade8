"""What a backend must say about itself: each difference of databases stands behind `Backend`.

A backend holds no connection. It is asked for an engine, for statements, for conversions, and for
the meaning of errors and catalogue rows; `Connection`, `ddl` and `reflect` do the work.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import quoted_name

from djupyter.definition.model import Default, TypeSpec
from djupyter.definition.names import TableName
from djupyter.heading.alteration import Alteration
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.sql.backends.tls import Tls
from djupyter.sql.failures import Failure
from djupyter.sql.json_path import JsonPath
from djupyter.sql.rights import Need, Right

Row = tuple[Any, ...]
Fetch = Callable[[str, Sequence[object]], list[Row]]
Convert = Callable[[Any], Any]
Statement = tuple[str, Sequence[object]]


class ColumnType(sa.types.UserDefinedType[Any]):
    """A column type in the backend's own words; values pass through unchanged."""

    cache_ok = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **_: Any) -> str:
        """Return the words for CREATE TABLE."""
        return self.spec


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """One column as the catalogue tells it."""

    name: str
    native: str  # the database's own type
    nullable: bool
    default: Default | None
    comment: str  # with the marker of the declared type
    in_key: bool = False
    collation: str = ""  # of a text that is not compared as we compare it
    digits: int | None = None  # of a second that are kept though the declared type does not say so


@dataclass(slots=True)
class TableRows:
    """One table as the catalogue tells it; lineage by attribute is added for the whole schema."""

    name: TableName
    comment: str = ""
    attributes: list[AttributeRow] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    indexes: list[tuple[tuple[str, ...], bool]] = field(default_factory=list)
    lineage: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversion:
    """How values become those of another type.

    Parameters
    ----------
    value
        The new value.
    is_exact
        Whether it still says the same as the old one.
    accepts
        Whether a value that the database gave can be converted, where no condition can tell.
    """

    value: sa.ColumnElement[Any]
    is_exact: sa.ColumnElement[bool]
    accepts: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class TableChange:
    """What is to become of one table.

    Parameters
    ----------
    alteration
        The way from its structure to the new one.
    before, after
        The table as it is and as it is to be, with constraints and indexes.
    create
        Statements that would create the new table: the table first, then its indexes.
    values
        What attributes get from the rows that are there; the others get their defaults.
    """

    alteration: Alteration
    before: sa.Table
    after: sa.Table
    create: Sequence[str]
    values: Mapping[str, sa.ColumnElement[Any]]


class Backend(ABC):
    """The differences of one database.

    Attributes
    ----------
    name
        `sqlite`, `mysql` or `postgresql`.
    language
        What the translation of conditions writes.
    dialect
        Compiles SQLAlchemy elements, with positional parameters.
    driver_errors
        What the driver raises; everything else is a fault of ours or the user's.
    begin, commit, rollback
        Statements that frame a transaction that will write.
    begins_late
        Whether a transaction may be opened at its first write, because opening one locks out other
        writers.
    unguard, guard
        Statements around a transaction that leaves foreign keys unchecked.
    url_options
        What may follow the `?` of a URL.
    default_port
        Where a server listens; None for a database without a server.
    depends_on_server
        Whether only the server can say which backend of a family it needs.
    aborts
        An error inside a transaction makes the database refuse everything until it is undone, so that each
        statement in one needs a savepoint.
    merges_subqueries
        Whether the planner writes a subquery's expressions out wherever the statement around it names them, so that
        those that are named twice, level upon level, fill the memory.
    returns_updated
        Whether an UPDATE can tell the rows that it changed.
    relaxed
        Statements before one that reads some rows and writes others, so that it locks only what it writes.
    defines_in_transactions
        Whether a transaction can undo what defines tables; otherwise each such statement is final, and a
        table is created by one that has all in it.
    """

    name: ClassVar[str]
    language: ClassVar[str]
    url_options: ClassVar[tuple[str, ...]] = ()
    default_port: ClassVar[int | None] = None
    depends_on_server: ClassVar[bool] = False
    aborts: ClassVar[bool] = False
    defines_in_transactions: ClassVar[bool] = True
    dialect: Dialect
    driver_errors: tuple[type[BaseException], ...]
    begin: str = "BEGIN"
    commit: str = "COMMIT"
    rollback: str = "ROLLBACK"
    begins_late: bool = False
    unguard: tuple[str, ...] = ()
    guard: tuple[str, ...] = ()
    retypes_keys: bool = True
    merges_subqueries: ClassVar[bool] = False
    returns_updated: ClassVar[bool] = True
    relaxed: ClassVar[tuple[str, ...]] = ()

    # Connecting

    @property
    def backend(self) -> str:
        """The name, as programs written for datajoint ask for it: `connection.adapter.backend`."""
        return self.name

    @abstractmethod
    def engine(self, url: sa.URL, *, timeout: float, tls: Tls) -> sa.Engine:
        """Return the engine for a URL; connections come in autocommit mode and fully set up."""

    def of_server(self, raw: Any) -> Backend:
        """Return the backend for the server that a driver's connection leads to: only that tells its product."""
        return self

    def is_alive(self, raw: Any) -> bool:
        """Whether the server has not closed an idle connection, without asking it where possible."""
        return True

    def survives(self, raw: Any, error: BaseException, connect: Callable[[], Any]) -> bool:
        """Whether a connection can go on after a statement was interrupted by something like Ctrl-C.

        Parameters
        ----------
        raw
            The driver's connection; what runs on it must be stopped on the server.
        error
            What interrupted it: anything but the driver's own errors.
        connect
            Opens another driver connection, by which to stop it.
        """
        return True

    @abstractmethod
    def stop(self, raw: Any, connect: Callable[[], Any]) -> None:
        """Let a statement that another thread runs on a connection end soon; arguments as for `survives`."""

    def session_id(self, raw: Any) -> int | None:
        """Return the number by which the server knows a connection."""
        return None

    @abstractmethod
    def resolved(self, url: sa.URL) -> sa.URL:
        """Return the URL with what the working directory decides filled in."""

    @abstractmethod
    def is_shared(self, url: sa.URL) -> bool:
        """Whether all threads must share one connection, for another would see another database."""

    @abstractmethod
    def identity(self, url: sa.URL) -> object:
        """Return what tells the database from a later one at the same place.

        None when there is none, so that the first connection creates it.
        """

    @abstractmethod
    def user(self, fetch: Fetch, url: sa.URL) -> str:
        """Return `user@host`."""

    @abstractmethod
    def server_version(self, fetch: Fetch) -> str:
        """Return product and version."""

    def stream_cursor(self, raw: Any, *, nested: bool) -> Any:
        """Return a cursor that does not hold the whole result in memory.

        `nested` tells that the connection is in a transaction; else it is the cursor's own.
        """
        return raw.cursor()

    @abstractmethod
    def placeholders(self, sql: str) -> str:
        """Return user-written SQL with `%s` and `%(name)s` in the driver's own spelling."""

    def savepoint(self, name: str) -> str:
        """Return the statement that opens a nested transaction."""
        return f"SAVEPOINT {name}"

    def release(self, name: str) -> str:
        """Return the statement that joins a nested transaction to the outer one."""
        return f"RELEASE SAVEPOINT {name}"

    def rollback_to(self, name: str) -> str:
        """Return the statement that undoes a nested transaction."""
        return f"ROLLBACK TO SAVEPOINT {name}"

    # Failing

    @abstractmethod
    def failure(self, error: BaseException, sql: str) -> Failure:
        """Return what a driver's error means."""

    def connecting_failure(self, error: BaseException, url: sa.URL) -> Failure:
        """Return why a connection could not be opened."""
        return self.failure(error, "")

    def right(self, need: Need, url: sa.URL, fetch: Fetch) -> Right | None:
        """Return the privilege that a statement lacked, with the statement that grants it.

        None for a database without privileges.
        """
        return None

    @abstractmethod
    def may_retry(self, error: BaseException) -> bool:
        """Whether the same statement may succeed in a moment because someone else holds a lock."""

    @abstractmethod
    def in_transaction(self, raw: Any) -> bool:
        """Whether the driver's connection still has its transaction; some errors end it."""

    # Values

    @abstractmethod
    def adapt(self, value: object) -> object:
        """Return what the driver takes for a canonical Python value of any type."""

    @abstractmethod
    def adapter(self, type: TypeSpec | None) -> Convert | None:
        """Return what turns an attribute's values into the driver's; None for identity.

        It is never given None.
        """

    @abstractmethod
    def decoder(self, type: TypeSpec | None) -> Convert | None:
        """Return what turns the driver's values into an attribute's; None for identity.

        It is never given None. JSON stays text.
        """

    # Tables

    def locate(self, name: TableName) -> tuple[str | None, str]:
        """Return the physical schema (None without) and the physical name of a table."""
        return name.schema, name.table

    def table(self, name: TableName, names: Iterable[str] = ()) -> sa.TableClause:
        """Return a table with the given columns, for building statements."""
        schema, table = self.locate(name)
        return sa.table(
            quoted_name(table, True),
            *(sa.column(quoted_name(column, True)) for column in names),
            schema=None if schema is None else quoted_name(schema, True),
        )

    def relation(self, structure: TableStructure) -> sa.TableClause:
        """Return a table with its columns, which know their types where statements depend on them."""
        return self.table(structure.name, structure.by_name)

    def typed(self, value: sa.ColumnElement[Any], type: TypeSpec | None) -> sa.ColumnElement[Any]:
        """Return a computed value in the type that its expression has on every database."""
        return value

    def quote(self, identifier: str) -> str:
        """Return an identifier as it is written in a statement."""
        return self.dialect.identifier_preparer.quote_identifier(identifier)

    def compile(self, statement: sa.ClauseElement) -> str:
        """Return the text of a statement without values, or of one that defines data."""
        return str(statement.compile(dialect=self.dialect)).strip()

    def bound(self, statement: Any) -> Statement:
        """Return the text of a statement and its values in the driver's order."""
        # A list of values gets a placeholder for each.
        compiled = statement.compile(
            dialect=self.dialect, compile_kwargs={"render_postcompile": True}
        )
        values = compiled.params
        return str(compiled), tuple(self.adapt(values[name]) for name in compiled.positiontup or ())

    def delete(self, table: sa.TableClause, condition: sa.ColumnElement[bool]) -> sa.Delete:
        """Return the DELETE of the rows that meet a condition, in the form that is planned best."""
        return sa.delete(table).where(condition)

    @abstractmethod
    def insert(self, table: sa.TableClause) -> sa.Insert:
        """Return the dialect's own INSERT, which `on_conflict` can extend."""

    @abstractmethod
    def on_conflict(
        self, statement: sa.Insert, structure: TableStructure, conflict: str
    ) -> sa.Insert:
        """Return an INSERT that skips or replaces a row whose primary key is there already.

        A conflict in another unique index is always an error.
        """

    @abstractmethod
    def column_type(
        self, attribute: Attribute, structure: TableStructure
    ) -> sa.types.TypeEngine[Any]:
        """Return the type of the column of an attribute of a table."""

    @abstractmethod
    def checks(self, attribute: Attribute) -> sa.ColumnElement[bool] | None:
        """Return what the database must check for an attribute beyond its column type."""

    @abstractmethod
    def default(self, attribute: Attribute) -> sa.ColumnElement[Any] | str | None:
        """Return the column's default; None for none."""

    def column_comment(self, attribute: Attribute, structure: TableStructure) -> str | None:
        """Return the comment that CREATE TABLE gives a column; None where notes are kept elsewhere."""
        return None

    @abstractmethod
    def index_name(self, name: TableName, role: str, number: int, entries: Sequence[str]) -> str:
        """Return the name of an index that is declared (`index`) or of a key (`unique`, `support`)."""

    def check_name(self, name: TableName, attribute: Attribute) -> str:
        """Return the name of a check, which tells the attribute: the database reports it."""
        return ".".join(part for part in (*self.locate(name), attribute.name) if part)

    def given(
        self, structure: TableStructure, name: str, value: sa.ColumnElement[Any]
    ) -> sa.ColumnElement[Any]:
        """Return what an INSERT of one row stores for a value that is given for an attribute."""
        return value

    def create_index(self, index: sa.Index) -> str:
        """Return the statement that creates an index of a new table."""
        return self.compile(sa.schema.CreateIndex(index))

    def before_table(self, structure: TableStructure) -> list[str]:
        """Return the statements that create what the columns of a new table need."""
        return []

    def drop_tables(self, names: Sequence[TableName]) -> list[str]:
        """Return the statements that drop tables, given with children before their parents."""
        place = self.dialect.identifier_preparer.format_table
        return [f"DROP TABLE {place(self.table(name, ()))}" for name in names]

    def after_drop(self, structures: Iterable[TableStructure]) -> list[str]:
        """Return the statements that remove what the columns of tables needed that are gone, if none else does."""
        return []

    def define_alone(self, schema: str, seconds: float) -> list[str]:
        """Return the queries that let one program at a time define tables of a schema.

        A first value of 0 or NULL says that somebody else did so for all these seconds. The end of a
        transaction ends it, or `define_freely`.
        """
        return []

    def define_freely(self, schema: str) -> list[str]:
        """Return the queries that let other programs define tables of a schema again."""
        return []

    @abstractmethod
    def json_value(self, column: sa.ColumnElement[Any], path: JsonPath) -> sa.ColumnElement[Any]:
        """Return what an index over a place inside a JSON attribute holds."""

    def held(
        self, value: sa.ColumnElement[Any], attribute: Attribute, structure: TableStructure
    ) -> sa.ColumnElement[Any]:
        """Return a value in the type of the column that a SELECT puts it into."""
        return value

    # Jobs: the server's clock decides, whatever those of the workers say

    @abstractmethod
    def clock(self, seconds: float = 0) -> sa.ColumnElement[float]:
        """Return the seconds since 1970 at the time `seconds` from now, which no change to summer time moves."""

    @abstractmethod
    def moment(self, seconds: float = 0) -> sa.ColumnElement[Any]:
        """Return the time `seconds` from now, as a `datetime(3)` that defaults to the time holds it."""

    def table_options(self, structure: TableStructure) -> Mapping[str, Any]:
        """Return further arguments of `sqlalchemy.Table`."""
        return {}

    # Changing tables

    @abstractmethod
    def conversion(
        self, column: sa.ColumnElement[Any], old: TypeSpec, new: TypeSpec
    ) -> Conversion | None:
        """Return how the values of a column become those of another type; None where they cannot."""

    @abstractmethod
    def alter(self, fetch: Fetch, changes: Sequence[TableChange]) -> list[Statement]:
        """Return the statements that alter tables and keep their rows.

        Comments and lineage are not among them; see `annotate`.

        Parameters
        ----------
        fetch
            Reads what else belongs to the tables.
        changes
            What is to become of each table, parents before children.
        """

    def has_broken_keys(self, fetch: Fetch, name: TableName) -> bool:
        """Whether a row of a table refers to a parent that is not there, after an alteration."""
        return False

    # Schemas and what is noted about tables

    @abstractmethod
    def create_schema(self, schema: str) -> list[str]:
        """Return the statements that create a schema and its lineage table, if it is not there."""

    @abstractmethod
    def drop_schema(self, schema: str) -> list[Statement]:
        """Return the statements that remove what is left of a schema whose tables are gone."""

    def prepare_notes(self, schema: str) -> list[str]:
        """Return the statements that create what notes and lineage are kept in, where it is missing."""
        return []

    @abstractmethod
    def annotate(self, structure: TableStructure) -> list[Statement]:
        """Return the statements that note comments and types, where CREATE TABLE does not."""

    @abstractmethod
    def unannotate(self, name: TableName) -> list[Statement]:
        """Return the statements that remove such notes."""

    # Reading the catalogue

    def as_kept(self, fetch: Fetch, structure: TableStructure) -> TableStructure:
        """Return a new table with what its schema, not its definition, decides."""
        return structure

    @abstractmethod
    def schemas(self, fetch: Fetch) -> list[str]:
        """Return the names of all schemas."""

    @abstractmethod
    def catalog_version(self, fetch: Fetch) -> object:
        """Return a value that changes with every change of any table; None where there is none."""

    @abstractmethod
    def table_exists(self, fetch: Fetch, name: TableName) -> bool:
        """Whether there is such a table now."""

    def schema_links(self, fetch: Fetch) -> list[tuple[str, str]]:
        """Return each pair of schemas of which the first has a foreign key to the second."""
        tables = self.read_tables(fetch, None)
        return list({(t.name.schema, key.parent.schema) for t in tables for key in t.foreign_keys})

    def codec_schemas(self, fetch: Fetch) -> list[str]:
        """Return the schemas with attributes that have a codec; some others may be among them."""
        return self.schemas(fetch)

    @abstractmethod
    def read_tables(self, fetch: Fetch, schemas: Collection[str] | None) -> list[TableRows]:
        """Return the tables of some or all schemas, with a constant number of statements."""

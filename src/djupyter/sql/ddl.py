"""Tables from structures: CREATE TABLE and what is noted beside it, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import quoted_name

from djupyter.definition.names import TableName
from djupyter.errors import (
    AccessError,
    DataJointError,
    IntegrityError,
    MissingTableError,
    QueryError,
    TooLargeError,
)
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import SINGLETON, ForeignKey, TableStructure
from djupyter.sql import drops, lineage
from djupyter.sql.alone import alone
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.differences.records import Statement
from djupyter.sql.connection import Connection
from djupyter.sql.json_path import parse_json_path
from djupyter.sql.names import check_schema_name

# As many attributes as a message of two lines has room for.
_LONGEST_SHOWN = 5

# Statements


def create_table(structure: TableStructure, backend: Backend) -> list[str]:
    """Return the statements that create a table and its indexes.

    Raises
    ------
    DataJointError
        The backend cannot keep an attribute as declared.

    Examples
    --------
    >>> from djupyter.definition.parser import parse
    >>> from djupyter.heading.structure import SINGLETON, resolve
    >>> from djupyter.sql.backends import BACKENDS
    >>> mouse = resolve(parse("mouse_id : int16"), TableName("lab", "mouse"), lambda key: None)
    >>> print(*create_table(mouse, BACKENDS["sqlite"]), sep=";")
    CREATE TABLE "lab.mouse" (
        "mouse_id" INT NOT NULL,
        PRIMARY KEY ("mouse_id"),
        CONSTRAINT "lab.mouse.mouse_id" CHECK (...)
    )
    """
    table = to_table(structure, backend)
    create = [*backend.before_table(structure), backend.compile(sa.schema.CreateTable(table))]
    if not backend.defines_in_transactions:
        return create
    return [*create, *(backend.create_index(i) for i in _in_order(table))]


def to_table(structure: TableStructure, backend: Backend) -> sa.Table:
    """Return the SQLAlchemy table of a structure, with its constraints and indexes."""
    metadata = sa.MetaData()
    columns = {
        attribute.name: _column(attribute, structure, backend) for attribute in structure.attributes
    }
    schema, table = _quoted(structure.name, backend)
    return sa.Table(
        table,
        metadata,
        *columns.values(),
        sa.PrimaryKeyConstraint(*structure.full_key),
        *_foreign_keys(structure, metadata, backend),
        *_checks(structure, backend),
        *_indexes(structure, columns, backend),
        schema=schema,
        **backend.table_options(structure),
    )


def notes(structure: TableStructure, backend: Backend) -> list[Statement]:
    """Return the statements that replace what is noted beside a table: comments and lineage."""
    return [
        *((sql, ()) for sql in backend.prepare_notes(structure.name.schema)),
        *backend.annotate(structure),
        *lineage.note(structure, backend),
    ]


def forget_notes(name: TableName, backend: Backend) -> list[Statement]:
    """Return the statements that remove what is noted beside a table: comments and lineage."""
    return [
        *((sql, ()) for sql in backend.prepare_notes(name.schema)),
        lineage.clear(name, backend),
        *backend.unannotate(name),
    ]


def _column(attribute: Attribute, structure: TableStructure, backend: Backend) -> sa.Column[Any]:
    return sa.Column(
        quoted_name(attribute.name, True),
        backend.column_type(attribute, structure),
        nullable=attribute.nullable,
        server_default=_default(attribute, structure, backend),
        comment=backend.column_comment(attribute, structure),
    )


def _default(
    attribute: Attribute, structure: TableStructure, backend: Backend
) -> sa.ColumnElement[Any] | str | None:
    default = attribute.default
    if any(attribute.name in key.names for key in structure.foreign_keys):
        if attribute.name == SINGLETON.name:
            # Nobody can give it: where the reference may be NULL, its visible attributes say whether it is.
            return backend.default(SINGLETON)
        if default is None or default.kind == "null":
            return None  # not even the NULL that nullable attributes start with
    return backend.default(attribute)


def _foreign_keys(
    structure: TableStructure, metadata: sa.MetaData, backend: Backend
) -> Iterator[sa.ForeignKeyConstraint]:
    parents: dict[TableName, sa.Table] = {}
    for key in structure.foreign_keys:
        if key.parent not in parents:
            schema, table = _quoted(key.parent, backend)
            columns: list[sa.Column[Any]] = [
                sa.Column(quoted_name(there, True)) for _, there in key.attributes
            ]
            parents[key.parent] = sa.Table(table, metadata, *columns, schema=schema)
        parent = parents[key.parent]
        yield sa.ForeignKeyConstraint(
            key.names,
            [parent.c[there] for _, there in key.attributes],
            onupdate="CASCADE",
            ondelete="RESTRICT",
        )


def _checks(structure: TableStructure, backend: Backend) -> Iterator[sa.CheckConstraint]:
    """Name each check after its attribute: the database reports the name of what fails."""
    for attribute in structure.attributes:
        condition = backend.checks(attribute)
        if condition is not None:
            yield sa.CheckConstraint(condition, name=backend.check_name(structure.name, attribute))


def _indexes(
    structure: TableStructure, columns: dict[str, sa.Column[Any]], backend: Backend
) -> Iterator[sa.Index]:
    def named(role: str, number: int, entries: Sequence[str], *, unique: bool) -> sa.Index:
        name = backend.index_name(structure.name, role, number, entries)
        held = [_entry(entry, columns, backend) for entry in entries]
        is_declared = role == "index"
        place = (not is_declared, number)
        info = {"entries": tuple(entries), "declared": is_declared, "place": place}
        return sa.Index(quoted_name(name, True), *held, unique=unique, info=info)

    for number, index in enumerate(structure.indexes, 1):
        yield named("index", number, index.attributes, unique=index.unique)
    supported = _supported(structure)
    for number, key in enumerate(structure.foreign_keys, 1):
        if key.unique:
            yield named("unique", number, key.names, unique=True)
        elif key in supported:
            yield named("support", number, key.names, unique=False)


def _entry(entry: str, columns: dict[str, sa.Column[Any]], backend: Backend) -> Any:
    if entry in columns:
        return columns[entry]
    path = parse_json_path(entry)
    if path is not None and path.attribute in columns:
        return backend.json_value(columns[path.attribute], path)
    return sa.literal_column(f"({entry})")


def _supported(structure: TableStructure) -> list[ForeignKey]:
    """Return the foreign keys that need an index of their own, so that a parent finds its rows."""
    prefixes = [structure.full_key, *(index.attributes for index in structure.indexes)]
    prefixes += [key.names for key in structure.foreign_keys if key.unique]
    needed: list[ForeignKey] = []
    for key in sorted(structure.foreign_keys, key=lambda key: -len(key.names)):
        if not any(prefix[: len(key.names)] == key.names for prefix in prefixes):
            prefixes.append(key.names)
            needed.append(key)
    return needed


def _in_order(table: sa.Table) -> list[sa.Index]:
    """Return the indexes as they were declared, then those of foreign keys."""
    return sorted(table.indexes, key=lambda index: index.info["place"])


def _quoted(name: TableName, backend: Backend) -> tuple[str | None, str]:
    schema, table = backend.locate(name)
    return (None if schema is None else quoted_name(schema, True)), quoted_name(table, True)


# Effects


def create_schema(connection: Connection, schema: str) -> None:
    """Create a schema with its lineage table; nothing happens when it is there.

    Raises
    ------
    DataJointError
        The name cannot name a schema, or a transaction is open, which some databases would commit.
    """
    check_schema_name(schema)
    refuse_in_transaction(connection, f"The schema `{schema}` cannot be created")
    connection.connect()  # only the server tells how it writes what follows
    connection.ddl(connection.backend.create_schema(schema))


def declare(connection: Connection, structure: TableStructure) -> bool:
    """Create a table, with its notes and lineage, and return whether it was not there before.

    Raises
    ------
    DataJointError
        A transaction is open, the schema does not exist, or the backend cannot keep an attribute as
        declared.
    """
    connection.connect()  # only the server tells how it writes what follows
    name, backend, catalog = structure.name, connection.backend, connection.catalog
    refuse_in_transaction(connection, f"{name} cannot be declared")
    statements = create_table(structure, backend)
    catalog.structures(name.schema)
    with connection.defining, connection.as_one(), alone(connection, {name.schema}):
        before = catalog.version()
        if backend.table_exists(connection.fetch, name):
            return False
        _check_parents(connection, structure)
        try:
            _create(connection, structure, statements)
        except QueryError:
            # Another program may have declared it since, where no transaction keeps others out.
            if backend.defines_in_transactions or not backend.table_exists(connection.fetch, name):
                raise
            return False
        after = catalog.version()
    catalog.remember(backend.as_kept(connection.fetch, structure), before, after)
    return True


def _create(connection: Connection, structure: TableStructure, statements: Sequence[str]) -> None:
    """Create a table and its notes.

    Where no transaction undoes an error in between, the table stays: another program may have found it, and
    filled it, already. What its notes would say is known without them.
    """
    name, backend = structure.name, connection.backend
    try:
        for sql in statements:
            connection.execute(sql)
    except TooLargeError as error:
        raise _too_wide(error, structure) from error
    except AccessError as error:
        raise _not_allowed(error, name) from error
    for sql, params in notes(structure, backend):
        connection.execute(sql, params)


def _too_wide(error: TooLargeError, structure: TableStructure) -> TooLargeError:
    """Return the error with the attributes that matter, the longest ones."""
    attributes = structure.attributes
    if error.in_index:
        held = {*structure.full_key, *(n for index in structure.indexes for n in index.attributes)}
        attributes = tuple(attribute for attribute in attributes if attribute.name in held)
    longest = sorted(attributes, key=lambda attribute: -_length(attribute))[:_LONGEST_SHOWN]
    shown = ", ".join(f"`{a.name}` : {a.type_text}" for a in longest if _length(a))
    named = f" The longest: {shown}." if shown else ""
    where = "its key and indexes" if error.in_index else "it"
    return TooLargeError(
        f"{structure.name} cannot be declared.",
        error.args[0],
        f"Attributes in {where}: {len(attributes):,}.{named}",
        error.args[-1],
    )


def _not_allowed(error: AccessError, name: TableName) -> AccessError:
    # A file has no privileges, and says itself what to do.
    advice = " Check that you have CREATE privilege on the schema." if len(error.args) > 1 else ""
    return AccessError(*error.args[:-1], f"Cannot declare table {name}.{advice} {error.args[-1]}")


def _length(attribute: Attribute) -> int:
    """Return how many characters are declared."""
    type = attribute.type
    if type is None or type.name not in ("char", "varchar", "binary", "varbinary"):
        return 0
    return int(type.arguments[0]) if type.arguments else 0


def _check_parents(connection: Connection, structure: TableStructure) -> None:
    """Refuse what another process may have made of the parents: SQLite lets a key refer to nothing."""
    for key in structure.foreign_keys:
        if key.parent != structure.name and not connection.backend.table_exists(
            connection.fetch, key.parent
        ):
            raise MissingTableError(
                f"{structure.name} cannot be declared: the table {key.parent}, which it refers to, "
                "does not exist any more. Declare that one first."
            )


def drop(connection: Connection, *names: TableName) -> None:
    """Drop tables, children before parents, all or none.

    Raises
    ------
    DataJointError
        A transaction is open, or another table refers to one of them.
    """
    refuse_in_transaction(connection, "Tables cannot be dropped")
    # What is dropped is read under the lock: another process may declare a table meanwhile.
    with connection.defining, alone(connection, {name.schema for name in names}):
        _carry_out(connection, drops.planned(connection, names), names)


def drop_schema(connection: Connection, schema: str) -> None:
    """Drop a schema and all its tables, all or none.

    Raises
    ------
    DataJointError
        A transaction is open, there is no such schema, or a table of another schema refers to one
        of its tables.
    """
    refuse_in_transaction(connection, f"The schema `{schema}` cannot be dropped")
    with connection.defining, alone(connection, {schema}):
        names = [structure.name for structure in connection.catalog.structures(schema).values()]
        tables = drops.planned(connection, names)
        _carry_out(connection, [*tables, *connection.backend.drop_schema(schema)], names)


def _carry_out(
    connection: Connection, statements: Sequence[Statement], names: Sequence[TableName]
) -> None:
    try:
        connection.ddl(statements)
    except IntegrityError as error:
        connection.catalog.forget()
        raise drops.held(connection, names) from error


def refuse_in_transaction(connection: Connection, what: str) -> None:
    """Refuse what databases cannot do as part of a transaction.

    Parameters
    ----------
    connection
        Where.
    what
        The beginning of the message, as in `It cannot be declared`.

    Raises
    ------
    DataJointError
        A transaction is open.
    """
    if connection.in_transaction:
        raise DataJointError(
            f"{what} inside a transaction. Leave the transaction first; "
            "in populate, declare the tables before it starts."
        )

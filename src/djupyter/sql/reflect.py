"""What tables there are, read from the database a whole schema at a time and remembered."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Set
from types import MappingProxyType
from typing import ClassVar

from djupyter.definition.model import TypeSpec
from djupyter.definition.names import TableName
from djupyter.definition.types import parse_type
from djupyter.definition.writer import read_marker
from djupyter.errors import DataJointError, DefinitionError, MissingTableError, nearest
from djupyter.heading.attribute import Attribute
from djupyter.heading.inheritance import completed
from djupyter.heading.structure import ForeignKey, Index, TableStructure
from djupyter.sql.backends.base import Backend
from djupyter.sql.backends.differences.records import AttributeRow, Fetch, TableRows

_ATTEMPTS = 5  # to read a catalogue that others change meanwhile
# How long a count of changes is not asked for again, in seconds: less than it takes others to change a table after
# they were told to, and many small queries.
_COUNT_HOLDS = 0.002
_REST = 20  # how many times as long as it took to read a schema it is trusted
Schemas = Mapping[str, Mapping[str, TableStructure]]
Children = Mapping[TableName, tuple[tuple[TableName, ForeignKey], ...]]


class Catalog:
    """The structures of all tables that a connection can see.

    Nothing is ever changed in place: each change makes new mappings, so that threads may read while
    others load.

    Parameters
    ----------
    backend
        Tells what reads the database's catalogue.
    fetch
        Runs a statement.

    Attributes
    ----------
    trusted_for
        How many seconds a schema is known without looking again, on databases that do not count changes of
        tables; longer where reading takes long, so that it never takes more than a twentieth of the time.
        What is not known is always looked for.
    """

    trusted_for: ClassVar[float] = 2.0
    # Another one after anything in this process that may have changed tables, on whatever connection.
    _state: ClassVar[object] = object()

    def __init__(self, backend: Callable[[], Backend], fetch: Fetch) -> None:
        self._backend, self._fetch = backend, fetch
        self._loaded: Schemas = {}
        self._until: Mapping[str, float] = {}
        self._is_complete = False
        self._children: Children | None = None
        self._version: object = None
        self._counted: tuple[float, object, object] = (0.0, None, None)

    def schemas(self) -> list[str]:
        """Return the names of all schemas, sorted."""
        return sorted(self._backend().schemas(self._fetch))

    def exists(self, schema: str) -> bool:
        """Whether there is a schema of this name."""
        return schema in self.schemas()

    def structures(self, schema: str) -> Mapping[str, TableStructure]:
        """Return all tables of a schema by the names the database uses, jobs tables included.

        The first call loads the whole schema with a constant number of statements.

        Raises
        ------
        DataJointError
            There is no such schema.
        """
        if schema not in self._loaded or self._has_changed(schema):
            self._load([schema])
        if schema not in self._loaded:
            known = self.schemas()
            advice = nearest(schema, known) or "Create it with `dj.Schema`."
            raise DataJointError(f"The schema `{schema}` does not exist. {advice}")
        return self._loaded[schema]

    def current(self, schema: str) -> Mapping[str, TableStructure]:
        """Return all tables of a schema as they are at this moment, whatever was read a moment ago.

        Raises
        ------
        DataJointError
            There is no such schema.
        """
        if self.version() is None:
            self.forget(schema)
        return self.structures(schema)

    def structure(self, name: TableName) -> TableStructure | None:
        """Return a table; None when there is none, also after a second look at the database."""
        known = self._loaded.get(name.schema, {}).get(name.table)
        # Another process may have altered it: an attribute that it lacks here would restrict nothing.
        if known is not None and not self._has_changed(name.schema):
            return known
        version = self._count()
        if version is None:
            if known is None and not self._backend().table_exists(self._fetch, name):
                return None
            self._load([name.schema])
        elif version != self._version:
            self.forget()
        if name.schema not in self._loaded:
            self._load([name.schema])
        return self._loaded.get(name.schema, {}).get(name.table)

    def remembered(self, name: TableName) -> TableStructure | None:
        """Return a table if it is known already, without asking the database."""
        return self._loaded.get(name.schema, {}).get(name.table)

    def known(self) -> Schemas:
        """Return the tables that are known, by their schemas, without asking the database."""
        return self._loaded

    def load_all(self) -> Schemas:
        """Return the tables of all schemas as they are now, in a constant number of statements."""
        if not self._is_complete or self._is_stale():
            self._load(None)
        return self._loaded

    def connected(self, *schemas: str) -> Schemas:
        """Return the tables of some schemas as they are now, with all that they depend on or that depends on them.

        What a deletion, a drop or a new foreign key concerns: a server may have many other schemas. One statement
        tells which refer to which, and a constant number reads those.
        """
        if self.version() is not None:
            return self.load_all()
        links = self._backend().schema_links(self._fetch)
        below = _closure(schemas, [(parent, child) for child, parent in links])
        return self._only(below | _closure(schemas, links))

    def related(self, *schemas: str) -> Schemas:
        """Return the tables of some schemas as they are now, with all that foreign keys join them to, either way.

        What a diagram shows and can be extended by: also siblings of what `connected` returns.
        """
        if self.version() is not None:
            return self.load_all()
        links = self._backend().schema_links(self._fetch)
        both_ways = [*links, *((parent, child) for child, parent in links)]
        return self._only(_closure(schemas, both_ways))

    def with_codecs(self) -> Schemas:
        """Return the tables of all schemas that have attributes with a codec, as they are now."""
        if self.version() is not None:
            return self.load_all()
        return self._only(set(self._backend().codec_schemas(self._fetch)))

    def _only(self, schemas: Set[str]) -> Schemas:
        self._load(schemas, exist=True)
        return {name: tables for name, tables in self._loaded.items() if name in schemas}

    def children(self, name: TableName) -> list[tuple[TableName, ForeignKey]]:
        """Return the tables that refer to a table, of all schemas, once for each foreign key."""
        if self.version() is None:
            return list(_children(self.connected(name.schema)).get(name, ()))
        loaded = self.load_all()
        children = self._children
        if children is None:
            children = self._children = _children(loaded)
        return list(children.get(name, ()))

    def forget(self, schema: str | None = None) -> None:
        """Read a schema, or all, anew when asked next."""
        self.look_again()
        self._is_complete, self._children = False, None
        self._loaded = (
            {}
            if schema is None
            else {name: t for name, t in self._loaded.items() if name != schema}
        )

    def version(self) -> object:
        """Return the database's own count of changes to tables; None where it has none."""
        return self._backend().catalog_version(self._fetch)

    @classmethod
    def look_again(cls) -> None:
        """Note that this process may have changed tables: no count of changes holds any more."""
        Catalog._state = object()

    @classmethod
    def state(cls) -> object:
        """Return what is another object once this process may have changed tables."""
        return Catalog._state

    def remember(self, structure: TableStructure, before: object, after: object) -> None:
        """Add a table that was just declared, unless someone else changed tables meanwhile.

        Parameters
        ----------
        structure
            The new table.
        before, after
            `version` before and after the declaration.
        """
        self.look_again()
        if before != self._version:
            self.forget()
            return
        schema, table = structure.name.schema, structure.name.table
        self._children = None
        if schema in self._loaded:
            self._loaded = {
                **self._loaded,
                schema: _sealed({**self._loaded[schema], table: structure}),
            }
        self._version = after

    def _is_stale(self) -> bool:
        version = self.version()
        return version is None or version != self._version

    def _has_changed(self, schema: str) -> bool:
        """Whether the database says that tables changed; one that does not count may have after some time."""
        version = self._count()
        if version is None:
            return time.monotonic() > self._until.get(schema, 0.0)
        return version != self._version

    def _count(self) -> object:
        """Return `version` as it was a moment ago, unless this process did anything to tables since."""
        until, state, version = self._counted
        if state is not Catalog._state or time.monotonic() > until:
            # What is changed while it is asked for is not overlooked: the state is taken first.
            state, version = Catalog._state, self.version()
            until = time.monotonic() + min(_COUNT_HOLDS, self.trusted_for)
            self._counted = (until, state, version)
        return version

    def _load(self, schemas: Collection[str] | None, *, exist: bool = False) -> None:
        # The version is read first: a change in between is then noticed as one after the loading.
        start, version = time.monotonic(), self.version()
        existing = schemas if exist and schemas else self._backend().schemas(self._fetch)
        tables: dict[str, dict[str, TableStructure]] = {
            schema: {} for schema in existing if schemas is None or schema in schemas
        }
        kept = self._loaded if schemas is not None and version == self._version else {}
        for structure in self._read(schemas, kept):
            tables.setdefault(structure.name.schema, {})[structure.name.table] = structure
        self._loaded = {**kept, **{schema: _sealed(found) for schema, found in tables.items()}}
        self._is_complete = schemas is None or (self._is_complete and bool(kept))
        self._children = None
        self._version = version
        now = time.monotonic()
        until = now + max(self.trusted_for, _REST * (now - start))
        self._until = {**self._until, **dict.fromkeys(tables, until)}

    def _read(self, schemas: Collection[str] | None, kept: Schemas) -> list[TableStructure]:
        """Return the tables of some schemas, and of those they refer to where that tells more of them."""
        found: dict[TableName, TableStructure] = {}
        untyped: dict[TableName, set[str]] = {}
        asked, wanted = set(kept), schemas
        while wanted is None or wanted:
            for rows in self._rows(wanted):
                found[rows.name] = assembled(rows)
                untyped[rows.name] = {row.name for row in rows.attributes if not _is_typed(row)}
            asked.update(wanted or {name.schema for name in found})
            wanted = () if wanted is None else _schemas_that_tell_more(found, untyped) - asked
        known = {each.name: each for tables in kept.values() for each in tables.values()}
        whole = completed({**known, **found}, untyped)
        return [whole[name] for name in found]

    def _rows(self, schemas: Collection[str] | None) -> list[TableRows]:
        for _ in range(_ATTEMPTS):
            try:
                return self._backend().read_tables(self._fetch, schemas)
            except MissingTableError:  # somebody has dropped a schema since it was listed
                continue
        return self._backend().read_tables(self._fetch, schemas)


def assembled(rows: TableRows) -> TableStructure:
    """Return the structure that catalogue rows describe."""
    return TableStructure(
        rows.name,
        rows.comment,
        tuple(_attribute(row, rows.lineage.get(row.name)) for row in rows.attributes),
        tuple(rows.foreign_keys),
        tuple(Index(entries, unique) for entries, unique in rows.indexes),
    )


def _attribute(row: AttributeRow, lineage: str | None) -> Attribute:
    declared, comment = read_marker(row.comment)
    return Attribute(
        row.name,
        declared or _native(row.native),
        row.in_key,
        row.nullable,
        row.default,
        comment,
        lineage,
        row.collation,
        row.digits,
    )


def _is_typed(row: AttributeRow) -> bool:
    return read_marker(row.comment)[0] is not None


def _schemas_that_tell_more(
    found: Mapping[TableName, TableStructure], untyped: Mapping[TableName, Collection[str]]
) -> set[str]:
    """Return the schemas that tables refer to by attributes of which not all is noted."""
    return {
        key.parent.schema
        for name, structure in found.items()
        for key in structure.foreign_keys
        if any(n in untyped[name] or not structure.by_name[n].lineage for n in key.names)
    }


def _closure(starts: Collection[str], links: Collection[tuple[str, str]]) -> set[str]:
    """Return what can be reached over links, the starts included."""
    reached, waiting = set(starts), list(starts)
    while waiting:
        here = waiting.pop()
        new = {there for start, there in links if start == here} - reached
        reached |= new
        waiting += new
    return reached


def _native(text: str) -> TypeSpec:
    try:
        return parse_type(text)
    except DefinitionError:  # a type of another tool: shown as it is
        return TypeSpec(text, "native", text)


def _sealed(tables: Mapping[str, TableStructure]) -> Mapping[str, TableStructure]:
    return MappingProxyType(dict(tables))


def _children(schemas: Schemas) -> Children:
    children: dict[TableName, list[tuple[TableName, ForeignKey]]] = defaultdict(list)
    for tables in schemas.values():
        for structure in tables.values():
            for key in structure.foreign_keys:
                children[key.parent].append((structure.name, key))
    return {parent: tuple(found) for parent, found in children.items()}

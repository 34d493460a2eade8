"""What the rows of a database refer to in stores: of every table that the user may see, imported or not.

It fails closed. A table, an attribute or a document that cannot be read is a problem with a name, never a row
without objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from djupyter.codecs.base import Codec
from djupyter.codecs.chain import Chain, chain_of
from djupyter.definition.names import TableName
from djupyter.errors import (
    AccessError,
    DataJointError,
    MissingTableError,
    UnknownAttributeError,
    UnreadableReferenceError,
)
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.query import statement
from djupyter.query.source import Source
from djupyter.sql.connection import Connection

Reference = tuple[str, str | None]  # path; store, None for the default one, ANY where nobody knows
ANY = "*"  # no name of a store
_ROWS = 5_000
_ATTEMPTS = 5  # to read a catalogue that others change meanwhile


@dataclass(frozen=True, slots=True)
class ObjectAttribute:
    """An attribute whose values refer to objects, or may.

    Parameters
    ----------
    structure
        The table.
    attribute
        The attribute.
    chain
        Its codecs; None where they cannot be had here.
    """

    structure: TableStructure
    attribute: Attribute
    chain: Chain | None

    @property
    def place(self) -> str:
        """The attribute, as messages call it."""
        return f"the attribute `{self.attribute.name}` of {self.structure.name}"

    @property
    def is_of_user(self) -> bool:
        """Whether the objects are files of the user's own, which are never moved or removed."""
        return self.chain is not None and self.chain.codecs[-1].name == "filepath"

    def references(self, column: Sequence[Any]) -> list[Reference]:
        """Return all that the values of a column keep from being collected.

        Raises
        ------
        UnreadableReferenceError
            Nobody can tell.
        """
        values = [value for value in column if value is not None]
        documents = self._documents(values)
        if self.chain is None:
            return [found for document in documents for found in self._guessed(document)]
        found = list(self._kept(documents, self.chain.codecs[-1]))
        if self.is_of_user:
            # The default store of such files is another one; which of the two an old row means, nobody knows.
            return [(path, store or ANY) for path, store in found]
        return found

    def _kept(self, documents: Iterable[Any], codec: Codec) -> Iterator[Reference]:
        asks = type(codec).referenced_paths is not Codec.referenced_paths
        must_refer = _must_refer(codec)
        for document in documents:
            found = _plain(document)
            if asks:
                found += self._asked(document)
            if must_refer and not found:
                raise self._unreadable("a document has no path")
            yield from found

    def _documents(self, values: list[Any]) -> list[Any]:
        if all(type(value) is str for value in values):
            # One call for all; what is wrong is found out one by one.
            with suppress(ValueError):
                documents: list[Any] = json.loads(f"[{','.join(values)}]")
                if len(documents) == len(values):
                    return documents
        return [self.document(value) for value in values]

    def owned(self, document: Any) -> list[Reference]:
        """Return the objects that belong to a row with this document, as its codec says."""
        if self.chain is None:
            return _plain(document)
        return self._asked(document)

    def document(self, stored: Any) -> Any:
        """Return the document that a column holds.

        Raises
        ------
        UnreadableReferenceError
            It is not JSON.
        """
        if not isinstance(stored, str):
            return stored
        try:
            return json.loads(stored)
        except ValueError as error:
            raise self._unreadable(f"a document is not JSON ({error})") from error

    def _asked(self, document: Any) -> list[Reference]:
        assert self.chain is not None
        try:
            return [
                (str(path), store or None) for path, store in self.chain.referenced_paths(document)
            ]
        except Exception as error:  # a codec may be someone else's code
            raise self._unreadable(f"its codec fails: {type(error).__name__}: {error}") from error

    def _guessed(self, document: Any) -> list[Reference]:
        """Return every text in a document whose codec nobody knows here: one of them is the path."""
        found = [*_plain(document), *((text, ANY) for text in _texts(document))]
        if not found:
            kind = self.attribute.type_text
            raise self._unreadable(f"its codec {kind} is not available, and a document has no path")
        return found

    def _unreadable(self, reason: str) -> UnreadableReferenceError:
        return UnreadableReferenceError(f"{self.place} cannot be read: {reason}.")


def object_attributes(
    connection: Connection, structures: Iterable[TableStructure]
) -> Iterator[ObjectAttribute]:
    """Yield the attributes of tables whose values may refer to objects."""
    for structure in structures:
        for attribute in structure.attributes:
            if attribute.is_codec and (found := _judged(connection, structure, attribute)):
                yield found


def _judged(
    connection: Connection, structure: TableStructure, attribute: Attribute
) -> ObjectAttribute | None:
    assert attribute.type is not None, "a codec attribute has a type"
    try:
        chain = chain_of(attribute.type)
    except (
        Exception
    ):  # no such codec, a package that it needs is missing, or someone else's code is broken
        unknown = ObjectAttribute(structure, attribute, None)
        return None if not attribute.type.in_store and _is_binary(connection, unknown) else unknown
    last = chain.codecs[-1]
    asks = type(last).referenced_paths is not Codec.referenced_paths
    is_document = attribute.type.in_store or chain.column.name == "json"
    return ObjectAttribute(structure, attribute, chain) if is_document or asks else None


def _is_binary(connection: Connection, each: ObjectAttribute) -> bool:
    """Whether a column holds bytes, which are the value itself rather than the address of an object."""
    for rows in rows_of(connection, each.structure, [each.attribute.name]):
        for (value,) in rows:
            if value is not None:
                return not isinstance(value, str)
    return True


def rows_of(
    connection: Connection, structure: TableStructure, names: Sequence[str]
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield attributes of all rows of a table as the driver gives them, in batches."""
    node = Source(structure)
    prepared = statement.rows(node, connection.backend, names)
    parameters = prepared.parameters(node.values, connection.backend.adapt)
    yield from connection.stream(prepared.text, parameters, _ROWS)


def read_references(
    connection: Connection,
    schemas: Iterable[str],
    take: Callable[[Iterable[Reference]], object],
    note: Callable[[int], object] = lambda _: None,
) -> list[str]:
    """Hand over what all rows of the database refer to; return what could not be read.

    Parameters
    ----------
    connection
        The database.
    schemas
        Those of which every table must be readable, also tables that the database hides from this user.
    take
        Gets references as they are read, several at a time; some may come more than once.
    note
        Hears how many rows were read.
    """
    problems = [p for schema in schemas for p in _hidden(connection, schema)]
    for attempt in range(_ATTEMPTS):
        try:
            return [*problems, *_read_all(connection, take, note)]
        except (MissingTableError, UnknownAttributeError):  # somebody alters tables meanwhile
            connection.catalog.forget()
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _read_all(
    connection: Connection,
    take: Callable[[Iterable[Reference]], object],
    note: Callable[[int], object],
) -> list[str]:
    problems: list[str] = []
    connection.catalog.forget()
    loaded = connection.catalog.with_codecs()
    structures = [structure for tables in loaded.values() for structure in tables.values()]
    for structure in structures:
        try:
            attributes = list(object_attributes(connection, [structure]))
            if attributes:
                _read_table(connection, attributes, take, note)
        except (MissingTableError, UnknownAttributeError):
            raise
        except DataJointError as error:
            where = (
                ""
                if isinstance(error, UnreadableReferenceError)
                else f"the table {structure.name} cannot be read: "
            )
            problems.append(f"{where}{error}")
    return problems


def _read_table(
    connection: Connection,
    attributes: Sequence[ObjectAttribute],
    take: Callable[[Iterable[Reference]], object],
    note: Callable[[int], object],
) -> None:
    structure = attributes[0].structure
    for rows in rows_of(connection, structure, [each.attribute.name for each in attributes]):
        for each, column in zip(attributes, zip(*rows, strict=True), strict=True):
            take(each.references(column))
        note(len(rows))


def _hidden(connection: Connection, schema: str) -> Iterator[str]:
    """Yield why tables of a schema may be hidden from this user.

    MySQL does not list tables on which a user has no rights. For a table that is not there it says so only to those
    who may read all tables of the schema.
    """
    probe = TableStructure(TableName(schema, f"no_table_{uuid4().hex[:12]}"), "", ())
    backend = connection.backend
    place = backend.dialect.identifier_preparer.format_table(backend.table(probe.name))
    try:
        connection.fetch(f"SELECT 1 FROM {place}")
    except MissingTableError:
        return
    except AccessError as error:
        yield (
            f"the schema `{schema}` may have tables that are hidden from you: {error} "
            "Let somebody collect who may read all of its tables."
        )


def _must_refer(codec: Codec) -> bool:
    """Whether every document of a codec has a path: of ours; others may keep small values in the row."""
    return type(codec).__module__.startswith("djupyter.codecs.")


def _plain(document: Any) -> list[Reference]:
    if not isinstance(document, dict) or not isinstance(path := document.get("path"), str):
        return []
    store = document.get("store")
    return [(path, store if isinstance(store, str) and store else None)]


def _texts(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict | list):
        for value in document.values() if isinstance(document, dict) else document:
            yield from _texts(value)

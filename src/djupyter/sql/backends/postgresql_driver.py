"""How psycopg reads and sends values, and what each new connection is told."""

from __future__ import annotations

import struct
from binascii import unhexlify
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.pq import Format
from psycopg.types.numeric import FloatLoader, Int8BinaryDumper, Int8Dumper
from psycopg.types.string import TextBinaryLoader, TextLoader

# Follows each attribute of bytes that a statement returns. As text they would take twice their size, in two buffers of
# the driver's library, and three times as long.
READS_BYTES = "/* bytes */"
# What is the same value in binary form as in text.
_BINARY = frozenset(
    psycopg.adapters.types[name].oid
    for name in (
        *("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "uuid", "bytea", "json"),
        *("jsonb", "text", "varchar", "bpchar", "date", "time", "timestamp", "timestamptz"),
    )
)
_MOST_VALUES = 65535  # of one statement
_SINGLE = struct.Struct("f")
_SETTINGS = """SELECT set_config('standard_conforming_strings', 'on', false),
    set_config('DateStyle', 'ISO', false), set_config('bytea_output', 'hex', false),
    set_config('lock_timeout', %s, false),
    d.datcollate NOT IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8') OR to_jsonb(d) ->> 'datlocprovider' = 'i',
    CASE WHEN d.datctype IN ('C', 'POSIX') AND coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c' THEN (
        SELECT c.collname FROM pg_catalog.pg_collation AS c
        JOIN unnest(ARRAY['C.utf8', 'C.UTF-8', 'und-x-icu']) WITH ORDINALITY AS f(name, place)
        ON f.name = c.collname WHERE c.collnamespace = 'pg_catalog'::regnamespace
        AND c.collencoding IN (-1, d.encoding) ORDER BY f.place LIMIT 1) END
    FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()"""


class _Unpadded(TextLoader):
    """Text without the blanks that fill `char(n)`."""

    def load(self, data: Any) -> Any:
        """Return the text."""
        text: str = super().load(data)  # type: ignore[assignment]
        return text.rstrip(" ")


class _Single(FloatLoader):
    """A number of 32 bits, exactly: the server writes the shortest text that tells it from its neighbours."""

    def load(self, data: Any) -> float:
        """Return the number."""
        (number,) = _SINGLE.unpack(_SINGLE.pack(super().load(data)))
        return float(number)


class _UnpaddedBinary(TextBinaryLoader):
    """The same of its binary form."""

    def load(self, data: Any) -> Any:
        """Return the text."""
        text: str = super().load(data)  # type: ignore[assignment]
        return text.rstrip(" ")


class _JsonbBinary(TextBinaryLoader):
    """A document as text, of its binary form: that, after a byte for the version."""

    def load(self, data: Any) -> Any:
        """Return the text."""
        return super().load(bytes(data)[1:])


class _Bytes(Loader):
    """Bytes of their text, decoded in one step."""

    def load(self, data: Any) -> bytes:
        """Return the bytes."""
        return unhexlify(memoryview(data)[2:])


class _AsTheyAre(Dumper):
    """Bytes, which the driver's own class copies once more."""

    format = Format.BINARY
    oid = psycopg.adapters.types["bytea"].oid

    def dump(self, obj: Any) -> Any:
        """Return the bytes."""
        return obj

    def quote(self, obj: Any) -> Any:
        """Return the literal."""
        return b"'\\x" + obj.hex().encode() + b"'"


# Statements that must be read as text, for each connection.
_as_text: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class _Cursor(psycopg.Cursor[Any]):
    """A cursor that may be given more values than the server takes beside a statement, and reads bytes as such."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> _Cursor:
        """Carry out a statement; too many values are written into it by the driver."""
        if params is not None and len(params) > _MOST_VALUES:
            return super().execute(psycopg.ClientCursor(self.connection).mogrify(query, params))
        if type(query) is str and READS_BYTES in query and query.startswith("SELECT"):
            return self._read(query, params, **options)
        return super().execute(query, params, **options)

    def _read(self, query: str, params: Any, **options: Any) -> _Cursor:
        known = _as_text.setdefault(self.connection, set())
        if query in known:
            return super().execute(query, params, **options)
        super().execute(query, params, binary=True, **options)
        result = self.pgresult
        if result is None or _BINARY.issuperset(map(result.ftype, range(result.nfields))):
            return self
        # Of an enum, for one, whose type has another number in each database: asked again, and from then on, as text.
        known.add(query)
        return super().execute(query, params, binary=False, **options)


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    # As `smallint`, 300 * 300 would be out of range.
    for dumper in (Int8Dumper, Int8BinaryDumper):
        adapters.register_dumper(int, dumper)
    adapters.register_dumper(bytes, _AsTheyAre)
    adapters.register_loader("bytea", _Bytes)
    adapters.register_loader("bpchar", _Unpadded)
    adapters.register_loader("bpchar", _UnpaddedBinary)
    adapters.register_loader("float4", _Single)
    for name in ("json", "jsonb"):
        adapters.register_loader(name, TextLoader)
    adapters.register_loader("json", TextBinaryLoader)
    adapters.register_loader("jsonb", _JsonbBinary)
    return adapters


ADAPTERS = _adapters()


# Whether the database of a connection orders texts otherwise than by their code points; and what collation knows
# upper and lower case of all letters, where the database itself does not.
_locales: WeakKeyDictionary[Any, tuple[bool, str | None]] = WeakKeyDictionary()


def prepare(raw: Any, timeout: float) -> None:
    """Set up a new connection, and learn the locale of its database."""
    raw.cursor_factory = _Cursor
    settings = raw.execute(_SETTINGS, (f"{max(round(timeout * 1000), 1)}ms",))
    *_, collates, folding = settings.fetchone()
    _locales[raw] = collates, folding


def locale(raw: Any) -> tuple[bool, str | None]:
    """Return whether texts have an order of their own, and the collation that knows all letters where one is needed."""
    return _locales[raw]

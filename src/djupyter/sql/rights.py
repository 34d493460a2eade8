"""Which privilege a statement needs, read from its words: servers tell only that one is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r'(?:`(?:[^`]|``)+`|"(?:[^"]|"")+"|[\w$~#]+)'
_NEEDS = re.compile(
    rf"""\s*(?:
      (?P<write>INSERT(?:\s+IGNORE)?\s+INTO|REPLACE\s+INTO|UPDATE|DELETE\s+(?:(?!FROM\b){_NAME}(?:\.{_NAME})?\s+)?FROM)\s+(?:ONLY\s+)?(?P<target>{_NAME}(?:\.{_NAME})?)
    | CREATE\s+(?P<make>DATABASE|SCHEMA)\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<schema>{_NAME})
    | DROP\s+(?P<unmake>DATABASE|SCHEMA)\s+(?:IF\s+EXISTS\s+)?(?P<dropped>{_NAME})
    | (?P<define>CREATE|ALTER|DROP|TRUNCATE)\s+(?:UNIQUE\s+)?(?P<kind>TABLE|TYPE|INDEX|VIEW)\b
      (?:\s+IF\s+(?:NOT\s+)?EXISTS)?\s+(?P<defined>{_NAME}(?:\.{_NAME})?)(?:\s+ON\s+(?P<indexed>{_NAME}(?:\.{_NAME})?))?
    | COMMENT\s+ON\s+\w+\s+(?P<noted>{_NAME}(?:\.{_NAME})?)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_SOURCES = re.compile(
    rf"\b(?:FROM|JOIN|(?P<refers>REFERENCES))\s+(?P<source>{_NAME}(?:\.{_NAME})?)", re.IGNORECASE
)
_UPSERT = re.compile(r"\bON\s+DUPLICATE\s+KEY\s+UPDATE\b|\bDO\s+UPDATE\b", re.IGNORECASE)
# The account in the words of MySQL, which may be called like a table.
_ACCOUNT = re.compile(r"'[^']*'@'[^']*'")


@dataclass(frozen=True, slots=True)
class Need:
    """What a statement needs.

    Parameters
    ----------
    verb
        `SELECT`, `INSERT`, `UPDATE`, `DELETE`, `INSERT, UPDATE`, `REFERENCES`, `CREATE`, `ALTER`, `DROP`,
        or `CREATE SCHEMA`.
    schema, table
        On what, as far as the statement says; without quotes.
    """

    verb: str
    schema: str | None = None
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Right:
    """A privilege that is missing.

    Parameters
    ----------
    verb
        What may not be done.
    place
        The table or schema, in words.
    grant
        The statement that an administrator runs to allow it.
    """

    verb: str
    place: str
    grant: str


def needed(sql: str, detail: str = "") -> Need:
    """Return the privilege that a statement lacks.

    Parameters
    ----------
    sql
        The statement.
    detail
        What the server says, in any language: the table that it names is the one, of several that are read.

    Examples
    --------
    >>> needed("INSERT INTO `lab`.`mouse` (`id`) VALUES (%s)")
    Need(verb='INSERT', schema='lab', table='mouse')
    >>> needed('CREATE TABLE "lab"."mouse" (id INT)')
    Need(verb='CREATE', schema='lab', table='mouse')
    >>> needed("CREATE DATABASE IF NOT EXISTS `lab`")
    Need(verb='CREATE SCHEMA', schema='lab', table=None)
    >>> needed("SELECT 1 FROM lab.mouse JOIN lab.scan", "permission denied for table scan")
    Need(verb='SELECT', schema='lab', table='scan')
    """
    reads = [
        Need("REFERENCES" if match["refers"] else "SELECT", *_parts(match["source"]))
        for match in _SOURCES.finditer(sql)
    ]
    first = _first(sql)
    candidates = [first, *reads] if first else reads or [Need("SELECT")]
    words = _ACCOUNT.sub("", detail)
    named = [need for need in candidates if _is_named(need.table, words)]
    exactly = [need for need in named if _is_named(need.schema, words)]
    return [*exactly, *named, *candidates][0]


def _is_named(name: str | None, words: str) -> bool:
    return bool(name and re.search(rf"(?<![\w$#~]){re.escape(name)}(?![\w$#~])", words))


def _first(sql: str) -> Need | None:
    """Return what the first words of a statement need; nothing where it only reads."""
    match = _NEEDS.match(sql)
    if match is None:
        return None
    if match["write"]:
        verb = match["write"].split()[0].upper().replace("REPLACE", "INSERT")
        if verb == "INSERT" and _UPSERT.search(sql):
            verb = "INSERT, UPDATE"
        return Need(verb, *_parts(match["target"]))
    if match["make"]:
        return Need("CREATE SCHEMA", _plain(match["schema"]))
    if match["unmake"]:
        return Need("DROP", _plain(match["dropped"]))
    if match["noted"]:
        return Need("ALTER", *_parts(match["noted"]))
    verb = match["define"].upper().replace("TRUNCATE", "DROP")
    if match["kind"].upper() == "INDEX":
        return Need("ALTER", *_parts(match["indexed"]))
    return Need(verb, *_parts(match["defined"]))


def _parts(written: str | None) -> tuple[str | None, str | None]:
    names = [_plain(name) for name in re.findall(_NAME, written or "")]
    if len(names) < 2:
        return None, names[0] if names else None
    return names[0], names[1]


def _plain(name: str) -> str:
    quote = name[0]
    return name[1:-1].replace(quote * 2, quote) if quote in '`"' else name

"""What could be meant at a place of a cell: tables, types, attributes, stores. Pure: what there is, it is told.

| where                                     | what                                  |
|-------------------------------------------|---------------------------------------|
| `-> Ses`                                  | tables                                |
| `depth : flo`, `trace : <bl`, `<blob@ra`  | types, codecs, stores                 |
| `%dj_describe Ses`, `%dj_populate --w`    | tables, options                       |
| `Session & Sub`                           | tables of the notebook                |
| `Session & "da`, `Session & {"da`         | attributes of the tables before it    |
| `Session.proj(da`                         | attributes, in quotes                 |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from djupyter.definition.types import CORE_TYPES
from djupyter.notebook.cell import borders

TIERS = ("Manual", "Lookup", "Imported", "Computed")
_WITH_PARAMETERS = ("char", "varchar", "decimal", "enum")
_TYPES = tuple(f"{name}(" if name in _WITH_PARAMETERS else name for name in CORE_TYPES)
_URLS = ("sqlite:///", "mysql://", "postgresql://")

_MAGIC = re.compile(r"\s*%%?(?P<name>dj_\w+)\s+(?P<rest>.*)", re.DOTALL)
_TAKES_SCHEMAS = {"dj_schema", "dj_tables", "dj_status", "dj_module"}
_WHERE = re.compile(r".*?--where[ =]+(?P<quote>[\"']?)(?P<condition>.*)")
_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ARROW = r"\s*->\s*(?:\[[^\]]*\]\s*)?"
_PARENT = re.compile(rf"{_ARROW}(?P<name>[\w.]*)")
_OPTION = re.compile(r"\s*->\s*\[(?:[\w\s]*,)*\s*(?P<name>\w*)")
_PROJECTED = re.compile(rf"{_ARROW}(?P<parent>[\w.]+)\.proj\(.*[\"'](?P<name>\w*)")
_ATTRIBUTE = re.compile(rf"\s*\w+\s*(?:=(?:{_QUOTED}|[^:\"'#])*)?:\s*(?P<type>[^#]*)")
_INDEX = re.compile(r"\s*(?:unique\s+)?index\s*\((?:.*[,\s(])?(?P<name>\w*)", re.IGNORECASE)
_OWN = re.compile(rf"\s*(?P<name>[a-z]\w*)\s*(?:=(?:{_QUOTED}|[^:\"'#])*)?:")
_NAME = re.compile(r"[^\W\d][\w.]*")
_WORD = re.compile(r"[^\W\d]?\w*$")
_OPERAND = re.compile(r"[\w)\]}\"']\s*[&*+-]\s*(?P<name>[\w.]*)$")
_CALL = re.compile(r"\.(?:proj|aggr|fetch|fetch1|to_arrays|to_dicts|keys)\s*$")
_ARGUMENT = re.compile(r"(?:^|.*[,=])\s*(?P<name>\w*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that could be meant.

    Parameters
    ----------
    text
        As it is written.
    kind
        What it is, in the words of frontends.
    """

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """What could be meant at a place.

    Parameters
    ----------
    fragment
        What has been written of it.
    all
        What begins like that.
    alone
        Whether nothing else can stand there.
    """

    fragment: str
    all: tuple[Candidate, ...]
    alone: bool = True


class Known(Protocol):
    """What a notebook knows without asking the database."""

    def tables(self) -> Sequence[str]:
        """Return the names of tables, as a definition writes them."""

    def in_schema(self, schema: str) -> Sequence[str]:
        """Return the names of the tables of a schema, nothing if there is none of that name."""

    def classes(self) -> Sequence[str]:
        """Return the names that mean tables and queries in Python."""

    def names(self) -> Sequence[str]:
        """Return all names of the notebook."""

    def attributes(self, name: str) -> Sequence[str]:
        """Return the attributes of a table or query; nothing if the name is none."""

    def schemas(self) -> Sequence[str]:
        """Return the names of schemas."""

    def stores(self) -> Sequence[str]:
        """Return the names of stores."""

    def codecs(self) -> Sequence[str]:
        """Return the names of codecs."""

    def options(self, magic: str) -> Sequence[str]:
        """Return the options of a magic."""


def candidates(cell: str, offset: int, known: Known) -> Candidates | None:
    """Return what could be meant at a place of a cell, None where others know better.

    Parameters
    ----------
    cell
        The whole cell.
    offset
        How many characters stand before the cursor.
    known
        What there is.
    """
    before = cell[:offset]
    line = before.rpartition("\n")[2]
    first = _MAGIC.match(cell.partition("\n")[0]) if cell.startswith("%%") else None
    if line == before or first is None:
        magic = _MAGIC.fullmatch(line)
        if magic is not None:
            return _of_magic(magic["name"], magic["rest"], known)
        if line == before and (first is not None or line.startswith("%")):
            return None
    if first is None:
        # Other magics, such as %%time, mostly have Python below them.
        return _of_python(before, known)
    if first["name"] == "dj_table":
        lines = before.split("\n")
        rows, python = borders(lines)
        if python == len(lines):
            return _of_definition(lines[1:], known) if rows == len(lines) else None
        before = "\n".join(lines[python:])
    return _of_python(before.partition("\n")[2] if first["name"] == "dj_make" else before, known)


# Magics


def _of_magic(magic: str, rest: str, known: Known) -> Candidates | None:
    word = rest.rpartition(" ")[2]
    if word.startswith("-"):
        return _found(word, known.options(magic), "param")
    where = _WHERE.fullmatch(rest)
    if where is not None:
        names = [name for each in rest.split() for name in known.attributes(each)]
        return _in_condition(where["condition"], where["quote"], names)
    if magic == "dj_connect":
        return _found(word, _URLS, "text")
    if magic == "dj_table":
        if ":" in rest:
            return _found(word.rpartition(":")[2], TIERS, "keyword")
        return _tables(word, known)
    if magic in _TAKES_SCHEMAS:
        return _found(word, known.schemas(), "module")
    if magic == "dj_diagram" and "." not in word:
        return _found(word, [*known.schemas(), *known.tables()], "class")
    return None if magic == "dj_sql" else _tables(word, known)


def _tables(fragment: str, known: Known) -> Candidates | None:
    schema, dot, _ = fragment.partition(".")
    inside = known.in_schema(schema) if dot else ()
    names = [f"{schema}.{name}" for name in inside] or known.tables()
    return _found(fragment, names, "class")


# Definitions


def _of_definition(lines: Sequence[str], known: Known) -> Candidates | None:
    """Return what could be meant at the end of the last line of a definition."""
    line = lines[-1]
    if found := _PROJECTED.fullmatch(line):
        return _found(found["name"], known.attributes(found["parent"]), "property")
    if found := _OPTION.fullmatch(line):
        return _found(found["name"], ("nullable", "unique"), "keyword")
    if found := _PARENT.fullmatch(line):
        return _tables(found["name"], known)
    if found := _INDEX.fullmatch(line):
        return _found(found["name"], list(_attributes_above(lines[:-1], known)), "property")
    if found := _ATTRIBUTE.fullmatch(line):
        return _of_type(found["type"], known)
    return None


def _of_type(written: str, known: Known) -> Candidates | None:
    if found := re.fullmatch(r"<\s*\w+@(?P<name>[\w.-]*)", written):
        return _found(found["name"], [f"{name}>" for name in known.stores()], "module")
    if found := re.fullmatch(r"(?P<name><\s*\w*)", written):
        return _found(found["name"], [f"<{name}" for name in known.codecs()], "keyword", end=">")
    if re.fullmatch(r"\w*", written):
        codecs = [f"<{name}>" for name in known.codecs()] if not written else []
        return _found(written, (*_TYPES, *codecs), "keyword")
    return None


def _attributes_above(lines: Sequence[str], known: Known) -> Iterator[str]:
    for line in lines:
        if found := _PARENT.match(line):
            yield from known.attributes(found["name"].removesuffix(".proj"))
        elif found := _OWN.match(line):
            yield found["name"]


# Python


@dataclass(slots=True)
class _Place:
    """Where a piece of Python ends: inside a string, inside brackets."""

    start: int = 0  # of the statement
    string: int = -1  # where the string begins in which it ends, -1 outside
    quote: str = ""
    brackets: tuple[tuple[str, int], ...] = ()
    comment: bool = False


_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)|(?P<triple>'''|\"\"\")|(?P<quote>['\"])|(?P<open>[\[({])|(?P<close>[\])}])"
    r"|(?P<newline>\n)"
)
_ENDS = {
    "'''": re.compile(r"(?:[^\\]|\\.)*?'''", re.DOTALL),
    '"""': re.compile(r"(?:[^\\]|\\.)*?\"\"\"", re.DOTALL),
    "'": re.compile(r"(?:[^'\\\n]|\\.)*(?:'|(?=\n))", re.DOTALL),
    '"': re.compile(r"(?:[^\"\\\n]|\\.)*(?:\"|(?=\n))", re.DOTALL),
}


def _place_of(text: str) -> _Place:
    place, position = _Place(), 0
    while token := _TOKEN.search(text, position):
        position = token.end()
        if quote := token["triple"] or token["quote"]:
            end = _ENDS[quote].match(text, position)
            if end is None:
                place.string, place.quote = token.end(), quote
                return place
            position = end.end()
        elif token["open"]:
            place.brackets = (*place.brackets, (token["open"], token.start()))
        elif token["close"]:
            place.brackets = place.brackets[:-1]
        elif token["newline"]:
            if not place.brackets:
                place.start = position
        elif position == len(text):
            place.comment = True
    return place


def _of_python(text: str, known: Known) -> Candidates | None:
    place = _place_of(text)
    if place.comment:
        return None
    if place.string >= 0:
        return _in_string(text, place, known)
    statement = text[place.start :]
    return _in_call(text, place, known) or _of_operand(statement, known)


def _in_call(text: str, place: _Place, known: Known) -> Candidates | None:
    """Return attributes, in quotes, where a method such as `proj` takes them."""
    if not place.brackets or place.brackets[-1][0] != "(":
        return None
    opened = place.brackets[-1][1]
    head = text[place.start : opened]
    argument = _ARGUMENT.fullmatch(text[opened + 1 :])
    if argument is None or not _CALL.search(head):
        return None
    fragment = argument["name"]
    found = [f'"{name}"' for name in _attributes_in(head, known) if name.startswith(fragment)]
    return Candidates(fragment, _as("property", found)) if found else None


def _of_operand(statement: str, known: Known) -> Candidates | None:
    operand = _OPERAND.search(statement)
    if operand is None or not _attributes_in(statement[: operand.start() + 1], known):
        return None
    fragment = operand["name"]
    found = _found(fragment, known.classes(), "class")
    if found is None or "." in fragment:  # after a dot come methods too
        return found and Candidates(fragment, found.all, alone=False)
    others = _found(fragment, sorted(set(known.names()) - set(known.classes())), "instance")
    return Candidates(fragment, (*found.all, *(others.all if others else ())))


def _in_string(text: str, place: _Place, known: Known) -> Candidates | None:
    head = text[place.start : place.string - len(place.quote)]
    written = text[place.string :]
    if len(place.quote) == 3:
        is_definition = re.search(r"\bdefinition\s*=\s*[rf]?$", head)
        return _of_definition(written.split("\n"), known) if is_definition else None
    head = head.rstrip().removesuffix("f").removesuffix("r").rstrip()
    if head[-1:] not in tuple("&-+*[{(,="):
        return None
    return _in_condition(written, place.quote, _attributes_in(head, known))


def _in_condition(written: str, quote: str, names: Sequence[str]) -> Candidates | None:
    """Return what could be meant at the end of a condition; inside quotes of its own it is a value."""
    other = "'" if quote == '"' else '"'
    if not names or written.count(other) % 2:
        return None
    word = _WORD.search(written)
    return _found(word[0] if word else "", names, "property")


def _attributes_in(expression: str, known: Known) -> list[str]:
    """Return the attributes of the tables in an expression; those of the last table first."""
    lists = [known.attributes(_table_in(name, known)) for name in _NAME.findall(expression)]
    return list(dict.fromkeys(name for each in reversed(lists) for name in each))


def _table_in(name: str, known: Known) -> str:
    """Return the table at the beginning of a dotted name: `Session.Trial.proj` begins with `Session.Trial`."""
    while "." in name and not known.attributes(name):
        name = name.rpartition(".")[0]
    return name


def _found(fragment: str, names: Sequence[str], kind: str, *, end: str = "") -> Candidates | None:
    begun = fragment.lower()
    found = [f"{name}{end}" for name in dict.fromkeys(names) if name.lower().startswith(begun)]
    return Candidates(fragment, _as(kind, found)) if found else None


def _as(kind: str, names: Sequence[str]) -> tuple[Candidate, ...]:
    return tuple(Candidate(name, kind) for name in names)

"""Places inside JSON attributes: `car.l[0].s:unsigned`, and the SQL that reads them.

Compared with a number, a number is read as a number, true and false as 1 and 0; as text, anything is read as
it is written, but text without its quotes. What is missing is NULL, and so is what does not fit the
type asked for: the text "abc" never becomes the number 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from djupyter.errors import QuerySyntaxError

Step = str | int

_ATTRIBUTE = re.compile(
    r"(?P<attribute>[A-Za-z_]\w*)(?P<steps>(?:\.[^.\[\]:\"'\\`\s]+|\[\d{1,9}\])+)(?P<type>:.*)?"
)
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
_DECIMAL = re.compile(r"decimal\((\d+)(?:,(\d+))?\)")
_TYPES = {
    "float": "float",
    "double": "float",
    "int": "int",
    "integer": "int",
    "signed": "int",
    "unsigned": "int",
    "char": "text",
    "text": "text",
    "bool": "bool",
    "boolean": "bool",
}


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A place inside a JSON attribute.

    Parameters
    ----------
    attribute
        The JSON attribute.
    path
        Keys of objects as text, places in arrays as numbers from 0.
    type
        `float`, `int`, `text`, `bool`, `decimal(p,s)`; empty takes the value as JSON has it.
    written
        The type as the user wrote it: `char(20)`.
    """

    attribute: str
    path: tuple[Step, ...]
    type: str = ""
    written: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{self.attribute}{steps}{':' if self.type else ''}{self.type}"


def parse_json_path(text: str) -> JsonPath | None:
    """Return the place that `attribute.key[0].key:type` names; None for text of another form.

    Raises
    ------
    QuerySyntaxError
        The type is not known.

    Examples
    --------
    >>> parse_json_path("car.l[0].s:unsigned")
    JsonPath(attribute='car', path=('l', 0, 's'), type='int')
    >>> parse_json_path("car") is None
    True
    """
    match = _ATTRIBUTE.fullmatch(text.strip())
    if match is None:
        return None
    steps = tuple(
        int(step["index"]) if step["index"] else step["key"]
        for step in _STEP.finditer(match["steps"])
    )
    written = (match["type"] or "")[1:]
    return JsonPath(match["attribute"], steps, _type(written, text), written.strip().lower())


def _type(written: str, text: str) -> str:
    name = re.sub(r"\s", "", written.lower())
    decimal = _DECIMAL.fullmatch(name)
    if decimal:
        return f"decimal({decimal[1]},{decimal[2] or 0})"
    if name and re.sub(r"\(\d+\)$", "", name) not in _TYPES:
        raise QuerySyntaxError(
            f"`{written}` in `{text}` is not a type of a JSON value. "
            "Write float, int, unsigned, char, bool or decimal(p,s)."
        )
    return _TYPES[re.sub(r"\(\d+\)$", "", name)] if name else ""


def check_key(key: str) -> str:
    """Return a key of a JSON object that can be part of a path.

    Raises
    ------
    QuerySyntaxError
        It has a quote or a backslash, which the backends write in different ways.
    """
    if not key or re.search(r"[\"'\\`\x00-\x1f]", key):
        raise QuerySyntaxError(
            f"The JSON key {key!r} cannot be used in a path: it has quotes or backslashes."
        )
    return key


def json_template(path: tuple[Step, ...], type: str, dialect: str) -> str:
    """Return SQL with `{0}` for the attribute that reads a place.

    Parameters
    ----------
    path
        Where the value lies; its keys were checked.
    type
        As in `JsonPath`; `string` for text that is text in JSON, too, and `indexed` for what equals no text
        that `string` does not, in the form that an index has; `number` for any number or truth value;
        `document` for what is compared with `document_template`.
    dialect
        `sqlite`, `mysql`, `mariadb` or `postgresql`.
    """
    place = _PLACES[dialect](path)
    return {
        "": place.text,
        "text": place.text,
        "number": place.number,
        "string": place.string,
        "indexed": place.indexed,
        "document": place.document,
    }.get(type) or _cast(place, type, dialect)


def document_template(dialect: str) -> str:
    """Return SQL with `{0}` for the compact text of a document that a place is compared with."""
    return {"postgresql": "CAST({0} AS JSONB)", "mysql": "CAST({0} AS JSON)"}.get(dialect, "{0}")


def place_of(path: JsonPath) -> str:
    """Return a place as MySQL and SQLite write it, in quotes.

    >>> print(place_of(JsonPath("car", ("l", 0))))
    '$."l"[0]'
    """
    return _place(tuple(s if isinstance(s, int) else check_key(s) for s in path.path))


def _place(path: tuple[Step, ...]) -> str:
    return "'$" + "".join(f"[{s}]" if isinstance(s, int) else f'."{s}"' for s in path) + "'"


@dataclass(frozen=True, slots=True)
class _Place:
    """A place as one database reads it: in its several meanings, as in `json_template`."""

    text: str
    number: str
    bool: str
    string: str
    indexed: str
    document: str


def _postgresql(path: tuple[Step, ...]) -> _Place:
    steps = [f"'{step}'" for step in path]
    indexed = f"jsonb_extract_path_text({{0}}, {', '.join(steps)})"
    # It takes the key "0" of an object for a place in an array, and the other way round.
    guards = [
        f"jsonb_typeof({_inside(steps[:i])}) = '{'array' if isinstance(step, int) else 'object'}'"
        for i, step in enumerate(path)
        if isinstance(step, int) or re.fullmatch(r"-?\d+", step)
    ]
    raw, text = _guarded(_inside(steps), guards), _guarded(indexed, guards)
    kind = f"CASE jsonb_typeof({raw})"
    return _Place(
        text=text,
        number=(
            f"({kind} WHEN 'number' THEN CAST({text} AS NUMERIC) "
            f"WHEN 'boolean' THEN CAST(CAST({text} AS BOOLEAN) AS INTEGER) END)"
        ),
        bool=f"({kind} WHEN 'boolean' THEN CAST({text} AS BOOLEAN) END)",
        string=f"({kind} WHEN 'string' THEN {text} END)",
        indexed=indexed,
        document=f"NULLIF({raw}, CAST('null' AS JSONB))",
    )


def _inside(steps: list[str]) -> str:
    return f"jsonb_extract_path({', '.join(['{0}', *steps])})" if steps else "{0}"


def _sqlite(path: tuple[Step, ...]) -> _Place:
    place = _place(path)
    raw, kind = f"json_extract({{0}}, {place})", f"CASE json_type({{0}}, {place})"
    # A list of twice the same is a document, in which a number stands as it was written.
    twice = f"json_extract({{0}}, {place}, {place})"
    return _Place(
        text=(
            f"(CASE WHEN json_type({{0}}, {place}) = 'text' THEN {raw} "
            f"WHEN json_type({{0}}, {place}) IN ('object', 'array') THEN DJ_DOCUMENT({raw}) "
            f"WHEN json_type({{0}}, {place}) <> 'null' "
            f"THEN substr({twice}, 2, length({twice}) / 2 - 1) END)"
        ),
        number=(
            f"(CASE WHEN json_type({{0}}, {place}) IN ('integer', 'real', 'true', 'false') "
            f"THEN {raw} END)"
        ),
        bool=f"({kind} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END)",
        string=f"({kind} WHEN 'text' THEN {raw} END)",
        indexed=raw,
        document=f"({kind} WHEN 'text' THEN json_quote({raw}) ELSE {raw} END)",
    )


_MYSQL, _MARIADB = "COLLATE utf8mb4_0900_bin", "COLLATE utf8mb4_nopad_bin"


def _mysql(path: tuple[Step, ...], texts: str = _MYSQL, kinds: str = _MYSQL) -> _Place:
    # The functions of JSON have a collation of their own, which does not mix with that of the connection.
    def type_of(document: str) -> str:
        return f"(JSON_TYPE({document}) {kinds})" if kinds else f"JSON_TYPE({document})"

    # The first element of what is no array would be that itself.
    guards = [
        f"{type_of(f'JSON_EXTRACT({{0}}, {_place(path[:i])})')} = 'ARRAY'"
        for i, step in enumerate(path)
        if step == 0
    ]
    raw = _guarded(f"JSON_EXTRACT({{0}}, {_place(path)})", guards)
    # JSON_VALUE reads no text of more than 512 bytes, and JSON_UNQUOTE knows no collation without padding.
    text = f"(JSON_UNQUOTE({raw}) {texts})"
    kind = f"CASE {type_of(raw)}"
    truth = f"WHEN 'BOOLEAN' THEN {text} = 'true'"
    string = f"({kind} WHEN 'STRING' THEN {text} END)"
    return _Place(
        text=f"({kind} WHEN 'NULL' THEN NULL ELSE {text} END)",
        number=(
            f"({kind} {truth} WHEN 'STRING' THEN NULL WHEN 'NULL' THEN NULL "
            f"WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL ELSE JSON_UNQUOTE({raw}) + 0e0 END)"
        ),
        bool=f"({kind} {truth} END)",
        string=string,
        indexed=string,
        document=f"({kind} WHEN 'NULL' THEN NULL ELSE {raw} END)",
    )


def _mariadb(path: tuple[Step, ...]) -> _Place:
    place = _mysql(path, _MARIADB, "")
    return replace(place, document=f"JSON_COMPACT({place.document})")


_PLACES: dict[str, Callable[[tuple[Step, ...]], _Place]] = {
    "sqlite": _sqlite,
    "mysql": _mysql,
    "mariadb": _mariadb,
    "postgresql": _postgresql,
}


def _guarded(sql: str, guards: list[str]) -> str:
    return f"(CASE WHEN {' AND '.join(guards)} THEN {sql} END)" if guards else sql


_CASTS = {
    "sqlite": {
        "float": "CAST({number} AS REAL)",
        "int": "CAST({number} AS INTEGER)",
        "decimal": "DJ_ROUND({number}, {scale})",
    },
    "mysql": {
        "float": "({number} * 1e0)",
        "int": "CAST(TRUNCATE({number}, 0) AS SIGNED)",
        "decimal": "CAST({number} AS DECIMAL({precision}, {scale}))",
    },
    "postgresql": {
        "float": "CAST({number} AS DOUBLE PRECISION)",
        "int": "CAST(TRUNC({number}) AS BIGINT)",
        "decimal": "CAST({number} AS DECIMAL({precision}, {scale}))",
    },
}


def _cast(place: _Place, type: str, dialect: str) -> str:
    if type == "bool":
        return place.bool
    decimal = _DECIMAL.fullmatch(type)
    precision, scale = (decimal[1], decimal[2]) if decimal else ("", "")
    cast = _CASTS["mysql" if dialect == "mariadb" else dialect]["decimal" if decimal else type]
    # Parts that are put in keep their own `{0}` for the attribute.
    return cast.format(number=place.number, precision=precision, scale=scale)

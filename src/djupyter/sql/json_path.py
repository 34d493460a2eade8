"""Places inside JSON attributes: `car.l[0].s:unsigned`, and the SQL that reads them.

A number is read as a number, true and false as truth values, text as text; what is missing is NULL,
and so is what does not fit the type asked for: the text "abc" never becomes the number 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

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
        As in `JsonPath`; `string` for text that is text in JSON, too; `number` for any number or truth value;
        `document` for what is compared with `document_template`.
    dialect
        `sqlite`, `mysql`, `mariadb` or `postgresql`.
    """
    if dialect == "postgresql":
        raw, text = _postgresql_place(path)
        number = (
            f"(CASE jsonb_typeof({raw}) WHEN 'number' THEN CAST({text} AS NUMERIC) "
            f"WHEN 'boolean' THEN CAST(CAST({text} AS BOOLEAN) AS INTEGER) END)"
        )
    else:
        place = _place(path)
        raw, text, number = (_sqlite_place if dialect == "sqlite" else _mysql_place)(place)
    if type == "document":
        return f"JSON_COMPACT({raw})" if dialect == "mariadb" else raw
    if type == "string":
        return _string(raw, text, dialect)
    return _typed(raw, text, number, type, dialect)


def _string(raw: str, text: str, dialect: str) -> str:
    if dialect == "sqlite":
        return raw  # a number there equals no text
    kind = f"jsonb_typeof({raw})" if dialect == "postgresql" else f"LOWER(JSON_TYPE({raw}))"
    return f"(CASE {kind} WHEN 'string' THEN {text} END)"


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


def _postgresql_place(path: tuple[Step, ...]) -> tuple[str, str]:
    steps = ", ".join(f"'{step}'" for step in path)
    return f"jsonb_extract_path({{0}}, {steps})", f"jsonb_extract_path_text({{0}}, {steps})"


def _sqlite_place(place: str) -> tuple[str, str, str]:
    raw = f"json_extract({{0}}, {place})"
    kinds = "('integer', 'real', 'true', 'false')"
    return raw, raw, f"(CASE WHEN json_type({{0}}, {place}) IN {kinds} THEN {raw} END)"


def _mysql_place(place: str) -> tuple[str, str, str]:
    raw = f"JSON_EXTRACT({{0}}, {place})"
    text = f"JSON_VALUE({{0}}, {place})"
    number = (
        f"(CASE JSON_TYPE({raw}) WHEN 'BOOLEAN' THEN JSON_UNQUOTE({raw}) = 'true' "
        "WHEN 'STRING' THEN NULL WHEN 'NULL' THEN NULL "
        "WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL "
        f"ELSE JSON_UNQUOTE({raw}) + 0e0 END)"
    )
    return raw, text, number


_CASTS = {
    "sqlite": {
        "float": "CAST({number} AS REAL)",
        "int": "CAST({number} AS INTEGER)",
        "decimal": "DJ_ROUND({number}, {scale})",
        "bool": "(CASE WHEN json_type({{0}}, {place}) IN ('true', 'false') THEN {raw} END)",
        "text": "DJ_TEXT({raw})",
    },
    "mysql": {
        "float": "({number} * 1e0)",
        "int": "CAST(TRUNCATE({number}, 0) AS SIGNED)",
        "decimal": "CAST({number} AS DECIMAL({precision}, {scale}))",
        "bool": "(CASE JSON_TYPE({raw}) WHEN 'BOOLEAN' THEN JSON_UNQUOTE({raw}) = 'true' END)",
        "text": "{text}",
    },
    "postgresql": {
        "float": "CAST({number} AS DOUBLE PRECISION)",
        "int": "CAST(TRUNC({number}) AS BIGINT)",
        "decimal": "CAST({number} AS DECIMAL({precision}, {scale}))",
        "bool": "(CASE jsonb_typeof({raw}) WHEN 'boolean' THEN CAST({text} AS BOOLEAN) END)",
        "text": "{text}",
    },
}


def _typed(raw: str, text: str, number: str, type: str, dialect: str) -> str:
    if type in ("", "number"):
        return number if type else text
    casts = _CASTS["mysql" if dialect == "mariadb" else dialect]
    decimal = _DECIMAL.fullmatch(type)
    precision, scale = (decimal[1], decimal[2]) if decimal else ("", "")
    place = raw.removeprefix("json_extract({0}, ").removesuffix(")")
    return _fill(
        casts["decimal" if decimal else type],
        {
            "raw": raw,
            "text": text,
            "number": number,
            "place": place,
            "precision": precision,
            "scale": scale,
        },
    )


def _fill(template: str, parts: dict[str, str]) -> str:
    """Put parts into a template; their own `{0}` stays for the attribute."""
    return template.format(**parts)

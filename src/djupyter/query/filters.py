"""What is typed above a column, as a restriction: the same object that a program would restrict by.

| attribute       | typed                                   | restriction                                |
|-----------------|-----------------------------------------|--------------------------------------------|
| any             | `null`, `!null`                         | `"a is null"`, `"a is not null"`           |
| text            | `ab`, `=ab`, `!=ab`                     | contains it, whatever the case; is, is not |
| number          | `3`, `!=3`, `>3`, `<=3`, `1..3`, `..3`  | compares                                   |
| date, datetime  | the same; `2026`, `2026-05`, `2026-05-01` | of that year, month, day                 |
| enum, bool      | `a`, `a, b`, `!=a`                      | is one of them                             |
| uuid            | `=6f…`, `6f…`                           | is                                         |

`"null"` in quotes is the text; quotes keep blanks, too: `=" a "`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from djupyter.errors import DataJointError, QuerySyntaxError
from djupyter.heading.attribute import Attribute
from djupyter.sql.fragment import parse_condition
from djupyter.sql.types import storage_of

Restriction = str | dict[str, object] | list[dict[str, object]]

_COMPARED = re.compile(r"(?P<sign><=|>=|!=|<>|=|<|>)?\s*(?P<value>.*)", re.DOTALL)
_PERIOD = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d?)(?:-(?P<day>\d\d?))?)?")
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class FilterError(QuerySyntaxError):
    """What is typed above a column cannot be read."""


def restriction(attribute: Attribute, typed: str) -> Restriction | None:
    r"""Return the restriction that a filter means; None where nothing is typed.

    Parameters
    ----------
    attribute
        The column.
    typed
        See the table above.

    Raises
    ------
    FilterError
        It is not understood; the message says what may be typed.

    Examples
    --------
    >>> from djupyter.definition.types import parse_type
    >>> weight = Attribute("weight", parse_type("float64"))
    >>> restriction(weight, ">= 20"), restriction(weight, "20..25"), restriction(weight, "null")
    ('weight >= 20', 'weight between 20 and 25', 'weight is null')
    >>> name = Attribute("name", parse_type("varchar(20)"))
    >>> restriction(name, "50%"), restriction(name, "=Ada")
    ("name collate nocase like '%50\\%%'", {'name': 'Ada'})
    """
    text = typed.strip()
    if not text:
        return None
    if text.lower() == "null":
        return f"{quoted(attribute.name)} is null"
    if text.lower() in ("!null", "not null", "!=null"):
        return f"{quoted(attribute.name)} is not null"
    return _READERS[family(attribute)](attribute, text)


def family(attribute: Attribute) -> str:
    """Return how a column is filtered: `text`, `number`, `date`, `datetime`, `choice`, `uuid` or `opaque`."""
    if attribute.type is None:
        return "number"
    if attribute.is_codec:
        return "opaque"
    return _FAMILIES.get(storage_of(attribute.type).family, "opaque")


_FAMILIES = {
    **dict.fromkeys(("integer", "real", "decimal"), "number"),
    **dict.fromkeys(("enum", "boolean"), "choice"),
    **{name: name for name in ("text", "date", "datetime", "uuid")},
}

# What is shown in an empty field.
HINTS = {
    "text": "contains · =is",
    "number": "3 · >3 · 1..3",
    "date": "2026-05 · 1..2",
    "datetime": "2026-05 · 1..2",
    "choice": "a, b · !=a",
    "uuid": "is",
    "opaque": "null · !null",
}


def quoted(name: str) -> str:
    """Return the name of an attribute as it is written in a condition.

    >>> quoted("weight"), quoted("from")
    ('weight', '`from`')
    """
    try:
        is_plain = parse_condition(f"{name} is null").names == (name,)
    except DataJointError:
        is_plain = False
    return name if is_plain else f"`{name}`"


def literal(text: str) -> str:
    r"""Return a text as it is written in a condition.

    >>> print(literal("it's \\ 5%"))
    'it\'s \\ 5%'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _text(attribute: Attribute, typed: str) -> Restriction:
    name = quoted(attribute.name)
    if typed.startswith("!="):
        return f"{name} != {literal(_bare(typed[2:]))}"
    if typed.startswith("="):
        return {attribute.name: _bare(typed[1:])}
    typed = _bare(typed)
    # A backslash of the text is one in the pattern, where it is written twice; and so it is in the literal.
    pattern = re.sub(r"([%_\\])", r"\\\1", typed)
    escaped = pattern.replace("\\\\", "\\\\\\\\").replace("'", "\\'")
    return f"{name} collate nocase like '%{escaped}%'"


def _bare(typed: str) -> str:
    """Return a text without the quotes that keep its blanks."""
    text = typed.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _number(attribute: Attribute, typed: str) -> Restriction:
    def number(text: str) -> str:
        try:
            value = Decimal(text.replace(" ", "").replace("\u202f", ""))
        except InvalidOperation:
            value = Decimal("nan")
        if not value.is_finite():
            raise FilterError(f"`{text}` is no number. Write 3, !=3, >3, <=3, 1..3, null or !null.")
        return str(value)

    return _compared(attribute, typed, number, equal=lambda name, text: f"{name} = {text}")


def _moment(attribute: Attribute, typed: str) -> Restriction:
    def moment(text: str) -> str:
        return literal(_begin(text))

    def within(name: str, text: str) -> str:
        period = _period(text)
        if period is None or (family(attribute) == "date" and text.count("-") == 2):
            return f"{name} = {moment(text)}"
        begin, end = period
        return f"{name} >= {literal(begin)} and {name} < {literal(end)}"

    return _compared(attribute, typed, moment, equal=within)


def _compared(
    attribute: Attribute,
    typed: str,
    value: Callable[[str], str],
    *,
    equal: Callable[[str, str], str],
) -> Restriction:
    name = quoted(attribute.name)
    low, dots, high = (part.strip() for part in typed.partition(".."))
    if dots:
        if low and high:
            return f"{name} between {value(low)} and {value(high)}"
        return f"{name} >= {value(low)}" if low else f"{name} <= {value(high)}"
    match = _COMPARED.fullmatch(typed)
    assert match is not None, "the pattern takes any text"
    sign, text = match["sign"] or "=", match["value"].strip()
    if sign == "=":
        value(text)
        return equal(name, text)
    return f"{name} {'!=' if sign == '<>' else sign} {value(text)}"


def _begin(text: str) -> str:
    """Return the moment that a text names, the first one of a year, month or day."""
    period = _period(text)
    if period is not None:
        return period[0]
    try:
        return datetime.datetime.fromisoformat(text).isoformat(" ")
    except ValueError:
        raise FilterError(
            f"`{text}` is no date. Write 2026, 2026-05, 2026-05-01, >2026-05-01, 2026-05-01..2026-06-01, null or !null."
        ) from None


def _period(text: str) -> tuple[str, str] | None:
    """Return the first day of a year, month or day, and that of the next one."""
    match = _PERIOD.fullmatch(text)
    if match is None:
        return None
    year, month, day = int(match["year"]), match["month"], match["day"]
    try:
        begin = datetime.date(year, int(month or 1), int(day or 1))
        if day:
            end = begin + datetime.timedelta(days=1)
        elif month:
            end = (begin + datetime.timedelta(days=31)).replace(day=1)
        else:
            end = datetime.date(year + 1, 1, 1)
    except (ValueError, OverflowError):
        raise FilterError(f"There is no date `{text}`.") from None
    return begin.isoformat(), end.isoformat()


def _choice(attribute: Attribute, typed: str) -> Restriction:
    name = quoted(attribute.name)
    negated = typed.startswith("!=")
    given = [part.strip() for part in typed.lstrip("!=").split(",") if part.strip()]
    values = [_member(attribute, text) for text in given]
    if not values:
        raise FilterError(f"Write one of {_members(attribute)}, several with commas between.")
    if negated:
        written = (literal(v) if isinstance(v, str) else str(v).lower() for v in values)
        return " and ".join(f"{name} != {each}" for each in written)
    found: list[dict[str, object]] = [{attribute.name: value} for value in values]
    return found[0] if len(found) == 1 else found


def _member(attribute: Attribute, text: str) -> str | bool:
    assert attribute.type is not None, "a choice has a type"
    storage = storage_of(attribute.type)
    if storage.family == "boolean":
        if text.lower() in _TRUTHS:
            return _TRUTHS[text.lower()]
    else:
        for member in storage.members:
            if text == member:
                return member
        for member in storage.members:
            if text.lower() == member.lower():
                return member
    raise FilterError(f"`{text}` is none of its values. Write one of {_members(attribute)}.")


def _members(attribute: Attribute) -> str:
    assert attribute.type is not None, "a choice has a type"
    return ", ".join((storage_of(attribute.type).members or ("true", "false"))[:20])


def _uuid(attribute: Attribute, typed: str) -> Restriction:
    return {attribute.name: typed.removeprefix("=").strip()}


def _opaque(attribute: Attribute, typed: str) -> Restriction:
    raise FilterError(
        f"`{attribute.name}` is {attribute.type_text}, whose values are not compared. Write null or !null."
    )


_READERS: dict[str, Callable[[Attribute, str], Restriction]] = {
    "text": _text,
    "number": _number,
    "date": _moment,
    "datetime": _moment,
    "choice": _choice,
    "uuid": _uuid,
    "opaque": _opaque,
}

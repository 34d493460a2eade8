"""How the values of one column are spread: ranges of numbers and dates, the most frequent of others.

One statement sums up all rows. Of ten million that takes SQLite 20 s, so of large relations a sample is looked at
unless all are asked for: the values of some rows at places that are evenly spread over the relation.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.query.filters import family, quoted
from djupyter.query.top import Top
from djupyter.query.universal import U
from djupyter.render.values import shown
from djupyter.sql.types import storage_of

if TYPE_CHECKING:
    from djupyter.query.expression import Query

BINS = 24
_FREQUENT = 12
_LONGEST = 200  # characters of a filter
_EPOCH = datetime.datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Bar:
    """Some rows of a histogram.

    Parameters
    ----------
    label
        Their values.
    count
        How many there are.
    typed
        What is typed above the column to see them.
    """

    label: str
    count: int
    typed: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """How the values of a column are spread.

    Parameters
    ----------
    attribute
        The column.
    bars
        In order; those of ranges include the empty ones.
    nulls
        Rows in which it is NULL.
    is_ranges
        Whether bars are ranges of numbers or dates, rather than the most frequent values.
    sampled
        How many rows were looked at, where not all were.
    """

    attribute: str
    bars: tuple[Bar, ...]
    nulls: int
    is_ranges: bool
    sampled: int | None = None


def histogram(query: Query, name: str) -> Histogram:
    """Return how the values of an attribute are spread.

    Parameters
    ----------
    query
        Of the rows that count.
    name
        The attribute.

    Raises
    ------
    DataJointError
        Its values are not compared.

    Examples
    --------
    >>> import djupyter as dj
    >>> schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))
    >>> @schema
    ... class Mouse(dj.Manual):
    ...     definition = '''
    ...     mouse : int32
    ...     ---
    ...     sex : enum('F', 'M')
    ...     '''
    >>> Mouse.insert([(1, "F"), (2, "M"), (3, "F")])
    >>> [(bar.label, bar.count) for bar in histogram(Mouse(), "sex").bars]
    [('F', 2), ('M', 1)]
    """
    attribute = query.heading.need(name)
    kind = family(attribute)
    if kind in ("number", "date", "datetime"):
        return _ranges(query, attribute, kind)
    if kind == "opaque":
        raise DataJointError(
            f"`{name}` is {attribute.type_text}: its values are not compared, so there is nothing to count."
        )
    return _frequent(query, attribute)


def _ranges(query: Query, attribute: Attribute, kind: str) -> Histogram:
    name = quoted(attribute.name)
    numbers = query.proj(dj_x=_NUMBER[kind].format(name=name))
    ends = U().aggr(numbers, dj_low="min(dj_x)", dj_high="max(dj_x)")
    # One value alone leaves nothing to divide by.
    scaled = (numbers * ends).proj(
        "dj_x", dj_bin=f"(dj_x - dj_low) * {BINS} div nullif(dj_high - dj_low, 0)"
    )
    found = U("dj_bin").aggr(
        scaled, dj_n="count(*)", dj_known="count(dj_x)", dj_min="min(dj_x)", dj_max="max(dj_x)"
    )
    rows = found.to_dicts()
    known = [row for row in rows if row["dj_known"]]
    nulls = sum(row["dj_n"] - row["dj_known"] for row in rows)
    if not known:
        return Histogram(attribute.name, (), nulls, True)
    low, high = min(row["dj_min"] for row in known), max(row["dj_max"] for row in known)
    counts: Counter[int] = Counter()
    for row in known:
        counts[min(int(row["dj_bin"] or 0), BINS - 1)] += int(row["dj_known"])
    bars = _bars(float(low), float(high), counts, attribute)
    return Histogram(attribute.name, tuple(bars), nulls, True)


def of_sample(attribute: Attribute, values: Sequence[object]) -> Histogram:
    """Return how some values of an attribute are spread.

    >>> from djupyter.definition.types import parse_type
    >>> found = of_sample(Attribute("w", parse_type("float64")), [0.0, 0.5, 24.0, None])
    >>> found.bars[0], found.bars[-1].count, found.nulls, found.sampled
    (Bar(label='0 … 1', count=2, typed='0..1'), 1, 1, 4)
    """
    known = [value for value in values if value is not None]
    nulls, kind = len(values) - len(known), family(attribute)
    if kind not in _WRITTEN:
        frequent = Counter(known).most_common(_FREQUENT)
        found = tuple(_value_bar(value, count) for value, count in frequent)
        return Histogram(attribute.name, found, nulls, False, len(values))
    numbers = [_as_number(value) for value in known]
    if not numbers:
        return Histogram(attribute.name, (), nulls, True, len(values))
    low, high = min(numbers), max(numbers)
    way = (high - low) or 1.0
    counts = Counter(min(int((x - low) * BINS / way), BINS - 1) for x in numbers)
    bars = tuple(_bars(low, high, counts, attribute))
    return Histogram(attribute.name, bars, nulls, True, len(values))


def _as_number(value: Any) -> float:
    if isinstance(value, datetime.datetime):
        return (value - _EPOCH).total_seconds()
    if isinstance(value, datetime.date):
        return float((value - _EPOCH.date()).days)
    return float(value)


_NUMBER = {
    "number": "({name})",
    "date": "datediff({name}, '1970-01-01')",
    "datetime": "timestampdiff(second, '1970-01-01', {name})",
}


def _is_whole(attribute: Attribute) -> bool:
    return attribute.type is not None and storage_of(attribute.type).family == "integer"


def _bars(low: float, high: float, counts: Mapping[int, int], attribute: Attribute) -> list[Bar]:
    kind = family(attribute)
    written, is_whole = _WRITTEN[kind], kind == "date" or _is_whole(attribute)
    if low == high:
        return [Bar(written(low), sum(counts.values()), f"{written(low)}..{written(high)}")]
    width = (high - low) / BINS
    bars = []
    for place in range(BINS):
        begin, end = low + place * width, high if place == BINS - 1 else low + (place + 1) * width
        if is_whole:
            # Ranges of whole numbers begin and end with one; some have none.
            begin = -(-begin // 1)
            end = end if place == BINS - 1 else -(-end // 1) - 1
            if end < begin:
                continue
        text = f"{written(begin)}..{written(end)}"
        label = written(begin) if is_whole and begin == end else text.replace("..", " … ")
        bars.append(Bar(label, counts.get(place, 0), text))
    return bars


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


_WRITTEN: dict[str, Callable[[float], str]] = {
    "number": _number,
    "date": lambda days: (_EPOCH + datetime.timedelta(days=round(days))).date().isoformat(),
    "datetime": lambda seconds: (_EPOCH + datetime.timedelta(seconds=round(seconds))).isoformat(
        " "
    ),
}


def _frequent(query: Query, attribute: Attribute) -> Histogram:
    counted = U(attribute.name).aggr(query, dj_n="count(*)")
    order = ["dj_n desc", f"`{attribute.name}`"]
    rows: Sequence[dict[str, Any]] = (counted & Top(_FREQUENT + 1, order)).to_dicts()
    nulls = sum(row["dj_n"] for row in rows if row[attribute.name] is None)
    known = [row for row in rows if row[attribute.name] is not None][:_FREQUENT]
    bars = (_value_bar(row[attribute.name], row["dj_n"]) for row in known)
    return Histogram(attribute.name, tuple(bars), nulls, False)


def _value_bar(value: object, count: int) -> Bar:
    text = str(value)
    if isinstance(value, bool):
        typed = text.lower()
    elif len(text) > _LONGEST:
        typed = f'"{text[:_LONGEST]}"'  # what begins like it, for one
    elif text != text.strip() or text[:1] == '"' or not text:
        typed = f'="{text}"'
    else:
        typed = f"={text}"
    return Bar(shown(value).text, int(count), typed)

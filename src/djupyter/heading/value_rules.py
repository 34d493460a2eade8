"""Texts, enums, UUIDs, JSON documents and bytes."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from djupyter.errors import nearest
from djupyter.heading.rule import Array, RefusedError, Rule


def text(longest: int | None, *, strips_blanks: bool = False) -> Rule:
    """Return the rule for texts.

    Parameters
    ----------
    longest
        Greatest number of characters, None without a limit.
    strips_blanks
        Whether blanks at the end have no meaning, as in `char`.

    Examples
    --------
    >>> text(5, strips_blanks=True).convert("ab  ")
    'ab'
    """

    def convert(value: Any) -> str:
        written = _text(value)
        if strips_blanks:
            written = written.rstrip(" ")
        if longest is not None and len(written) > longest:
            raise RefusedError(f"It has {len(written)} characters.")
        _check_unicode(written)
        return written

    def all_fit(values: Sequence[str]) -> bool:
        if longest is not None and len(max(values, key=len)) > longest:
            return False
        return all(map(str.isascii, values)) and not (
            strips_blanks and any(value.endswith(" ") for value in values)
        )

    expected = "text" if longest is None else f"text of at most {longest} characters"
    return Rule(expected, convert, str, all_fit, _texts_of_array(all_fit), empty_is_value=True)


def member(members: tuple[int | str, ...]) -> Rule:
    """Return the rule for the members of an enum.

    >>> member(("left", "right")).convert("left")
    'left'
    """
    known = frozenset(members)

    def convert(value: Any) -> str:
        written = str.__str__(value) if isinstance(value, str) else ""
        if not isinstance(value, str) or written not in known:
            raise RefusedError(nearest(written[:100], map(str, members)))
        return written

    def all_fit(values: Sequence[str]) -> bool:
        return known.issuperset(values)

    expected = f"one of {', '.join(map(repr, members))}"
    return Rule(
        expected, convert, str, all_fit, _texts_of_array(all_fit), empty_is_value="" in known
    )


def uuid() -> Rule:
    """Return the rule for UUIDs.

    >>> uuid().convert("12345678123456781234567812345678")
    UUID('12345678-1234-5678-1234-567812345678')
    """

    def convert(value: Any) -> UUID:
        if isinstance(value, UUID):
            return value
        try:
            if isinstance(value, str):
                return UUID(value.strip())
            if isinstance(value, bytes | bytearray | memoryview):
                return UUID(bytes=bytes(value))
        except ValueError as error:
            raise RefusedError("It is a badly formed UUID value.") from error
        raise RefusedError("It is a badly formed UUID value.")

    return Rule("a UUID, its text or its 16 bytes", convert, UUID)


def json_document() -> Rule:
    """Return the rule for JSON documents, as text.

    >>> json_document().convert({"name": "é", "counts": np.arange(2)})
    '{"name": "é", "counts": [0, 1]}'
    """

    def convert(value: Any) -> str:
        try:
            written = json.dumps(value, allow_nan=False, ensure_ascii=False, default=_plain)
        except (TypeError, ValueError, RecursionError) as error:
            raise RefusedError(f"It cannot be written as JSON: {error}.") from error
        _check_unicode(written)
        return written

    expected = "dicts, lists, texts, finite numbers, True, False and None"
    return Rule(expected, convert)


def raw_bytes(longest: int | None = None) -> Rule:
    """Return the rule for bytes.

    >>> raw_bytes().convert(bytearray(b"ab"))
    b'ab'
    """

    def convert(value: Any) -> bytes:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise RefusedError("Declare the attribute as <blob> to keep other values in it.")
        data = bytes(value)
        if longest is not None and len(data) > longest:
            raise RefusedError(f"It has {len(data)} bytes.")
        return data

    def all_fit(values: Sequence[bytes]) -> bool:
        return longest is None or len(max(values, key=len)) <= longest

    expected = "bytes" if longest is None else f"at most {longest} bytes"
    return Rule(expected, convert, bytes, all_fit)


def anything() -> Rule:
    """Return the rule for types unknown here: the database judges, but of Python's values.

    >>> anything().convert(np.int64(3))
    3
    """

    def convert(value: Any) -> object:
        if isinstance(value, np.datetime64):
            return value.astype("datetime64[us]").item()
        return value.item() if isinstance(value, np.generic) else value

    return Rule("what the database accepts", convert, empty_is_value=True)


def _text(value: Any) -> str:
    if isinstance(value, str):
        # str() of a member of a (str, Enum) class would be its Python name.
        return str.__str__(value)
    if isinstance(value, np.integer | np.floating):
        value = value.item()
    # True is an int to Python, but 'True' is hardly the text that was meant.
    if isinstance(value, bool) or not isinstance(
        value, int | float | Decimal | UUID | datetime.date
    ):
        raise RefusedError
    return str(int(value)) if isinstance(value, int) else str(value)


def _check_unicode(written: str) -> None:
    try:
        written.encode()
    except UnicodeEncodeError as error:
        raise RefusedError("It has a surrogate code point, which is no character.") from error


def _texts_of_array(
    all_fit: Callable[[Sequence[str]], bool],
) -> Callable[[Array], list[Any] | None]:
    def from_array(array: Array) -> list[Any] | None:
        if array.dtype.kind != "U":
            return None
        values = array.tolist()
        return values if all_fit(values) else None

    return from_array


def _plain(value: object) -> object:
    """Return numpy's values as Python's, for the encoder."""
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.item()
    # Dates are left out: numpy would turn some into plain numbers.
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufUO":
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no form in JSON")

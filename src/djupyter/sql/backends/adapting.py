"""Python values of any class as what a driver takes, by tables of their classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from djupyter.errors import InvalidValueError
from djupyter.sql.backends.differences.records import Convert


def adapting(
    conversions: Mapping[type, Convert | None], subclasses: Mapping[type, Convert]
) -> Callable[[object], object]:
    """Return a function that gives what a driver takes for a value of any type.

    It raises `InvalidValueError` where there is no way to keep a value of that type.

    Parameters
    ----------
    conversions
        What becomes of values of a class; None where the driver takes them.
    subclasses
        What becomes of values of classes that are made of one (a pandas Timestamp, an IntEnum), where that
        differs: the driver knows the class but not those.

    Examples
    --------
    >>> adapt = adapting({int: None, bool: int, str: None}, {str: str})
    >>> adapt(True), adapt("x")
    (1, 'x')
    >>> adapt(1j)
    Traceback (most recent call last):
    ...
    djupyter.errors.InvalidValueError: A value of type complex cannot be stored: 1j. ...
    """
    known = dict(conversions)

    def inherited(value: object) -> Convert | None:
        """Find the conversion of a subclass once."""
        for kind in type(value).__mro__:
            if kind in conversions:
                convert = known[type(value)] = subclasses.get(kind) or conversions[kind]
                return convert
        raise InvalidValueError(
            f"A value of type {type(value).__name__} cannot be stored: {str(value)[:80]}. "
            "Convert it to a number, a text, a date or bytes, or declare a codec for it."
        )

    def adapt(value: object) -> object:
        try:
            convert = known[type(value)]
        except KeyError:
            convert = inherited(value)
        return value if convert is None else convert(value)

    return adapt

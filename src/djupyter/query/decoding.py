"""Values of codecs: decoded several at a time where that is faster; what fails is named by table, key and attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from djupyter.codecs.base import Context
from djupyter.codecs.chain import chain_of
from djupyter.codecs.object_ref import ObjectRef
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute

# Below, handing work to threads takes longer than the work.
_MANY, _LARGE = 4, 1 << 18


@dataclass(frozen=True, slots=True)
class Reading:
    """How the values of one attribute are decoded.

    Parameters
    ----------
    attribute
        It has a codec.
    origin
        The tables that are read, for errors.
    key
        The attributes of the key that were fetched too, a column each, for errors.
    context
        What codecs may use.
    plain
        What makes of the driver's value what codecs take; None where that is the same.
    """

    attribute: Attribute
    origin: str
    key: Mapping[str, Sequence[Any]]
    context: Context
    plain: Callable[[Any], Any] | None = None

    def decoded(self, column: Sequence[Any], last: int | None = None) -> list[Any]:
        """Return the user's values of a column, NULL as None.

        Parameters
        ----------
        column
            As the driver gives them.
        last
            Decode by so many of the codecs only, those next to the column.

        Raises
        ------
        DataJointError
            In the class of what went wrong, with the table, the key and the attribute.
        """
        assert self.attribute.type is not None, "a codec attribute has a type"
        chain = chain_of(self.attribute.type)
        chain = chain if last is None else chain.last(last)
        context: Context = {**self.context, "field": self.attribute.name}
        rows = [(row, value) for row, value in enumerate(column) if value is not None]

        def one(item: tuple[int, Any]) -> Any:
            row, stored = item
            key = {name: values[row] for name, values in self.key.items()}
            try:
                plain = stored if self.plain is None else self.plain(stored)
                found = chain.decode(plain, context, key)
            except DataJointError as error:
                raise error.suggest(self._place(key)) from error
            except (
                Exception
            ) as error:  # a codec is someone else's code, and the row may hold anything
                raise self._unreadable(error, key) from error
            return replace(found, origin=self._place(key)) if type(found) is ObjectRef else found

        result: list[Any] = [None] * len(column)
        for (row, _), value in zip(rows, self._mapped(one, rows), strict=True):
            result[row] = value
        return result

    def _unreadable(self, error: Exception, key: Mapping[str, Any]) -> DataJointError:
        assert self.attribute.type is not None, "a codec attribute has a type"
        return DataJointError(
            f"The codec {self.attribute.type.text} cannot read what the row holds: {type(error).__name__}: {error}",
            self._place(key),
        )

    def _place(self, key: Mapping[str, Any]) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in key.items())
        which = f", row {shown}" if shown else ""
        return f"(attribute `{self.attribute.name}` of {self.origin}{which})"

    def _mapped(
        self, one: Callable[[tuple[int, Any]], Any], rows: Sequence[tuple[int, Any]]
    ) -> Sequence[Any]:
        workers = self._workers(rows)
        if workers == 1:
            return [*map(one, rows)]
        with ThreadPoolExecutor(workers, "dj-decode") as pool:
            futures = [pool.submit(one, row) for row in rows]
            try:
                return [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _workers(self, rows: Sequence[tuple[int, Any]]) -> int:
        most = min(len(rows), int(self.context["config"]["objects.workers"]))
        if len(rows) < _MANY:
            return 1
        assert self.attribute.type is not None, "a codec attribute has a type"
        if self.attribute.type.in_store:
            return most
        # Inflating lets other threads run, all other work of a codec does not.
        size = sum(len(value) for _, value in rows[:_MANY] if isinstance(value, bytes | memoryview))
        return most if size > _MANY * _LARGE else 1

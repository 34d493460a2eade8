"""What stands between a user's value and the column: one codec, or several, each taking what the one before made.

```
<blob@raw>   value -> blob -> bytes -> hash (writes an object) -> json column
<blob>       value -> blob -> bytes column
```
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from djupyter.codecs.base import Codec, Context
from djupyter.codecs.registry import get_codec
from djupyter.definition.model import TypeSpec
from djupyter.definition.types import parse_type
from djupyter.errors import DataJointError

# A column of these holds a JSON document or bytes where a codec that cannot be had here would decide.
_GUESS = {True: "json", False: "bytes"}


@dataclass(frozen=True)
class Chain:
    """The codecs of a declared type, from the user's value to the column.

    Parameters
    ----------
    codecs
        In the order in which they encode.
    column
        The type of the column.
    store
        The store of the declared type; empty for the default one, None in the row.
    """

    codecs: tuple[Codec, ...]
    column: TypeSpec
    store: str | None

    def encode(self, value: Any, key: dict[str, Any], context: Context) -> Any:
        """Return what the column holds for a value."""
        self.codecs[0].validate(value)
        for codec in self.codecs:
            given = {"key": key, "context": context, "store_name": self.store}
            value = codec.encode(value, **_taken(type(codec), "encode", given))
        return value

    def decode(self, stored: Any, context: Context, key: dict[str, Any] | None = None) -> Any:
        """Return the value for what the column holds."""
        for codec in reversed(self.codecs):
            given = {"key": key or {}, "context": context}
            stored = codec.decode(stored, **_taken(type(codec), "decode", given))
        return stored

    def decoder(self, context: Context) -> Callable[[Any], Any]:
        """Return what decodes many values."""
        return lambda stored: self.decode(stored, context)

    def last(self, count: int) -> Chain:
        """Return the chain of the last codecs only: what stands between the column and the others."""
        return replace(self, codecs=self.codecs[len(self.codecs) - count :])

    def referenced_paths(self, stored: Any) -> list[tuple[str, str | None]]:
        """Return the objects that a column's value refers to: path and store."""
        return self.codecs[-1].referenced_paths(stored)


def chain_of(declared: TypeSpec) -> Chain:
    """Return the codecs of a declared type.

    Raises
    ------
    DataJointError
        A codec of the chain is not available, wants what is no type, or comes twice.

    Examples
    --------
    >>> chain_of(parse_type("<blob>")).column.text
    'bytes'
    """
    codecs: list[Codec] = []
    spec = declared
    while spec.kind == "codec":
        codec = get_codec(spec.name)
        if any(codec is known for known in codecs):
            chain = " -> ".join(f"<{known.name}>" for known in [*codecs, codec])
            raise DataJointError(f"The codec {declared.text} never ends in a column: {chain}.")
        codecs.append(codec)
        spec = _next(codec, declared)
    return Chain(tuple(codecs), spec, declared.store)


def column_type_of(declared: TypeSpec) -> TypeSpec:
    """Return the type of the column that holds values of a declared type.

    A codec that cannot be had here holds `bytes` in the row and `json` in a store, as
    nearly all do: a table may be declared and read by those who lack the codec of one attribute.

    Examples
    --------
    >>> column_type_of(TypeSpec("<mystery@raw>", "codec", "mystery", store="raw")).text
    'json'
    >>> column_type_of(TypeSpec("int32", "core", "int32")).text
    'int32'
    """
    if declared.kind != "codec":
        return declared
    try:
        get_codec(declared.name)
    except DataJointError:  # it will be raised again by whoever encodes or decodes a value
        return parse_type(_GUESS[declared.in_store])
    return chain_of(declared).column


def _next(codec: Codec, declared: TypeSpec) -> TypeSpec:
    text = codec.get_dtype(declared.in_store)
    try:
        spec = parse_type(text)
    except DataJointError as error:
        raise DataJointError(
            f"The codec <{codec.name}> wants a column of type {text!r}, which is no type: {error}"
        ) from error
    if spec.kind == "codec" and declared.in_store and not spec.in_store:
        return parse_type(f"<{spec.name}@{declared.store}>")
    return spec


def _taken(codec_class: type[Codec], method: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that a codec's method has a place for."""
    wanted = _parameters(codec_class, method)
    return given if wanted is None else {name: given[name] for name in wanted if name in given}


@cache
def _parameters(codec_class: type[Codec], method: str) -> frozenset[str] | None:
    """Return the names of a method's parameters; None when it takes any."""
    parameters = inspect.signature(getattr(codec_class, method)).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)

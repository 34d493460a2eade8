"""Codecs by name: built in, registered by a program, or offered by installed packages.

A package offers a codec through an entry point named like the codec, in the group
`djupyter.codecs`. It is imported when the codec is first asked for, so a broken package is noticed
only by those who use it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from djupyter.codecs.base import Codec
from djupyter.codecs.blob import BlobCodec
from djupyter.definition.model import TypeSpec
from djupyter.errors import DataJointError, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUPS = ("djupyter.codecs", "datajoint.codecs")

AnyCodec = TypeVar("AnyCodec", bound=Codec)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_codecs: dict[str, Codec] = {BlobCodec.name: BlobCodec()}


def get_codec(name: str) -> Codec:
    """Return the codec of a name.

    Parameters
    ----------
    name
        As in a definition, with or without angle brackets.

    Raises
    ------
    DataJointError
        No codec has the name, or the package that offers it is broken.

    Examples
    --------
    >>> get_codec("blob").column_type(in_store=False)
    'bytes'
    >>> get_codec("blobb")
    Traceback (most recent call last):
    ...
    djupyter.errors.DataJointError: The codec <blobb> is not available: ... Did you mean `blob`?
    """
    name = name.strip("<>")
    if name not in _codecs:
        offer = _offers().get(name)
        if offer is None:
            raise _unknown(name)
        _codecs[name] = _loaded(offer)
    return _codecs[name]


def list_codecs() -> list[str]:
    """Return the names of all codecs that can be asked for, sorted.

    >>> "blob" in list_codecs()
    True
    """
    return sorted({*_codecs, *_offers()})


def register(codec_class: type[AnyCodec]) -> type[AnyCodec]:
    """Make a codec known by its name; usable as a decorator.

    Defining and registering the same class again, as a notebook cell does, replaces it.

    Raises
    ------
    DataJointError
        The class is no complete codec, or another codec has its name.
    """
    codec = _instance(codec_class, f"the class {codec_class!r}")
    known = _codecs.get(codec.name)
    if known is not None and _identity(type(known)) != _identity(codec_class):
        raise DataJointError(
            f"The codec <{codec.name}> exists already: {type(known)!r}. "
            f"Give {codec_class!r} another name."
        )
    _codecs[codec.name] = codec
    return codec_class


def column_type_of(declared: TypeSpec) -> TypeSpec:
    """Return the type of the column that holds values of a declared type.

    A codec that cannot be had here holds `bytes` in the row and `json` in a store, as
    nearly all do: a table may be declared and read by those who lack the codec of one attribute.

    Examples
    --------
    >>> column_type_of(TypeSpec("<npy@raw>", "codec", "npy", store="raw")).text
    'json'
    >>> column_type_of(TypeSpec("int32", "core", "int32")).text
    'int32'
    """
    if declared.kind != "codec":
        return declared
    try:
        text = get_codec(declared.name).column_type(in_store=declared.in_store)
    except DataJointError:  # it will be raised again by whoever encodes or decodes a value
        text = "json" if declared.in_store else "bytes"
    if text not in ("bytes", "json"):
        raise DataJointError(
            f"The codec <{declared.name}> wants a column of type {text!r}. "
            "A codec uses bytes or json."
        )
    return TypeSpec(text, "core", text)


@cache
def _offers() -> dict[str, EntryPoint]:
    """Return what installed packages offer; our own group wins."""
    # It loads the package `email`, and few programs ask for a codec that is not built in.
    from importlib.metadata import entry_points

    return {offer.name: offer for group in reversed(GROUPS) for offer in entry_points(group=group)}


def _loaded(offer: EntryPoint) -> Codec:
    package = offer.dist.name if offer.dist else "unknown"
    source = f"the entry point {offer.name} = {offer.value} of the package {package}"
    try:
        codec_class = offer.load()
    except Exception as error:  # someone else's code: anything may go wrong
        raise DataJointError(
            f"The codec <{offer.name}> cannot be loaded from {source}: "
            f"{type(error).__name__}: {error}. Repair or remove that package."
        ) from error
    codec = _instance(codec_class, source)
    if codec.name != offer.name:
        raise DataJointError(
            f"The codec <{offer.name}> is not available: {source} is named <{codec.name}> inside."
        )
    return codec


def _instance(codec_class: object, source: str) -> Codec:
    if not (isinstance(codec_class, type) and issubclass(codec_class, Codec)):
        raise DataJointError(f"Not a codec: {source}. Derive it from djupyter's Codec.")
    if not _NAME.fullmatch(getattr(codec_class, "name", "")):
        raise DataJointError(
            f"Not a codec: {source} has no usable name. Set name = 'lower_case' in the class."
        )
    try:
        return codec_class()
    except TypeError as error:
        raise DataJointError(f"Not a codec: {source} cannot be made: {error}.") from error


def _identity(codec_class: type) -> tuple[str, str]:
    return codec_class.__module__, codec_class.__qualname__


def _unknown(name: str) -> DataJointError:
    known = list_codecs()
    return DataJointError(
        f"The codec <{name}> is not available: a codec turns one kind of Python value into what "
        "a column or a store holds, and none of this name is built in, registered or installed. "
        f"Known codecs: {', '.join(known)}. {nearest(name, known)}".strip()
    )

"""Codecs by name: built in, defined by a program, or offered by installed packages.

A package offers a codec through an entry point named like the codec, in the group `djupyter.codecs`.
It is imported when the codec is first asked for, so a broken package is noticed only by those who use it.
"""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from djupyter.codecs.base import Codec, checked_name, on_definition
from djupyter.errors import DataJointError, nearest
from djupyter.settings.entry_points import loaded

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# Those of later groups are overridden by those of earlier ones.
GROUPS = ("djupyter.codecs", "datajoint.codecs", "datajoint.types")

# Imported when they are first asked for.
_BUILT_IN = {
    "attach": "djupyter.codecs.attach:AttachCodec",
    "blob": "djupyter.codecs.blob:BlobCodec",
    "filepath": "djupyter.codecs.filepath:FilepathCodec",
    "hash": "djupyter.codecs.hash:HashCodec",
    "npy": "djupyter.codecs.npy:NpyCodec",
    "object": "djupyter.codecs.object:ObjectCodec",
    "parquet": "djupyter.codecs.parquet:ParquetCodec",
    "zarr": "djupyter.codecs.zarr:ZarrCodec",
}
_codecs: dict[str, Codec] = {}


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
    >>> get_codec("blob").get_dtype(is_store=False)
    'bytes'
    >>> get_codec("blobb")
    Traceback (most recent call last):
    ...
    djupyter.errors.DataJointError: The codec <blobb> is not available: ... Did you mean `blob`?
    """
    name = name.strip("<>").partition("@")[0]
    found = _codecs.get(name)
    if found is None:
        found = _codecs[name] = _made(name)
    return found


def list_codecs() -> list[str]:
    """Return the names of all codecs that can be asked for, sorted.

    >>> "blob" in list_codecs()
    True
    """
    return sorted({*_BUILT_IN, *_codecs, *_offers()})


def _defined(codec_class: type[Codec]) -> None:
    """Note a class that was just defined; one that is still abstract is a base of others.

    Raises
    ------
    DataJointError
        It is no complete codec, or another one has its name.
    """
    if inspect.isabstract(codec_class) or codec_class.__module__.startswith("djupyter.codecs."):
        return
    codec = _instance(codec_class, f"the class {codec_class!r}")
    _refuse_twice(codec.name, codec_class)
    _codecs[codec.name] = codec


on_definition(_defined)


def _refuse_twice(name: str, codec_class: type[Codec]) -> None:
    known = _codecs.get(name)
    built_in = known is None and name in _BUILT_IN
    if built_in or (known is not None and _identity(type(known)) != _identity(codec_class)):
        other = _BUILT_IN[name] if known is None else repr(type(known))
        raise DataJointError(
            f"The codec <{name}> exists already: {other}. Give {codec_class!r} another name."
        )


def _made(name: str) -> Codec:
    if name in _BUILT_IN:
        module, _, class_name = _BUILT_IN[name].partition(":")
        return _instance(getattr(import_module(module), class_name), _BUILT_IN[name])
    offer = _offers().get(name)
    if offer is None:
        raise _unknown(name)
    return _loaded(offer)


@cache
def _offers() -> dict[str, EntryPoint]:
    """Return what installed packages offer; our own group wins."""
    # It loads the package `email`, and few programs ask for a codec that is not built in.
    from importlib.metadata import entry_points

    offers = {
        offer.name: offer for group in reversed(GROUPS) for offer in entry_points(group=group)
    }
    return {name: offer for name, offer in offers.items() if name not in _BUILT_IN}


def _loaded(offer: EntryPoint) -> Codec:
    codec_class, source = loaded(offer, f"The codec <{offer.name}>")
    codec = _instance(codec_class, source)
    if codec.name != offer.name:
        raise DataJointError(
            f"The codec <{offer.name}> is not available: {source} is named <{codec.name}> inside."
        )
    return codec


def _instance(codec_class: object, source: str) -> Codec:
    if not (isinstance(codec_class, type) and issubclass(codec_class, Codec)):
        raise DataJointError(f"Not a codec: {source}. Derive it from djupyter's Codec.")
    checked_name(codec_class, source)
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
        "a column or a store holds, and none of this name is built in, defined or installed. "
        f"Known codecs: {', '.join(known)}. {nearest(name, known)}".strip()
    )

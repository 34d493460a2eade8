"""Protocols of stores beyond the built-in ones: by a subclass, or offered by an installed package.

A package offers its adapter through an entry point named like the protocol, in the group
`datajoint.storage`. It is imported when a store first asks for the protocol, so a broken package is
noticed only by those who use it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, cast

from djupyter.errors import DataJointError
from djupyter.settings.entry_points import loaded

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "datajoint.storage"
# Every store may have these, whatever its protocol.
COMMON_KEYS: dict[str, object] = {
    "subfolding": None,
    "partition_pattern": None,
    "token_length": 8,
    "hash_prefix": "_hash",
    "schema_prefix": "_schema",
    "filepath_prefix": None,
}
_MEMBERS = ("create_filesystem", "validate_spec", "full_path", "get_url")


class StorageAdapter(ABC):
    """How stores of one protocol are configured and reached; a subclass is registered by its `protocol`.

    Defining the same class again, as a notebook cell does, replaces it.

    Attributes
    ----------
    protocol
        What an entry of `stores` names.
    required_keys, allowed_keys
        Of an entry, beside `protocol`, `location` and those that every store may have.

    Examples
    --------
    >>> class Archive(StorageAdapter):
    ...     protocol = "archive"
    ...     required_keys = ("shelf",)
    ...     def create_filesystem(self, spec):
    ...         import fsspec
    ...         return fsspec.filesystem("memory")
    >>> Archive().full_path({"location": "lab/raw"}, "a/b.npy")
    'lab/raw/a/b.npy'
    """

    protocol: ClassVar[str]
    required_keys: ClassVar[Iterable[str]] = ()
    allowed_keys: ClassVar[Iterable[str]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if isinstance(cls.__dict__.get("protocol"), str):
            _register(cls)

    @abstractmethod
    def create_filesystem(self, spec: Mapping[str, Any]) -> Any:
        """Return the fsspec filesystem for an entry; called once, when the store is first used."""

    def validate_spec(self, spec: Mapping[str, Any]) -> None:  # noqa: B027 - optional for subclasses
        """Raise when the values of an entry do not fit; its keys are checked already."""

    def full_path(self, spec: Mapping[str, Any], relpath: str) -> str:
        """Return the path in the filesystem of a path in the store."""
        return joined(spec.get("location"), relpath)

    def get_url(self, spec: Mapping[str, Any], path: str) -> str:
        """Return the URL of a path in the filesystem."""
        return f"{self.protocol}://{path}"


_registered: dict[str, type[StorageAdapter]] = {}


def joined(*parts: object) -> str:
    """Return a path of those parts that are not empty.

    >>> joined("bucket", "", "a/b")
    'bucket/a/b'
    """
    return "/".join(text for part in parts if (text := str(part or "").rstrip("/")))


def find_adapter(protocol: str) -> StorageAdapter | None:
    """Return the adapter of a protocol that is registered or offered by a package.

    Raises
    ------
    DataJointError
        The package that offers it is broken; the message names it.
    """
    if protocol in _registered:
        return _made(_registered[protocol], f"the class {_registered[protocol]!r}")
    offer = _offers().get(protocol)
    return _loaded(offer) if offer else None


def adapter_names() -> list[str]:
    """Return the protocols that adapters can be had for, sorted."""
    return sorted({*_registered, *_offers()})


def _register(adapter: type[StorageAdapter]) -> None:
    known = _registered.get(adapter.protocol)
    if known is not None and _identity(known) != _identity(adapter):
        raise DataJointError(
            f"The storage protocol '{adapter.protocol}' exists already: {known!r}. "
            f"Give {adapter!r} another one."
        )
    _registered[adapter.protocol] = adapter


def _identity(adapter: type) -> tuple[str, str]:
    return adapter.__module__, adapter.__qualname__


@cache
def _offers() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # it loads the package `email`

    return {offer.name: offer for offer in entry_points(group=GROUP)}


def _loaded(offer: EntryPoint) -> StorageAdapter:
    adapter, source = loaded(offer, f"The storage protocol '{offer.name}'")
    return _made(adapter, source)


def _made(adapter: Any, source: str) -> StorageAdapter:
    """Return an instance; a class of a package that knows only datajoint will do as well."""
    lacking = [name for name in _MEMBERS if not callable(getattr(adapter, name, None))]
    if not isinstance(adapter, type) or lacking:
        raise DataJointError(
            f"Not a storage adapter: {source} lacks {', '.join(lacking) or 'a class'}. "
            "Derive it from djupyter's StorageAdapter."
        )
    try:
        return cast(StorageAdapter, adapter())
    except Exception as error:  # someone else's code
        raise DataJointError(
            f"Not a storage adapter: {source} cannot be made: {type(error).__name__}: {error}."
        ) from error

"""The structure of an HDF5 file. Values of datasets are never read, links never followed."""

from __future__ import annotations

import contextlib
from typing import Any, BinaryIO

_NODES, _MEMBERS, _LEVELS = 300, 100, 8
_ATTRIBUTES, _ATTRIBUTE_BYTES, _CHARACTERS = 12, 4096, 200


def read(file: BinaryIO) -> dict[str, Any]:
    """Return the tree of a file, as plain data."""
    import h5py

    with h5py.File(file, "r") as opened:
        return Reader(h5py).node("/", opened, 0)


class Reader:
    """Builds the tree of an open file.

    Parameters
    ----------
    h5py
        The module.
    """

    def __init__(self, h5py: Any) -> None:
        self._h5py, self._left = h5py, _NODES
        self._seen: set[tuple[int, int]] = set()

    def node(self, name: str, item: Any, level: int) -> dict[str, Any]:
        """Return a group or dataset with what lies in it."""
        self._left -= 1
        shown: dict[str, Any] = {"name": name, "detail": "", "attributes": _attributes(item)}
        if isinstance(item, self._h5py.Dataset):
            return shown | {"detail": _dataset(item)}
        if not isinstance(item, self._h5py.Group):
            return shown | {"detail": "a type"}
        shown["name"] = name.rstrip("/") + "/"
        place = self._h5py.h5o.get_info(item.id)
        address = (place.fileno, place.addr)
        if address in self._seen:
            return shown | {"detail": "shown above", "attributes": []}
        self._seen.add(address)
        if level >= _LEVELS:
            return shown | {"more": -1 if len(item) else 0}
        return shown | self._members(item, level)

    def _members(self, group: Any, level: int) -> dict[str, Any]:
        names: list[bytes] = []

        def note(name: bytes, *_: Any) -> int | None:
            names.append(name)
            return 1 if len(names) >= _MEMBERS else None  # a number ends the iteration

        group.id.links.iterate(note)
        children = []
        for name in names:
            if self._left <= 0:
                break
            children.append(self._member(group, name, level))
        return {"children": children, "more": max(0, len(group) - len(children))}

    def _member(self, group: Any, raw: bytes, level: int) -> dict[str, Any]:
        name = raw.decode("utf-8", errors="replace")
        try:
            link = group.get(name, getlink=True)
            if isinstance(link, self._h5py.SoftLink):
                return self._link(name, link.path)
            if isinstance(link, self._h5py.ExternalLink):
                return self._link(name, f"{link.filename}:{link.path}")
            return self.node(name, group[name], level + 1)
        except Exception as error:  # one damaged member does not hide the others
            return {"name": name, "detail": f"cannot be read: {error}"[:_CHARACTERS]}

    def _link(self, name: str, target: str) -> dict[str, Any]:
        self._left -= 1
        return {"name": name, "detail": f"→ {target}"[:_CHARACTERS]}


def _dataset(item: Any) -> str:
    shape = "a single value" if item.shape == () else " × ".join(f"{n:,}" for n in item.shape or ())
    kind = "strings" if item.dtype.kind in "SO" else str(item.dtype)
    if item.dtype.names:
        kind = f"{len(item.dtype.names)} fields ({', '.join(item.dtype.names)})"[:80]
    facts = [f"{kind} {shape}".strip()]
    if item.shape is None:
        facts = [f"{kind}, empty"]
    if item.chunks:
        facts.append(f"chunks {' × '.join(map(str, item.chunks))}")
    if item.compression:
        facts.append(str(item.compression))
    if item.is_virtual or item.external:
        facts.append("values in other files, not followed")
    else:
        facts.append(f"@{item.id.get_storage_size()}")
    return ", ".join(facts)


def _attributes(item: Any) -> list[list[str]]:
    shown: list[list[str]] = []
    with contextlib.suppress(Exception):  # attributes are the last that is worth an error
        for name in item.attrs:
            if len(shown) == _ATTRIBUTES:
                shown.append(["…", "and more"])
                break
            shown.append([str(name), _attribute(item, name)])
    return shown


def _attribute(item: Any, name: str) -> str:
    try:
        found = item.attrs.get_id(name)
        if found.get_storage_size() > _ATTRIBUTE_BYTES:
            return f"{found.dtype} {' × '.join(map(str, found.shape))}"
        value = item.attrs[name]
        text = value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
    except Exception as error:  # types that h5py does not know
        text = f"cannot be read: {error}"
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…"

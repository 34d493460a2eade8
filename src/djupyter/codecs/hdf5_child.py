"""What reads the structure of an HDF5 file, in a process of its own; run as a script, imports nothing of djupyter.

HDF5 may crash on a damaged file, and holds a lock of the whole process while a store hangs. The parent serves the
bytes: a request is a line `{"read": [start, stop]}`, answered by eight bytes of length and as many bytes. The result
is a line `{"tree": ...}` or `{"error": ...}`. Values of datasets are never read, links never followed, plugins never
loaded.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import struct
import sys
from typing import Any, BinaryIO

_NODES, _MEMBERS, _LEVELS = 300, 100, 8
_ATTRIBUTES, _ATTRIBUTE_BYTES, _CHARACTERS = 12, 4096, 200
_MEMORY = 4 << 30


class Served(io.RawIOBase):
    """The file, which the parent reads."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO, size: int) -> None:
        self._requests, self._answers, self._size, self._place = requests, answers, size, 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be read at any place."""
        return True

    def tell(self) -> int:
        """Return the place at which it is read next."""
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._place = max(0, (0, self._place, self._size)[whence] + offset)
        return self._place

    def readinto(self, target: Any) -> int:
        """Fill a buffer."""
        view = memoryview(target).cast("B")
        stop = min(self._place + len(view), self._size)
        if stop <= self._place:
            return 0
        _send(self._requests, {"read": [self._place, stop]})
        (length,) = struct.unpack("<q", self._answers.read(8))
        if length < 0:
            raise OSError("it may not be read further")
        view[:length] = self._answers.read(length)
        self._place += length
        return int(length)


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


def _send(target: BinaryIO, message: dict[str, Any]) -> None:
    target.write(json.dumps(message).encode() + b"\n")
    target.flush()


def _limit(seconds: float) -> None:
    """End this process in time, and before it takes all memory, whatever HDF5 does."""
    import signal

    with contextlib.suppress(ImportError, ValueError, OSError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01))


def main() -> None:
    """Answer the one question of the parent."""
    requests, answers = sys.stdout.buffer, sys.stdin.buffer
    given = json.loads(answers.readline())
    _limit(given["seconds"])
    os.environ |= {"HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1"}
    sys.path[:] = given["path"]
    try:
        import h5py

        with h5py.File(Served(requests, answers, given["size"]), "r") as file:
            _send(requests, {"tree": Reader(h5py).node("/", file, 0)})
    except Exception as error:  # the parent shows it
        _send(requests, {"error": f"{type(error).__name__}: {error}"[:1000]})


if __name__ == "__main__":
    main()

"""What a store does with a filesystem of fsspec, whatever lies behind it; all paths are full ones."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, ClassVar, cast

from djupyter.stores.failures import NoRootError
from djupyter.stores.paths import Bytes
from djupyter.stores.transfers import run_all, shielded
from djupyter.stores.writing import Writing

# Of one object that is moved in parts: at most so many bytes a part, so many parts at once.
PART = 16 * 2**20
PARTS_AT_ONCE = 4
_IN_MEMORY = 32 * 2**20
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")


@dataclass(frozen=True, slots=True)
class Found:
    """A file by its full path, with its size in bytes and the time of its last change."""

    path: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Upload:
    """An object that somebody has begun to send in parts: its path, the server's name for it, when it began."""

    path: str
    name: str
    began: float


class Files:
    """What works on every filesystem.

    Parameters
    ----------
    fs
        The filesystem.
    root
        What has to exist for the store to be there at all, such as a bucket; None when nothing has to.
    makes_folders
        Whether a folder has to be made before a file can be written into it.
    """

    is_near: ClassVar[bool] = False
    """Whether a call that is interrupted does nothing more."""

    def __init__(self, fs: Any, root: str | None = None, *, makes_folders: bool = True) -> None:
        self.fs, self.root, self._makes_folders = fs, root, makes_folders

    def put(self, path: str, parts: Sequence[Bytes]) -> None:
        """Write an object whole."""
        self._make_parent(path)
        whole = parts[0] if len(parts) == 1 else b"".join(parts)
        self.fs.pipe_file(path, bytes(whole))

    def put_file(self, path: str, local: Path) -> int:
        """Write a copy of a local file; return its size."""
        self._make_parent(path)
        self.fs.put_file(str(local), path)
        return local.stat().st_size

    def get(self, path: str) -> bytes:
        """Return an object; a large one is read in parts at once."""
        first = self._range(path, 0, PART)
        if len(first) < PART:
            return first
        size = int(self.fs.info(path)["size"])
        starts = range(PART, size, PART)
        rest = [partial(self._range, path, start, min(start + PART, size)) for start in starts]
        whole = b"".join([first, *run_all(rest, PARTS_AT_ONCE)])
        if len(whole) != size:
            raise OSError(f"{len(whole)} of {size} bytes could be read")
        return whole

    def parts(self, path: str, ranges: Sequence[tuple[int | None, int | None]]) -> list[bytes]:
        """Return parts of an object; a negative number counts from the end."""
        if len(ranges) == 1:
            ((start, stop),) = ranges
            return [cast(bytes, self.fs.cat_file(path, start=start, end=stop))]
        starts, stops = [start for start, _ in ranges], [stop for _, stop in ranges]
        found = self.fs.cat_ranges([path] * len(ranges), starts, stops, on_error="raise")
        # Some versions of fsspec return what went wrong.
        for error in found:
            if isinstance(error, Exception):
                raise error
        return [bytes(data) for data in found]

    def get_file(self, path: str, local: Path) -> None:
        """Write an object to a local file."""
        self.fs.get_file(path, str(local))

    def open_read(self, path: str, mode: str) -> IO[Any]:
        """Open an object for reading."""
        return cast(IO[Any], self.fs.open(path, mode))

    def open_write(self, path: str) -> Writing:
        """Open a file that becomes the object when closed."""
        if self._makes_folders:
            # Such filesystems show a file from the moment it is opened.
            return self._open_spooled(path)
        file = self.fs.open(path, "wb", block_size=PART)
        publish = partial(shielded, file.close)
        return Writing(cast(IO[bytes], file), publish, partial(_abandon, file))

    def info(self, path: str) -> Found | None:
        """Return what is known of an object; None when it is absent or a folder."""
        try:
            info = self.fs.info(path)
        except (FileNotFoundError, NotADirectoryError):
            self.check_root()
            return None
        return None if info["type"] == "directory" else _found(path, info)

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder with something in it."""
        return bool(self.fs.isdir(path))

    def entries(self, folder: str) -> Iterator[Found]:
        """Yield every file below a folder, in no particular order."""
        try:
            for parent, _, files in self.fs.walk(folder, detail=True, on_error="raise"):
                for name, info in files.items():
                    if name:  # walk gives a file that is no folder under an empty name
                        yield _found(f"{parent.rstrip('/')}/{name}", info)
        except (FileNotFoundError, NotADirectoryError):
            self.check_root()

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all in it; absent is fine."""
        # Not `rm`, which takes *, ? and [ in a name for a pattern and would remove others.
        with suppress(FileNotFoundError):
            if self.info(path) is not None:
                self.fs.rm_file(path)
                return
        for found in self.entries(path):
            with suppress(FileNotFoundError):
                self.fs.rm_file(found.path)
        if self._makes_folders:
            self._remove_folders(path)

    def remove_many(self, paths: Iterable[str]) -> Iterator[tuple[str, Exception]]:
        """Remove many files; yield those that could not be, with the reason."""
        for path in paths:
            try:
                self.remove(path)
            except Exception as error:  # someone else's code; it is reported
                yield path, error

    def uploads(self, folder: str) -> Iterator[Upload]:
        """Yield what somebody has begun to send and not finished, as far as the server keeps it and tells."""
        yield from ()

    def give_up(self, upload: Upload) -> None:
        """Have the server throw away what was sent of an object."""

    def persist(self, paths: Iterable[str], workers: int) -> None:
        """Return when files are written for good; a server answers only then."""

    def check_root(self) -> None:
        """Raise when the store itself is not there, which is no reason to call its objects absent."""
        if self.root and not self.fs.exists(self.root):
            raise NoRootError(self.root)

    def _range(self, path: str, start: int, stop: int) -> bytes:
        return cast(bytes, self.fs.cat_file(path, start=start, end=stop))

    def _remove_folders(self, path: str) -> None:
        for parent, folders, _ in self.fs.walk(path, topdown=False, on_error="omit"):
            for name in folders:
                self.fs.rmdir(f"{parent}/{name}")
        with suppress(FileNotFoundError):
            self.fs.rmdir(path)

    def _open_spooled(self, path: str) -> Writing:
        """Return a file that is kept here until it is closed."""
        spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - outlives this

        def publish() -> None:
            spool.seek(0)
            self._make_parent(path)
            with spool, self.fs.open(path, "wb") as file:
                while piece := spool.read(PART):
                    file.write(piece)

        return Writing(cast(IO[bytes], spool), partial(shielded, publish), spool.close)

    def _make_parent(self, path: str) -> None:
        if self._makes_folders:
            self.fs.makedirs(path.rpartition("/")[0], exist_ok=True)


class MemoryFiles(Files):
    """Files of this process, which are gone when it ends."""

    is_near: ClassVar[bool] = True

    def get_file(self, path: str, local: Path) -> None:
        """Write an object to a local file."""
        local.write_bytes(self.get(path))

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all in it, and the folders above that are empty then."""
        super().remove(path)
        with suppress(OSError):  # not empty, or no folder that fsspec remembers
            while path := path.rpartition("/")[0]:
                self.fs.rmdir(path)

    def open_read(self, path: str, mode: str) -> IO[Any]:
        """Open a copy: the file of fsspec is the object itself, with one position for all readers."""
        file = io.BytesIO(self.get(path))
        return file if "b" in mode else io.TextIOWrapper(file, encoding="utf-8")

    def open_write(self, path: str) -> Writing:
        """Open a file that becomes the object when closed: fsspec shows it from the beginning."""
        file = io.BytesIO()
        return Writing(file, lambda: self.put(path, [file.getbuffer()]), file.close)


def _abandon(file: Any) -> None:
    """Throw away what a file of fsspec has sent so far, without its `close`, which would publish it."""
    try:
        file.discard()
    finally:
        file.closed = True


def _found(path: str, info: dict[str, Any]) -> Found:
    return Found(path, int(info.get("size") or 0), _moment(info))


def _moment(info: dict[str, Any]) -> float:
    """Return the time of the last change; where nobody knows it, now, so that nothing looks old enough to go."""
    value = next((info[name] for name in _TIMES if info.get(name)), None)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.timestamp()
    return float(value) if value is not None else time.time()

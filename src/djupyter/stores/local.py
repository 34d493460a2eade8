"""Files of a store on this machine: written under another name first, listed as they come."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import IO, Any, ClassVar
from uuid import uuid4

from djupyter.errors import DataJointError
from djupyter.stores.durable import persist
from djupyter.stores.failures import NoRootError
from djupyter.stores.files import Files, Found
from djupyter.stores.paths import Bytes
from djupyter.stores.writing import Writing

_ABSENT = (FileNotFoundError, NotADirectoryError)
_ATTEMPTS = 10


class LocalFiles(Files):
    """Files below a folder, with the calls of the system rather than those of fsspec."""

    is_near: ClassVar[bool] = True
    root: str

    def put(self, path: str, parts: Sequence[Bytes]) -> None:
        """Write an object whole."""
        with self.open_write(path) as file:
            file.writelines(parts)

    def put_file(self, path: str, local: Path) -> int:
        """Write a copy of a local file; return its size."""
        file, temporary = self._temporary(path)
        file.close()
        with _removed_on_error(temporary):
            shutil.copyfile(local, temporary)
            size = os.path.getsize(temporary)
            os.replace(temporary, path)
        return size

    def get(self, path: str) -> bytes:
        """Return an object."""
        with self._present(), open(path, "rb") as file:
            return file.read()

    def get_file(self, path: str, local: Path) -> None:
        """Write an object to a local file."""
        with self._present():
            shutil.copyfile(path, local)

    def open_read(self, path: str, mode: str) -> IO[Any]:
        """Open the file itself, which can be mapped into memory."""
        with self._present():
            return open(path, mode, encoding=None if "b" in mode else "utf-8")

    def open_write(self, path: str) -> Writing:
        """Open a file that becomes the object when closed."""
        file, temporary = self._temporary(path)
        discard = partial(_discard, file, temporary)
        return Writing(file, partial(_publish, file, temporary, path), discard)

    def info(self, path: str) -> Found | None:
        """Return what is known of an object; None when it is absent or a folder."""
        status = self._status(path)
        if status is None or not S_ISREG(status.st_mode):
            return None
        return Found(path, status.st_size, status.st_mtime)

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder."""
        status = self._status(path)
        return status is not None and S_ISDIR(status.st_mode)

    def entries(self, folder: str) -> Iterator[Found]:
        """Yield every file below a folder as the system lists them: nothing is collected or sorted.

        Links to folders are not followed, and links to files yielded only when they stay in the store.
        """
        try:
            listing = os.scandir(folder)
        except _ABSENT:
            self.check_root()
            return
        # The open folders on the way down, not those left to do: there may be a million of those in one.
        open_folders = [listing]
        try:
            while open_folders:
                item = next(open_folders[-1], None)
                if item is None:
                    open_folders.pop().close()
                elif item.is_dir(follow_symlinks=False):
                    with suppress(*_ABSENT):
                        open_folders.append(os.scandir(item.path))
                elif item.is_file() and not (item.is_symlink() and leads_out(self.root, item.path)):
                    with suppress(*_ABSENT):  # removed meanwhile
                        status = item.stat()
                        yield Found(item.path, status.st_size, status.st_mtime)
        finally:
            for listing in open_folders:
                listing.close()

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all in it, and the folders above that are empty then."""
        if S_ISDIR(getattr(self._status(path), "st_mode", 0)):
            with suppress(*_ABSENT):
                shutil.rmtree(path)
        else:
            with suppress(*_ABSENT):
                os.unlink(path)
        parent = os.path.dirname(path)
        while len(parent) > len(self.root):
            with suppress(FileNotFoundError):
                try:
                    os.rmdir(parent)
                except FileNotFoundError:
                    raise
                except OSError:  # not empty, or not ours to remove
                    return
            parent = os.path.dirname(parent)

    def persist(self, paths: Iterable[str], workers: int) -> None:
        """Return when files are on the disk."""
        persist(self.root, paths, workers)

    def check_root(self) -> None:
        """Raise when the folder of the store is not there, perhaps since a disk is not mounted."""
        if not os.path.isdir(self.root):
            raise NoRootError(self.root)

    @contextmanager
    def _present(self) -> Iterator[None]:
        """Tell an object that is missing from a store that is."""
        try:
            yield
        except _ABSENT:
            self.check_root()
            raise

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(path)
        except _ABSENT:
            self.check_root()
            return None

    def _temporary(self, path: str) -> tuple[IO[bytes], str]:
        """Return a new file in the folder of a path, and its name."""
        folder = os.path.dirname(path)
        temporary = os.path.join(folder, f".{uuid4().hex}.part")
        for _ in range(_ATTEMPTS):
            try:
                return open(temporary, "xb"), temporary
            except FileNotFoundError:
                self.check_root()
            # Somebody else may remove a folder that is still empty between the two calls, or during this one.
            with suppress(FileNotFoundError):
                os.makedirs(folder, exist_ok=True)
        return open(temporary, "xb"), temporary


def leads_out(root: str, path: str) -> bool:
    """Whether links on the way to a path lead out of a folder."""
    # Nearly no path has links: asking each folder below the root costs a tenth of resolving the whole path.
    place = root
    for name in filter(None, path[len(root) :].split(os.sep)):
        place = os.path.join(place, name)
        try:
            if not S_ISLNK(os.lstat(place).st_mode):
                continue
        except _ABSENT:
            return False  # nor is there anything below
        real_root, real = os.path.realpath(root), os.path.realpath(path)
        return os.path.commonpath([real_root, real]) != real_root
    return False


def check_links(root: str, path: str) -> None:
    """Raise `DataJointError` when links on the way to a path lead out of a folder."""
    if leads_out(root, path):
        raise DataJointError(
            f"The path '{path}' leads out of its store: a symbolic link on the way points elsewhere. "
            "Make a store of the place it points to."
        )


def _publish(file: IO[bytes], temporary: str, path: str) -> None:
    file.close()
    os.replace(temporary, path)


def _discard(file: IO[bytes], temporary: str) -> None:
    with suppress(OSError):  # such as a full disk, when the buffer is written
        file.close()
    with suppress(*_ABSENT):
        os.unlink(temporary)


@contextmanager
def _removed_on_error(temporary: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(*_ABSENT):
            os.unlink(temporary)
        raise

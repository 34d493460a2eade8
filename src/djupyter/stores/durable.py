"""Files that are on the disk, and not only in the memory of the system, where a loss of power would find them.

Measured on ext4: 200 files of 800 kB take 0.1 s when 8 threads ask for them at the end, 0.9 s one after the other; one
small file with its five folders 1 ms and 5 ms.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from stat import S_ISREG

from djupyter.stores.transfers import run_all

_ABSENT = (FileNotFoundError, NotADirectoryError)
_NO_FOLDER = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP}
)
_AT_ONCE = 500
# Windows writes out only what may be written, and has no such call for folders.
_IS_POSIX = os.name == "posix"
_MODE = os.O_RDONLY if _IS_POSIX else os.O_RDWR


def persist(root: str, paths: Iterable[str], workers: int) -> None:
    """Return when files, and all in folders, are on the disk, with their names in the folders above.

    Parameters
    ----------
    root
        The folder of the store, the last of those above.
    paths
        Full paths; absent ones are fine.
    workers
        How many files are written out at a time.

    Raises
    ------
    OSError
        The disk does not take them.
    """
    works = _works(root, paths)
    while some := list(islice(works, _AT_ONCE)):
        run_all(some, workers)


def _works(root: str, paths: Iterable[str]) -> Iterator[Callable[[], None]]:
    """Yield what brings each file to the disk, then each folder: for few, all at once."""
    folders: set[str] = set()
    for path in paths:
        yield from (partial(_persist_file, file) for file in _files(root, path, folders))
    if _IS_POSIX:
        yield from (partial(_persist_folder, folder) for folder in sorted(folders))


def _files(root: str, path: str, folders: set[str]) -> Iterator[str]:
    """Yield the files at or below a path, and note the folders on the way."""
    above = os.path.dirname(path)
    while above not in folders and len(above) >= len(root):
        folders.add(above)
        above = os.path.dirname(above)
    if not os.path.isdir(path):
        yield path
        return
    for folder, _, names in os.walk(path):
        folders.add(folder)
        yield from (os.path.join(folder, name) for name in names)


def _persist_file(path: str) -> None:
    with suppress(*_ABSENT):
        if S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait
            _persist(path)


def _persist_folder(path: str) -> None:
    try:
        _persist(path)
    except OSError as error:
        # Gone, of others that may not list it, or on a filesystem that cannot do it for folders.
        if error.errno not in _NO_FOLDER:
            raise


def _persist(path: str) -> None:
    opened = os.open(path, _MODE)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

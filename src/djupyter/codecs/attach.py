"""The `<attach>` codec: a file with its name, in the row or in a store by its content.

Format: the name in UTF-8, a zero byte, the contents.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from djupyter.codecs.attachment import Attachment
from djupyter.codecs.base import Codec, Context
from djupyter.errors import DataJointError
from djupyter.stores.paths import safe_name

_LONGEST_NAME, _LONGEST_ENDING = 255, 32  # bytes; the first on nearly every filesystem


class AttachCodec(Codec):
    """Files: a path goes in, the path of a copy in the download folder comes out."""

    name: ClassVar[str] = "attach"

    def get_dtype(self, is_store: bool) -> str:
        """Return `bytes`, or `<hash>` for an attachment in a store."""
        return "<hash>" if is_store else "bytes"

    def validate(self, value: Any) -> None:
        """Refuse all but the path of a file."""
        if not isinstance(value, str | os.PathLike):
            raise TypeError(f"<attach> expects the path of a file, got {type(value).__name__}")
        path = Path(value)
        if path.is_dir():
            raise IsADirectoryError(
                f"{path} is a folder: attach a file, or keep folders by <object@store>"
            )
        if not path.is_file():
            raise FileNotFoundError(f"Attachment file not found: {path}")

    def encode(self, value: Any, **_: Any) -> bytearray:
        """Return the name of the file and its contents."""
        path = Path(value)
        head = path.name.encode() + b"\0"
        with path.open("rb") as file:
            # Read to where it belongs: the contents are in memory once.
            data = bytearray(len(head) + os.fstat(file.fileno()).st_size)
            data[: len(head)] = head
            size = len(head) + file.readinto(memoryview(data)[len(head) :])
        del data[size:]  # it has become shorter meanwhile
        return data

    def decode(
        self, stored: Any, *, key: dict[str, Any] | None = None, context: Context | None = None
    ) -> str:
        """Write the file into the setting `download_path` and return its path.

        A file of the same contents is used again; beside one of other contents it gets a number.
        """
        name, zero, contents = _split(stored)
        if not zero:
            raise DataJointError("This is no attachment: its name does not end.")
        folder = Path(context["config"]["download_path"] if context else ".")
        folder.mkdir(parents=True, exist_ok=True)
        # The name comes from elsewhere, and must not lead out of the folder.
        return Attachment(_written(folder / safe_name(name.decode(errors="replace")), contents))

    def summarize(self, prefix: bytes, size: int) -> str:
        """Return the name and the size."""
        name, zero, _ = _split(prefix)
        if not zero:
            return f"<attach> {size} bytes"
        return f"{name.decode(errors='replace')} ({size - len(name) - 1:,} bytes)"


def _split(data: Any) -> tuple[bytes, bool, memoryview]:
    """Return the name, whether it ends, and the contents, which are not copied."""
    view = memoryview(data)
    # No name of a file is longer on any system.
    head = bytes(view[:4096])
    name, zero, _ = head.partition(b"\0")
    return name, bool(zero), view[len(name) + 1 :]


def _written(path: Path, contents: memoryview) -> Path:
    """Return where a file with these contents lies; write it under the first name that is free."""
    number, candidate = 0, path
    with ExitStack() as stack:
        whole: Path | None = None
        while not _is_same(candidate, contents):
            if os.path.lexists(candidate):
                number += 1
                candidate = path.with_name(_numbered(path.name, number))
                continue
            if whole is None:
                whole = stack.enter_context(_temporary(path.parent, contents))
            with suppress(
                FileExistsError
            ):  # another thread or program was faster: look at its file
                _place(whole, candidate)
    return candidate


@contextmanager
def _temporary(folder: Path, contents: memoryview) -> Iterator[Path]:
    """Yield a file with some contents, which is gone afterwards."""
    path = folder / f".{uuid4().hex}.part"
    try:
        path.write_bytes(contents)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _place(whole: Path, path: Path) -> None:
    """Give a file another name, unless something has it: it appears there with all its contents."""
    try:
        os.link(whole, path)
    except FileExistsError:
        raise
    except OSError:  # a filesystem without links
        with whole.open("rb") as source, path.open("xb") as target:
            shutil.copyfileobj(source, target)


def _numbered(name: str, number: int) -> str:
    """Return a file name with a number before its ending, no longer than a name may be."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > _LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    tail = f"_{number}{dot}{ending}"
    return stem.encode()[: _LONGEST_NAME - len(tail.encode())].decode(errors="ignore") + tail


def _is_same(path: Path, contents: memoryview) -> bool:
    if not path.is_file() or path.is_symlink() or path.stat().st_size != contents.nbytes:
        return False
    with path.open("rb") as file:
        place = 0
        while piece := file.read(1 << 20):
            if piece != contents[place : place + len(piece)]:
                return False
            place += len(piece)
    return True

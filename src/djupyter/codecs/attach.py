"""The `<attach>` codec: a file with its name, in the row or in a store by its content.

Format: the name in UTF-8, a zero byte, the contents.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from djupyter.codecs.attachment import Attachment
from djupyter.codecs.base import Codec, Context
from djupyter.errors import DataJointError
from djupyter.stores.paths import safe_name


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

    def encode(self, value: Any, **_: Any) -> bytes:
        """Return the name of the file and its contents."""
        path = Path(value)
        return b"\0".join([path.name.encode(), path.read_bytes()])

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
    """Write a file unless it is there, under the first name that is free, and return where."""
    number = 0
    candidate = path
    while True:
        try:
            # Fails when it exists, also when another program makes it at this moment.
            with candidate.open("xb") as file:
                file.write(contents)
            return candidate
        except FileExistsError:
            if _is_same(candidate, contents):
                return candidate
        number += 1
        candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")


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

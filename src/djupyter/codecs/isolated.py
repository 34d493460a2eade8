"""Formats whose libraries a damaged file can crash are read in a process of its own.

HDF5 and pyarrow abort the program on some files, and HDF5 holds a lock of the whole process while a store hangs. The
process asks this one for every byte: what it may read, until when and from which store is decided here.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Literal

from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.deadline import SECONDS
from djupyter.errors import DataJointError

_FOLDER = Path(__file__).with_name("children")
_LINE = 4 << 20


def read_isolated(
    reader: Literal["hdf5_tree", "parquet_rows"], file: BoundedFile, **options: Any
) -> dict[str, Any]:
    """Return what a reader finds in a file, as plain data.

    Parameters
    ----------
    reader
        A file of `children`.
    file
        Whose budget and deadline are those of the reader.
    options
        Passed on.

    Raises
    ------
    DataJointError
        The file is damaged, or needs more bytes or time.
    """
    seconds = SECONDS if file.deadline is None else file.deadline.left
    # Isolated: neither the folder we are in nor the environment says which modules are imported.
    child = subprocess.Popen(
        [sys.executable, "-I", str(_FOLDER / "main.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    guard = threading.Timer(seconds, child.kill)
    guard.daemon = True
    guard.start()
    question = {
        "reader": str(_FOLDER / f"{reader}.py"),
        "options": options,
        "seconds": seconds + 1,
        "path": [*filter(None, sys.path)],
        "size": file.size,
    }
    try:
        return _answered(child, file, question)
    finally:
        guard.cancel()
        child.kill()
        child.communicate()


def _answered(
    child: subprocess.Popen[bytes], file: BoundedFile, question: dict[str, Any]
) -> dict[str, Any]:
    _write(child, json.dumps(question).encode() + b"\n")
    assert child.stdout is not None
    refused: Exception | None = None
    while True:
        line = child.stdout.readline(_LINE)
        if not line.endswith(b"\n"):
            raise DataJointError("the file is damaged: reading it ended in a crash")
        said = json.loads(line)
        if "found" in said:
            return dict(said["found"])
        if "error" in said:
            raise refused or DataJointError(said["error"])
        start, stop = said["read"]
        try:
            file.seek(start)
            data = file.read(stop - start)
        except Exception as error:  # the store is someone else's; the reader has to end first
            refused = error
            _write(child, struct.pack("<q", -1))
            continue
        _write(child, struct.pack("<q", len(data)) + data)


def _write(child: subprocess.Popen[bytes], data: bytes) -> None:
    assert child.stdin is not None
    try:
        child.stdin.write(data)
        child.stdin.flush()
    except BrokenPipeError as error:
        raise DataJointError("the file is damaged: reading it ended in a crash") from error

"""The card of an HDF5 file: the tree of its groups and datasets. A process of its own reads it, see `hdf5_child`."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.deadline import SECONDS
from djupyter.errors import DataJointError
from djupyter.render.object_card import Facts, ObjectCard, TreeNode, bytes_text

HDF5 = b"\x89HDF\r\n\x1a\n"
# Where it may begin: MATLAB puts a header of its own before it.
_PLACES = (0, 512, 1024, 2048)
_CHILD = Path(__file__).with_name("hdf5_child.py")
_LINE = 1 << 20
_SIZE = re.compile(r"@(\d+)$")


def is_hdf5(file: BoundedFile) -> bool:
    """Whether a file has the signature of HDF5."""
    for place in _PLACES:
        file.seek(place)
        if file.read(len(HDF5)) == HDF5:
            return True
    return False


def hdf5_card(file: BoundedFile, facts: Facts) -> ObjectCard:
    """Return the card of an open file; without h5py, how to get it."""
    if find_spec("h5py") is None:
        note = "Its groups and datasets are shown once h5py is installed: `pip install h5py`."
        return ObjectCard("HDF5", facts, note=note)
    return ObjectCard("HDF5", facts, tree=(_node(_read(file)),))


def _read(file: BoundedFile) -> dict[str, Any]:
    """Return what a child finds in the file, to which all bytes are handed by this process."""
    seconds = SECONDS if file.deadline is None else file.deadline.left
    # Isolated: neither the folder we are in nor the environment says which modules are imported.
    child = subprocess.Popen(
        [sys.executable, "-I", str(_CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    guard = threading.Timer(seconds, child.kill)
    guard.daemon = True
    guard.start()
    question = {"seconds": seconds + 1, "path": [*filter(None, sys.path)], "size": file.size}
    try:
        return _answered(child, file, question)
    finally:
        guard.cancel()
        child.kill()
        child.communicate()


def _answered(
    child: subprocess.Popen[bytes], file: BoundedFile, question: dict[str, Any]
) -> dict[str, Any]:
    assert child.stdin is not None
    assert child.stdout is not None
    _write(child, json.dumps(question).encode() + b"\n")
    while True:
        line = child.stdout.readline(_LINE)
        if not line.endswith(b"\n"):
            raise DataJointError("the file is damaged: reading it ended in a crash")
        said = json.loads(line)
        if "tree" in said:
            return dict(said["tree"])
        if "error" in said:
            raise DataJointError(said["error"])
        start, stop = said["read"]
        file.seek(start)
        data = file.read(stop - start)
        _write(child, struct.pack("<q", len(data)) + data)


def _write(child: subprocess.Popen[bytes], data: bytes) -> None:
    assert child.stdin is not None
    try:
        child.stdin.write(data)
        child.stdin.flush()
    except BrokenPipeError as error:
        raise DataJointError("the file is damaged: reading it ended in a crash") from error


def _node(found: dict[str, Any]) -> TreeNode:
    detail = _SIZE.sub(lambda size: f"{bytes_text(int(size[1]))} stored", str(found["detail"]))
    return TreeNode(
        str(found["name"]),
        detail,
        tuple(_node(child) for child in found.get("children", ())),
        int(found.get("more", 0)),
        tuple((str(name), str(value)) for name, value in found.get("attributes", ())),
    )

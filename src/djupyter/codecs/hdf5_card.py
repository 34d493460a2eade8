"""The card of an HDF5 file: the tree of its groups and datasets, which a process of its own reads."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.isolated import read_isolated
from djupyter.render.object_card import Facts, ObjectCard, TreeNode, bytes_text

HDF5 = b"\x89HDF\r\n\x1a\n"
# Where it may begin: MATLAB puts a header of its own before it.
_PLACES = (0, 512, 1024, 2048)
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
    return ObjectCard("HDF5", facts, tree=(_node(read_isolated("hdf5_tree", file)),))


def _node(found: dict[str, Any]) -> TreeNode:
    detail = _SIZE.sub(lambda size: f"{bytes_text(int(size[1]))} stored", str(found["detail"]))
    return TreeNode(
        str(found["name"]),
        detail,
        tuple(_node(child) for child in found.get("children", ())),
        int(found.get("more", 0)),
        tuple((str(name), str(value)) for name, value in found.get("attributes", ())),
    )

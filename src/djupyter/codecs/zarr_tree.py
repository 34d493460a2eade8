"""The tree of a Zarr group: a bounded number of members is looked at, however many there are."""

from __future__ import annotations

from itertools import islice
from math import prod
from typing import Any

import numpy as np

from djupyter.codecs.deadline import Deadline
from djupyter.render.object_card import Facts, TreeNode, bytes_text, shape_text

# In all, of one group, and so far down. Looking at one is a request.
_NODES, _MEMBERS, _LEVELS = 200, 100, 6
_ATTRIBUTES = 6


def zarr_tree(group: Any, budget: int, deadline: Deadline) -> TreeNode:
    """Return a group with what lies in it, as far as time and the bytes that may be read allow."""
    from djupyter.codecs.zarr_preview import previewed_group

    group = previewed_group(group, budget, deadline)
    return _Tree(deadline).node(str(group.name).rpartition("/")[2] or "", group, 0)


class _Tree:
    def __init__(self, deadline: Deadline) -> None:
        self._deadline, self._left = deadline, _NODES

    def node(self, name: str, item: Any, level: int) -> TreeNode:
        self._left -= 1
        if not hasattr(item, "members"):
            return _array(name, item)
        inside: list[TreeNode] = []
        more = -1
        if level < _LEVELS:
            inside, more = self._members(item, level)
        # Those of the group itself stand on the card.
        attributes = _attributes(item) if level else ()
        return TreeNode(f"{name}/", "", tuple(inside), more, attributes)

    def _members(self, group: Any, level: int) -> tuple[list[TreeNode], int]:
        names = _names(group)
        inside: list[TreeNode] = []
        for name in names[:_MEMBERS]:
            if self._left <= 0 or self._deadline.is_near:
                return inside, -1
            try:
                inside.append(self.node(name, group[name], level + 1))
            except KeyError:  # a file or folder that is none of Zarr's
                continue
            except Exception as error:  # one damaged member does not hide the others
                inside.append(TreeNode(name, f"cannot be read: {error}"[:200]))
        return inside, -1 if len(names) > _MEMBERS else 0


def _names(group: Any) -> list[str]:
    """Return the names of members, one more than are shown: of consolidated metadata, or of the folder."""
    from djupyter.codecs.zarr_preview import listed

    known = getattr(group.metadata, "consolidated_metadata", None)
    if known is not None:
        return sorted(islice(known.metadata, _MEMBERS + 1))
    names = (name.rstrip("/").rpartition("/")[2] for name in listed(group, _MEMBERS + 8))
    return sorted(
        name for name in names if name and not name.startswith(".z") and name != "zarr.json"
    )


def _array(name: str, array: Any) -> TreeNode:
    size = prod(array.shape) * np.dtype(array.dtype).itemsize
    detail = f"{array.dtype} {shape_text(array.shape)}, chunks {shape_text(array.chunks)}, {bytes_text(size)}"
    return TreeNode(name, detail, attributes=_attributes(array))


def _attributes(node: Any) -> Facts:
    found = [(str(name), str(value)[:200]) for name, value in dict(node.attrs).items()]
    return tuple(found[:_ATTRIBUTES])

"""The tree of a folder in a store, of which a bounded number of files is listed."""

from __future__ import annotations

from djupyter.codecs.deadline import Deadline
from djupyter.render.object_card import TreeNode, bytes_text
from djupyter.stores.store import Store

_ENTRIES, _LEVELS = 200, 12


def folder_tree(
    store: Store, path: str, deadline: Deadline | None = None, most: int = _ENTRIES
) -> TreeNode:
    """Return what lies in a folder, up to a number of files, as far as time allows."""
    folders: dict[str, dict[str, None]] = {}
    sizes: dict[str, int] = {}
    more = 0
    for entry in store.entries(path):
        if len(sizes) >= most or (deadline is not None and deadline.is_near):
            more = -1
            break
        name = entry.path[len(path) :].strip("/")
        sizes[name] = entry.size
        while name:
            parent, _, own = name.rpartition("/")
            siblings = folders.setdefault(parent, {})
            if own in siblings:
                break
            siblings[own] = None
            name = parent
    return _node(path.rpartition("/")[2], "", folders, sizes, more)


def _node(
    name: str,
    path: str,
    folders: dict[str, dict[str, None]],
    sizes: dict[str, int],
    more: int,
    level: int = 0,
) -> TreeNode:
    if path in sizes:
        return TreeNode(name, bytes_text(sizes[path]))
    if level >= _LEVELS:
        return TreeNode(f"{name}/", more=-1)
    inside = [
        _node(own, f"{path}/{own}" if path else own, folders, sizes, 0, level + 1)
        for own in sorted(folders.get(path, ()))
    ]
    total = sum(size for each, size in sizes.items() if not path or each.startswith(f"{path}/"))
    detail = f"{'more than ' if more else ''}{bytes_text(total)}"
    return TreeNode(f"{name}/", detail, tuple(inside), more)

"""What references to objects show of themselves; what is wrong stands on the card, nothing is raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from djupyter.codecs.file_card import file_card, npy_card
from djupyter.codecs.parquet_card import parquet_card
from djupyter.render.object_card import Facts, ObjectCard, TreeNode, bytes_text

if TYPE_CHECKING:
    from djupyter.codecs.npy_ref import NpyRef
    from djupyter.codecs.object_ref import ObjectRef
    from djupyter.codecs.parquet_ref import ParquetRef
    from djupyter.stores.store import Store

_ENTRIES = 200


def guarded(make: Callable[[], ObjectCard], title: str, facts: Facts) -> ObjectCard:
    """Return a card, or one that says why there is none: an object may be missing, damaged or anything at all."""
    try:
        return make()
    except Exception as error:
        reason = str(error).strip() or type(error).__name__
        return ObjectCard(title, facts, note=f"Cannot be shown: {reason}", failed=True)


def object_ref_card(ref: ObjectRef, budget: int) -> ObjectCard:
    """Return the card of a file or folder."""
    kind = "folder" if ref.is_dir else "file"
    facts = _facts(ref)
    return guarded(
        lambda: _folder(ref, facts) if ref.is_dir else _file(ref, facts, budget), kind, facts
    )


def npy_ref_card(ref: NpyRef, budget: int) -> ObjectCard:
    """Return the card of an array."""
    place = (("path", ref.path), ("store", ref.store or "default"))
    return guarded(
        lambda: npy_card("npy array", ref.open, place, budget),
        "npy array",
        (("shape", str(ref.shape)), *place),
    )


def parquet_ref_card(ref: ParquetRef, budget: int) -> ObjectCard:
    """Return the card of a frame."""
    size = () if ref.size is None else (("size", bytes_text(ref.size)),)
    place = (("path", ref.path), ("store", ref.store or "default"), *size)

    def made() -> ObjectCard:
        with ref.open() as file:
            return parquet_card(file, place, budget)

    return guarded(made, "frame", place)


def _facts(ref: ObjectRef) -> Facts:
    facts = [("path", ref.path), ("store", ref.store or "default")]
    if ref.size is not None:
        facts.append(("size", bytes_text(ref.size)))
    if ref.item_count is not None:
        facts.append(("files", f"{ref.item_count:,}"))
    if ref.timestamp is not None:
        facts.append(("written", f"{ref.timestamp:%Y-%m-%d %H:%M:%S}"))
    return tuple(facts)


def _file(ref: ObjectRef, facts: Facts, budget: int) -> ObjectCard:
    size = ref.size if ref.size is not None else ref.need_backend().need(ref.path).size
    return file_card(ref.path, size, ref.open, facts, budget)


def _folder(ref: ObjectRef, facts: Facts) -> ObjectCard:
    if not ref.exists():
        return ObjectCard("folder", facts, note="Cannot be shown: it is missing.", failed=True)
    return ObjectCard("folder", facts, tree=(folder_tree(ref.need_backend(), ref.path),))


def folder_tree(store: Store, path: str, most: int = _ENTRIES) -> TreeNode:
    """Return what lies in a folder, up to a number of files."""
    folders: dict[str, list[str]] = {}
    sizes: dict[str, int] = {}
    more = 0
    for entry in store.entries(path):
        name = entry.path[len(path) :].strip("/")
        if len(sizes) >= most:
            more = -1
            break
        sizes[name] = entry.size
        while name:
            parent, _, own = name.rpartition("/")
            siblings = folders.setdefault(parent, [])
            if own in siblings:
                break
            siblings.append(own)
            name = parent
    return _node(path.rpartition("/")[2], "", folders, sizes, more)


def _node(
    name: str, path: str, folders: dict[str, list[str]], sizes: dict[str, int], more: int
) -> TreeNode:
    if path in sizes:
        return TreeNode(name, bytes_text(sizes[path]))
    inside = [
        _node(own, f"{path}/{own}" if path else own, folders, sizes, 0)
        for own in sorted(folders.get(path, []))
    ]
    return TreeNode(f"{name}/", "", tuple(inside), more)

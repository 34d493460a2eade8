"""The cards of open Zarr arrays and groups: what they are made of, a picture of few chunks, a tree."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from djupyter.codecs.array_card import BUDGET, array_card, array_facts
from djupyter.codecs.shown import guarded
from djupyter.render.object_card import Facts, ObjectCard, TreeNode, bytes_text, shape_text

# Of a group, so many members are listed, and so far down.
_MEMBERS, _LEVELS = 100, 3
_ATTRIBUTES = 12
_FILES = 1000  # a page of a listing of S3


def zarr_array_card(array: Any, budget: int = BUDGET) -> ObjectCard:
    """Return the card of an open Zarr array.

    Parameters
    ----------
    array
        A `zarr.Array`.
    budget
        Bytes that may be read, before compression.
    """
    return guarded(lambda: _array(array, budget), "zarr array", (("name", str(array.name)),))


def zarr_group_card(group: Any) -> ObjectCard:
    """Return the card of an open Zarr group, with a tree of what lies in it."""
    return guarded(lambda: _group(group), "zarr group", (("name", str(group.name)),))


def zarr_array_summary(array: Any) -> ObjectCard:
    """Return a card of what an open Zarr array says of itself; nothing is read or listed."""
    return guarded(
        lambda: ObjectCard(
            "zarr array",
            (
                *array_facts(tuple(array.shape), np.dtype(array.dtype)),
                *_layout(array),
                *_named(array),
            ),
        ),
        "zarr array",
        (("name", str(array.name)),),
    )


def _array(array: Any, budget: int) -> ObjectCard:
    return array_card(
        "zarr array",
        tuple(array.shape),
        np.dtype(array.dtype),
        array.__getitem__,
        facts=(*_layout(array), *_stored(array), *_named(array)),
        # A shard can be read in part, a chunk cannot.
        chunks=tuple(array.chunks),
        budget=budget,
    )


def _layout(array: Any) -> Facts:
    chunks, shards = tuple(array.chunks), getattr(array, "shards", None)
    grid = tuple(math.ceil(n / c) if c else 0 for n, c in zip(array.shape, chunks, strict=True))
    return (
        ("chunks", f"{shape_text(chunks)} ({shape_text(grid)} of them)"),
        *((("shards", shape_text(shards)),) if shards else ()),
        ("codecs", _codecs(array)),
    )


def _stored(array: Any) -> Facts:
    """Return how many bytes lie in a store of ours, of so many files at most: there may be a million chunks."""
    from djupyter.codecs.zarr_files import ZarrFiles

    if not isinstance(array.store, ZarrFiles):
        return ()
    sizes = list(islice(array.store.sizes(array.path), _FILES + 1))
    if len(sizes) <= _FILES:
        return (("stored", bytes_text(sum(sizes))),)
    return (("stored", f"more than {bytes_text(sum(sizes))}, in more than {_FILES:,} files"),)


def _named(node: Any) -> Facts:
    return tuple((f"@{name}", value) for name, value in _attributes(node))


def _codecs(array: Any) -> str:
    names = [type(codec).__name__ for codec in (*array.filters, *array.compressors)]
    return ", ".join(names) or "none"


def _attributes(node: Any) -> Iterator[tuple[str, str]]:
    for place, (name, value) in enumerate(dict(node.attrs).items()):
        if place == _ATTRIBUTES:
            yield "…", "and more"
            return
        text = str(value)
        yield str(name), text if len(text) <= 200 else f"{text[:200]}…"


def _group(group: Any) -> ObjectCard:
    name = str(group.name).rpartition("/")[2] or "/"
    return ObjectCard("zarr group", _named(group), tree=(_node(name, group, 0),))


def _node(name: str, node: Any, level: int) -> TreeNode:
    if not hasattr(node, "members"):
        return TreeNode(name, f"{node.dtype} {shape_text(node.shape)}")
    if level >= _LEVELS:
        return TreeNode(f"{name}/", more=-1)
    inside: list[TreeNode] = []
    more = 0
    for key, member in node.members():
        if len(inside) == _MEMBERS:
            more = -1
            break
        inside.append(_node(str(key), member, level + 1))
    return TreeNode(f"{name}/", "", tuple(sorted(inside, key=lambda each: each.name)), more)

"""The cards of open Zarr arrays and groups: what they are made of, a picture of few chunks, a tree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from djupyter.codecs.array_card import BUDGET, array_card
from djupyter.codecs.deadline import Deadline
from djupyter.codecs.guarded import guarded
from djupyter.codecs.zarr_tree import zarr_tree
from djupyter.render.chunk_grid import chunk_grid
from djupyter.render.object_card import Facts, ObjectCard, bytes_text, shape_text
from djupyter.render.sampling import sample

_ATTRIBUTES = 12
_FILES = 1000  # a page of a listing of S3


def zarr_array_card(
    array: Any, budget: int | None = None, deadline: Deadline | None = None
) -> ObjectCard:
    """Return the card of an open Zarr array.

    Parameters
    ----------
    array
        A `zarr.Array`.
    budget
        Bytes that may be read, before compression; None for those that the settings of its store say.
    deadline
        Until when; a new one when None.
    """
    most = zarr_budget(array) if budget is None else budget
    return guarded(
        lambda until: _array(array, most, until),
        "zarr array",
        (("name", str(array.name)),),
        deadline,
    )


def zarr_group_card(group: Any, deadline: Deadline | None = None) -> ObjectCard:
    """Return the card of an open Zarr group, with a tree of what lies in it."""
    return guarded(
        lambda until: _group(group, until), "zarr group", (("name", str(group.name)),), deadline
    )


def zarr_budget(node: Any) -> int:
    """Return how much of an array or group may be read, as the settings of its store say."""
    return int(getattr(node.store, "preview_bytes", BUDGET))


def zarr_place(node: Any) -> Facts:
    """Return where an array or group lies."""
    from djupyter.codecs.zarr_files import ZarrFiles

    files = node.store
    if isinstance(files, ZarrFiles):
        return ("path", f"{files.path}/{node.path}".rstrip("/")), ("store", files.objects.name)
    return (("path", str(node.path)),) if node.path else ()


def _array(array: Any, budget: int, deadline: Deadline) -> ObjectCard:
    from djupyter.codecs.zarr_preview import previewed

    shape, dtype = tuple(array.shape), np.dtype(array.dtype)
    # A shard can be read in part, a chunk cannot.
    chunks, shards = tuple(array.chunks), getattr(array, "shards", None)
    part = sample(shape, max(dtype.itemsize, 1), budget, chunks)
    return array_card(
        "zarr array",
        shape,
        dtype,
        lambda index: previewed(array, budget, deadline)[index],
        facts=(
            *_layout(array),
            *_stored(array, deadline),
            *zarr_place(array),
            *_named(array),
        ),
        chunks=chunks,
        budget=budget,
        grid=chunk_grid(shape, chunks, shards, part) if shape else None,
    )


def _layout(array: Any) -> Facts:
    chunks, shards = tuple(array.chunks), getattr(array, "shards", None)
    grid = tuple(-(-n // c) if c else 0 for n, c in zip(array.shape, chunks, strict=True))
    return (
        ("chunks", f"{shape_text(chunks)} ({shape_text(grid)} of them)"),
        *((("shards", shape_text(shards)),) if shards else ()),
        ("codecs", _codecs(array)),
    )


def _stored(array: Any, deadline: Deadline) -> Facts:
    """Return how many bytes lie in a store of ours, of so many files at most: there may be a million chunks."""
    from djupyter.codecs.zarr_files import ZarrFiles

    if not isinstance(array.store, ZarrFiles):
        return ()
    sizes: list[int] = []
    for size in islice(array.store.sizes(array.path), _FILES + 1):
        if deadline.is_near:
            break
        sizes.append(size)
    else:
        if len(sizes) <= _FILES:
            return (("stored", bytes_text(sum(sizes))),)
    return (
        ("stored", f"more than {bytes_text(sum(sizes))}, in more than {len(sizes) - 1:,} files"),
    )


def _named(node: Any) -> Facts:
    return tuple((f"@{name}", value) for name, value in _attributes(node))


def _codecs(array: Any) -> str:
    names = [type(codec).__name__ for codec in (*array.filters, *array.compressors)]
    return ", ".join(name.removesuffix("Codec").lower() for name in names) or "none"


def _attributes(node: Any) -> Iterator[tuple[str, str]]:
    for place, (name, value) in enumerate(dict(node.attrs).items()):
        if place == _ATTRIBUTES:
            yield "…", "and more"
            return
        text = str(value)
        yield str(name), text if len(text) <= 200 else f"{text[:200]}…"


def _group(group: Any, deadline: Deadline) -> ObjectCard:
    facts = (*zarr_place(group), *_named(group))
    return ObjectCard("zarr group", facts, tree=(zarr_tree(group, zarr_budget(group), deadline),))

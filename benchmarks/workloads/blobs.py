"""Packing and unpacking values as blobs, without a database.

The bare driver of arrays is zlib at its default level on NumPy's own bytes; lists and dicts have none.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from benchmarks.places import Place
from benchmarks.tables import Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload

_SERVERS = ("mysql", "postgresql")  # datajoint is measured beside them only
_PACK = Aims(driver=0.5, datajoint=dict.fromkeys(_SERVERS, 1 / 3))
_UNPACK = Aims(driver=1.0, datajoint=dict.fromkeys(_SERVERS, 1.0))
_VALUES = Aims(datajoint=dict.fromkeys(_SERVERS, 1 / 4))

Array = np.ndarray[Any, np.dtype[Any]]


def _image(count: int) -> Array:
    side = int((4 * count) ** 0.5)
    rows, columns = np.mgrid[:side, :side]
    smooth = 2000 + 1500 * np.sin(rows / 200) * np.cos(columns / 300)
    return (smooth + np.random.default_rng(0).normal(0, 8, smooth.shape)).astype("u2")


def _text(count: int) -> Array:
    """Return words, rare ones too, as bytes."""
    chance = np.random.default_rng(0)
    words = [chance.bytes(4).hex()[: 2 + number % 7] for number in range(2000)]
    found = " ".join(words[number % len(words)] for number in chance.zipf(1.3, 2 * count))
    return np.frombuffer(found.encode()[: 8 * count], "u1")


_ARRAYS: dict[str, Callable[[int], Array]] = {
    "floats": lambda count: np.random.default_rng(0).random(count),
    "images": _image,
    "counts": lambda count: np.random.default_rng(0).poisson(5, count),
    "text": _text,
    "zeros": lambda count: np.zeros(count),
}


def _tree(count: int) -> object:
    each = {"b": 0.5, "c": "text", "d": [1, 2, 3], "e": None, "f": True}
    return {f"unit{number}": {"a": number, **each} for number in range(count // 8)}


_NESTED: dict[str, Callable[[int], object]] = {
    "a list of ints": lambda count: random.Random(0).choices(range(100_000), k=count),
    "a list of floats": lambda count: [number / 7 for number in range(count)],
    "a list of texts": lambda count: [f"word {number}" for number in range(count)],
    "dicts of dicts": _tree,
}


def _libraries(place: Place) -> dict[Contender, Any]:
    from djupyter.codecs import blob

    found: dict[Contender, Any] = {"djupyter": blob}
    if place.has_datajoint:
        import datajoint.blob

        found["datajoint"] = datajoint.blob
    return found


@contextmanager
def _packing(
    make: Callable[[int], Any], size: int, place: Place, sizes: Sizes
) -> Iterator[Contest]:
    value = make(size * sizes.fetch)
    acts: dict[Contender, Act] = {
        name: partial(library.pack, value) for name, library in _libraries(place).items()
    }
    if isinstance(value, np.ndarray):
        acts["driver"] = lambda: zlib.compress(value.tobytes(order="F"))
    yield Contest(acts)


@contextmanager
def _unpacking(
    make: Callable[[int], Any], size: int, place: Place, sizes: Sizes
) -> Iterator[Contest]:
    """Let each read what it wrote itself."""
    value = make(size * sizes.fetch)
    acts: dict[Contender, Act] = {
        name: partial(library.unpack, library.pack(value))
        for name, library in _libraries(place).items()
    }
    if isinstance(value, np.ndarray):
        data, dtype = zlib.compress(value.tobytes(order="F")), value.dtype
        acts["driver"] = lambda: np.frombuffer(zlib.decompress(data), dtype)
    yield Contest(acts)


def _workloads(verb: str, prepare: Any, arrays: Aims, values: Aims) -> Iterator[Workload]:
    for name, make in _ARRAYS.items():
        yield Workload(
            f"{verb} 8 MB of {name}", partial(prepare, make, 10), arrays, backends=_SERVERS
        )
    for name, nested in _NESTED.items():
        yield Workload(
            f"{verb} {name}, 100,000 values", partial(prepare, nested, 1), values, backends=_SERVERS
        )


WORKLOADS = (
    *_workloads("pack", _packing, _PACK, _VALUES),
    *_workloads("unpack", _unpacking, _UNPACK, _VALUES),
)

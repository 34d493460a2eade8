"""Planes of arrays of several axes, read one at a time: a bounded part of the array, in time.

What is asked for is plain data, so that it can come from a slider; where the values lie makes no difference.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from djupyter.codecs.array_card import BUDGET, array_statistics
from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.deadline import Deadline
from djupyter.codecs.npy_part import NpyPart
from djupyter.codecs.npy_ref import NpyRef
from djupyter.codecs.object_ref import ObjectRef
from djupyter.codecs.shown import open_zarr
from djupyter.codecs.zarr_card import zarr_budget
from djupyter.errors import DataJointError
from djupyter.render.object_card import bytes_text
from djupyter.render.pictures import picture
from djupyter.render.sampling import sample, shown_axes
from djupyter.stores.store import Store

Index = tuple[slice | int, ...]
Read = Callable[[Index, Deadline], "np.ndarray[Any, Any]"]


@dataclass(frozen=True, slots=True)
class View:
    """What is asked for.

    Parameters
    ----------
    axes
        Which axis goes down and which to the right.
    position
        Where along each axis; of the two that are shown it is of no matter.
    """

    axes: tuple[int, int]
    position: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane as it is shown: a PNG of bounded size, its place, its statistics, and what was left out."""

    png: bytes
    text: str
    values: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Slices:
    """An array of which planes can be read.

    Parameters
    ----------
    title
        What it is.
    shape, dtype
        Of the array.
    chunks
        Returns in what pieces it is read; None where it lies in memory.
    budget
        Bytes that may be read for a plane.
    read
        Returns the part of the array at an index, until a deadline.
    first
        Which axes are shown at first.

    Examples
    --------
    >>> cube = np.arange(60).reshape(3, 4, 5)
    >>> slices = Slices.of_array(cube)
    >>> slices.start
    View(axes=(1, 2), position=(1, 2, 2))
    >>> plane = slices.plane(View((0, 2), (0, 1, 0)))
    >>> plane.text, plane.values
    ('[0:3, 1, 0:5]', '5 … 49, mean 27')
    """

    title: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: Callable[[Deadline], Sequence[int] | None]
    budget: int
    read: Read
    first: tuple[int, int]

    @classmethod
    def of_array(cls, array: np.ndarray[Any, Any]) -> Slices:
        """Return those of an array in memory, which this does not keep there."""
        found = weakref.ref(array)

        def read(index: Index, deadline: Deadline) -> np.ndarray[Any, Any]:
            there = found()
            if there is None:
                raise DataJointError("the array is not in memory any more: run the cell again")
            return np.asarray(there[index])

        first = _first(array.shape)
        return cls("array", array.shape, array.dtype, lambda _: None, BUDGET, read, first)

    @classmethod
    def of_npy(cls, ref: NpyRef) -> Slices:
        """Return those of an array in a store; its row knows its shape, so nothing is read yet."""
        file = _NpyFile(ref.need_store(), ref.path, ref.preview_bytes, (ref.shape, ref.dtype))
        return cls._of_file(file, ref.shape, ref.dtype)

    @classmethod
    def of_file(cls, ref: ObjectRef, deadline: Deadline) -> Slices:
        """Return those of a .npy file, of which the header is read."""
        file = _NpyFile(ref.need_backend(), ref.path, ref.preview_bytes)
        part = file.part(deadline)
        return cls._of_file(file, part.shape, part.dtype)

    @classmethod
    def _of_file(cls, file: _NpyFile, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Slices:
        return cls("npy array", shape, dtype, file.chunks, file.budget, file.read, _first(shape))

    @classmethod
    def of_zarr(cls, array: Any, budget: int) -> Slices:
        """Return those of an open Zarr array."""

        def read(index: Index, deadline: Deadline) -> np.ndarray[Any, Any]:
            from djupyter.codecs.zarr_preview import previewed

            return np.asarray(previewed(array, budget, deadline)[index])

        shape, chunks, dtype = tuple(array.shape), tuple(array.chunks), np.dtype(array.dtype)
        return cls("zarr array", shape, dtype, lambda _: chunks, budget, read, _first(shape))

    @property
    def has_sliders(self) -> bool:
        """Whether there are numbers along more axes than a picture has."""
        return (
            self.dtype.kind in "biufc"
            and all(self.shape)
            and len(shown_axes(self.shape)) < len(self.shape)
        )

    @property
    def colours(self) -> int | None:
        """The axis that holds colours; None when there is none."""
        axes = shown_axes(self.shape)
        return axes[2] if len(axes) == 3 else None

    @property
    def start(self) -> View:
        """What is shown first: the middle."""
        return View(self.first, tuple(n // 2 for n in self.shape))

    def checked(self, axes: Sequence[int], position: Sequence[int]) -> View:
        """Return what is asked for, where it can be.

        Raises
        ------
        DataJointError
            There are no such axes.
        """
        rank = len(self.shape)
        chosen = tuple(int(axis) for axis in axes)
        wrong = len(chosen) != 2 or chosen[0] == chosen[1] or len(position) != rank
        if wrong or not all(0 <= axis < rank for axis in chosen):
            raise DataJointError(f"an array of {rank} axes has no plane {chosen}")
        places = zip(position, self.shape, strict=True)
        return View((chosen[0], chosen[1]), tuple(min(max(0, int(p)), n - 1) for p, n in places))

    def plane(self, view: View, deadline: Deadline | None = None) -> Plane:
        """Return a plane.

        Raises
        ------
        Exception
            The object is damaged, missing or anything at all.
        """
        shown = sorted(view.axes)
        if self.colours is not None and self.colours not in shown:
            shown.append(self.colours)
        until = deadline or Deadline()
        item, chunks = max(self.dtype.itemsize, 1), self.chunks(until)
        piece = prod(chunks or ()) * item
        if piece > self.budget:
            raise DataJointError(
                f"a chunk has {bytes_text(piece)}, a preview reads {bytes_text(self.budget)}"
            )
        part = sample(self.shape, item, self.budget, chunks, shown, view.position)
        values = self.read(part.index, until)
        is_whole = all(values.shape[n] == self.shape[axis] for n, axis in enumerate(shown))
        if view.axes[0] > view.axes[1]:
            values = np.swapaxes(values, 0, 1)
        note = "" if is_whole else "A part of the plane: all of it is more than a preview reads."
        return Plane(picture(values), str(part), array_statistics(values), note)


def _first(shape: Sequence[int]) -> tuple[int, int]:
    axes = shown_axes(shape)
    return (axes[0], axes[1]) if len(axes) > 1 else (0, 0)


class _NpyFile:
    """A .npy file whose header is read once.

    Parameters
    ----------
    store, path, budget
        Where it is, and how much may be read at a time.
    expected
        What it has to hold; None for anything.
    """

    def __init__(
        self,
        store: Store,
        path: str,
        budget: int,
        expected: tuple[tuple[int, ...], np.dtype[Any]] | None = None,
    ) -> None:
        self._store, self._path, self.budget, self._expected = store, path, budget, expected
        self._known: tuple[NpyPart, int] | None = None

    def part(self, deadline: Deadline) -> NpyPart:
        """Return the array, as far as its header says."""
        if self._known is None:
            file = BoundedFile.of(self._store, self._path, self.budget, deadline)
            part = NpyPart(file)
            if self._expected not in (None, (part.shape, part.dtype)):
                raise DataJointError("the file is not the one that was written")
            self._known = part, file.size
        return self._known[0]

    def chunks(self, deadline: Deadline) -> list[int]:
        """Return in what pieces it is read."""
        return self.part(deadline).chunks(self.budget)

    def read(self, index: Index, deadline: Deadline) -> np.ndarray[Any, Any]:
        """Return a part of the array."""
        part = self.part(deadline)
        assert self._known is not None
        file = BoundedFile(
            lambda ranges: self._store.parts(self._path, ranges),
            self._known[1],
            self.budget,
            deadline,
        )
        return part.on(file).read(index)


def slices_of(value: Any, deadline: Deadline) -> Slices | None:
    """Return the planes of a value that has some; None for any other.

    Parameters
    ----------
    value
        An array, or what stands for one in a store.
    deadline
        Until when its metadata are read, where that is needed.
    """
    slices: Slices | None = None
    if isinstance(value, np.ndarray):
        slices = Slices.of_array(value)
    elif isinstance(value, NpyRef):
        slices = Slices.of_npy(value)
    elif isinstance(value, ObjectRef):
        slices = _of_object(value, deadline)
    elif _is_zarr_array(value):
        slices = Slices.of_zarr(value, zarr_budget(value))
    return slices if slices is not None and slices.has_sliders else None


def _of_object(ref: ObjectRef, deadline: Deadline) -> Slices | None:
    if not ref.is_dir:
        return Slices.of_file(ref, deadline) if ref.path.lower().endswith(".npy") else None
    found = open_zarr(ref, ref.preview_bytes)
    return Slices.of_zarr(found, ref.preview_bytes) if hasattr(found, "shape") else None


def _is_zarr_array(value: Any) -> bool:
    # An array of a library cannot exist before the library is imported.
    zarr = sys.modules.get("zarr")
    return zarr is not None and isinstance(value, getattr(zarr, "Array", ()))

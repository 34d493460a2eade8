"""A NumPy array in a store, as a query gives it: its shape is known, its values are read when they are used."""

from __future__ import annotations

import hashlib
import tempfile
from ast import literal_eval
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, ClassVar, Literal

import numpy as np

from djupyter.codecs.array_card import BUDGET
from djupyter.codecs.shown import bundle, npy_ref_card
from djupyter.codecs.stored_ref import StoredRef
from djupyter.errors import DataJointError
from djupyter.render.object_card import object_html
from djupyter.stores.store import Store

Array = np.ndarray[Any, Any]
# A third one has names of fields that are not Latin, and no function of its own.
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class NpyRef(StoredRef):
    """An array in a store; made by fetching an attribute `<npy@store>`.

    NumPy functions and indexing load it. `load(mmap_mode="r")` maps the file into memory instead, so that only the
    parts that are used are read.

    Parameters
    ----------
    document
        The value of the column.
    backend
        The store; without one only what the document says is known.
    preview_bytes
        How much a repr in a notebook may read.
    """

    __slots__ = ("_array", "_preview_bytes")

    _what: ClassVar[str] = "array"

    def __init__(
        self,
        document: Mapping[str, Any],
        backend: Store | None = None,
        preview_bytes: int = BUDGET,
    ) -> None:
        super().__init__(document, backend)
        self._array: Array | None = None
        self._preview_bytes = preview_bytes

    # What is known without reading

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return tuple(map(int, self._document.get("shape") or ()))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        text = str(self._document.get("dtype", ""))
        # Fields are recorded as a list of pairs.
        return np.dtype(literal_eval(text) if text.startswith(("[", "{")) else text)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        """The number of bytes of the elements in memory."""
        return self.size * self.dtype.itemsize

    @property
    def preview_bytes(self) -> int:
        """How many bytes a repr in a notebook may read."""
        return self._preview_bytes

    @property
    def is_loaded(self) -> bool:
        """Whether the values are in memory."""
        return self._array is not None

    def is_in(self, store: Store) -> bool:
        """Whether the array lies in a store of the very connection that is asked."""
        return self._backend is None or self._backend is store

    def __repr__(self) -> str:
        state = "loaded" if self.is_loaded else "not loaded"
        return f"NpyRef(shape={self.shape}, dtype={self.dtype}, {state})"

    def _repr_html_(self) -> str:
        return object_html(npy_ref_card(self, self._preview_bytes))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return bundle(npy_ref_card(self, self._preview_bytes), self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    # Reading

    def open(self) -> IO[bytes]:
        """Open the file for reading."""
        return self.need_store().open(self.path)

    def load(self, mmap_mode: Literal["r", "r+", "c"] | None = None) -> Array:
        """Return the array.

        Parameters
        ----------
        mmap_mode
            None reads all of it, once. `r`, `c` (changes stay in memory) and `r+` (changes go to the file) map
            the file into memory; one in a remote store is copied to this machine first.

        Raises
        ------
        MissingExternalFile
            The file is gone.
        DataJointError
            It is no .npy file, or not the array that was written.
        """
        if mmap_mode is not None:
            return self._mapped(mmap_mode)
        if self._array is None:
            with self.open() as file:
                self._array = self._read(file)
        return self._array

    def _mapped(self, mode: Literal["r", "r+", "c"]) -> Array:
        local = self._local()
        with self.open() if self._is_near else local.open("rb") as file:
            self._check_header(file)
        with self._named_damage():
            mapped: Array = np.load(local, mmap_mode=mode, allow_pickle=False)
        return self._checked(mapped)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.load()
        if copy is False and dtype is not None and np.dtype(dtype) != array.dtype:
            raise ValueError("another dtype needs a copy")
        return np.array(array, dtype=dtype, copy=bool(copy) or None)

    def __getitem__(self, key: Any) -> Any:
        return self.load()[key]

    def _read(self, file: IO[bytes]) -> Array:
        self._check_header(file)
        with self._named_damage():
            array = np.load(file, allow_pickle=False)
            if not isinstance(array, np.ndarray):
                raise DataJointError(f"The file {self.path} holds several arrays, not one.")
            if file.read(1):
                raise DataJointError(
                    f"The file {self.path} goes on after its array: it was changed."
                )
        return self._checked(array)

    def _check_header(self, file: IO[bytes]) -> None:
        """Compare what a file says that it holds, before memory for as much is taken."""
        with self._named_damage():
            header = _HEADERS.get(np.lib.format.read_magic(file))
            if header is not None:
                shape, _, dtype = header(file)
                self._check(shape, dtype)
            file.seek(0)

    @contextmanager
    def _named_damage(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, EOFError, OSError, SyntaxError) as error:
            raise DataJointError(f"The file {self.path} is damaged: {error}.") from error

    def _checked(self, array: Array) -> Array:
        self._check(array.shape, array.dtype)
        return array

    def _check(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        if shape != self.shape or dtype != self.dtype:
            raise DataJointError(
                f"The file {self.path} holds {dtype} {shape}, "
                f"not {self.dtype} {self.shape} as the row says: it was changed."
            )

    @property
    def _is_near(self) -> bool:
        return bool(self.need_store().spec["protocol"] == "file")

    def _local(self) -> Path:
        """Return the file on this machine; a copy of one that lies elsewhere."""
        store = self.need_store()
        if self._is_near:
            return Path(store.full_path(self.path))
        mark = hashlib.md5(store.url(self.path).encode(), usedforsecurity=False).hexdigest()
        copy = Path(tempfile.gettempdir(), "djupyter_mmap", f"{mark}.npy")
        # An object is never written twice at one path, so a copy stays right.
        if not copy.exists():
            store.get_file(self.path, copy)
        return copy

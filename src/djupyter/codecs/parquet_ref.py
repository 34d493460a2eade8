"""A frame in a store, as a query gives it: its columns are known, its values are read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, ClassVar

from djupyter.codecs.array_card import BUDGET
from djupyter.codecs.shown import bundle, parquet_ref_card
from djupyter.codecs.stored_ref import StoredRef
from djupyter.errors import DataJointError
from djupyter.render.object_card import object_html
from djupyter.stores.store import Store

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Filters = Sequence[Any] | None
_MOST_SHOWN = 6


class ParquetRef(StoredRef):
    """A frame in a store; made by fetching an attribute `<parquet@store>`.

    Parameters
    ----------
    document
        The value of the column.
    backend
        The store; without one only what the document says is known.
    preview_bytes
        How much a repr in a notebook may read.

    Examples
    --------
    >>> ref = ParquetRef({"path": "a.parquet", "rows": 3, "columns": [["t", "double"], ["unit", "int64"]]})
    >>> ref.shape, ref.schema
    ((3, 2), {'t': 'double', 'unit': 'int64'})
    >>> ref
    ParquetRef(3 rows: t double, unit int64)
    """

    __slots__ = ("_preview_bytes",)

    _what: ClassVar[str] = "frame"

    def __init__(
        self,
        document: Mapping[str, Any],
        backend: Store | None = None,
        preview_bytes: int = BUDGET,
    ) -> None:
        super().__init__(document, backend)
        self._preview_bytes = preview_bytes

    # What is known without reading

    @property
    def size(self) -> int | None:
        """Bytes of the file."""
        return self._document.get("size")

    @property
    def schema(self) -> dict[str, str]:
        """The columns in their order, with the names that Arrow has for their types."""
        return {str(name): str(kind) for name, kind in self._document.get("columns") or ()}

    @property
    def columns(self) -> list[str]:
        """The names of the columns, those of the index among them."""
        return [*self.schema]

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and of columns."""
        return int(self._document.get("rows") or 0), len(self.schema)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        shown = [f"{name} {kind}" for name, kind in [*self.schema.items()][:_MOST_SHOWN]]
        more = ", …" if len(self.schema) > _MOST_SHOWN else ""
        return f"ParquetRef({self.shape[0]} rows: {', '.join(shown)}{more})"

    def _repr_html_(self) -> str:
        return object_html(parquet_ref_card(self, self._preview_bytes))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return bundle(parquet_ref_card(self, self._preview_bytes))

    # Reading

    def open(self) -> IO[bytes]:
        """Return the open file."""
        return self.need_store().open(self.path)

    def to_arrow(self, columns: Sequence[str] | None = None, filters: Filters = None) -> Any:
        """Return a `pyarrow.Table`.

        Parameters
        ----------
        columns
            Which columns to read; all when None.
        filters
            Which rows, as `[("t", ">", 5.0), ("unit", "in", [1, 2])]` or an expression of pyarrow. Groups of rows
            that cannot have any are not read.

        Raises
        ------
        MissingExternalFile
            The file is gone.
        DataJointError
            It is damaged or was changed, or has no such column.
        """
        return self._table(columns, filters, with_index=False)

    def to_pandas(
        self, columns: Sequence[str] | None = None, filters: Filters = None
    ) -> pd.DataFrame:
        """Return a frame of pandas, with the index that was written; arguments as `to_arrow`."""
        frame: pd.DataFrame = self._table(columns, filters, with_index=True).to_pandas()
        return frame

    def to_polars(
        self, columns: Sequence[str] | None = None, filters: Filters = None
    ) -> pl.DataFrame:
        """Return a frame of polars; arguments as `to_arrow`. An index of pandas is a column."""
        try:
            import polars
        except ImportError as error:
            raise DataJointError(
                "to_polars() needs the package polars. Install it with: pip install 'djupyter[polars]'"
            ) from error
        frame = polars.from_arrow(self.to_arrow(columns, filters))
        assert isinstance(frame, polars.DataFrame)
        return frame

    def batches(self, columns: Sequence[str] | None = None, *, rows: int = 65_536) -> Iterator[Any]:
        """Yield `pyarrow.RecordBatch`es of at most so many rows, in bounded memory."""
        self._check_columns(columns)
        with self._file() as file:
            yield from file.iter_batches(batch_size=rows, columns=columns and [*columns])

    def reader(self) -> Any:
        """Return a `pyarrow.RecordBatchReader` of all rows."""
        arrow = need_pyarrow()
        with self._file() as file:
            schema = file.schema_arrow
        return arrow.RecordBatchReader.from_batches(schema, self.batches())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.reader().__arrow_c_stream__(requested_schema)

    def _table(self, columns: Sequence[str] | None, filters: Filters, *, with_index: bool) -> Any:
        self._check_columns(columns)
        import pyarrow.parquet as parquet

        wanted = None if columns is None else [*columns]
        with self._opened() as source:
            table = parquet.read_table(
                source,
                columns=wanted,
                filters=filters,
                use_pandas_metadata=with_index,
                page_checksum_verification=True,
            )
        if filters is None:
            self._check_rows(table.num_rows)
        return table

    @contextmanager
    def _file(self) -> Iterator[Any]:
        """Yield the open file, whose footer has been read."""
        need_pyarrow()
        import pyarrow.parquet as parquet

        with (
            self._opened() as source,
            parquet.ParquetFile(source, pre_buffer=True, page_checksum_verification=True) as file,
        ):
            self._check_rows(file.metadata.num_rows)
            yield file

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """Yield the bytes of the file; what pyarrow says of them is said with the path."""
        arrow = need_pyarrow()
        with self.need_store().open(self.path) as source:
            self._check_size(source)
            try:
                yield source
            except (arrow.ArrowInvalid, arrow.ArrowSerializationError, OSError) as error:
                raise DataJointError(
                    f"The file {self.path} in the store {self.store!r} cannot be read, "
                    f"or not with these filters: {error}"
                ) from error

    def _check_size(self, source: Any) -> None:
        """Compare the size, before memory is taken for what a file claims to hold."""
        size = source.seek(0, 2)
        source.seek(0)
        if self.size is not None and size != self.size:
            raise DataJointError(
                f"The file {self.path} in the store {self.store!r} has {size:,} bytes, not {self.size:,} as the row "
                "of the table says: it was changed."
            )

    def _check_columns(self, columns: Sequence[str] | None) -> None:
        need_pyarrow()
        if isinstance(columns, str):
            raise DataJointError(f"Give a list of columns: [{columns!r}].")
        known = self.schema
        unknown = [name for name in columns or () if name not in known]
        if unknown:
            raise DataJointError(
                f"The frame {self.path} has no column {', '.join(map(repr, unknown))}. "
                f"It has: {', '.join(known)}."
            )

    def _check_rows(self, rows: int) -> None:
        if rows == self.shape[0]:
            return
        raise DataJointError(
            f"The file {self.path} in the store {self.store!r} has {rows:,} rows, "
            f"not {self.shape[0]:,} as the row of the table says: it was changed."
        )


def need_pyarrow() -> Any:
    """Return pyarrow, or say how to get it."""
    try:
        import pyarrow
    except ImportError as error:
        raise DataJointError(
            "<parquet> needs the package pyarrow. Install it with: pip install 'djupyter[arrow]'"
        ) from error
    return pyarrow

"""Rows whose objects are written straight to their stores, before the row: arrays and folders of any size.

```
with Table.staged_insert1 as staged:      staged.rec = key -> staged.store / staged.open -> insert -> commit
                                          any error, Ctrl-C or rollback -> what was written is removed
```
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from djupyter.codecs.addressed import SchemaCodec
from djupyter.codecs.chain import Chain, chain_of
from djupyter.errors import DataJointError, MissingAttributeError, UnknownAttributeError
from djupyter.heading.attribute import Attribute
from djupyter.stores.paths import object_path
from djupyter.stores.staging import Staging
from djupyter.stores.store import Store
from djupyter.table.objects import new_staging, transaction_for
from djupyter.table.packing import Stored

if TYPE_CHECKING:
    from djupyter.table.table import Table


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the object of one attribute is written."""

    codec: SchemaCodec
    store: Store
    path: str
    ext: str | None
    is_folder: bool


@dataclass(slots=True)
class StagedInsert:
    """A row that is being put together; what `with table.staged_insert1` gives.

    Attributes
    ----------
    rec
        The row: give it the primary key first, then what else it has. The attributes that are written here get
        their values at the end.
    """

    _table: Table
    _staging: Staging
    rec: dict[str, Any] = field(default_factory=dict)
    _places: dict[str, _Place] = field(default_factory=dict)
    _files: list[IO[Any]] = field(default_factory=list)

    @property
    def fs(self) -> Any:
        """The fsspec filesystem of the store in which the objects of the table lie; else of the default store."""
        attributes = self._table.structure.heading.values()
        names = {a.type.store for a in attributes if a.type is not None and a.type.in_store}
        return self._table.connection.stores.get(names.pop() if len(names) == 1 else None).fs

    def open(self, field: str, ext: str = "", mode: str = "wb") -> IO[Any]:
        """Return a file object that writes the object of an attribute.

        Parameters
        ----------
        field
            The attribute.
        ext
            What the name ends with; counts when the attribute is first asked for.
        mode
            `wb` or `w`; afterwards also `rb` or `r`.

        Raises
        ------
        DataJointError
            The attribute cannot be written in this way, or the key is not complete.
        """
        place = self._placed(field, ext, is_folder=False)
        file = place.store.open(place.path, mode)
        self._files.append(file)
        return file

    def store(self, field: str, ext: str = "") -> Any:
        """Return a mutable mapping, of names to contents, of the folder of an attribute, as Zarr takes it.

        Parameters and errors are those of `open`.
        """
        place = self._placed(field, ext, is_folder=True)
        return place.store.mapping(place.path)

    # Ending

    def row(self) -> dict[str, Any]:
        """Return the row to insert, with the documents of what was written.

        Raises
        ------
        DataJointError
            A file was not closed, or nothing was written.
        """
        for file in self._files:
            if not file.closed:
                raise DataJointError(
                    "A file of the staged insert is still open, and what is in it not yet written: close it, or "
                    "write `with staged.open(...) as file:`."
                )
        row = dict(self.rec)
        for name, place in self._places.items():
            self.rec[name] = place.codec.describe_written(place.store, place.path, place.ext)
            row[name] = Stored(self.rec[name])
        return row

    def abandon(self) -> None:
        """Let nothing appear that is still being written."""
        error = DataJointError("The staged insert has failed.")
        for file in self._files:
            if not file.closed:
                file.__exit__(type(error), error, None)

    # Places

    def _placed(self, name: str, ext: str, *, is_folder: bool) -> _Place:
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = self._new_place(name, ext or None, is_folder)
            self._staging.claim(place.store, place.path)
        if place.is_folder is not is_folder:
            raise DataJointError(
                f"Attribute `{name}` is written either as one file, by open(), or as a folder, by store(); "
                "both were asked for."
            )
        return place

    def _new_place(self, name: str, ext: str | None, is_folder: bool) -> _Place:
        structure = self._table.structure
        if name not in structure.heading:
            raise UnknownAttributeError.of(name, structure.heading, structure.name.class_name)
        chain, codec = _chain_for(structure.heading[name])
        store = self._table.connection.stores.get(chain.store)
        where = structure.name
        ext = codec.staged_ext(ext, is_folder=is_folder)
        path = object_path(store.spec, where.schema, where.table, self._key(), name, ext)
        return _Place(codec, store, path, ext, is_folder)

    def _key(self) -> dict[str, Any]:
        heading = self._table.structure.heading
        needed = [n for n in heading.primary_key if not heading[n].autoincrement or n in self.rec]
        missing = [name for name in needed if self.rec.get(name) is None]
        if missing:
            raise MissingAttributeError(
                "Primary key values must be set in staged.rec before calling store() or open(). "
                f"Missing: {', '.join(missing)}"
            )
        return {name: self.rec[name] for name in needed}


@contextmanager
def staged_insert1(table: Table) -> Iterator[StagedInsert]:
    """Yield a row to put together, and insert it at the end of the block; see `Table.staged_insert1`."""
    connection, structure = table.connection, table.structure
    staging = new_staging(connection, 1)
    staged = StagedInsert(table, staging)
    is_handed_over = False
    try:
        yield staged
        row = staged.row()
        staging.settle()
        with transaction_for(connection, structure):
            connection.at_end(staging)
            is_handed_over = True  # what became of a commit that failed nobody knows
            table.insert1(row)
    except BaseException:
        if not is_handed_over:
            staged.abandon()
            staging.discarded()
        raise


def _chain_for(attribute: Attribute) -> tuple[Chain, SchemaCodec]:
    chain = chain_of(attribute.type) if attribute.is_codec and attribute.type else None
    codec = chain.codecs[0] if chain else None
    if chain is None or not isinstance(codec, SchemaCodec) or not codec.takes_staged:
        raise DataJointError(
            f"Attribute `{attribute.name}` is not an <object> type: it is {attribute.type_text}. Assign its value "
            f"to staged.rec[{attribute.name!r}]."
        )
    return chain, codec

"""A table: a query over all its rows that can also be described and changed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Self

from djupyter.codecs.base import Context
from djupyter.definition.names import TableName, parse_full_name
from djupyter.errors import DataJointError
from djupyter.heading.structure import TableStructure
from djupyter.query.expression import Query
from djupyter.query.node import Node
from djupyter.query.source import Source
from djupyter.sql import ddl
from djupyter.table import delete, drop, insert, staged, update
from djupyter.table.default import default_connection
from djupyter.table.describing import describe
from djupyter.table.meta import TableMeta
from djupyter.table.relatives import Relatives
from djupyter.table.rows import one_row
from djupyter.table.validation import ValidationResult, validate

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection
    from djupyter.table.schema import Schema
    from djupyter.table.staged import StagedInsert


class Table(Relatives, metaclass=TableMeta):
    """All rows of a table in the database; the base of every tier.

    A class gets its schema from the decorator of that schema, its name from its own name, and its structure from the
    database.
    """

    _schema: ClassVar[Schema | None] = None
    _name: ClassVar[TableName | None] = None
    definition: ClassVar[str] = ""

    _allow_insert = True

    def __init__(self) -> None:
        self._node = None

    # -- what it is ---------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection:
        """The connection of the schema."""
        return self._bound().connection

    @property
    def name(self) -> TableName:
        """Schema and table by the names the database uses."""
        self._bound()
        assert self._name is not None
        return self._name

    @property
    def full_table_name(self) -> str:
        """Schema and table, quoted."""
        return str(self.name)

    @property
    def node(self) -> Node:
        """All rows, or those left by restrictions."""
        return self._node or Source(self.structure)

    @property
    def structure(self) -> TableStructure:
        """Everything the database knows of the table.

        Raises
        ------
        MissingTableError
            It is not declared, or no longer.
        """
        structure = self.connection.catalog.structure(self.name)
        if structure is None:
            raise self._missing()
        return structure

    @property
    def is_declared(self) -> bool:
        """Whether the table is in the database."""
        return self.connection.catalog.structure(self.name) is not None

    def describe(self, context: Mapping[str, Any] | None = None, printout: bool = False) -> str:
        """Return the definition as it stands in the database.

        Parameters
        ----------
        context
            Names of classes and modules to call parents by, quoted names of the database where it has none; left
            out, they are called `Class` or `schema.Class`.
        printout
            Also print it.
        """
        text = describe(self, context)
        if printout:
            print(text)
        return text

    @property
    def table_name(self) -> str:
        """The table's own name in the database."""
        return self.name.table

    # -- its rows -----------------------------------------------------------------------------------

    def insert1(self, row: Any, **options: Any) -> None:
        """Insert one row; options as in `insert`.

        Raises
        ------
        DataJointError
            More than one row was given.
        """
        self.insert([one_row(row)], **options)

    def insert(
        self,
        rows: Any,
        replace: bool = False,
        skip_duplicates: bool = False,
        ignore_extra_fields: bool = False,
        allow_direct_insert: bool | None = None,
        chunk_size: int | None = None,
    ) -> None:
        """Insert rows; all of them or, on an error, none.

        Parameters
        ----------
        rows
            Mappings, sequences in attribute order, records; a DataFrame, polars or Arrow table; the path of a CSV file;
            a query, whose rows then never leave the database. Rows may give different attributes.
        replace
            Rows whose primary key is there already take the place of the old ones.
        skip_duplicates
            Rows whose primary key is there already are passed over; a conflict in another unique index is an error.
        ignore_extra_fields
            Leave out what is not an attribute of the table.
        allow_direct_insert
            Insert into an auto-populated table outside its `make`.
        chunk_size
            Insert and commit this many rows at a time.

        Raises
        ------
        DuplicateError
            A key is there already.
        IntegrityError
            A row refers to a parent that is not there.
        MissingAttributeError
            A value that must be given is missing.
        InvalidValueError
            A value does not fit its attribute.
        UnknownAttributeError
            A row has something that is not an attribute.
        """
        if not allow_direct_insert:
            self._check_insert()
        mode: insert.Mode = "replace" if replace else "skip" if skip_duplicates else "error"
        count = insert.insert(
            self, rows, mode, ignore_extra=ignore_extra_fields, chunk_size=chunk_size
        )
        self._note_inserted(count)

    def insert_dataframe(self, df: Any, index_as_pk: bool | None = None, **options: Any) -> None:
        """Insert a DataFrame.

        Parameters
        ----------
        df
            The frame.
        index_as_pk
            Whether the index holds attributes; None takes it when its levels have names.
        """
        if index_as_pk is False:
            df = df.reset_index(drop=True)
        elif index_as_pk and not all(df.index.names):
            df = df.set_axis(df.index.set_names(self.primary_key))
        self.insert(df, **options)

    @property
    def staged_insert1(self) -> AbstractContextManager[StagedInsert]:
        """A row whose objects are written straight to their stores: `with table.staged_insert1 as staged:`.

        Give `staged.rec` the primary key; then write files with `staged.open(attribute, ext)` and folders, such as
        Zarr's, with `staged.store(attribute, ext)`; give `staged.rec` what else the row has. The row is inserted at
        the end of the block. An error or Ctrl-C before, or a rollback of the transaction around it, leaves
        no row and no object.

        Examples
        --------
        >>> import djupyter as dj
        >>> connection = dj.Connection("sqlite://")
        >>> connection.settings["stores"] = {"raw": {"protocol": "memory", "location": "doc"}}
        >>> schema = dj.Schema("staged", connection=connection)
        >>> @schema
        ... class Movie(dj.Manual):
        ...     definition = '''
        ...     n : int32
        ...     ---
        ...     frames : <object@raw>
        ...     '''
        >>> with Movie.staged_insert1 as staged:
        ...     staged.rec["n"] = 1
        ...     with staged.open("frames", ".bin") as file:
        ...         _ = file.write(b"abc")
        >>> Movie.fetch1("frames").read()
        b'abc'
        """
        self._check_insert()
        return staged.staged_insert1(self)

    def validate(self, rows: Any, *, ignore_extra_fields: bool = False) -> ValidationResult:
        """Return every problem that an insert of these rows would meet, as far as values tell."""
        context: Context = {"config": self.connection.settings, "stores": self.connection.stores}
        return validate(self.structure, rows, context, ignore_extra=ignore_extra_fields)

    def update1(self, row: Any) -> None:
        """Change one existing row.

        Parameters
        ----------
        row
            All primary-key attributes, which say which row, and the attributes to change; None resets to the default.

        Raises
        ------
        DataJointError
            The table is restricted, the key incomplete, or not exactly one row has it.
        """
        update.update1(self, row)

    def delete(
        self,
        transaction: bool = True,
        prompt: bool | None = None,
        part_integrity: str = "enforce",
        *,
        dry_run: bool = False,
        collect: bool = False,
    ) -> Any:
        """Delete the rows and everything that depends on them.

        Tables of all schemas are looked at, whether they were imported or not. Functions in
        `connection.before_delete` are asked first: each is called with a mapping of the quoted names of
        tables to queries of the rows that would go, and refuses by raising an error.

        Parameters
        ----------
        transaction
            Accepted for code written for datajoint: a deletion is always all or nothing, inside an open
            transaction as a part of it.
        prompt
            Show what will go and ask first; None asks when `safemode` is on.
        part_integrity
            When a part row would go while its master's row stays: `enforce` refuses, `ignore` allows,
            `cascade` deletes the master too.
        dry_run
            Delete nothing and return what would go.
        collect
            Remove the objects of these rows too, unless other rows refer to them, once the deletion is permanent.
            Content that is younger than `objects.grace_period` stays for `dj.gc.collect`: another insert may just have
            found it.

        Returns
        -------
        int or dict
            Number of rows deleted from this table; of a dry run, the number of rows that would go
            from each table, by its quoted name.

        Raises
        ------
        DataJointError
            A part would go without its master, a mapping names no attribute, or rows that were shown
            have changed meanwhile. Nothing was deleted.
        """
        if dry_run:
            counts = delete.preview(self, part_integrity=part_integrity)
            return {str(name): count for name, count in counts.items()}
        return delete.delete(self, prompt=prompt, part_integrity=part_integrity, collect=collect)

    def delete_quick(self, get_count: bool = False) -> int | None:
        """Delete the rows without looking at dependent tables, which the database then protects."""
        count = delete.delete_quick(self)
        return count if get_count else None

    def drop(self, prompt: bool | None = None, part_integrity: str = "enforce") -> None:
        """Drop the table and every table that depends on it."""
        drop.drop(self, prompt=prompt, part_integrity=part_integrity)

    def drop_quick(self) -> None:
        """Drop only this table; the database refuses while others refer to it."""
        ddl.drop(self.connection, self.name)

    # -- inside -------------------------------------------------------------------------------------

    def _check_insert(self) -> None:
        if not self._allow_insert:
            raise DataJointError(
                f"Inserts into an auto-populated table can only be done inside its make method: {self.name}. "
                "Call populate(), or insert(..., allow_direct_insert=True) if you mean to bypass it."
            )

    def _note_inserted(self, count: int) -> None:
        """Hear how many rows an insert has brought."""

    def _bound(self) -> Schema:
        if self._schema is None:
            raise DataJointError(
                f"Table `{type(self).__name__}` is not properly configured. Decorate the class with a schema "
                "that is activated before using it."
            )
        return self._schema

    def _like(self, node: Node) -> Self:
        # What copy.copy does, at a third of the cost; a restriction is the commonest step of all.
        restricted = object.__new__(type(self))
        restricted.__dict__.update(self.__dict__)
        restricted._node = node
        return restricted

    def _derived(self, node: Node) -> Query:
        return Query(self.connection, node)

    def _title(self) -> str:
        return self.name.class_name

    @property
    def is_restricted(self) -> bool:
        """Whether this is only some of the table's rows."""
        return self._node is not None

    def _other(self, name: TableName) -> FreeTable:
        return FreeTable(self.connection, name)


class FreeTable(Table):
    """A table by its name, without a class of its own.

    Parameters
    ----------
    connection
        Where the table is; left out, it is on the default connection.
    full_table_name
        `schema.table`, quoted or not, or a `TableName`.

    Raises
    ------
    DataJointError
        The name has no schema.
    """

    def __init__(
        self,
        connection: Connection | str | TableName,
        full_table_name: str | TableName | None = None,
    ) -> None:
        super().__init__()
        if isinstance(connection, str | TableName):
            self._connection, name = default_connection(), connection
        elif full_table_name is None:
            raise DataJointError('Name the table: FreeTable(connection, "schema.table").')
        else:
            self._connection, name = connection, full_table_name
        self._free_name = name if isinstance(name, TableName) else _parsed(name)

    @property
    def connection(self) -> Connection:
        """The connection given at creation."""
        assert self._connection is not None
        return self._connection

    @property
    def name(self) -> TableName:
        """The name given at creation."""
        return self._free_name


def _parsed(text: str) -> TableName:
    name = parse_full_name(text)
    if name is None:
        raise DataJointError(f"`{text}` is not a full table name. Write `schema.table`.")
    return name

"""Schemas: a name space of tables in the database, and the decorator that declares them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, TypeVar

from djupyter.definition.names import TableName, best_match
from djupyter.errors import DataJointError, nearest
from djupyter.graph.dependencies import pipeline
from djupyter.heading.structure import TableStructure
from djupyter.query.expression import Query
from djupyter.query.source import Source
from djupyter.sql import ddl
from djupyter.sql.connection import Connection
from djupyter.table.caring import Caring
from djupyter.table.classes import make_classes
from djupyter.table.context import names_around
from djupyter.table.declare import bind, declare, structure_of
from djupyter.table.default import default_connection
from djupyter.table.lineage import Tracing
from djupyter.table.module import module_text, write_module
from djupyter.table.prompt import confirmed
from djupyter.table.table import FreeTable
from djupyter.table.tiers import Part, UserTable

T = TypeVar("T", bound=type[UserTable])


class Schema(Caring, Tracing):
    """A schema of the database; as a decorator it declares the tables of classes.

    Parameters
    ----------
    schema_name
        Its name in the database; without one, call `activate` later.
    context
        Names that definitions may use, where those around the class are not enough.
    connection
        Where it lies; the default connection when None.
    create_schema
        Create it when it is not there.
    create_tables
        Declare tables that are not there; None asks the setting `database.create_tables`.
    add_objects
        More names for definitions.

    Raises
    ------
    DataJointError
        The schema does not exist and must not or cannot be created.

    Examples
    --------
    >>> from djupyter.table.tiers import Manual
    >>> schema = Schema("lab", connection=Connection("sqlite://"))
    >>> @schema
    ... class Subject(Manual):
    ...     definition = "subject_id : int32"
    >>> schema.list_tables()
    ['subject']
    """

    def __init__(
        self,
        schema_name: str | None = None,
        context: Mapping[str, Any] | None = None,
        *,
        connection: Connection | None = None,
        create_schema: bool = True,
        create_tables: bool | None = None,
        add_objects: Mapping[str, Any] | None = None,
    ) -> None:
        self._connection = connection
        self.database: str | None = None
        self.context = context
        self.add_objects = dict(add_objects or {})
        self._create_tables = create_tables
        self._waiting: list[tuple[type[UserTable], Mapping[str, Any]]] = []
        if schema_name is not None:
            self.activate(schema_name, create_schema=create_schema)

    def __getstate__(self) -> dict[str, Any]:
        # In another process its classes are declared already, and the names around them are not there.
        return {**vars(self), "context": None, "add_objects": {}, "_waiting": []}

    def __repr__(self) -> str:
        return f"Schema `{self.database}`" if self.database else "Schema (not activated)"

    # -- activation ---------------------------------------------------------------------------------

    def activate(
        self,
        schema_name: str | None = None,
        *,
        connection: Connection | None = None,
        create_schema: bool | None = None,
        create_tables: bool | None = None,
        add_objects: Mapping[str, Any] | None = None,
    ) -> None:
        """Connect to a schema of the database, creating it where allowed, and declare the classes that wait.

        Raises
        ------
        DataJointError
            The schema is activated under another name, or does not exist and must not be created.
        """
        if schema_name is None:
            if self.database is None:
                raise DataJointError("Give the name of the schema to activate.")
            return
        if self.database is not None:
            if self.database == schema_name:
                return
            raise DataJointError(f"The schema is already activated for schema {self.database}.")
        self._connection = connection or self._connection
        self.add_objects.update(add_objects or {})
        if create_tables is not None:
            self._create_tables = create_tables
        if not self.connection.catalog.exists(schema_name):
            if create_schema is False:
                advice = nearest(schema_name, self.connection.catalog.schemas())
                raise DataJointError(f"The schema `{schema_name}` does not exist. {advice}".strip())
            self._refuse_other_case(str(schema_name))
            ddl.create_schema(self.connection, schema_name)
        self.database = schema_name
        self.connection.register(self)
        waiting, self._waiting = self._waiting, []
        for cls, names in waiting:
            self._declare(cls, names)

    def _refuse_other_case(self, name: str) -> None:
        # Not every database tells `Lab` from `lab`.
        for known in self.connection.catalog.schemas():
            if known != name and known.lower() == name.lower():
                raise DataJointError(
                    f"The schema `{name}` would differ only in case from `{known}`, which exists. "
                    f"Write `{known}`, or choose another name."
                )

    def is_activated(self) -> bool:
        """Whether the schema has a name and a connection."""
        return self.database is not None

    @property
    def connection(self) -> Connection:
        """The connection; the default one where none was given."""
        if self._connection is None:
            self._connection = default_connection()
        return self._connection

    @property
    def exists(self) -> bool:
        """Whether the schema is in the database."""
        return self.database is not None and self.database in self.connection.catalog.schemas()

    @property
    def name(self) -> str:
        """The name of the schema in the database.

        Raises
        ------
        DataJointError
            It is not activated.
        """
        if self.database is None:
            raise DataJointError("The schema is not activated. Call schema.activate(name) first.")
        return self.database

    # -- declaration --------------------------------------------------------------------------------

    def __call__(self, cls: T, *, context: Mapping[str, Any] | None = None) -> T:
        """Declare the table of a class, its parts, and insert the contents of a Lookup.

        Raises
        ------
        DataJointError
            The class is not a table, or its definition cannot be declared.
        """
        if not (isinstance(cls, type) and issubclass(cls, UserTable)) or not hasattr(cls, "tier"):
            raise DataJointError(
                f"`{getattr(cls, '__name__', cls)}` cannot be declared: a table class inherits from dj.Manual, "
                "dj.Lookup, dj.Imported or dj.Computed."
            )
        if issubclass(cls, Part):
            raise DataJointError(
                f"The part table {cls.__name__} must not be decorated: nest it in its master, which is."
            )
        frame = sys._getframe(1)
        around = context or self.context or {**frame.f_globals, **frame.f_locals}
        names = {**names_around(cls, around), **self.add_objects}
        if self.database is None:
            self._waiting.append((cls, names))
        else:
            self._declare(cls, names)
        return cls

    def _declare(self, cls: type[UserTable], names: Mapping[str, Any]) -> None:
        create = self._create_tables
        if create is None:
            create = bool(self.connection.settings["database.create_tables"])
        bind(cls, self, self.name)
        if create:
            declare(cls, names)

    def declare(self, cls: type[UserTable], context: Mapping[str, Any] | None = None) -> None:
        """Declare the table of a class of this schema and its parts, whatever `create_tables` says.

        Parameters
        ----------
        cls
            A class that the schema has decorated.
        context
            Names that its definition may use, where those around the class are not enough.

        Raises
        ------
        DefinitionError
            The definition cannot be read.
        """
        declare(cls, self._names(cls, context))

    def declared_by(
        self, cls: type[UserTable], context: Mapping[str, Any] | None = None
    ) -> TableStructure:
        """Return the table that a class declares, whatever the database has.

        Parameters
        ----------
        cls
            A class of this schema.
        context
            Names that its definition may use, where those around the class are not enough.

        Raises
        ------
        DefinitionError
            The definition cannot be read.
        """
        return structure_of(cls, self._names(cls, context))

    def _names(self, cls: type[UserTable], context: Mapping[str, Any] | None) -> dict[str, Any]:
        return {**names_around(cls, context or self.context or {}), **self.add_objects}

    # -- tables -------------------------------------------------------------------------------------

    def list_tables(self) -> list[str]:
        """Return the names of the tables as the database has them, parents before children."""
        graph = pipeline({self.name: self.connection.catalog.current(self.name)})
        return [name.table for name in graph.in_order()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.list_tables())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def __getitem__(self, name: str) -> FreeTable:
        return self.get_table(name)

    def get_table(self, name: str) -> FreeTable:
        """Return a table by the name of its class or by the database's own name.

        Raises
        ------
        DataJointError
            There is none; the message has the nearest one.
        """
        found = self._find(name)
        if found is None:
            known = [TableName(self.name, table).class_name for table in self.list_tables()]
            advice = f"{nearest(name, known)} Its tables: {', '.join(known) or 'none'}."
            raise DataJointError(
                f"The schema `{self.name}` has no table `{name}`. {advice.lstrip()}"
            )
        return FreeTable(self.connection, found)

    # -- code ---------------------------------------------------------------------------------------

    def make_classes(self, into: MutableMapping[str, Any] | None = None) -> None:
        """Make a class for each table that has none yet, with its parts inside.

        A name that is taken by something else stays as it is, and a warning says so.

        Parameters
        ----------
        into
            The namespace for the classes; the caller's when None.

        Examples
        --------
        >>> schema = Schema("lab", connection=Connection("sqlite://"))
        >>> from djupyter.table.tiers import Manual
        >>> _ = schema(type("Subject", (Manual,), {"definition": "subject_id : int32"}))
        >>> schema.make_classes(found := {})
        >>> found["Subject"].heading.names
        ['subject_id']
        """
        frame = sys._getframe(1)
        namespace = frame.f_locals if into is None else into
        module = namespace.get("__name__", frame.f_globals.get("__name__", "__main__"))
        make_classes(self, namespace, module)

    def save(self, python_filename: str | Path | None = None, *, overwrite: bool = False) -> str:
        """Return a Python module that declares the tables of this schema again.

        It has the definitions that `describe` prints, in the order of dependencies. Rows, the contents of lookups and
        the `make` of computed tables are not in the database's structure: enter those yourself.

        Parameters
        ----------
        python_filename
            Also write it to this file.
        overwrite
            Whether a file that is there may be replaced; what was added to it by hand is then lost.

        Raises
        ------
        DataJointError
            The file is there already.
        """
        text = module_text(self)
        if python_filename is not None:
            write_module(Path(python_filename), text, overwrite=overwrite)
        return text

    def _find(self, name: str) -> TableName | None:
        catalog = self.connection.catalog
        found = best_match(name, (each.name for each in catalog.structures(self.name).values()))
        # Another program may have declared it a moment ago.
        now = () if found else (each.name for each in catalog.current(self.name).values())
        return found or best_match(name, now)

    def drop(self, prompt: bool | None = None) -> None:
        """Drop the schema with all its tables and rows.

        Parameters
        ----------
        prompt
            Show what will go and ask first; None asks when `safemode` is on.

        Raises
        ------
        DataJointError
            Tables of other schemas refer to it.
        """
        if not self.exists:
            raise DataJointError(f"The schema `{self.name}` does not exist (any more).")
        ask = bool(self.connection.settings["safemode"]) if prompt is None else prompt
        if ask:
            print(f"The schema `{self.name}` would be dropped with:")
            for table in self.list_tables():
                structure = self.connection.catalog.structures(self.name)[table]
                rows = len(Query(self.connection, Source(structure)))
                print(f"  {rows:>9,}  {structure.name.class_name}")
            if not confirmed("Proceed?"):
                return
        ddl.drop_schema(self.connection, self.name)

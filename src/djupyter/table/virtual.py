"""Virtual modules: the tables of a schema as classes, without the code that declared them."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from djupyter.errors import nearest
from djupyter.table.classes import make_classes
from djupyter.table.schema import Schema

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection


class VirtualModule(ModuleType):
    """A module with a class for every table of a schema, parts inside their masters.

    The classes are made from the database: rows can be queried, inserted and deleted, but nobody knows how a
    computed table makes its rows, so `populate` is refused. A table that is declared later is found when it is
    asked for. Tables whose name belongs to no tier have no class; `module.schema[name]` has them all.

    Parameters
    ----------
    module_name
        What the module calls itself.
    schema_name
        The schema in the database.
    create_schema
        Create it when it is not there.
    create_tables
        Whether classes that `module.schema` decorates are declared.
    connection
        Where it lies; the default connection when None.
    add_objects
        More names for the module.

    Raises
    ------
    DataJointError
        The schema does not exist; the message has the nearest one.

    Examples
    --------
    >>> from djupyter.sql.connection import Connection
    >>> from djupyter.table.tiers import Manual
    >>> connection = Connection("sqlite://")
    >>> subject = type("Subject", (Manual,), {"definition": "subject_id : int32"})
    >>> _ = Schema("lab", connection=connection)(subject)
    >>> lab = VirtualModule("lab", "lab", connection=connection)
    >>> lab.Subject.insert1({"subject_id": 1})
    >>> lab.Subject.to_dicts()
    [{'subject_id': 1}]
    >>> print(lab.Subject.definition)
    subject_id           : int32
    ---
    """

    def __init__(
        self,
        module_name: str,
        schema_name: str,
        *,
        create_schema: bool = False,
        create_tables: bool = False,
        connection: Connection | None = None,
        add_objects: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(module_name, f"The tables of the schema `{schema_name}`.")
        self._schema = Schema(
            schema_name,
            connection=connection,
            create_schema=create_schema,
            create_tables=create_tables,
            add_objects=add_objects,
        )
        vars(self).update(add_objects or {})
        make_classes(self._schema, vars(self), module_name)

    @property
    def schema(self) -> Schema:
        """The schema of the tables."""
        return self._schema

    def __getattr__(self, name: str) -> Any:
        # Classes begin with a capital; other names are those that Python and IPython try on any module.
        if name[:1].isupper():
            make_classes(self._schema, vars(self), self.__name__)
            if name in vars(self):
                return vars(self)[name]
            advice = nearest(name, [each for each in vars(self) if each[:1].isupper()])
            raise AttributeError(
                f"The schema `{self._schema.name}` has no table `{name}`. {advice}".strip()
            )
        raise AttributeError(f"The virtual module `{self.__name__}` has no attribute `{name}`.")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), "schema"})


def virtual_schema(
    schema_name: str,
    *,
    create_schema: bool = False,
    create_tables: bool = False,
    connection: Connection | None = None,
    add_objects: Mapping[str, Any] | None = None,
) -> VirtualModule:
    """Return the tables of a schema as a module, named like the schema; see `VirtualModule`.

    Examples
    --------
    >>> from djupyter.sql.connection import Connection
    >>> virtual_schema("lab", connection=Connection("sqlite://"))
    Traceback (most recent call last):
    ...
    djupyter.errors.DataJointError: The schema `lab` does not exist.
    """
    return VirtualModule(
        schema_name,
        schema_name,
        create_schema=create_schema,
        create_tables=create_tables,
        connection=connection,
        add_objects=add_objects,
    )

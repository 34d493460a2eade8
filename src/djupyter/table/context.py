"""Whom a foreign key means: `Subject`, `subject.Subject`, `master`, `self.source`, found without evaluating code."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from djupyter.definition.model import ForeignKeySpec
from djupyter.definition.names import TableName, parse_full_name
from djupyter.errors import DefinitionError, nearest
from djupyter.heading.structure import TableStructure
from djupyter.table.table import Table

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

Names = Mapping[str, Any]

_QUOTES = ("`", '"')
_FIRST_PARENTS = (
    "Declare the parent first; parents come before children, and references must not form a cycle."
)


def names_around(cls: type, caller: Names) -> Names:
    """Return the names a definition may use: the caller's, then those of the class's module."""
    module = sys.modules.get(cls.__module__)
    return {**(vars(module) if module else {}), **caller}


@dataclass(frozen=True, slots=True)
class ParentFinder:
    """Looks up the parent of each foreign key of a class.

    A name is looked for around the class, then among the tables of its schema (`Subject`), then in other
    schemas (`lab.Subject`). Names as the database has them, in back ticks, are taken as they are.

    Parameters
    ----------
    cls
        The class being declared.
    names
        What its definition may refer to.
    connection, schema
        Where it is declared.
    lines
        Its definition, for messages.
    """

    cls: type[Table]
    names: Names
    connection: Connection
    schema: str
    lines: Sequence[str] = ()

    def __call__(self, spec: ForeignKeySpec) -> TableStructure:
        """Return the structure of the parent.

        Raises
        ------
        DefinitionError
            There is none, or the table would refer to itself.
        """
        quoted = parse_full_name(spec.parent) if spec.parent[:1] in _QUOTES else None
        if quoted:
            return self._declared(spec, quoted)
        own = {"self": self.cls, "master": getattr(self.cls, "master", None)}
        found = _by_name(spec.parent, {**self.names, **own})
        if _is_table(found):
            return self._table(spec, found)
        structure = self._in_schemas(spec.parent)
        if structure is not None:
            return self._other(spec, structure)
        if spec.parent == self.cls.__name__:
            raise self._itself(spec)
        raise self._unknown(spec, found)

    def _table(self, spec: ForeignKeySpec, found: Any) -> TableStructure:
        table = found() if isinstance(found, type) else found
        if found is self.cls:
            raise self._itself(spec)
        if table.is_restricted:
            raise self._error(
                spec,
                f"'{spec.parent}' is a restricted table",
                'A foreign key refers to a whole table or to its .proj(new="old").',
            )
        if isinstance(found, type) and table._schema is None:
            raise self._error(
                spec,
                f"'{spec.parent}' is not declared yet",
                "Its class has no activated schema. Decorate it, or activate its schema, before this one.",
            )
        if table.connection is not self.connection:
            raise self._error(
                spec,
                f"'{spec.parent}' lies on another connection",
                "A foreign key stays within one database.",
            )
        return self._declared(spec, table.name)

    def _declared(self, spec: ForeignKeySpec, name: TableName) -> TableStructure:
        structure = self.connection.catalog.structure(name)
        if structure is None:
            raise self._error(
                spec,
                f"'{spec.parent}' is not in the database",
                f"There is no table {name}. {_FIRST_PARENTS}",
            )
        return self._other(spec, structure)

    def _other(self, spec: ForeignKeySpec, structure: TableStructure) -> TableStructure:
        if structure.name == self.cls._name:
            raise self._itself(spec)
        return structure

    def _in_schemas(self, dotted: str) -> TableStructure | None:
        first, _, rest = dotted.partition(".")
        catalog = self.connection.catalog
        for name, wanted in ((self.schema, dotted), (first, rest)):
            if wanted and catalog.exists(name):
                for structure in catalog.structures(name).values():
                    if structure.name.class_name == wanted:
                        return structure
        return None

    # Messages

    def _itself(self, spec: ForeignKeySpec) -> DefinitionError:
        return self._error(
            spec,
            f"'{spec.parent}' cannot refer to itself",
            "A table cannot depend on itself. For links between its rows declare a table with two renamed "
            "foreign keys to it.",
        )

    def _unknown(self, spec: ForeignKeySpec, found: object) -> DefinitionError:
        if found is not None:
            return self._error(
                spec,
                f"'{spec.parent}' is not a table but {type(found).__name__}",
                "A foreign key refers to a table class.",
            )
        known = list(self._known())
        elsewhere = [name for name in known if name.endswith(f".{spec.parent}")]
        advice = f"Did you mean `{elsewhere[0]}`?" if elsewhere else nearest(spec.parent, known)
        return self._error(spec, f"unknown table '{spec.parent}'", advice or _FIRST_PARENTS)

    def _known(self) -> Iterator[str]:
        """Yield whatever could have been meant, as it would be written."""
        for name, value in self.names.items():
            if _is_table(value):
                yield name
            elif isinstance(value, ModuleType) and getattr(value, "schema", None) is not None:
                yield from (
                    f"{name}.{inner}" for inner, each in vars(value).items() if _is_table(each)
                )
        catalog = self.connection.catalog
        # On a server others have tables of that name too: what belongs together is named first.
        for schema, tables in {**catalog.related(self.schema), **catalog.load_all()}.items():
            for structure in tables.values():
                if not structure.name.is_system and structure.name != self.cls._name:
                    own = structure.name.class_name
                    yield own if schema == self.schema else f"{schema}.{own}"

    def _error(self, spec: ForeignKeySpec, problem: str, advice: str) -> DefinitionError:
        source = self.lines[spec.line - 1] if 0 < spec.line <= len(self.lines) else ""
        column = source.find(spec.parent, max(spec.column - 1, 0)) + 1 or spec.column
        return DefinitionError(problem, spec.line, column, source, len(spec.parent), advice)


def _is_table(value: object) -> bool:
    return isinstance(value, Table) or (isinstance(value, type) and issubclass(value, Table))


def _by_name(dotted: str, names: Names) -> Any:
    first, *rest = dotted.split(".")
    found = names.get(first)
    for name in rest:
        # Only modules and classes hold tables; asking other objects could run their code.
        found = getattr(found, name, None) if isinstance(found, ModuleType | type) else None
    return found

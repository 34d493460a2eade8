"""Tab completion: what the notebook knows already, handed to IPython. The database is never asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)

from djupyter.definition.types import BUILT_IN_CODECS
from djupyter.heading.structure import TableStructure
from djupyter.notebook.completing import candidates
from djupyter.notebook.place import Place, classes_in
from djupyter.query.expression import Query
from djupyter.session import default
from djupyter.table.table import Table

_IDENTIFIER = "djupyter"


def register(shell: Any, place: Place) -> None:
    """Let a shell complete names of tables, attributes, types and stores.

    Parameters
    ----------
    shell
        The shell.
    place
        Where its notebook is.
    """

    # Before all others: what suppresses them spares their time.
    @context_matcher(identifier=_IDENTIFIER, priority=1000)
    def djupyter_matcher(context: CompletionContext) -> SimpleMatcherResult:
        lines = context.full_text.split("\n")[: context.cursor_line]
        offset = sum(len(line) + 1 for line in lines) + context.cursor_position
        found = candidates(context.full_text, offset, Remembered(shell, place))
        if found is None:
            return SimpleMatcherResult(completions=[])
        return SimpleMatcherResult(
            completions=[SimpleCompletion(text=c.text, type=c.kind) for c in found.all],
            matched_fragment=found.fragment,
            suppress=found.alone,
            ordered=True,
        )

    shell.Completer.custom_matchers.append(djupyter_matcher)


class Remembered:
    """What a notebook knows without asking the database.

    Parameters
    ----------
    shell
        The shell, which has the names and the magics.
    place
        Where the notebook is.
    """

    def __init__(self, shell: Any, place: Place) -> None:
        self._shell, self._place = shell, place

    @cached_property
    def _loaded(self) -> Mapping[str, Mapping[str, TableStructure]]:
        return default.connection.catalog.known() if default.is_open else {}

    def tables(self) -> Sequence[str]:
        """Return the tables of the current schema, then those of others with their schemas."""
        current = self._place.current.database if self._place.current else ""
        own = self.in_schema(current or "")
        bound = [cls.__qualname__ for cls in classes_in(self._shell.user_ns)]
        others = [
            f"{schema}.{name}"
            for schema in self._loaded
            if schema != current
            for name in self.in_schema(schema)
        ]
        return list(dict.fromkeys([*own, *sorted(bound), *sorted(others)]))

    def in_schema(self, schema: str) -> Sequence[str]:
        """Return the tables of a schema, parts included."""
        names = (structure.name for structure in self._loaded.get(schema, {}).values())
        return sorted(name.class_name for name in names if name.tier is not None)

    def classes(self) -> Sequence[str]:
        """Return the names of the notebook that mean tables, parts included, and queries."""
        names = [
            name
            for name, value in list(self._shell.user_ns.items())
            if not name.startswith("_") and _is_query(value)
        ]
        return [*sorted({cls.__qualname__ for cls in classes_in(self._shell.user_ns)}), *names]

    def names(self) -> Sequence[str]:
        """Return the names of the notebook that do not begin with `_`."""
        return sorted(name for name in list(self._shell.user_ns) if not name.startswith("_"))

    def attributes(self, name: str) -> Sequence[str]:
        """Return the attributes of a table or query of the notebook, or of a table that a definition names."""
        first, *parts = name.split(".")
        value: Any = self._shell.user_ns.get(first)
        for part in parts:
            value = vars(value).get(part) if isinstance(value, type) else None
        cls: Any = value if isinstance(value, type) and Table in value.__mro__ else None
        if cls is not None and cls._name is not None:
            schema = cls._schema
            catalog = schema.connection.catalog if schema is not None else None
            return self._of_structure(catalog.remembered(cls._name) if catalog else None)
        if _is_query(value):
            return self._of_query(value)
        return self._of_structure(self._by_class_name(name))

    def schemas(self) -> Sequence[str]:
        """Return the schemas that were there when one was last asked for."""
        return sorted({*self._place.schemas, *self._loaded})

    def stores(self) -> Sequence[str]:
        """Return the names of the stores in the settings."""
        stores = default.settings.stores
        return sorted(name for name, each in stores.items() if isinstance(each, Mapping))

    def codecs(self) -> Sequence[str]:
        """Return the names of codecs, those of packages once a schema has been chosen."""
        return self._place.codecs or BUILT_IN_CODECS

    def options(self, magic: str) -> Sequence[str]:
        """Return the options of a magic."""
        if magic == "dj_table":  # it reads its first line itself
            return ["--alter", "--replace"]
        magics = self._shell.magics_manager.magics
        function = magics["line"].get(magic) or magics["cell"].get(magic)
        actions = getattr(getattr(function, "parser", None), "_actions", ())
        return [name for action in actions for name in action.option_strings]

    def _of_query(self, query: Query) -> Sequence[str]:
        node = query._node
        if node is not None:
            return list(node.heading.names)
        if isinstance(query, Table):
            return self._of_structure(query.connection.catalog.remembered(query.name))
        return []

    def _of_structure(self, structure: TableStructure | None) -> Sequence[str]:
        return list(structure.heading.names) if structure is not None else []

    def _by_class_name(self, name: str) -> TableStructure | None:
        schema, dot, own = name.partition(".")
        if dot and schema in self._loaded:
            wanted, among = own, self._loaded[schema]
        elif self._place.current is not None:
            wanted, among = name, self._loaded.get(self._place.current.name, {})
        else:
            return None
        return next((each for each in among.values() if each.name.class_name == wanted), None)


def _is_query(value: object) -> bool:
    # Not isinstance: that of an abstract class asks all its subclasses, the first time it meets a type.
    return Query in type(value).__mro__

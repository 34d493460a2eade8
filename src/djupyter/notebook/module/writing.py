"""The module of a schema, put together: everything after what it needs.

```
docstring, imports, schema          in groups, sorted
helpers and constants               each before the first table that needs it
tables                              parents before children, parts inside their masters
late parts                          those that refer to tables which depend on their master
```
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from djupyter.errors import DataJointError
from djupyter.notebook.cell import Cell
from djupyter.notebook.module.cells import Bindings, Import, Statement, bindings, bound_by
from djupyter.notebook.module.names import Needs, needs
from djupyter.notebook.module.tables import WrittenTable, literal, with_parts, written
from djupyter.table.schema import Schema
from djupyter.table.table import Table
from djupyter.table.tiers import UserTable

_DJ = Import("", "djupyter", "dj")


@dataclass(frozen=True, slots=True)
class Notebook:
    """What a module is written from.

    Parameters
    ----------
    names
        The names of the notebook.
    ran
        The Python of its cells, in the order in which they ran.
    cells
        The `%%dj_table` cells of those classes that have some.
    """

    names: Mapping[str, Any]
    ran: Iterable[str]
    cells: Mapping[type, Cell]


@dataclass(frozen=True, slots=True)
class WrittenModule:
    """A module.

    Parameters
    ----------
    text
        Its Python.
    tables
        Names of its classes.
    notes
        What a reader should know of it, a sentence each.
    """

    text: str
    tables: tuple[str, ...]
    notes: tuple[str, ...] = ()


def module_of(
    schema: str, notebook: Notebook, sibling: Callable[[str], str | None]
) -> WrittenModule:
    """Return the module that declares the tables of a schema which a notebook declares.

    Parameters
    ----------
    schema
        Its name.
    notebook
        The notebook.
    sibling
        Returns the name by which the module of another schema is imported, None where there is none yet.

    Raises
    ------
    DataJointError
        The notebook declares no table of it, or something that tables need cannot be written.
    """
    main = notebook.names.get("__name__", "__main__")
    classes = {
        value.__name__: value
        for value in notebook.names.values()
        if _is_own(value, schema) and value.__module__ == main
    }
    if not classes:
        raise DataJointError(
            f"This notebook declares no table of the schema `{schema}`. `%dj_tables {schema}` lists those of the "
            "database, `schema.save()` writes what it knows of them."
        )
    found = bindings(notebook.ran)
    tables = {n: written(c, notebook.cells, found, notebook.names) for n, c in classes.items()}
    for table in tables.values():
        # A cell's own imports; what ran later in the notebook counts more.
        found = {**table.imports, **found}
        for part in table.parts:
            found = {**part.imports, **found}
    writer = _Writer(schema, tables, found, notebook.names, sibling)
    return writer.write()


def _is_own(value: object, schema: str) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, UserTable)
        and value._name is not None
        and value._name.schema == schema
        and value._name.master is None
    )


@dataclass
class _Writer:
    schema: str
    tables: Mapping[str, WrittenTable]
    found: Bindings
    names: Mapping[str, Any]
    sibling: Callable[[str], str | None]
    imports: set[Import] = field(default_factory=lambda: {_DJ})
    blocks: list[tuple[str, bool]] = field(default_factory=list)
    late: list[tuple[WrittenTable, WrittenTable]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)

    def write(self) -> WrittenModule:
        for name in self.tables:
            self._table(name)
        for master, part in self.late:
            self._need(part.needs, f"{master.name}.{part.name}")
            self.blocks.append((f"{part.source}", True))
            bound = f"{master.name}.{part.name} = {part.name}\nschema({master.name})"
            self.blocks.append((bound, False))
        head = [
            f'"""Tables of the schema `{self.schema}`, written from a notebook by `%dj_module`."""',
            _imports(self.imports),
            "\n".join([f"schema = dj.Schema({literal(self.schema)})", *self.aliases]),
        ]
        text = "\n\n".join(head) + "\n" + _laid_out(self.blocks)
        try:
            compile(text, "<module>", "exec", dont_inherit=True)
        except SyntaxError as error:
            raise DataJointError(
                f"What was written is no Python: {error.msg} in line {error.lineno}, `{(error.text or '').strip()}`. "
                "Rewrite that statement of the notebook in another way."
            ) from None
        return WrittenModule(text, tuple(self.tables), tuple(dict.fromkeys(self.notes)))

    def _table(self, name: str) -> None:
        if name in self.begun:
            return
        self.begun.add(name)
        table = self.tables[name]
        inside = tuple(p for p in table.parts if not self._depends(p.needs.at_once, name))
        self.late += [(table, part) for part in table.parts if part not in inside]
        for each in (table, *inside):
            self._need(each.needs, name)
        self.blocks.append((f"@schema\n{with_parts(table, inside)}", True))

    def _depends(self, needed: Iterable[str], name: str) -> bool:
        """Whether one of some tables depends on a table."""
        seen: set[str] = set()
        waiting = [each for each in needed if each in self.tables and each != name]
        while waiting:
            here = waiting.pop()
            if here == name:
                return True
            if here not in seen:
                seen.add(here)
                waiting += [each for each in self.tables[here].needs.at_once if each in self.tables]
        return False

    def _need(self, needed: Needs, who: str) -> None:
        for name in needed.at_once:
            if name in self.tables:
                self._table(name)
        for name in (*needed.at_once, *needed.later):
            if name not in self.tables:
                self._name(name, who)

    def _name(self, name: str, who: str) -> None:
        """Write what binds a name, with what that needs."""
        if name in self.begun or name in ("dj", "schema") or hasattr(builtins, name):
            return
        self.begun.add(name)
        value = self.names.get(name)
        if isinstance(value, Schema) and value.database is not None:
            own = value.database == self.schema
            self.aliases.append(
                f"{name} = {'schema' if own else f'dj.Schema({literal(value.database)})'}"
            )
            return
        if self._is_of_other_schema(value):
            self._from_sibling(name, value, who)
            return
        bound = self.found.get(name)
        if isinstance(bound, Import):
            self.imports.add(bound)
        elif bound is not None:
            self._statements(bound, who)
        else:
            self._found_elsewhere(name, value, who)

    def _statements(self, bound: tuple[Statement, ...], who: str) -> None:
        for statement in bound:
            if "get_ipython()" in statement.source:
                raise DataJointError(
                    f"{who} needs `{statement.source.strip()}`, which only runs in a notebook. Write it in plain "
                    "Python."
                )
            self.begun |= bound_by(statement.node)
            self._need(needs(statement.source), who)
            block = statement.source, statement.is_block
            if block not in self.blocks:
                self.blocks.append(block)

    def _is_of_other_schema(self, value: object) -> bool:
        main = self.names.get("__name__", "__main__")
        is_table = isinstance(value, type) and issubclass(value, Table) and value.__module__ == main
        return is_table and getattr(value, "_name", None) is not None

    def _from_sibling(self, name: str, value: Any, who: str) -> None:
        other = value._name.schema
        module = self.sibling(other)
        if module is None:
            raise DataJointError(
                f"{who} needs {name} of the schema `{other}`, which this notebook declares too. Write that first: "
                f"`%dj_module {other}`."
            )
        own = value.__name__
        self.imports.add(Import(module, own, name if name != own else ""))

    def _found_elsewhere(self, name: str, value: Any, who: str) -> None:
        """Write what no cell binds by itself: a module, something of one, or a plain value."""
        if name not in self.names:
            if name != self.schema and not self._is_schema(name):
                self.notes.append(f"{who} uses `{name}`, which this notebook does not define.")
            return
        if isinstance(value, ModuleType):
            self.imports.add(Import("", value.__name__, name if name != value.__name__ else ""))
            return
        own, module = getattr(value, "__name__", ""), getattr(value, "__module__", "")
        if _is_there(module, own, value):
            self.imports.add(Import(module, own, name if name != own else ""))
            return
        if isinstance(value, str | bytes | bool | int | float | None):
            self.blocks.append((f"{name} = {literal(value)}", False))
            return
        raise DataJointError(
            f"{who} needs `{name}`, and no cell that ran after `%load_ext djupyter` defines it by a statement of its "
            "own. Define it in a cell by an import, an assignment, `def` or `class`."
        )

    def _is_schema(self, name: str) -> bool:
        """Whether a name of a definition is that of a schema in the database: `-> lab.Subject`."""
        return any(isinstance(v, Schema) and v.database == name for v in self.names.values())


def _is_there(module: object, name: str, value: object) -> bool:
    if not (isinstance(module, str) and module and name) or module == "__main__":
        return False
    try:
        return getattr(import_module(module), name, None) is value
    except ImportError:
        return False


# Text


def _imports(imports: Iterable[Import]) -> str:
    """Return imports as people sort them: the standard library, packages, neighbours; a line for each module."""
    groups: dict[int, list[Import]] = {0: [], 1: [], 2: []}
    for each in imports:
        root = (each.module or each.name).partition(".")[0]
        groups[2 if not root else 0 if root in sys.stdlib_module_names else 1].append(each)
    return "\n\n".join("\n".join(_lines(group)) for group in groups.values() if group)


def _lines(group: list[Import]) -> list[str]:
    plain = sorted((each for each in group if not each.module), key=lambda each: each.name.lower())
    modules = sorted({each.module for each in group if each.module}, key=str.lower)
    lines = [str(each) for each in plain]
    for module in modules:
        named = sorted(each for each in group if each.module == module)
        wanted = ", ".join(f"{n.name} as {n.alias}" if n.alias else n.name for n in named)
        line = f"from {module} import {wanted}"
        if len(line) > 88:
            inner = "".join(f"    {each.strip()},\n" for each in wanted.split(","))
            line = f"from {module} import (\n{inner})"
        lines.append(line)
    return lines


def _laid_out(blocks: Iterable[tuple[str, bool]]) -> str:
    """Return blocks with two blank lines around functions and classes, none between other statements."""
    pieces: list[str] = []
    before = True
    for source, stands_apart in blocks:
        pieces.append("\n\n" if stands_apart or before else "")
        pieces.append(source.rstrip() + "\n")
        before = stands_apart
    return "".join(pieces)

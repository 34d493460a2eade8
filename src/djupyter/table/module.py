"""A schema as Python: the module whose execution declares its tables again.

A part is written inside its master. Where it refers to a table that itself depends on the master, no order of whole
classes would do: such a part is added to its master further down.
"""

from __future__ import annotations

import keyword
import re
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from djupyter.definition.names import TableName
from djupyter.definition.parser import parse
from djupyter.definition.writer import write
from djupyter.errors import DataJointError, DefinitionError
from djupyter.graph.dependencies import pipeline
from djupyter.heading.structure import TableStructure, to_definition

if TYPE_CHECKING:
    import networkx

    from djupyter.table.schema import Schema

Tables = Mapping[TableName, TableStructure]

_HEAD = '"""Tables of a schema, as `schema.save()` found them in the database."""'
_INDENT = "    "


def module_text(schema: Schema) -> str:
    """Return the Python module that declares the tables of a schema."""
    loaded = schema.connection.catalog.connected(schema.name)
    tables = pipeline({schema.name: loaded[schema.name]}).structures
    others = sorted({p.schema for t in tables.values() for p in _parents(t)} - {schema.name})
    modules = _module_names(others, {name.class_name for name in tables})
    nameless = {name for each in (schema.name, *others) for name in _nameless(loaded.get(each, {}))}
    writer = _Writer(schema.name, tables, modules, nameless)
    imports = [
        f"{name} = dj.VirtualModule({_literal(name)}, {_literal(other)})"
        for other, name in modules.items()
    ]
    head = [_HEAD, "import djupyter as dj", "\n".join([*imports, writer.schema_statement()])]
    return "\n\n".join(head) + "\n" + "".join(f"\n\n{block}\n" for block in writer.blocks())


def write_module(
    path: Path,
    text: str,
    *,
    overwrite: bool,
    advice: str = "Choose another name, or pass overwrite=True.",
) -> None:
    """Write a module to a file.

    Raises
    ------
    DataJointError
        The file is there already and must not be replaced.
    """
    try:
        with path.open("w" if overwrite else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise DataJointError(
            f"The file {path} is there already, perhaps with code that was added by hand. {advice}"
        ) from None


def _parents(structure: TableStructure) -> list[TableName]:
    return [key.parent for key in structure.foreign_keys]


def _module_names(schemas: Collection[str], taken: Collection[str]) -> dict[str, str]:
    """Return a Python name for each schema that tables refer to."""
    used = {"dj", "schema", *taken}
    names: dict[str, str] = {}
    for schema in schemas:
        name = re.sub(r"\W", "_", schema, flags=re.ASCII)
        name = f"_{name}" if name[:1].isdigit() else name
        while name in used or keyword.iskeyword(name):
            name += "_"
        used.add(name)
        names[schema] = name
    return names


class _Writer:
    """Writes the classes of one schema.

    Parameters
    ----------
    schema
        Its name.
    tables
        Its tables.
    modules
        Other schemas to the names of their modules.
    nameless
        Tables of this and of those schemas that no class can stand for.
    """

    def __init__(
        self,
        schema: str,
        tables: Tables,
        modules: Mapping[str, str],
        nameless: Collection[TableName],
    ) -> None:
        self.schema, self.modules, self.nameless = schema, modules, nameless
        self.tables = {name: each for name, each in tables.items() if name not in nameless}

    def schema_statement(self) -> str:
        """Return the line that activates the schema."""
        return f"schema = dj.Schema({_literal(self.schema)})"

    def blocks(self) -> Iterator[str]:
        """Yield the code of each class, and at the end what has none."""
        late = _late_parts(self.tables)
        inside: dict[TableName, list[TableName]] = defaultdict(list)
        for name in pipeline({self.schema: _by_table(self.tables)}).in_order():
            if name.master is not None and name not in late:
                inside[name.master].append(name)
        for name in _order(self.tables, late):
            if name.tier == "Part":
                yield self._late(name)
            else:
                yield "\n".join(["@schema", *self._class(name, ""), *self._parts(inside[name])])
        if left_out := sorted(name for name in self.nameless if name.schema == self.schema):
            names = ", ".join(map(str, left_out))
            yield f"# No class can declare these tables: {_plain(names)}"

    def _parts(self, names: Collection[TableName]) -> Iterator[str]:
        for name in names:
            yield ""
            yield from self._class(name, _INDENT)

    def _class(self, name: TableName, indent: str) -> Iterator[str]:
        own = name.class_name.rpartition(".")[2]
        yield f"{indent}class {own}(dj.{name.tier}):"
        yield f"{indent}{_INDENT}definition = {self._definition(name, indent + _INDENT)}"

    def _late(self, name: TableName) -> str:
        master, _, own = name.class_name.rpartition(".")
        definition = self._definition(name, _INDENT)
        return (
            f"# {own} refers to tables that depend on its master, so it comes after them.\n"
            f'{master}.{own} = type("{own}", (dj.Part,), {{"definition": {definition}}})\n'
            f"schema({master})"
        )

    def _definition(self, name: TableName, indent: str) -> str:
        text = write(to_definition(self.tables[name], lambda parent: self._written(parent, name)))
        try:
            parse(text, warn=False)
        except DefinitionError as error:
            warnings.warn(
                f"{name} was not declared by a definition, and the one written for it cannot be read again: "
                f"{error.problem}. Correct it in the file.",
                UserWarning,
                stacklevel=2,
            )
        lines = "".join(f"{indent}{escaped(line)}\n" for line in text.split("\n"))
        return f'"""\n{lines}{indent}"""'

    def _written(self, parent: TableName, child: TableName) -> str:
        """Return how a child's definition calls its parent."""
        if parent == child.master:
            return "master"
        if parent in self.nameless:
            return str(parent)
        if parent.schema == self.schema:
            return parent.class_name
        return f"{self.modules[parent.schema]}.{parent.class_name}"


# Order


def _nameless(structures: Mapping[str, TableStructure]) -> set[TableName]:
    """Return the tables of a schema that no class can stand for.

    Their name belongs to no tier, their class name to another table, or they are parts without a master.
    """
    classes: dict[str, TableName] = {}
    names = pipeline({"": structures}).in_order()
    for name in names:
        if name.tier not in (None, "Part"):
            classes.setdefault(name.class_name, name)
    named = set(classes.values())
    return {name for name in names if name not in named and name.master not in named}


def _by_table(tables: Tables) -> dict[str, TableStructure]:
    return {name.table: structure for name, structure in tables.items()}


def _graph(tables: Tables, apart: Collection[TableName]) -> networkx.DiGraph[TableName]:
    """Return the graph of classes: a part counts as its master, unless it stands apart."""
    import networkx

    def unit(name: TableName) -> TableName:
        return name if name in apart or name.master not in tables else name.master or name

    graph: networkx.DiGraph[TableName] = networkx.DiGraph()
    graph.add_nodes_from(map(unit, tables))
    for name, structure in tables.items():
        for parent in _parents(structure):
            if parent in tables and unit(parent) != unit(name):
                graph.add_edge(unit(parent), unit(name))
    return graph


def _late_parts(tables: Tables) -> set[TableName]:
    """Return the parts that refer to tables which depend on their master."""
    import networkx

    late: set[TableName] = set()
    for group in networkx.strongly_connected_components(_graph(tables, ())):
        late |= {
            name
            for name, structure in tables.items()
            if name.master in group and any(_is_beyond(p, name, group) for p in _parents(structure))
        }
    return late


def _is_beyond(parent: TableName, part: TableName, group: Collection[TableName]) -> bool:
    unit = parent.master or parent
    return unit in group and unit != part.master


def _order(tables: Tables, late: Collection[TableName]) -> Iterator[TableName]:
    import networkx

    ordered: Iterator[TableName] = networkx.lexicographical_topological_sort(
        _graph(tables, late), key=str
    )
    return ordered


# Text


def _literal(text: str) -> str:
    return f'"{text}"' if text.isidentifier() else repr(text)


def escaped(line: str) -> str:
    r"""Return a line as it stands inside a triple-quoted string.

    >>> print(escaped('a\\b "" \"\"\" é \x07'))
    a\\b "" \"\"\" é \x07
    """
    safe = line.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return _plain(safe)


def _plain(text: str) -> str:
    """Return text with an escape in place of each character that does not print."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

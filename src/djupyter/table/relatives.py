"""A table's place in the pipeline: whom it refers to, who refers to it, and rows chosen by those far away."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from djupyter.definition.names import TableName
from djupyter.errors import DataJointError, MissingTableError
from djupyter.graph.cascade import connected
from djupyter.graph.dependencies import Dependencies, pipeline
from djupyter.heading.structure import ForeignKey, TableStructure
from djupyter.query.algebra import instance
from djupyter.query.expression import Query
from djupyter.query.restriction import Restriction

if TYPE_CHECKING:
    from djupyter.table.table import Table


class Relatives(Query):
    """What a table knows of the tables around it."""

    if TYPE_CHECKING:

        @property
        def name(self) -> TableName:
            """Schema and table."""
            ...

        @property
        def structure(self) -> TableStructure:
            """Everything the database knows of the table."""
            ...

    @abstractmethod
    def _other(self, name: TableName) -> Table:
        """Return another table of the same database."""

    def parents(
        self, primary: bool | None = None, as_objects: bool = False, foreign_key_info: bool = False
    ) -> list[Any]:
        """Return the tables this one refers to, one entry for each foreign key.

        Parameters
        ----------
        primary
            True: only those in the primary key; False: only the others.
        as_objects
            Tables instead of quoted names.
        foreign_key_info
            Pairs of the table and the details of the foreign key: `primary` (all of it is in the
            primary key), `attr_map` (attribute here to attribute of the parent), `aliased` (some
            names differ), `multi` (several rows may refer to the same row).
        """
        structure = self.structure
        links = [(key.parent, key, structure) for key in structure.foreign_keys]
        return self._links(links, primary, as_objects, foreign_key_info)

    def children(
        self, primary: bool | None = None, as_objects: bool = False, foreign_key_info: bool = False
    ) -> list[Any]:
        """Return the tables that refer to this one, of all schemas; arguments as in `parents`."""
        graph = self._graph()
        links = [(name, key, graph.structures[name]) for name, key in graph.children(self.name)]
        return self._links(links, primary, as_objects, foreign_key_info)

    def ancestors(self, as_objects: bool = False) -> list[Any]:
        """Return this table and all it depends on, of all schemas, children before parents."""
        return self._named(self._graph().ancestors(self.name), as_objects)

    def descendants(self, as_objects: bool = False) -> list[Any]:
        """Return this table and all that depend on it, of all schemas, parents before children."""
        return self._named(self._graph().descendants(self.name), as_objects)

    def parts(self, as_objects: bool = False) -> list[Any]:
        """Return the part tables of this table, parents before children."""
        names = [name for name in self._graph().in_order() if name.master == self.name]
        return self._named(names, as_objects)

    def restrict_by(self, other: Any) -> Self:
        r"""Return the rows that are connected with some rows of an ancestor or a descendant, however far.

        Connected are two rows when a chain of foreign keys leads from one to the other: through any
        tables, by any of several ways, under whatever names. A foreign key that is NULL leads nowhere.

        Parameters
        ----------
        other
            The other table, restricted or not: `Subject & 'sex = "F"'`.

        Raises
        ------
        DataJointError
            `other` is not a table, or neither table depends on the other.

        Notes
        -----
        What is left out are the rows of `A - A.restrict_by(B).proj()`. Several conditions are put one after
        the other: `A.restrict_by(B).restrict_by(C)`.

        Examples
        --------
        >>> import djupyter as dj
        >>> schema = dj.Schema("far", connection=dj.Connection("sqlite://"))
        >>> @schema
        ... class Subject(dj.Manual):
        ...     definition = "subject : int32\n---\nsex : enum('F', 'M')"
        >>> @schema
        ... class Session(dj.Manual):
        ...     definition = "session : int32\n---\n-> Subject"
        >>> @schema
        ... class Recording(dj.Manual):
        ...     definition = "-> Session\nprobe : int32"
        >>> Subject.insert([(1, "F"), (2, "M")])
        >>> Session.insert([(10, 1), (11, 2)])
        >>> Recording.insert([(10, 0), (10, 1), (11, 0)])
        >>> Recording.restrict_by(Subject & 'sex = "F"').keys()
        [{'session': 10, 'probe': 0}, {'session': 10, 'probe': 1}]
        >>> Subject.restrict_by(Recording & "probe = 1").keys()
        [{'subject': 1}]
        """
        far = instance(other)
        if not isinstance(far, Relatives):
            raise DataJointError(
                "restrict_by needs a table, restricted or not, which says where the condition holds: "
                f"`A.restrict_by(B & condition)`, not {type(far).__name__}. "
                "For a query write `B & query`."
            )
        self._same_connection(far)
        graph = self._graph(far.name)
        if far.name not in graph.structures:
            raise far._missing()
        condition = connected(graph, self.name, far.name, far.node)
        if condition is None:
            raise _unconnected(graph, self.name, far.name)
        return self._like(Restriction(self.node, condition))

    # -- inside -------------------------------------------------------------------------------------

    def _graph(self, *others: TableName) -> Dependencies:
        """Return the tables that this one, and others, depend on or that depend on them."""
        schemas = {name.schema for name in (self.name, *others)}
        graph = pipeline(self.connection.catalog.connected(*schemas))
        if self.name not in graph.structures:
            raise self._missing()
        return graph

    def _missing(self) -> MissingTableError:
        return MissingTableError(
            f"The table {self.name} is not in the database. Declare it by decorating its class with the schema, "
            "or by running its cell."
        )

    def _links(
        self,
        links: Iterable[tuple[TableName, ForeignKey, TableStructure]],
        primary: bool | None,
        as_objects: bool,
        details: bool,
    ) -> list[Any]:
        result: list[Any] = []
        for name, key, child in links:
            if primary is not None and child.is_primary(key) != primary:
                continue
            other = self._other(name) if as_objects else str(name)
            info = {
                "primary": child.is_primary(key),
                "attr_map": dict(key.attributes),
                "aliased": bool(key.renames),
                "multi": not key.unique and set(key.names) != set(child.full_key),
            }
            result.append((other, info) if details else other)
        return result

    def _named(self, names: Iterable[TableName], as_objects: bool) -> list[Any]:
        return [self._other(name) if as_objects else str(name) for name in names]


def _unconnected(graph: Dependencies, name: TableName, other: TableName) -> DataJointError:
    """Return the error for tables neither of which depends on the other, with the way over a third."""
    here, there = name.class_name, other.class_name
    message = f"{here} and {there} are not connected: neither depends on the other, directly or through other tables."
    over = set(graph.ancestors(other))
    common = next((each for each in graph.ancestors(name) if each in over), None)
    if common is None:
        return DataJointError(f"{message} They have no common ancestor.")
    return DataJointError(
        f"{message} Both depend on {common.class_name}. To choose over it write "
        f"{here}.restrict_by({common.class_name}.restrict_by({there} & ...))."
    )

"""`dj.populate`: a whole pipeline, or some tables of it, brought up to date by one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any, Literal, overload

from djupyter.errors import DataJointError
from djupyter.graph.dependencies import pipeline
from djupyter.populate.background import Populating, begin, options_of
from djupyter.populate.making.make import says_how
from djupyter.populate.progress import Form
from djupyter.populate.running import run
from djupyter.populate.running.run import Summary
from djupyter.populate.tiers import AutoPopulate
from djupyter.query.algebra import instance
from djupyter.table.schema import Schema


@overload
def populate(
    *targets: object, restrictions: object = (), background: Literal[True], **options: Any
) -> Populating[dict[str, Summary]]: ...


@overload
def populate(*targets: object, restrictions: object = (), **options: Any) -> dict[str, Summary]: ...


def populate(*targets: object, restrictions: object = (), **options: Any) -> Any:
    """Make the missing keys of several tables, parents before children; what children get to do is begun at once.

    A key of a table further down is made as soon as the rows it needs are there, while keys further up are still
    being made: the first results come early, and with several processes nobody waits for a whole table.

    Parameters
    ----------
    *targets
        Tables, schemas and modules, in any order. Of a schema or a module, with the modules of its package that it has
        imported, all Imported and Computed tables are taken whose class says how to make a row.
    restrictions
        Only keys that meet it; a list or tuple of several means all of them. Each must make sense for every table.
    **options
        Those of `Table.populate`. `max_calls` counts for each table.

    Returns
    -------
    dict
        For each table, parents first, what its own `populate` would return, by the name of the class; with
        the schema before it where two have the same. With `background=True` a handle at once, whose `result()` is
        that.

    Raises
    ------
    DataJointError
        Nothing to populate was found, tables lie in different databases, or one of them cannot be populated.
    TypeError
        There is no such option.
    Exception
        The first error of a make, unless errors are suppressed.

    Examples
    --------
    >>> import djupyter as dj
    >>> schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))
    >>> @schema
    ... class Mouse(dj.Lookup):
    ...     definition = "mouse : int32"
    ...     contents = [(1,), (2,)]
    >>> @schema
    ... class Weight(dj.Computed):
    ...     definition = "-> Mouse"
    ...     def make(self, key):
    ...         self.insert1(key)
    >>> @schema
    ... class Growth(dj.Computed):
    ...     definition = "-> Weight"
    ...     def make(self, key):
    ...         self.insert1(key)
    >>> {name: done["success_count"] for name, done in populate(schema).items()}
    {'Weight': 2, 'Growth': 2}
    """
    __tracebackhide__ = True  # IPython then shows the user's frames only
    if options.pop("background", False):
        return populate_beside(*targets, restrictions=restrictions, **options)
    chosen = options_of(options)
    tables = in_order(tables_of(*targets))
    summaries = run.populate(tables, _several(restrictions), chosen)
    return dict(zip(run.names_of(tables), summaries, strict=True))


async def populate_async(
    *targets: object, restrictions: object = (), **options: Any
) -> dict[str, Summary]:
    """Do the same as `populate`, in a thread: the cell or task that awaits it leaves the others free to go on.

    When it is cancelled, as by the kernel's interrupt, the key in work is undone.

    Parameters
    ----------
    *targets, restrictions, **options
        Those of `populate`.

    Returns
    -------
    dict
        What `populate` returns.

    Raises
    ------
    Exception
        What `populate` raises.

    Examples
    --------
    >>> import asyncio
    >>> import djupyter as dj
    >>> schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))
    >>> @schema
    ... class Mouse(dj.Lookup):
    ...     definition = "mouse : int32"
    ...     contents = [(1,), (2,)]
    >>> @schema
    ... class Weight(dj.Computed):
    ...     definition = "-> Mouse"
    ...     def make(self, key):
    ...         self.insert1(key)
    >>> asyncio.run(populate_async(schema))
    {'Weight': {'success_count': 2, 'error_list': []}}
    """
    __tracebackhide__ = True
    return await populate_beside(*targets, restrictions=restrictions, form="awaited", **options)


def populate_beside(
    *targets: object, restrictions: object = (), form: Form = "background", **options: Any
) -> Populating[dict[str, Summary]]:
    """Start what `populate` does in the background; `form` says whether the caller waits for it, and how."""
    chosen = options_of(options)
    tables = in_order(tables_of(*targets))
    names = run.names_of(tables)

    def of(summaries: list[Summary]) -> dict[str, Summary]:
        return dict(zip(names, summaries, strict=True))

    return begin(tables, _several(restrictions), chosen, form, of)


def _several(restrictions: object) -> list[object]:
    return list(restrictions) if isinstance(restrictions, list | tuple) else [restrictions]


def tables_of(*targets: object) -> list[AutoPopulate]:
    """Return the tables that make themselves among what is named, each once.

    Parameters
    ----------
    *targets
        Tables, schemas and modules.

    Raises
    ------
    DataJointError
        One is none of these or names a table that does not make itself, there is no table at all, or they lie in
        different databases.
    """
    found: dict[Any, AutoPopulate] = {}
    for target in targets:
        for table in _tables(target):
            found[table.connection, table.name] = table
    if not found:
        raise DataJointError(
            "Nothing was found that can be populated: no Imported or Computed table with a make. "
            "Name tables, schemas or modules that have some."
        )
    if len({connection for connection, _ in found}) > 1:
        raise DataJointError(
            "These tables lie in different databases. Populate those of each by a call of its own."
        )
    return list(found.values())


def in_order(tables: Sequence[AutoPopulate]) -> list[AutoPopulate]:
    """Return tables of one database, parents before children."""
    if len(tables) < 2:
        return list(tables)
    schemas = {table.name.schema for table in tables}
    graph = pipeline(tables[0].connection.catalog.connected(*schemas))
    place = {name: number for number, name in enumerate(graph.in_order())}
    return sorted(tables, key=lambda table: place.get(table.name, len(place)))


def _tables(target: object) -> Iterable[AutoPopulate]:
    found = instance(target)
    if isinstance(found, AutoPopulate):
        return [found]
    if isinstance(found, Schema):
        return _of_schema(found)
    if isinstance(found, ModuleType):
        return [cls() for cls in _classes_of_module(found, set())]
    name = getattr(getattr(found, "name", None), "class_name", None)
    raise DataJointError(
        f"{name or type(found).__name__} cannot be populated: only Imported and Computed tables whose class is at hand "
        "know how to make their rows. Name such tables, schemas or modules."
    )


def _of_schema(schema: Schema) -> list[AutoPopulate]:
    """Return the tables of a schema, of those classes that were declared last, whoever declared them."""
    latest: dict[Any, AutoPopulate] = {
        vars(cls)["_name"]: cls()
        for cls in _subclasses(AutoPopulate)
        if _is_bound(cls)
        and vars(cls)["_name"].schema == schema.name
        and cls._schema.connection is schema.connection
    }
    return [table for table in latest.values() if says_how(table) and table.is_declared]


def _subclasses(cls: Any) -> Iterator[Any]:
    for each in cls.__subclasses__():
        yield each
        yield from _subclasses(each)


def _classes_of_module(module: ModuleType, seen: set[str]) -> Iterator[Any]:
    seen.add(module.__name__)
    for each in list(vars(module).values()):
        if isinstance(each, type) and issubclass(each, AutoPopulate):
            if _is_bound(each) and says_how(each()):
                yield each
        elif isinstance(each, ModuleType) and _is_new_below(each, module, seen):
            yield from _classes_of_module(each, seen)


def _is_new_below(found: ModuleType, package: ModuleType, seen: set[str]) -> bool:
    return found.__name__ not in seen and found.__name__.startswith(f"{package.__name__}.")


def _is_bound(cls: Any) -> bool:
    """Whether a class itself, not only one that it inherits from, belongs to a schema."""
    return vars(cls).get("_name") is not None and cls._schema is not None

"""Types of enums: in the schema where an attribute was declared, shared by tables, and gone with the last one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure
from djupyter.sql.backends.postgresql_catalog import inherited, literal
from djupyter.sql.backends.postgresql_types import enum_name, is_enum
from djupyter.sql.types import storage_of

Quote = Callable[[str], str]


def enum_schema(attribute: Attribute, structure: TableStructure) -> str:
    """Return the schema with the type of an enum: where the attribute was first declared."""
    if attribute.name not in inherited(structure):
        return structure.name.schema
    if attribute.lineage:
        return attribute.lineage.split(".")[0]
    keys = (key for key in structure.foreign_keys if attribute.name in key.names)
    return next(keys).parent.schema


def create_enums(structure: TableStructure, quote: Quote) -> Iterator[str]:
    """Yield the statements that create the types of a table's own enums, where they are missing."""
    for name, members in _own(structure, quote).items():
        values = ", ".join(map(literal, members))
        # datajoint may create the same type at this moment.
        yield (
            f"DO $dj$ BEGIN CREATE TYPE {name} AS ENUM ({values}); "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $dj$"
        )


_DROP = """DO $dj$ DECLARE kind oid; BEGIN
FOR kind IN SELECT t.oid FROM unnest(ARRAY[{names}]) AS name
    JOIN pg_catalog.pg_type t ON t.oid = to_regtype(name) AND t.typtype = 'e'
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'n'
        AND d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid = t.oid)
LOOP EXECUTE 'DROP TYPE ' || kind::regtype; END LOOP; END $dj$"""


def drop_enums(structures: Iterable[TableStructure], quote: Quote) -> list[str]:
    """Return the statement that drops the types of the enums that tables had, where no table has them any more."""
    names = dict.fromkeys(name for structure in structures for name in _own(structure, quote))
    return [_DROP.format(names=", ".join(map(literal, names)))] if names else []


def _own(structure: TableStructure, quote: Quote) -> dict[str, tuple[str, ...]]:
    """Return the full names of the types of the enums that a table declares, with their values."""
    found: dict[str, tuple[str, ...]] = {}
    for attribute in structure.attributes:
        if is_enum(attribute) and attribute.name not in inherited(structure):
            assert attribute.type is not None, "an enum has a type"
            members = storage_of(attribute.type).members
            name = f"{quote(structure.name.schema)}.{quote(enum_name(members))}"
            found.setdefault(name, members)
    return found

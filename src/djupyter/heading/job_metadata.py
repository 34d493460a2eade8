"""Hidden attributes in which a computed row says when it was made, how long that took, and by which code.

datajoint 2.x adds the same ones where its setting `jobs.add_job_metadata` is on, and reads ours.
"""

from __future__ import annotations

from dataclasses import replace

from djupyter.definition.model import Default
from djupyter.definition.types import parse_type
from djupyter.heading.attribute import Attribute
from djupyter.heading.structure import TableStructure

LONGEST_VERSION = 64
START, DURATION, VERSION = (
    Attribute(
        "_job_start_time",
        parse_type("datetime(3)"),
        nullable=True,
        default=Default("null"),
        comment="when computation began",
    ),
    Attribute(
        "_job_duration",
        parse_type("float32"),
        nullable=True,
        default=Default("null"),
        comment="computation duration in seconds",
    ),
    Attribute(
        "_job_version",
        parse_type(f"varchar({LONGEST_VERSION})"),
        default=Default("literal", "", quoted=True),
        comment="code version",
    ),
)


def with_job_metadata(structure: TableStructure) -> TableStructure:
    """Return a table with the hidden attributes, if it is one whose rows are made: no part, nothing entered.

    >>> from djupyter.definition.names import TableName
    >>> from djupyter.definition.parser import parse
    >>> from djupyter.heading.structure import resolve
    >>> table = resolve(parse("i : int32"), TableName("lab", "__stat"), lambda key: None)
    >>> [attribute.name for attribute in with_job_metadata(table).attributes]
    ['i', '_job_start_time', '_job_duration', '_job_version']
    """
    if structure.name.tier not in ("Imported", "Computed"):
        return structure
    return replace(structure, attributes=(*structure.attributes, START, DURATION, VERSION))


def job_metadata_of(structure: TableStructure) -> tuple[str, ...]:
    """Return which of the hidden attributes a table has."""
    return tuple(each.name for each in (START, DURATION, VERSION) if each.name in structure.by_name)

"""The way from the table that is there to the one that a definition declares: what was renamed, what stays hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from djupyter.errors import DataJointError, nearest
from djupyter.heading.alteration import LEFT_OVER, Alteration
from djupyter.heading.attribute import Attribute
from djupyter.heading.spelling import as_written
from djupyter.heading.structure import ForeignKey, TableStructure

# The comment of a renamed attribute begins with its old name: `{weight} body weight in g`.
_RENAMED = re.compile(r"\{\s*(?P<old>\w+)\s*\}\s*(?P<comment>.*)", re.DOTALL)


def plan(existing: TableStructure, wanted: TableStructure) -> Alteration:
    r"""Return the way from one structure to another.

    Parameters
    ----------
    existing
        The table as it is; its hidden attributes stay.
    wanted
        The table as a definition declares it. A comment that begins with `{old}` renames the attribute
        `old`; the braces are no part of the comment that is kept.

    Raises
    ------
    DataJointError
        A renaming names no attribute, or one that is still declared.

    Examples
    --------
    >>> from djupyter.definition.names import TableName
    >>> from djupyter.definition.parser import parse
    >>> from djupyter.heading.structure import resolve
    >>> def mouse(text):
    ...     return resolve(parse(text), TableName("lab", "mouse"), lambda key: None)
    >>> before = mouse("a : int32\n---\nw : int8")
    >>> plan(before, mouse("a : int32\n---\nweight : int16  # {w} in g\nx = null : date")).steps
    ('rename `w` to `weight`', 'add `x`', 'change `weight` from int8 to int16', 'change comments')
    """
    existing = as_written(existing, wanted)
    old_names = {a.name: _old_name(a, existing, wanted) for a in wanted.attributes}
    attributes = [
        _plain(a) if old_names[a.name] or _was_renamed(a, existing) else a
        for a in wanted.attributes
    ]
    attributes += [
        a
        for a in existing.attributes
        if a.hidden
        and not a.in_key
        and a.name not in wanted.by_name
        and not a.name.startswith(LEFT_OVER)
    ]
    attributes = [
        _with_digits(a, existing.by_name.get(old_names.get(a.name) or a.name)) for a in attributes
    ]
    renames = {new: old for new, old in old_names.items() if old}
    renames |= _renamed_references(existing, wanted)
    return Alteration(
        existing, replace(wanted, attributes=tuple(attributes)), tuple(renames.items())
    )


def _renamed_references(existing: TableStructure, wanted: TableStructure) -> dict[str, str]:
    """Return new to old names where a foreign key refers to the same under another name."""
    renames: dict[str, str] = {}
    for new in wanted.foreign_keys:
        rivals = [key for key in wanted.foreign_keys if key.parent == new.parent]
        olds = [key for key in existing.foreign_keys if key.parent == new.parent]
        gone = [key for key in olds if not _is_among(key, rivals)]
        come = [key for key in rivals if not _is_among(key, olds)]
        if come != [new] or len(gone) != 1:
            continue
        was = {there: here for here, there in gone[0].attributes}
        renames |= {
            here: was[there]
            for here, there in new.attributes
            if there in was
            and here not in existing.by_name
            and was[there] not in wanted.by_name
            and not _RENAMED.match(wanted.by_name[here].comment)
        }
    return renames


def _is_among(key: ForeignKey, keys: Iterable[ForeignKey]) -> bool:
    return any(set(key.attributes) == set(other.attributes) for other in keys)


def _old_name(attribute: Attribute, existing: TableStructure, wanted: TableStructure) -> str | None:
    match = _RENAMED.match(attribute.comment)
    if match is None or attribute.name in existing.by_name:
        return None
    old = match["old"]
    if old in existing.by_name and old not in wanted.by_name:
        return old
    problem = (
        f"`{old}` is still declared. Leave it out"
        if old in wanted.by_name
        else f"there is no attribute `{old}`. {nearest(old, existing.by_name)} Correct the name"
    )
    raise DataJointError(
        f"{wanted.name.class_name} was not altered: the comment of `{attribute.name}` asks to rename "
        f"`{old}`, but {problem}, or begin the comment in another way to add an attribute."
    )


def _was_renamed(attribute: Attribute, existing: TableStructure) -> bool:
    """Whether a definition still asks for a renaming that was done earlier."""
    there = existing.by_name.get(attribute.name)
    match = _RENAMED.match(attribute.comment)
    return there is not None and match is not None and match["comment"] == there.comment


def _with_digits(attribute: Attribute, there: Attribute | None) -> Attribute:
    """Return an attribute whose column, which stays, keeps more digits of a second than its type says."""
    stays = there is not None and there.type_text == attribute.type_text
    return replace(attribute, digits=there.digits) if there and stays else attribute


def _plain(attribute: Attribute) -> Attribute:
    match = _RENAMED.match(attribute.comment)
    return replace(attribute, comment=match["comment"]) if match else attribute

"""What a result depends on, for the log: which rows, and what the values fetched from them were."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from djupyter.heading.structure import TableStructure
from djupyter.populate.jobs.fingerprint import fingerprint
from djupyter.table.table import Table


def inputs_of(table: Table, key: Mapping[str, Any], fetched: object = None) -> dict[str, Any]:
    """Return which rows a result depends on, and what the fetched values were, where that is known."""
    rows = {
        parent: {there: key[here] for here, there in pairs}
        for parent, pairs in _references(table.structure)
        if all(here in key for here, _ in pairs)
    }
    if fetched is None:
        return {"rows": rows}
    return {"rows": rows, "fetched": fingerprint(fetched)}


@lru_cache(maxsize=256)
def _references(structure: TableStructure) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    return [
        (f"{key.parent.schema}.{key.parent.table}", key.attributes)
        for key in structure.foreign_keys
    ]

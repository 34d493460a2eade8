"""Lets a table class stand where its instance could: ``Subject & key``, ``Subject.to_dicts()``, ``len(Subject)``."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Iterator
from typing import Any

# Names that mean the table, not the class, once the class belongs to a schema.
_WHAT = {"heading", "primary_key", "connection", "table_name", "full_table_name", "structure"}
_WHERE = {"is_declared", "describe", "parents", "children", "ancestors", "descendants", "parts"}
_ALGEBRA = {"proj", "aggr", "aggregate", "join", "extend", "restrict", "restrict_by"}
_FETCH = {"to_dicts", "to_pandas", "to_polars", "to_arrow", "to_arrays", "keys", "fetch", "fetch1"}
_SHOW = {"head", "tail", "preview", "browse", "make_sql"}
_WRITE = {"insert", "insert1", "insert_dataframe", "update1", "staged_insert1", "validate", "alter"}
_REMOVE = {"delete", "delete_quick", "drop", "drop_quick"}
_POPULATE = {"populate", "populate_async", "progress", "key_source", "jobs", "job_report"}
_OF_TABLE = _WHAT | _WHERE | _ALGEBRA | _FETCH | _SHOW | _WRITE | _REMOVE | _POPULATE


class TableMeta(ABCMeta):
    """Metaclass of table classes."""

    def __getattribute__(cls, name: str) -> Any:
        if name not in _OF_TABLE:
            return super().__getattribute__(name)
        # Of a class that declares a table but has no schema, the instance says what to do.
        if type.__getattribute__(cls, "_schema") is not None or type.__getattribute__(
            cls, "definition"
        ):
            return getattr(cls(), name)
        return super().__getattribute__(name)

    def __and__(cls, restriction: object) -> Any:
        return cls() & restriction

    def __sub__(cls, restriction: object) -> Any:
        return cls() - restriction

    def __neg__(cls) -> Any:
        return -cls()

    def __mul__(cls, other: object) -> Any:
        return cls() * other

    def __add__(cls, other: object) -> Any:
        return cls() + other

    def __matmul__(cls, other: object) -> Any:
        return cls() @ other

    def __xor__(cls, other: object) -> Any:
        return cls() ^ other

    def __len__(cls) -> int:
        return len(cls())

    def __bool__(cls) -> bool:
        # A class is there even when its table is empty; `bool(Subject())` asks the table.
        return True

    def __iter__(cls) -> Iterator[dict[str, Any]]:
        return iter(cls())

    def __contains__(cls, condition: object) -> bool:
        return condition in cls()

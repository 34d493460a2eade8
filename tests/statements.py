"""Counts what reaches a database, control statements and the catalogue's included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import djupyter as dj


class _Counting:
    """A driver's connection or cursor that notes the statements that pass."""

    def __init__(self, real: Any, seen: list[str]) -> None:
        self._real, self._seen = real, seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def cursor(self, *args: Any, **options: Any) -> _Counting:
        return _Counting(self._real.cursor(*args, **options), self._seen)

    def execute(self, sql: str, *args: Any) -> Any:
        self._seen.append(sql)
        return self._real.execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> Any:
        self._seen.append(sql)
        return self._real.executemany(sql, *args)


@contextmanager
def statements(connection: dj.Connection) -> Iterator[list[str]]:
    """Note every statement of this thread's session, while the block runs."""
    connection.connect()
    session = connection._sessions.current()
    seen: list[str] = []
    real, session.raw = session.raw, _Counting(session.raw, seen)
    try:
        yield seen
    finally:
        session.raw = real

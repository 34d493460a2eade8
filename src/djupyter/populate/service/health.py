"""Signs of life of a worker, for whoever looks after it: a line in the log, and a file that stays young."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from djupyter.errors import DataJointError

if TYPE_CHECKING:
    from djupyter.sql.connection import Connection

# Seconds between two signs.
_PAUSE = 15.0


class Health:
    """Asks the database from time to time whether it answers, in a thread and a session of its own.

    While keys are made under a lease the lease's guardian touches the file instead, which also tells that the
    lease is alive, and goes on where code of the user lets no thread run.

    Parameters
    ----------
    connection
        The database.
    say
        Writes a line: `healthy` with the seconds an answer took, or `unhealthy` with the error.
    is_working
        Whether a key is in work.
    file
        The file; None for none.
    """

    def __init__(
        self,
        connection: Connection,
        say: Callable[..., None],
        is_working: Callable[[], bool],
        file: str | None = None,
    ) -> None:
        self._connection, self._say, self._is_working = connection, say, is_working
        self._file = None if file is None else Path(file)
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._beat, name="health", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _beat(self) -> None:
        while not self._ended.is_set():
            self._look()
            self._ended.wait(_PAUSE)

    def _look(self) -> None:
        facts: dict[str, Any] = {"working": self._is_working()}
        try:
            facts["database_seconds"] = self._connection.ping()
            if self._file is not None and not facts["working"]:
                self._file.touch()
        except (DataJointError, OSError) as error:
            self._say("unhealthy", **facts, error=f"{type(error).__name__}: {error}")
            return
        self._say("healthy", **facts)

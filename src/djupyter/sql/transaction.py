"""What `with connection.transaction:` enters and leaves."""

from __future__ import annotations

from types import TracebackType
from typing import Generic, Protocol, TypeVar


class _Transacting(Protocol):
    """What can open and end transactions."""

    @property
    def in_transaction(self) -> bool: ...
    def start_transaction(self, *, late: bool = False, block: bool = False) -> None: ...
    def commit_transaction(self) -> None: ...
    def cancel_transaction(self) -> None: ...


C = TypeVar("C", bound=_Transacting)


class Transaction(Generic[C]):
    """Commits when its block ends well, and rolls back on any exception, Ctrl-C included.

    Parameters
    ----------
    connection
        Where; it is also what `as` gives.
    late
        Lock others out only from the first write on.
    """

    __slots__ = ("_connection", "_late")

    def __init__(self, connection: C, *, late: bool = False) -> None:
        self._connection, self._late = connection, late

    def __enter__(self) -> C:
        self._connection.start_transaction(late=self._late, block=True)
        return self._connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        connection = self._connection
        if kind is not None:
            # The user may have closed the connection within the block.
            if connection.in_transaction:
                connection.cancel_transaction()
            return
        try:
            connection.commit_transaction()
        except BaseException:
            if connection.in_transaction:
                connection.cancel_transaction()
            raise

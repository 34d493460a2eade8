"""What begins and ends a transaction, and what one can undo."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar


class Transacting(ABC):
    """The part of a backend that frames transactions.

    Attributes
    ----------
    begin, commit, rollback
        Statements that frame a transaction that will write.
    begins_late
        Whether a transaction may be opened at its first write, because opening one locks out other
        writers.
    unguard, guard
        Statements around a transaction that leaves foreign keys unchecked.
    aborts
        An error inside a transaction makes the database refuse everything until it is undone, so that each
        statement in one needs a savepoint.
    defines_in_transactions
        Whether a transaction can undo what defines tables; otherwise each such statement is final, and a
        table is created by one that has all in it.
    """

    begin: str = "BEGIN"
    commit: str = "COMMIT"
    rollback: str = "ROLLBACK"
    begins_late: bool = False
    unguard: tuple[str, ...] = ()
    guard: tuple[str, ...] = ()
    aborts: ClassVar[bool] = False
    defines_in_transactions: ClassVar[bool] = True

    def savepoint(self, name: str) -> str:
        """Return the statement that opens a nested transaction."""
        return f"SAVEPOINT {name}"

    def release(self, name: str) -> str:
        """Return the statement that joins a nested transaction to the outer one."""
        return f"RELEASE SAVEPOINT {name}"

    def rollback_to(self, name: str) -> str:
        """Return the statement that undoes a nested transaction."""
        return f"ROLLBACK TO SAVEPOINT {name}"

    @abstractmethod
    def in_transaction(self, raw: Any) -> bool:
        """Whether the driver's connection still has its transaction; some errors end it."""

    def define_alone(self, schema: str, seconds: float) -> list[str]:
        """Return the queries that let one program at a time define tables of a schema.

        A first value of 0 or NULL says that somebody else did so for all these seconds. The end of a
        transaction ends it, or `define_freely`.
        """
        return []

    def define_freely(self, schema: str) -> list[str]:
        """Return the queries that let other programs define tables of a schema again."""
        return []

"""The part of a connection that opens and ends transactions."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Self

from djupyter.errors import DataJointError
from djupyter.sql.at_end import Ending
from djupyter.sql.reflect import Catalog
from djupyter.sql.session import Session
from djupyter.sql.sessions import Sessions
from djupyter.sql.transaction import Transaction


class Transactions:
    """Transactions of the session of the current thread; `Connection` is one."""

    _sessions: Sessions

    @property
    def transaction(self) -> Transaction[Self]:
        """All or nothing: `with connection.transaction:`.

        An exception, Ctrl-C included, rolls back. Inside another transaction it is a savepoint: an
        exception undoes the inner part only, and the outer one decides about the whole.

        Examples
        --------
        >>> from djupyter.sql.connection import Connection
        >>> connection = Connection("sqlite://")
        >>> connection.execute("CREATE TABLE t (a)")
        -1
        >>> with connection.transaction:
        ...     connection.execute("INSERT INTO t VALUES (?)", (1,))
        1
        """
        return Transaction(self)

    @property
    def defining(self) -> AbstractContextManager[object]:
        """A transaction for statements that define tables; nothing where those would end it."""
        backend = self._sessions.backend
        return self.transaction if backend.defines_in_transactions else nullcontext()

    @property
    def late_transaction(self) -> Transaction[Self]:
        """A transaction that locks others out only from its first write on.

        What it reads before is the state at each statement. For computations: hours may lie between
        reading and writing. On servers it is an ordinary transaction.
        """
        return Transaction(self, late=True)

    def unguarded(self) -> AbstractContextManager[None]:
        """Let the transactions inside leave foreign keys unchecked; they check them themselves."""
        return self._sessions.current().unguarded()

    @property
    def in_transaction(self) -> bool:
        """Whether this thread is in a transaction."""
        session = self._sessions.own
        return session is not None and session.depth > 0

    def start_transaction(self, *, late: bool = False, block: bool = False) -> None:
        """Open a transaction, or a savepoint inside one.

        Parameters
        ----------
        late
            Lock others out only from the first write on.
        block
            It is ended by leaving a `with` block, whatever happens to the connection inside.
        """

        def work() -> None:
            session = self._sessions.current()
            session.begin(late=late, block=block)
            if session.depth == 1:
                session.catalog = Catalog.state()

        self._sessions.run(work, repeats=True)

    def commit_transaction(self) -> None:
        """Make the innermost transaction permanent, or a part of the outer one.

        Raises
        ------
        DataJointError
            There is none, or the database has ended it; then `cancel_transaction` leaves it.
        """
        session = self._innermost()
        self._sessions.run(session.commit, repeats=False)
        if session.catalog is not Catalog.state():
            Catalog.look_again()  # others see only now what it did to tables

    def cancel_transaction(self) -> None:
        """Undo the innermost transaction.

        Raises
        ------
        DataJointError
            There is none.
        """
        self._sessions.run(self._innermost().cancel, repeats=False)
        Catalog.look_again()

    def at_end(self, ending: Ending) -> None:
        """Let something know how the innermost transaction ends.

        It hears of the end of the outermost one, when what it belongs to is permanent, or of the undoing. After a
        commit that broke off nobody knows what was done, and it hears nothing.

        Raises
        ------
        DataJointError
            There is no transaction.
        """
        self._innermost().endings[-1].append(ending)

    def _innermost(self) -> Session:
        session = self._sessions.own
        if session is None or session.depth == 0:
            raise DataJointError(
                "There is no transaction to end. Open one with `with connection.transaction:`."
            )
        return session

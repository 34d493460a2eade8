"""Why a transaction, or a statement, is over though the program has not left it: the errors that say so."""

from __future__ import annotations

from djupyter.errors import DataJointError, LostConnectionError

_LOST = "Connection was lost during a transaction."


def again(error: DataJointError) -> DataJointError:
    """Return the same error anew: one that is raised twice would keep the frames of both times."""
    return type(error)(*error.args)


def lost(detail: str) -> LostConnectionError:
    """Return the error for a transaction whose connection is gone."""
    return LostConnectionError(
        _LOST,
        f"The database has undone all that the transaction did ({detail.rstrip('.')}). Leave it and "
        "start it again; the next statement outside connects anew.",
    )


def in_doubt() -> LostConnectionError:
    """Return the error for a connection that was lost during COMMIT."""
    return LostConnectionError(
        _LOST,
        "It happened while the transaction was committed: it is not known whether all that it did was written, or "
        "nothing. Look before you repeat it; the next statement outside connects anew.",
    )


def closed() -> DataJointError:
    """Return the error for a transaction whose connection was closed."""
    return DataJointError(
        "The connection was closed inside this transaction, which undid all of it. "
        "Leave the transaction; the next statement outside connects anew."
    )


def closed_meanwhile() -> LostConnectionError:
    """Return the error for a statement whose connection another thread closed."""
    return LostConnectionError(
        "The connection was closed by another thread while this statement was under way. If it writes, look whether "
        "it was carried out before you repeat it; the next statement connects anew."
    )


def by_statement() -> DataJointError:
    """Return the error for a transaction that a statement of the user has ended."""
    return DataJointError(
        "A statement has ended the transaction: what it had done is written or undone, as that statement "
        "says. Leave the transaction and look; the next statement outside goes on."
    )


def undone() -> DataJointError:
    """Return the error for a transaction that the database has ended."""
    return DataJointError(
        "The database ended the transaction after an earlier error, and undid all of it. "
        "Leave the transaction and start it again."
    )

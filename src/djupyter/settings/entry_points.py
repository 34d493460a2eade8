"""What other packages offer by an entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from djupyter.errors import DataJointError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def loaded(offer: EntryPoint, what: str) -> tuple[Any, str]:
    """Return what an entry point offers, and where it comes from, in words.

    Parameters
    ----------
    offer
        The entry point.
    what
        What it is called in an error, such as "The codec <graph>".

    Raises
    ------
    DataJointError
        Its package cannot be imported, or does not have it.
    """
    package = offer.dist.name if offer.dist else "unknown"
    source = f"the entry point {offer.name} = {offer.value} of the package {package}"
    try:
        return offer.load(), source
    except Exception as error:  # someone else's code: anything may go wrong
        raise DataJointError(
            f"{what} cannot be loaded from {source}: {type(error).__name__}: {error}. "
            "Repair or remove that package."
        ) from error

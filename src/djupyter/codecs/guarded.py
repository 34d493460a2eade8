"""A card for any object: what is wrong with it stands on the card, and nobody waits forever."""

from __future__ import annotations

from collections.abc import Callable

from djupyter.codecs.deadline import Deadline
from djupyter.render.object_card import Facts, ObjectCard


def guarded(
    make: Callable[[Deadline], ObjectCard],
    title: str,
    facts: Facts,
    deadline: Deadline | None = None,
) -> ObjectCard:
    """Return a card, or one that says why there is none: an object may be missing, damaged or anything at all.

    Parameters
    ----------
    make
        Makes the card, until a deadline after which nobody waits for it.
    title, facts
        What is known without it.
    deadline
        Until when; the usual time from now when None.
    """
    until = deadline or Deadline()
    try:
        return until.run(lambda: make(until))
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__)[:500]
        return ObjectCard(title, facts, note=f"Cannot be shown: {reason}", failed=True)

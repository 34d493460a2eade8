"""What became of one key, as whoever made it tells whoever asked for it; travels between processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Key = dict[str, Any]
# What became of a key: made now, made by somebody else before, failed, taken over by another worker, not begun.
Status = Literal["made", "there", "failed", "lost", "left"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one key.

    Parameters
    ----------
    key
        Primary-key values.
    status
        What became of it.
    seconds
        How long it took.
    error, traceback
        `Class: message`, or why it was lost; the whole traceback.
    exception
        The error itself, where it can be had.
    retry_in
        Seconds after which a failed key is tried again by itself.
    """

    key: Key
    status: Status
    seconds: float = 0.0
    error: str = ""
    traceback: str = ""
    exception: BaseException | None = None
    retry_in: float | None = None

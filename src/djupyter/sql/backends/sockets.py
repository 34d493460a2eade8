"""Whether anything waits on a socket, asked without waiting."""

from __future__ import annotations

import select


def is_readable(descriptor: int) -> bool:
    """Whether there is something to read, be it the end.

    On an idle connection that is mostly the server's farewell, and never an answer.
    """
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))

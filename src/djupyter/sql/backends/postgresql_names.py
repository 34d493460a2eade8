"""How long a name may be on PostgreSQL."""

from __future__ import annotations

from djupyter.errors import DataJointError

LONGEST_NAME = 63  # bytes; longer names are cut, so that two may become one


def check_length(name: str, kind: str) -> None:
    """Raise when PostgreSQL would cut a name.

    Raises
    ------
    DataJointError
        It is too long.
    """
    size = len(name.encode())
    if size > LONGEST_NAME:
        raise DataJointError(
            f"The name of the {kind} `{name}` has {size} bytes; PostgreSQL keeps {LONGEST_NAME}. "
            "Choose a shorter one."
        )

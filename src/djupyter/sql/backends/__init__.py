"""The databases that can be used, by the first word of their URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from djupyter.errors import DataJointError, nearest
from djupyter.sql.backends.base import Backend


class _Backends(Mapping[str, Backend]):
    """The backends by name, each imported with its driver when it is first asked for.

    Parameters
    ----------
    classes
        Name to class and what `pip` installs for it.
    """

    def __init__(self, classes: Mapping[str, tuple[str, str]]) -> None:
        self._classes = classes
        self._made: dict[str, Backend] = {}

    def __getitem__(self, name: str) -> Backend:
        if name not in self._made:
            class_name, extra = self._classes[name]
            try:
                module = import_module(f"djupyter.sql.backends.{name}")
            except ImportError as error:
                raise DataJointError(
                    f"The driver for {class_name} cannot be imported: {error}. "
                    f"Install it: pip install 'djupyter[{extra}]'."
                ) from error
            self._made.setdefault(name, getattr(module, class_name)())
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


BACKENDS = _Backends(
    {
        "sqlite": ("SQLite", ""),
        "mysql": ("MySQL", "mysql"),
        "postgresql": ("PostgreSQL", "postgres"),
    }
)
_ALSO = {"mariadb": "mysql", "postgres": "postgresql"}


def parse_url(text: str) -> sa.URL:
    """Return a URL in its parts.

    Raises
    ------
    DataJointError
        It is no URL; the message does not repeat it, because it may hold a password.
    """
    try:
        return sa.make_url(text)
    except (ArgumentError, ValueError):
        raise DataJointError(
            "The database URL cannot be read. Write it like `sqlite:///lab.db`; "
            "special characters in a password must be %-encoded."
        ) from None


def backend_of(url: sa.URL) -> Backend:
    """Return the backend that a URL names.

    Raises
    ------
    DataJointError
        There is none of that name.
    """
    name = url.drivername.partition("+")[0]
    name = _ALSO.get(name, name)
    if name in BACKENDS:
        return BACKENDS[name]
    known = ", ".join(BACKENDS)
    advice = f"`{name}` is not a backend. {nearest(name, BACKENDS)} Known backends: {known}."
    raise DataJointError(advice.replace("  ", " "))

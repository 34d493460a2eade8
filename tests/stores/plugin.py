"""What packages may offer as storage adapters, good and bad; not all derive from ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import fsspec


class Offered:
    """An adapter that knows only datajoint's description of one."""

    protocol = "offered"
    required_keys = ("protocol",)
    allowed_keys = ("location", "password")

    def create_filesystem(self, spec: Any) -> Any:
        return fsspec.filesystem("memory")

    def validate_spec(self, spec: Any) -> None:
        pass

    def full_path(self, spec: Any, relpath: str) -> str:
        return f"/offered/{relpath}"

    def get_url(self, spec: Any, path: str) -> str:
        return f"offered://{path}"


class Leaky(Offered):
    """An adapter whose errors tell too much."""

    protocol = "leaky"

    def create_filesystem(self, spec: Any) -> Any:
        raise ValueError(
            f"cannot log in with {spec['password']} at x?p={quote(spec['password'], safe='')}"
        )


class CannotBeMade(Offered):
    def __init__(self) -> None:
        raise RuntimeError("not today")


class NoAdapter:
    pass


nothing = None

"""Which version of the code makes a row, by the setting `jobs.version_method`."""

from __future__ import annotations

import inspect
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

_LONGEST = 255


def code_version(cls: type, method: str | Callable[[type], object] | None) -> str:
    """Return the version of the code of a class.

    Parameters
    ----------
    cls
        The class with the `make`.
    method
        `git`: the short hash of the commit of the folder that the class is written in, with `+` when files have
        changed since; `package`: the version of the installed package that the class is in; a
        function: what it returns for the class; `none` or None: nothing.
    """
    if method is None or method == "none":
        return ""
    if callable(method):
        return str(method(cls))[:_LONGEST]
    return (_of_git(cls) if method == "git" else _of_package(cls))[:_LONGEST]


def _of_git(cls: type) -> str:
    folder = _folder(cls)
    commit = _git(folder, "rev-parse", "--short", "HEAD")
    if not commit:
        return ""
    return commit + ("+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")


def _folder(cls: type) -> Path:
    try:
        file = Path(inspect.getfile(cls))
    except (TypeError, OSError):  # declared in a notebook, or typed
        return Path.cwd()
    return file.parent if file.exists() else Path.cwd()


def _git(folder: Path, *arguments: str) -> str:
    try:
        found = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:  # git is not installed
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def _of_package(cls: Any) -> str:
    name = cls.__module__.partition(".")[0]
    for package in metadata.packages_distributions().get(name, ()):
        return f"{package} {metadata.version(package)}"
    return ""

"""Where settings come from, each turned into plain values by dotted key.

```
datajoint.json, pyproject.toml [tool.datajoint]   the nearest of each, up to the repository's root
.secrets/ beside them, else /run/secrets/datajoint   one file a value: only for what nothing sets
DJ_... variables                                  what differs from machine to machine
```

Nothing here knows a type or a default: `model` checks the values.
"""

from __future__ import annotations

import json
import tomllib
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from djupyter.errors import DataJointError, InvalidSettingError, nearest

JSON_NAME = "datajoint.json"
_PYPROJECT_NAME = "pyproject.toml"
_SYSTEM_SECRETS = Path("/run/secrets/datajoint")
# Their values are mappings with names of the user's own.
_MAPPINGS = ("stores", "provenance.source")
_SECRETS = ("database.user", "database.password")
_VARIABLES = {
    "database.host": "DJ_HOST",
    "database.user": "DJ_USER",
    "database.password": "DJ_PASS",
    "database.backend": "DJ_BACKEND",
    "database.port": "DJ_PORT",
    "database.reconnect": "DJ_RECONNECT",
    "database.use_tls": "DJ_USE_TLS",
    "database.database_prefix": "DJ_DATABASE_PREFIX",
    "database.create_tables": "DJ_CREATE_TABLES",
    "display.diagram_direction": "DJ_DIAGRAM_DIRECTION",
    "display.diagram_theme": "DJ_DIAGRAM_THEME",
    "loglevel": "DJ_LOG_LEVEL",
}


def variable(key: str) -> str:
    """Return the environment variable of a setting.

    >>> variable("database.host"), variable("jobs.auto_refresh")
    ('DJ_HOST', 'DJ_JOBS_AUTO_REFRESH')
    """
    return _VARIABLES.get(key, "DJ_" + key.upper().replace(".", "_"))


def from_environment(environ: Mapping[str, str], keys: Collection[str]) -> dict[str, Any]:
    """Return the settings that environment variables give.

    An empty variable counts as absent (compose files and CI pass those), except an empty password.
    Mappings are written as JSON objects.
    """
    found: dict[str, Any] = {}
    for key in keys:
        text = environ.get(variable(key))
        if text or (text is not None and key == "database.password"):
            found[key] = _json_object(text, variable(key)) if key in _MAPPINGS else text
    return found


def _json_object(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InvalidSettingError(
            f'{name} must be a JSON object, for example {{"default": "raw"}}.'
        )
    return value


def find_files(start: Path) -> list[Path]:
    """Return the nearest pyproject.toml with our table and datajoint.json, weakest first."""
    found: dict[str, Path] = {}
    for folder in _upward(start.resolve()):
        if JSON_NAME not in found and (folder / JSON_NAME).is_file():
            found[JSON_NAME] = folder / JSON_NAME
        if _PYPROJECT_NAME not in found and _has_our_table(folder / _PYPROJECT_NAME):
            found[_PYPROJECT_NAME] = folder / _PYPROJECT_NAME
    return [found[name] for name in (_PYPROJECT_NAME, JSON_NAME) if name in found]


def _upward(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        yield folder
        if (folder / ".git").exists() or (folder / ".hg").exists():
            return


def _has_our_table(path: Path) -> bool:
    # Not parsed here: a damaged pyproject.toml that does not mention us is not ours to complain of.
    return path.is_file() and b"tool.datajoint" in path.read_bytes()


def from_file(path: Path, keys: Collection[str]) -> dict[str, Any]:
    """Return the settings in a file, which may nest its keys, write them with dots, or both.

    Null means unset. Unknown keys are ignored, as datajoint does, but one that looks misspelt
    is warned of. A relative `database.path`, or location of a store, is meant from the folder of the file,
    wherever the notebook runs.
    """
    flat: dict[str, Any] = {}
    for key, value in _flattened(_read(path), keys):
        if key == "stores" and isinstance(value, dict):
            flat["stores"] = value | flat.get("stores", {})
        elif key in keys:
            flat[key] = value
        elif key.startswith("stores."):
            _put(flat.setdefault("stores", {}), key.split(".")[1:], value)
        elif near := nearest(key, keys):
            warnings.warn(f"Unknown setting `{key}` in {path} is ignored. {near}", stacklevel=2)
    database = flat.get("database.path")
    if isinstance(database, str) and database != ":memory:":
        flat["database.path"] = str(path.parent / database)
    if "stores" in flat:
        flat["stores"] = {
            name: _with_location_from(path.parent, entry) for name, entry in flat["stores"].items()
        }
    return flat


def _with_location_from(folder: Path, entry: Any) -> Any:
    """Return the entry of a store with its location, when that is a folder of this machine, made absolute."""
    if not isinstance(entry, dict) or str(entry.get("protocol")).lower() not in ("file", "local"):
        return entry
    location = entry.get("location")
    if not isinstance(location, str) or not location or location.startswith("~"):
        return entry
    return entry | {"location": str(folder / location)}


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            data = tomllib.loads(text).get("tool", {}).get("datajoint", {})
        else:
            data = json.loads(text)
    except ValueError as error:
        raise DataJointError(f"The settings in {path} cannot be read: {error}.") from error
    if not isinstance(data, dict):
        raise DataJointError(f"The settings in {path} must be one object of names and values.")
    return data


def _flattened(
    data: Mapping[str, Any], keys: Collection[str], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        key = prefix + name
        if isinstance(value, dict) and any(known.startswith(f"{key}.") for known in keys):
            yield from _flattened(value, keys, f"{key}.")
        elif value is not None:
            yield key, value


def _put(target: dict[str, Any], path: list[str], value: object) -> None:
    for name in path[:-1]:
        target = target.setdefault(name, {})
    target[path[-1]] = value


def from_secrets(files: Sequence[Path]) -> dict[str, Any]:
    """Return the secrets beside the strongest file that has them, else those of the system.

    `database.user`, `database.password` and `stores.<name>.<attribute>` are secrets; other files
    in the folder are ignored, and so are empty ones.
    """
    folders = [path.parent / ".secrets" for path in reversed(files)]
    folder = next((folder for folder in folders if folder.is_dir()), _SYSTEM_SECRETS)
    if not folder.is_dir():
        return {}
    found: dict[str, Any] = {}
    for path in sorted(folder.iterdir()):
        names = path.name.split(".")
        is_secret = path.name in _SECRETS or (names[0] == "stores" and len(names) == 3)
        if is_secret and path.is_file() and (text := path.read_text(encoding="utf-8").strip()):
            found[path.name] = text
    return found


def write_template(path: Path, values: Mapping[str, Any], *, secrets_folder: bool) -> None:
    """Write values as a nested datajoint.json, and a folder for secrets beside it.

    Raises
    ------
    FileExistsError
        The file is there already; it is left as it is. So are secrets.
    """
    nested: dict[str, Any] = {}
    for key, value in values.items():
        _put(nested, key.split("."), value)
    with path.open("x", encoding="utf-8") as file:
        file.write(json.dumps(nested, indent=4) + "\n")
    if secrets_folder:
        _write_secrets_folder(path.parent / ".secrets")


def _write_secrets_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, text in ((".gitignore", "*\n"), *((name, "") for name in _SECRETS)):
        if not (folder / name).exists():
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(text, encoding="utf-8")

"""The settings: names, types and defaults, read and changed by key or by attribute.

Where several places set the same thing, the later one in this list wins:

1. defaults;
2. secrets folders, which only fill what nothing below sets;
3. `[tool.datajoint]` in pyproject.toml, then datajoint.json;
4. environment variables, *all* of which begin with `DJ_`;
5. what the program assigns.

datajoint differs in two ways that we take for defects: there some variables lose to the file
(`DJ_SAFEMODE`, `DJ_JOBS_*`), and the bare names `LIMIT`, `WIDTH`, `SHOW_TUPLE_COUNT` and `CHARSET`
change what a query shows. Here every variable beats the file, and those are `DJ_DISPLAY_LIMIT`,
`DJ_DISPLAY_WIDTH`, `DJ_DISPLAY_SHOW_TUPLE_COUNT` and `DJ_CONNECTION_CHARSET`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field

from djupyter.errors import InvalidSettingError
from djupyter.settings import sources
from djupyter.settings.groups import (
    Connection,
    Database,
    Display,
    Group,
    Jobs,
    LogLevel,
    Objects,
    PathText,
    Provenance,
)
from djupyter.settings.masking import MaskedDict, masked
from djupyter.settings.stores import store_spec


class Settings(Group):
    """All settings; `load_settings` makes one from files and the environment.

    A value is read by key or by attribute, both ways typed and checked when assigned. Passwords are
    shown masked but read plain.

    Examples
    --------
    >>> config = Settings()
    >>> config["display.limit"] = 5
    >>> config.display.limit
    5
    >>> with config.override(display__limit=2, safemode=False):
    ...     config["display.limit"], config.safemode
    (2, False)
    >>> del config["display.limit"]
    >>> config.display.limit
    12
    >>> config["display.limits"]
    Traceback (most recent call last):
    djupyter.errors.UnknownSettingError: There is no setting `display.limits`. Did you mean ...
    """

    database: Database = Field(default_factory=Database)
    connection: Connection = Field(default_factory=Connection)
    display: Display = Field(default_factory=Display)
    jobs: Jobs = Field(default_factory=Jobs)
    objects: Objects = Field(default_factory=Objects)
    provenance: Provenance = Field(default_factory=Provenance)
    stores: Annotated[dict[str, Any], AfterValidator(lambda stores: MaskedDict(stores))] = Field(
        default_factory=MaskedDict
    )
    loglevel: LogLevel = "INFO"
    safemode: bool = True
    query_cache: PathText | None = None
    download_path: PathText = "."
    ignore_config_file: bool = False

    def __getitem__(self, key: str) -> Any:
        group, name = self._place(key)
        return getattr(group, name)

    def __setitem__(self, key: str, value: object) -> None:
        group, name = self._place(key)
        setattr(group, name, value)

    def __delitem__(self, key: str) -> None:
        group, name = self._place(key)
        group._reset(name)

    def __contains__(self, key: object) -> bool:
        return key in _KEYS

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # as a mapping, not as a model
        return iter(_KEYS)

    def keys(self) -> list[str]:
        """Return every key, so that `dict(config)` works."""
        return list(_KEYS)

    def get(self, key: str, default: object = None) -> Any:
        """Return a setting, or `default` when there is none of that name."""
        return self[key] if key in _KEYS else default

    @contextmanager
    def override(self, **values: object) -> Iterator[Self]:
        """Change settings inside a `with` block; two underscores stand for the dot.

        Everything is put back at the end, also after an error. An unknown name is refused.
        """
        changes = {name.replace("__", "."): value for name, value in values.items()}
        before = {key: (self[key], self._is_set(key)) for key in changes}
        try:
            for key, value in changes.items():
                self[key] = value
            yield self
        finally:
            for key, (value, was_set) in before.items():
                if was_set:
                    self[key] = value
                else:
                    del self[key]

    def load(self, path: str | Path) -> None:
        """Read a datajoint.json, or `[tool.datajoint]` of a pyproject.toml, over what is set.

        Secrets beside the file fill what is then still unset.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        InvalidSettingError
            A value does not fit; the message names the file and the setting.
        """
        path = Path(path)
        self._apply(sources.from_file(path, _KEYS), f"in {path}")
        self._fill(sources.from_secrets([path]))

    def save_template(
        self,
        path: str | Path = sources.JSON_NAME,
        minimal: bool = True,
        create_secrets_dir: bool = True,
    ) -> Path:
        """Write a datajoint.json to begin with, and `.secrets/` beside it; return its path.

        Existing secrets are left as they are; an existing file raises `FileExistsError`.

        Parameters
        ----------
        path
            Where to write.
        minimal
            Only what says where the database is; else every setting with its default.
        create_secrets_dir
            Make `.secrets/`, kept out of git, with an empty file for the user and the password.
        """
        defaults = Settings()
        wanted = ("database.path", "safemode") if minimal else _KEYS
        values = {"database.backend": "sqlite"} | {
            key: defaults[key]
            for key in wanted
            if defaults[key] is not None and key != "ignore_config_file"
        }
        sources.write_template(Path(path), values, secrets_folder=create_secrets_dir)
        return Path(path)

    def get_store_spec(
        self, name: str | None = None, *, use_filepath_default: bool = False
    ) -> dict[str, Any]:
        """Return the checked and completed specification of a store; None means the default."""
        return store_spec(self.stores, name, use_filepath_default=use_filepath_default)

    def __repr__(self) -> str:
        return "\n".join(["Settings (the rest is default)", *self._set_lines()])

    __str__ = __repr__

    def _keys(self) -> Sequence[str]:
        return _KEYS

    def _set_lines(self) -> Iterator[str]:
        for key in _KEYS:
            if self._is_set(key):
                yield f"  {key} = {masked(key.rpartition('.')[2], self[key])}"

    def _place(self, key: str) -> tuple[Group, str]:
        if key not in _KEYS:
            raise self._unknown(key)
        group, _, name = key.rpartition(".")
        return (getattr(self, group) if group else self), name

    def _is_set(self, key: str) -> bool:
        group, name = self._place(key)
        return name in group.model_fields_set

    def _apply(self, values: Mapping[str, Any], where: str) -> None:
        for key, value in values.items():
            try:
                self[key] = {**self.stores, **value} if key == "stores" else value
            except InvalidSettingError as error:
                raise InvalidSettingError(f"{error} It is set {where}.") from None

    def _fill(self, secrets: Mapping[str, str]) -> None:
        for key, value in secrets.items():
            if key in _KEYS:
                if not self._is_set(key):
                    self[key] = value
                continue
            _, store, name = key.split(".")
            entry = dict(self.stores.get(store, {}))
            self.stores = {**self.stores, store: {name: value} | entry}


_KEYS = tuple(
    f"{name}.{inner}" if inner else name
    for name, field in Settings.model_fields.items()
    for inner in getattr(field.annotation, "model_fields", ("",))
)


def load_settings(start: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings for a folder and an environment.

    Parameters
    ----------
    start
        The folder from which files are searched upward, as far as the root of its repository; None
        means the working directory.
    environ
        Environment variables; None means those of the process. `DJ_IGNORE_CONFIG_FILE` leaves out
        files and secrets.

    Raises
    ------
    InvalidSettingError
        A value does not fit; the message says where it is set.
    DataJointError
        A file is damaged.

    Examples
    --------
    >>> load_settings(Path("/"), {"DJ_DISPLAY_LIMIT": "7"}).display.limit
    7
    """
    settings = Settings()
    given = sources.from_environment(os.environ if environ is None else environ, _KEYS)
    if "ignore_config_file" in given:
        settings._apply(
            {"ignore_config_file": given.pop("ignore_config_file")}, "by DJ_IGNORE_CONFIG_FILE"
        )
    files = [] if settings.ignore_config_file else sources.find_files(start or Path.cwd())
    for path in files:
        settings._apply(sources.from_file(path, _KEYS), f"in {path}")
    for key, value in given.items():
        if key == "stores":
            del settings["stores"]  # the variable replaces the stores of the files
        settings._apply({key: value}, f"by {sources.variable(key)}")
    if not settings.ignore_config_file:
        settings._fill(sources.from_secrets(files))
    return settings

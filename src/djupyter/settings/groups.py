"""The groups of settings: names, types, defaults, and how an assignment is checked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from djupyter.errors import DataJointError, InvalidSettingError, UnknownSettingError, nearest
from djupyter.settings.masking import masked

Backend = Literal["sqlite", "mysql", "postgresql"]
_PORTS: dict[Backend, int] = {"mysql": 3306, "postgresql": 5432}
_BACKENDS_BY_SCHEME: dict[str, Backend] = {
    "sqlite": "sqlite",
    "mysql": "mysql",
    "mariadb": "mysql",
    "postgresql": "postgresql",
    "postgres": "postgresql",
}

PathText = Annotated[str, BeforeValidator(lambda v: os.fspath(v) if isinstance(v, Path) else v)]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(lambda v: v.upper() if isinstance(v, str) else v),
]


class Group(BaseModel):
    """Settings under one prefix; an assignment is checked at once and explained in one sentence."""

    model_config = ConfigDict(validate_assignment=True, extra="forbid")
    prefix: ClassVar[str] = ""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in type(self).model_fields:
            raise self._unknown(self.prefix + name)
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            # Not chained: the cause would show the value, which may be a password.
            raise InvalidSettingError(_explained(self.prefix + name, value, error)) from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            return super().__getattr__(name)  # type: ignore[misc]  # hidden from checkers
        raise self._unknown(self.prefix + name)

    def __repr__(self) -> str:
        return "\n".join([type(self).__name__, *self._set_lines()])

    __str__ = __repr__

    def _keys(self) -> Sequence[str]:
        return [self.prefix + name for name in type(self).model_fields]

    def _unknown(self, key: str) -> UnknownSettingError:
        known = self._keys()
        advice = nearest(key, known) or f"The settings: {', '.join(known)}."
        return UnknownSettingError(f"There is no setting `{key}`. {advice}")

    def _reset(self, name: str) -> None:
        self.__dict__[name] = getattr(type(self)(), name)
        self.model_fields_set.discard(name)

    def _set_lines(self) -> Iterator[str]:
        for name in sorted(self.model_fields_set):
            yield f"  {self.prefix}{name} = {masked(name, getattr(self, name))}"


class Database(Group):
    """Which database, and how to reach it."""

    prefix = "database."
    url: str | None = None
    path: PathText = "djupyter.db"
    backend: Backend | None = None
    host: str = "localhost"
    user: str | None = None
    password: str | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    name: str | None = None
    reconnect: bool = True
    use_tls: bool | dict[str, Any] | None = None
    database_prefix: str = ""
    create_tables: bool = True
    allow_schema_cycles: bool = False

    @property
    def selected_backend(self) -> Backend:
        """The backend to use.

        That of `url`, else `backend`, else MySQL if a host is set, else SQLite.

        Raises
        ------
        DataJointError
            `url` and `backend` contradict each other, or the URL is of no known backend.

        Examples
        --------
        >>> Database().selected_backend, Database(url="postgresql://ann@db/lab").selected_backend
        ('sqlite', 'postgresql')
        """
        by_url = self._backend_of_url()
        if self.url and not by_url:
            known = ", ".join(f"{scheme}://" for scheme in _BACKENDS_BY_SCHEME)
            raise DataJointError(f"database.url must begin with one of {known}.")
        if by_url and self.backend and by_url != self.backend:
            raise DataJointError(
                f"database.url is of {by_url}, but database.backend is {self.backend}: "
                "leave one of them out."
            )
        return self._likely_backend()

    def _reset(self, name: str) -> None:
        super()._reset(name)
        self._follow_backend()

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self._follow_backend()
        return self

    def _follow_backend(self) -> None:
        if "port" not in self.model_fields_set:
            # Past pydantic, for which every assignment makes a value a set one.
            self.__dict__["port"] = _PORTS.get(self._likely_backend())

    def _likely_backend(self) -> Backend:
        hosted: Backend = "mysql" if "host" in self.model_fields_set else "sqlite"
        return self._backend_of_url() or self.backend or hosted

    def _backend_of_url(self) -> Backend | None:
        scheme, separator, _ = (self.url or "").partition("://")
        return _BACKENDS_BY_SCHEME.get(scheme.partition("+")[0]) if separator else None


class Connection(Group):
    """How a connection behaves."""

    prefix = "connection."
    charset: str = ""


class Display(Group):
    """What reprs and diagrams show."""

    prefix = "display."
    limit: int = Field(default=12, ge=0)
    preview_bytes: int = Field(default=8_000_000, ge=1)  # of an object, read for its preview
    width: int = Field(default=14, ge=1)
    show_tuple_count: bool = True
    diagram_direction: Literal["LR", "TB"] = "LR"
    diagram_theme: Literal["auto", "light", "dark"] = "auto"


class Jobs(Group):
    """How populate reserves and records its work; timeouts in seconds."""

    prefix = "jobs."
    auto_refresh: bool = True
    keep_completed: bool = False
    stale_timeout: int = Field(default=3600, ge=0)
    lease: float = Field(
        default=60.0, ge=1
    )  # for which the jobs of a dead worker are still its own
    default_priority: int = Field(default=5, ge=0, le=255)
    version_method: Literal["git", "none"] | None = None
    add_job_metadata: bool = False
    allow_new_pk_fields_in_computed_tables: bool = False


class Objects(Group):
    """How objects in stores are written, read and collected."""

    prefix = "objects."
    grace_period: int = Field(
        default=3600, ge=0
    )  # seconds for which an object without a row is kept
    workers: int = Field(default=8, ge=1, le=256)  # transfers at a time
    durable: bool = True  # whether files are on the disk before their row is committed


class Provenance(Group):
    """What is recorded about where results come from."""

    prefix = "provenance."
    capture: bool = False
    source: dict[str, Any] = Field(default_factory=dict)


def _explained(key: str, value: object, error: ValidationError) -> str:
    reason = error.errors(include_url=False, include_context=False, include_input=False)[0]["msg"]
    shown = masked(key.rpartition(".")[2], value)
    return f"The setting `{key}` cannot be {shown}: {reason[0].lower()}{reason[1:]}."

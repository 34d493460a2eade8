"""What is recorded and told of errors holds no password, of the database or of a store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

import djupyter as dj
from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from djupyter.sql.secrets import without_secrets
from tests.conftest import Database

SECRETS = {
    "of the database": "hunter2 / @ home",
    "of a store": "wJalrXUtnFEMI/K7MDENG+bPxRfiCY",
    "inside a store": "sig=9f8e7d6c",
}


@pytest.fixture
def connection(db: Database) -> Iterator[Connection]:
    """A connection whose settings hold secrets."""
    settings = Settings(safemode=False)
    settings["database.password"] = SECRETS["of the database"]
    settings.stores = {
        "raw": {
            "protocol": "s3",
            "endpoint": "localhost:1",
            "bucket": "lab",
            "location": "raw",
            "access_key": "lab-user",
            "secret_key": SECRETS["of a store"],
            "storage_options": {"sas_token": SECRETS["inside a store"]},
        }
    }
    with Connection(db.url, settings=settings) as opened:
        yield opened


@pytest.fixture
def Leaky(db: Database, connection: Connection) -> Any:
    """A table whose make tells all it knows."""
    schema = dj.Schema(db.schema_name("lab"), connection=connection)

    @schema
    class Source(dj.Manual):
        definition = "i : int32"

    @schema
    class Leaky(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            try:
                raise OSError(f"cannot open mysql://lab:letmein@db/x: {SECRETS['of a store']}")
            except OSError as error:
                error.add_note(f"with {SECRETS['inside a store']}")
                raise ValueError("%".join(SECRETS.values())) from error

    Source.insert1((1,))
    return Leaky


def told(connection: Connection, schema: str) -> str:
    """Return everything that the tables of the system hold."""
    tables = [t for t in connection.catalog.current(schema) if t.startswith("~")]
    rows = [
        row
        for table in tables
        for row in dj.FreeTable(connection, f"`{schema}`.`{table}`").to_dicts()
    ]
    return f"{tables} {rows}"


@pytest.mark.parametrize("options", [{}, {"processes": 2}])
def test_errors_are_recorded_and_told_without_secrets(Leaky: Any, options: Any) -> None:
    heard: list[Any] = []
    found = Leaky.populate(
        reserve_jobs=True, suppress_errors=True, listener=heard.append, **options
    )
    connection, schema = Leaky.connection, Leaky().name.schema
    recorded = told(connection, schema)
    assert "~job_log" in recorded
    assert "~~leaky" in recorded
    (job,) = Leaky.jobs.errors.to_dicts()
    assert job["error_message"] == "ValueError: ***%***%***"
    assert "with ***" in job["error_stack"]
    for text in (recorded, str(found), str([event.to_dict() for event in heard]), repr(heard)):
        assert "***" in text
        for secret in (*SECRETS.values(), "letmein"):
            assert secret not in text


def test_errors_noted_by_hand_are_without_secrets(Leaky: Any) -> None:
    Leaky.jobs.refresh()
    Leaky.jobs.error({"i": 1}, f"bad {SECRETS['of a store']}", SECRETS["of the database"])
    job = Leaky.jobs.errors.fetch1()
    assert (job["error_message"], job["error_stack"]) == ("bad ***", "***")


@pytest.mark.parametrize(
    "url", ["mysql+pymysql://ann:s%40crt%2F1@db/lab", "postgresql://ann:s%40crt%2F1@db/lab"]
)
def test_the_password_of_a_url_is_a_secret_in_any_form(url: str) -> None:
    connection = Connection(url)
    said = f"{url} s@crt/1 s%40crt/1 {sa.make_url(url).password}"
    shown = without_secrets(said, connection)
    assert shown.endswith("@db/lab *** *** ***")
    assert "crt" not in shown


def test_a_short_word_is_no_secret() -> None:
    connection = Connection("mysql://ann:dj@db")
    assert without_secrets("the dj of the day", connection) == "the dj of the day"


def test_a_long_traceback_is_cut_after_its_secrets_are_gone(Leaky: Any) -> None:
    secret = SECRETS["of a store"]

    def make(self: Any, key: dict[str, Any]) -> None:
        raise ValueError(secret * 10_000)

    Leaky.make = make
    Leaky.populate(reserve_jobs=True, suppress_errors=True)
    stack = Leaky.jobs.errors.fetch1("error_stack")
    assert len(stack) < 110_000
    assert not any(secret[start : start + 12] in stack for start in range(len(secret) - 12))

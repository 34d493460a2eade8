"""Whatever goes wrong while keys are made: no row, no transaction, no reservation and no object is left behind.

Objects that are named by their content are not looked at: others may refer to them, so that only `gc` removes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import djupyter as dj
from djupyter.populate.jobs.claims import Claims
from djupyter.populate.jobs.holding import Hold
from djupyter.populate.jobs.leases import Lease
from djupyter.sql.connection import Connection
from djupyter.table.table import FreeTable
from tests.conftest import Database

BAD = 2  # the key in trouble, of 1, 2 and 3


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def connection(db: Database, store: Path, tmp_path: Path) -> Connection:
    store.mkdir()
    (tmp_path / "a file").touch()
    db.connection.settings["stores"] = {
        "default": "raw",
        "raw": {"protocol": "file", "location": str(store)},
        "bad": {"protocol": "file", "location": str(tmp_path / "a file" / "store")},
    }
    return db.connection


@pytest.fixture
def Made(db: Database, connection: Connection) -> Any:
    """A table whose make puts an object into a store, and then does `trouble` for the bad key."""
    schema = dj.Schema(db.schema_name("lab"), connection=connection)

    @schema
    class Item(dj.Manual):
        definition = "n : int32"

    @schema
    class Made(dj.Computed):
        definition = "-> Item\n---\ndata : <npy@raw>\nmore = null : <npy@bad>"
        trouble: Any = None

        class Part(dj.Part):
            definition = "-> master\np : int32"

        def make(self, key: dict[str, Any]) -> None:
            row = {**key, "data": np.full(1000, key["n"])}
            if key["n"] == BAD and self.trouble == "store":
                row["more"] = np.arange(1000)
            self.insert1(row)
            self.Part.insert1({**key, "p": 1})
            if key["n"] == BAD and callable(self.trouble):
                self.trouble()

    Item.insert([(1,), (2,), (3,)])
    return Made


def objects(store: Path) -> int:
    return sum(path.is_file() for path in store.rglob("*"))


def is_clean(table: Any, store: Path, made: list[int]) -> bool:
    """Check that these keys are there with all that belongs to them, and nothing else is."""
    assert not table.connection.in_transaction
    with Connection(table.connection._url.render_as_string(False)) as other:
        # Seen from outside nothing is locked, and nothing is half done.
        seen = FreeTable(other, str(table().name))
        assert seen.to_arrays("n", order_by="KEY").tolist() == made
    assert len(table.Part) == len(made)
    assert objects(store) == len(made)
    assert len(table.jobs.reserved) == 0
    workers = FreeTable(table.connection, f"`{table().name.schema}`.`~workers`")
    assert not workers.is_declared or len(workers) == 0
    return True


def raises(error: BaseException) -> Callable[..., None]:
    def trouble(*_: Any) -> None:
        raise error

    return staticmethod(trouble)  # type: ignore[return-value]


def fails_at_commit(connection: Connection, schema: str) -> Callable[[], None]:
    """Return what makes a transaction fail at its end: a row whose parent is missing, looked at only then."""
    quote = connection.backend.quote
    if connection.backend.name == "postgresql":
        child, parent = f'"{schema}".child', f'"{schema}".item'
        connection.query(
            f"CREATE TABLE {child} (n int REFERENCES {parent} DEFERRABLE INITIALLY DEFERRED)"
        )
        before: list[str] = []
    else:
        child = quote(f"{schema}.child")
        connection.query(f"CREATE TABLE {child} (n int REFERENCES {quote(f'{schema}.item')})")
        before = ["PRAGMA defer_foreign_keys = ON"]

    def trouble() -> None:
        for sql in [*before, f"INSERT INTO {child} VALUES (99)"]:
            connection.query(sql)

    return staticmethod(trouble)  # type: ignore[return-value]


def test_an_error_in_make(Made: Any, store: Path) -> None:
    Made.trouble = raises(ValueError("on purpose"))
    summary = Made.populate(reserve_jobs=True, suppress_errors=True)
    assert summary == {"success_count": 2, "error_list": [({"n": 2}, "ValueError: on purpose")]}
    assert Made.jobs.errors.fetch1("error_message") == "ValueError: on purpose"
    assert is_clean(Made, store, [1, 3])


@pytest.mark.parametrize("db", ["sqlite", "postgresql"], indirect=True)  # MySQL defers nothing
def test_an_error_in_commit(Made: Any, store: Path) -> None:
    Made.trouble = fails_at_commit(Made.connection, Made().name.schema)
    summary = Made.populate(reserve_jobs=True, suppress_errors=True)
    assert summary["success_count"] == 2
    ((key, error),) = summary["error_list"]
    assert key == {"n": 2}
    assert error.startswith("IntegrityError: ")
    assert Made.jobs.errors.fetch1("error_message") == error
    assert is_clean(Made, store, [1, 3])


def test_an_error_in_the_store(Made: Any, store: Path) -> None:
    Made.trouble = "store"
    summary = Made.populate(reserve_jobs=True, suppress_errors=True)
    assert summary["success_count"] == 2
    ((key, error),) = summary["error_list"]
    assert key == {"n": 2}
    assert Made.jobs.errors.fetch1("error_message") == error
    assert is_clean(Made, store, [1, 3])


@pytest.mark.parametrize("reserve_jobs", [False, True])
def test_an_error_in_the_key_source(Made: Any, store: Path, reserve_jobs: bool) -> None:
    Made.jobs.ensure()
    Made.populate({"n": 1}, reserve_jobs=True)
    Made.key_source = property(raises(ValueError("no source")).__func__)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="no source"):
        Made.populate(reserve_jobs=reserve_jobs, suppress_errors=True)
    assert is_clean(Made, store, [1])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)], ids=["ctrl-c", "exit"])
def test_the_end_of_the_program_in_make(Made: Any, store: Path, error: BaseException) -> None:
    Made.trouble = raises(error)
    with pytest.raises(type(error)):
        Made.populate(reserve_jobs=True, suppress_errors=True)
    assert is_clean(Made, store, [1])
    ended = "pending" if isinstance(error, KeyboardInterrupt) else "error"
    assert Made.jobs.progress() == {
        **NONE,
        "pending": 1,
        "total": 2,
        ended: 1 + (ended == "pending"),
    }
    Made.trouble = None
    Made.jobs.retry()
    assert Made.populate(reserve_jobs=True)["success_count"] == 2
    assert is_clean(Made, store, [1, 2, 3])


NONE = dict.fromkeys(("pending", "reserved", "success", "error", "ignore"), 0)


@pytest.fixture(params=[True, False], ids=["before", "after"])
def interrupted(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Any, str, int], None]]:
    """Return what lets Ctrl-C be heard just before, or just after, a call of a method."""

    def interrupt(owner: Any, name: str, number: int) -> None:
        real, count = getattr(owner, name), 0

        def method(*given: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == number and request.param:
                raise KeyboardInterrupt
            found = real(*given, **named)
            if count == number:
                raise KeyboardInterrupt
            return found

        monkeypatch.setattr(owner, name, method)

    yield interrupt
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("owner", "name", "made"),
    [
        (Claims, "_take", [1]),
        (Hold, "complete", [1]),
        (Claims, "waiting", []),
        (Connection, "commit_transaction", None),
    ],
    ids=["take", "complete", "look", "commit"],
)
def test_ctrl_c_is_heard_elsewhere(
    Made: Any,
    store: Path,
    interrupted: Any,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    made: list[int] | None,
) -> None:
    Made.jobs.refresh()
    number = 1 if made == [] else 2
    if name == "commit_transaction":
        Made.populate(max_calls=1, reserve_jobs=True)  # what declares tables commits, too
        number = 1
    interrupted(owner, name, number)
    with pytest.raises(KeyboardInterrupt):
        Made.populate(reserve_jobs=True, suppress_errors=True)
    there = Made.to_arrays("n", order_by="KEY").tolist()
    assert is_clean(Made, store, there if made is None else made)
    assert len(Made.jobs.pending) == 3 - len(there)
    monkeypatch.undo()
    Made.populate(reserve_jobs=True)
    assert is_clean(Made, store, [1, 2, 3])
    assert len(Made.jobs) == 0


def test_a_make_that_never_returns(Made: Any, store: Path) -> None:
    def for_ever() -> None:
        while True:
            time.sleep(0.01)

    Made.trouble = staticmethod(for_ever)
    summary = Made.populate(reserve_jobs=True, suppress_errors=True, time_limit=0.5)
    assert summary["success_count"] == 2
    assert [key for key, _ in summary["error_list"]] == [{"n": 2}]
    assert Made.jobs.errors.fetch1("error_message").startswith("TimeLimitError: ")
    assert is_clean(Made, store, [1, 3])


def test_a_statement_that_never_ends(Made: Any, store: Path) -> None:
    connection = Made.connection
    connection.query("SELECT 1")
    Made.trouble = staticmethod(lambda: connection.query(NEVER[connection.backend.name]))
    summary = Made.populate(reserve_jobs=True, suppress_errors=True, time_limit=2)
    ((key, error),) = summary["error_list"]
    assert key == {"n": 2}
    assert error.startswith("TimeLimitError: ")
    assert summary["success_count"] == 2
    assert is_clean(Made, store, [1, 3])


NEVER = {
    "sqlite": "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
    "mysql": "SELECT SLEEP(1000)",
    "postgresql": "SELECT pg_sleep(1000)",
}


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("it has no words")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("a \0 in it"), r"ValueError: a \x00 in it"),
        (FileNotFoundError("/data/\udce4.bin"), r"FileNotFoundError: /data/\udce4.bin"),
        (ValueError("\U0001f600"), "ValueError: \U0001f600"),
        (UnspeakableError(), "UnspeakableError: <its message cannot be had: RuntimeError>"),
    ],
    ids=["nul", "surrogate", "emoji", "unspeakable"],
)
def test_an_error_whose_text_no_database_can_hold(
    Made: Any, store: Path, error: Exception, words: str
) -> None:
    Made.trouble = raises(error)
    summary = Made.populate(reserve_jobs=True, suppress_errors=True)
    assert summary == {"success_count": 2, "error_list": [({"n": 2}, words)]}
    assert Made.jobs.errors.fetch1("error_message") == words
    (attempt,) = Made.job_report({"n": 2}).attempts
    assert f"{attempt['error_class']}: {attempt['error_message']}" == words
    assert is_clean(Made, store, [1, 3])


def test_the_wait_for_a_database_that_shall_note_an_error_is_not_work(
    schema: dj.Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    @schema
    class Source(dj.Lookup):
        definition = "i : int32"
        contents = ((1,),)

    @schema
    class Wrong(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            raise ValueError("wrong")

    happened: list[object] = []

    def fail(hold: Hold, *_: object) -> bool:
        happened.append("noted")
        return True

    def works_on(lease: Lease, table: str, key: object, limit: float | None) -> None:
        happened.append(key)

    monkeypatch.setattr(Hold, "fail", fail)
    monkeypatch.setattr(Lease, "works_on", works_on)
    Wrong.populate(reserve_jobs=True, suppress_errors=True, time_limit=60)
    assert happened[:3] == [{"i": 1}, None, "noted"]

"""What is asked of the database is asked again while it is away, and then nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import LostConnectionError
from djupyter.populate.events import Event, Failed, Finished, Waiting
from djupyter.populate.running.run import Options, populate


@pytest.fixture
def Copy(schema: dj.Schema) -> Any:
    @schema
    class Source(dj.Lookup):
        definition = "i : int32"
        contents = ((i,) for i in range(3))

    @schema
    class Copy(dj.Computed):
        definition = "-> Source"
        fails: Any = ()

        def make(self, key: dict[str, Any]) -> None:
            if key["i"] in self.fails:
                raise ValueError("bad")
            self.insert1(key)

    return Copy


def lose_once(
    connection: dj.Connection,
    monkeypatch: pytest.MonkeyPatch,
    concerns: Callable[[str, Any], bool],
    *,
    after: bool,
) -> None:
    """Let the connection be lost once at a statement, before it is carried out or just after."""
    left = [1]
    for name in ("fetch", "execute"):
        real = getattr(connection, name)

        def asked(sql: str, params: Any = (), real: Any = real) -> Any:
            if not (left and concerns(sql, params)):
                return real(sql, params)
            left.clear()
            if after:
                real(sql, params)
            raise LostConnectionError("lost")

        monkeypatch.setattr(connection, name, asked)


def takes(sql: str, params: Any) -> bool:
    return "~~copy" in sql and "UPDATE" in sql and "reserved" in params and "pending" in params


def fails(sql: str, params: Any) -> bool:
    return "~~copy" in sql and "UPDATE" in sql and "error" in params


def is_log(sql: str, params: Any) -> bool:
    return "~job_log" in sql and "INSERT" in sql


@pytest.mark.parametrize("after", [False, True])
def test_jobs_that_were_taken_unheard_are_made(
    Copy: Any, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    lose_once(Copy.connection, monkeypatch, takes, after=after)
    heard: list[Event] = []
    assert Copy.populate(reserve_jobs=True, listener=heard.append)["success_count"] == 3
    assert [event.error for event in heard if isinstance(event, Waiting)] == ["lost"]
    assert sorted(e.key["i"] for e in heard if isinstance(e, Finished)) == [0, 1, 2]
    assert len(Copy.jobs) == 0


def test_an_error_is_noted_when_the_database_is_back(
    Copy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Copy.fails = (1,)
    lose_once(Copy.connection, monkeypatch, fails, after=False)
    done = Copy.populate(reserve_jobs=True, suppress_errors=True)
    assert done == {"success_count": 2, "error_list": [({"i": 1}, "ValueError: bad")]}
    assert Copy.jobs.errors.keys() == [{"i": 1}]


@pytest.mark.parametrize("after", [False, True])
def test_the_log_is_written_once(Copy: Any, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    Copy.populate("i = 0")
    lose_once(Copy.connection, monkeypatch, is_log, after=after)
    assert Copy.populate()["success_count"] == 2
    log = dj.FreeTable(Copy.connection, f"`{Copy().name.schema}`.`~job_log`")
    assert sorted(row["job_key"]["i"] for row in log.to_dicts()) == [0, 1, 2]


def test_patience_ends(Copy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_once(Copy.connection, monkeypatch, takes, after=False)
    with pytest.raises(LostConnectionError, match="lost"):
        populate([Copy()], (), Options(reserve_jobs=True, patience=0))
    assert Copy.populate(reserve_jobs=True)["success_count"] == 3


def test_a_key_that_wants_more_memory_than_a_process_may_have_fails(schema: dj.Schema) -> None:
    @schema
    class Size(dj.Lookup):
        definition = "size : int64"
        contents = ((10,), (8_000_000_000,))

    @schema
    class Block(dj.Computed):
        definition = "-> Size"

        def make(self, key: dict[str, Any]) -> None:
            bytearray(key["size"])
            self.insert1(key)

    heard: list[Event] = []
    Block.populate(memory_limit=2_000_000_000, suppress_errors=True, listener=heard.append)
    (failed,) = [event for event in heard if isinstance(event, Failed)]
    assert failed.key == {"size": 8_000_000_000}
    assert failed.error.startswith("MemoryError")
    assert Block.keys() == [{"size": 10}]

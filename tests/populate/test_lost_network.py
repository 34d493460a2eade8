"""The network to the server is lost while keys are made: none is lost, none is doubled, and populate goes on.

`DJ_TEST_LOSS_SECONDS=5` lets each loss last so long, with the pauses that workers make between attempts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import djupyter as dj
from djupyter.populate import patience
from djupyter.populate.making import make
from djupyter.settings import Settings
from djupyter.sql.connection import Connection
from djupyter.table.table import FreeTable
from tests.conftest import Database, Servers
from tests.populate.relay import LOSS, Relay
from tests.servers import KINDS

# What happens while the key of this number is made.
MOMENTS = ["fetch", "compute", "insert", "commit", "committed", "nothing", "error"]


@pytest.fixture(params=list(KINDS))
def server_db(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Database]:
    database = Database(request.param, servers.url(request.param))
    yield database
    database.close()


@pytest.fixture
def relay(server_db: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    if not LOSS:
        monkeypatch.setattr(make, "_PAUSES", (0.0,) * 10)
        monkeypatch.setattr(patience, "_FIRST", 0.0)
    relay = Relay(server_db.url)
    yield relay
    relay.close()


@pytest.fixture
def schema(server_db: Database, relay: Relay) -> Iterator[dj.Schema]:
    settings = Settings(safemode=False)
    with Connection(relay.url, use_tls=False, settings=settings) as connection:
        yield dj.Schema(server_db.schema_name("net"), connection=connection)


class Losing:
    """The steps of a make; each loses the network once, at its moment."""

    relay: Relay
    source: Any
    lost: set[str]

    def at(self, moment: str, key: dict[str, Any]) -> None:
        if MOMENTS[key["n"]] != moment or moment in self.lost:
            return
        self.lost.add(moment)
        if moment.startswith("commit"):
            self.relay.lose_at(b"COMMIT", passes=moment == "committed")
        else:
            self.relay.lose()

    def fetch(self, key: dict[str, Any]) -> int:
        self.at("fetch", key)
        return int((self.source & key).fetch1("x"))

    def compute(self, key: dict[str, Any], x: int) -> int:
        self.at("compute", key)
        self.at("error", key)
        if MOMENTS[key["n"]] == "error":
            raise ValueError("on purpose")
        return x * x

    def put(self, key: dict[str, Any], y: int) -> None:
        self.insert1({**key, "y": y})  # type: ignore[attr-defined]
        self.at("insert", key)
        self.Digit.insert([{**key, "digit": d} for d in range(3)])  # type: ignore[attr-defined]
        self.at("commit", key)
        self.at("committed", key)


class InOnePart(Losing):
    def make(self, key: dict[str, Any]) -> None:
        self.put(key, self.compute(key, self.fetch(key)))


class InThreeParts(Losing):
    def make_fetch(self, key: dict[str, Any]) -> tuple[Any, ...]:
        return (self.fetch(key),)

    def make_compute(self, key: dict[str, Any], x: int) -> tuple[Any, ...]:
        return (self.compute(key, x),)

    def make_insert(self, key: dict[str, Any], y: int) -> None:
        self.put(key, y)


class AsGenerator(Losing):
    def make(self, key: dict[str, Any]) -> Any:
        computed = yield self.fetch(key)
        if computed is None:
            computed = self.compute(key, (self.source & key).fetch1("x"))
            yield computed
        self.put(key, computed)
        yield


@pytest.fixture(params=[InOnePart, InThreeParts, AsGenerator])
def Square(request: pytest.FixtureRequest, schema: dj.Schema, relay: Relay) -> Any:
    @schema
    class Number(dj.Manual):
        definition = "n : int32\n---\nx : int32"

    Number.insert((n, n) for n in range(len(MOMENTS)))

    @schema
    class Square(request.param, dj.Computed):  # type: ignore[name-defined, misc]
        definition = "-> Number\n---\ny : int32"

        class Digit(dj.Part):
            definition = "-> master\ndigit : int8"

    Square.relay, Square.source, Square.lost = relay, Number, set()
    return Square


def log(table: Any) -> Counter[tuple[int, str]]:
    """Return how often each key ended in each way."""
    attempts = FreeTable(table.connection, f"`{table().name.schema}`.`~job_log`").to_dicts()
    return Counter((row["job_key"]["n"], row["outcome"]) for row in attempts)


@pytest.mark.parametrize("reserve_jobs", [False, True], ids=["direct", "reserved"])
def test_each_key_is_made_once_though_the_network_is_lost_meanwhile(
    Square: Any, relay: Relay, reserve_jobs: bool
) -> None:
    summary = Square.populate(reserve_jobs=reserve_jobs, suppress_errors=True)
    failing = MOMENTS.index("error")
    assert summary == {
        "success_count": len(MOMENTS) - 1,
        "error_list": [({"n": failing}, "ValueError: on purpose")],
    }
    assert relay.losses == len(MOMENTS) - 1
    assert Square.to_arrays("y", order_by="KEY").tolist() == [n * n for n in range(failing)]
    assert len(Square.Digit) == 3 * failing
    assert log(Square) == {**{(n, "success"): 1 for n in range(failing)}, (failing, "error"): 1}
    assert not Square.connection.in_transaction
    if reserve_jobs:
        assert Square.jobs.keys() == [{"n": failing}]
        assert Square.jobs.errors.fetch1("error_message") == "ValueError: on purpose"


SENT = {
    "the look for jobs": b"SELECT",
    "adding jobs": b"INSERT INTO",
    "taking jobs": b"SKIP LOCKED",
    "writing the log": b"rows",  # which the result depends on
}


@pytest.mark.parametrize("passes", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("moment", list(SENT))
def test_the_network_may_be_lost_between_keys(
    schema: dj.Schema, relay: Relay, moment: str, passes: bool
) -> None:
    @schema
    class Number(dj.Manual):
        definition = "n : int32"

    @schema
    class Same(dj.Computed):
        definition = "-> Number"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    Number.insert((n,) for n in range(3))
    Same.populate({"n": 0}, reserve_jobs=True)
    relay.lose_at(SENT[moment], passes=passes)
    assert Same.populate(reserve_jobs=True)["success_count"] == 2
    assert relay.losses == 1
    assert len(Same) == 3
    assert len(Same.jobs) == 0
    assert log(Same) == {(n, "success"): 1 for n in range(3)}


@pytest.mark.parametrize("passes", [False, True], ids=["before", "after"])
def test_the_network_may_be_lost_while_an_error_is_recorded(
    schema: dj.Schema, relay: Relay, passes: bool
) -> None:
    @schema
    class Number(dj.Manual):
        definition = "n : int32"

    @schema
    class Failing(dj.Computed):
        definition = "-> Number"

        def make(self, key: dict[str, Any]) -> None:
            relay.lose_at(b"on purpose", passes=passes)
            raise ValueError("on purpose")

    Number.insert1((1,))
    summary = Failing.populate(reserve_jobs=True, suppress_errors=True)
    assert relay.losses == 1
    assert summary["error_list"] == [({"n": 1}, "ValueError: on purpose")]
    assert Failing.jobs.errors.fetch1("error_message") == "ValueError: on purpose"
    assert log(Failing) == {(1, "error"): 1}

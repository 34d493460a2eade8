"""The report of a key says what became of it, also where that is an error, and shows it without being asked twice."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from typing import Any

import pytest

import djupyter as dj
from tests.conftest import Database
from tests.populate.test_jobs import KEYS
from tests.statements import statements


@pytest.fixture
def Source(schema: dj.Schema) -> Any:
    @schema
    class Source(dj.Manual):
        definition = "i : int32\n---\nx : float64"

    Source.insert((i, i / 2) for i in range(1, 4))
    return Source


@pytest.fixture
def Square(schema: dj.Schema, Source: Any) -> Any:
    schema.connection.settings.jobs.version_method = lambda cls: "v1"

    @schema
    class Square(dj.Computed):
        definition = "-> Source\n---\ny : float64"
        fails: Any = ()

        def make_fetch(self, key: dict[str, Any]) -> tuple[Any, ...]:
            return ((Source & key).fetch1("x"),)

        def make_compute(self, key: dict[str, Any], x: float) -> tuple[Any, ...]:
            if key["i"] in self.fails:
                raise ValueError(f"<b>bad</b> {key['i']}")
            return (x**2,)

        def make_insert(self, key: dict[str, Any], y: float) -> None:
            self.insert1({**key, "y": y})

    return Square


def failed(Square: Any, times: int = 1) -> Any:
    """Let key 2 fail, and return the table."""
    Square.fails = (2,)
    for _ in range(times):
        Square.populate("i = 2", reserve_jobs=True, suppress_errors=True)
        Square.jobs.retry()
    Square.populate("i = 2", reserve_jobs=True, suppress_errors=True)
    Square.fails = ()
    return Square


def test_a_key_that_was_made_says_when_where_and_from_what(Square: Any) -> None:
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(milliseconds=1)
    Square.populate()
    report = Square.job_report({"i": 1})
    after = datetime.datetime.now(datetime.UTC) + datetime.timedelta(milliseconds=1)
    assert (report.table, report.tier, report.key) == ("Square", "Computed", {"i": 1})
    assert report.is_made
    assert report.job is None
    (attempt,) = report.attempts
    assert attempt["outcome"] == "success"
    assert before <= attempt["started"] <= after
    assert 0 <= attempt["duration"] < 60
    assert (attempt["pid"], attempt["version"]) == (os.getpid(), "v1")
    assert attempt["host"]
    assert attempt["error_stack"] is None
    inputs = attempt["inputs"]
    assert inputs["rows"] == {f"{Square().name.schema}.source": {"i": 1}}
    assert len(inputs["fetched"]) == 32


def test_inputs_that_change_have_another_fingerprint(Square: Any, Source: Any) -> None:
    Square.populate()
    Square.delete_quick()
    Source.update1({"i": 1, "x": 100.0})
    Square.populate()
    first, second = (
        [a["inputs"]["fetched"] for a in Square.job_report({"i": i}).attempts] for i in (1, 2)
    )
    assert first[0] != first[1]
    assert second[0] == second[1]


def test_a_key_that_failed_says_why(Square: Any) -> None:
    report = failed(Square, 0).job_report({"i": 2})
    assert not report.is_made
    assert report.job is not None
    assert report.job["status"] == "error"
    (attempt,) = report.attempts
    assert (attempt["outcome"], attempt["error_class"]) == ("error", "ValueError")
    assert attempt["inputs"] == {"rows": {f"{Square().name.schema}.source": {"i": 2}}}
    assert attempt["error_message"] == "<b>bad</b> 2"
    assert "in make_compute" in attempt["error_stack"]


def test_the_last_attempts_come_in_order_and_the_others_are_counted(Square: Any) -> None:
    failed(Square, 3).jobs.retry()
    Square.populate(reserve_jobs=True)
    report = Square.job_report({"i": 2}, attempts=3)
    assert [attempt["outcome"] for attempt in report.attempts] == ["error", "error", "success"]
    assert report.earlier == 2
    assert len(Square.job_report({"i": 2}).attempts) == 5
    assert Square.job_report({"i": 2}, attempts=0).earlier == 5
    assert "… and 2 attempts before" in str(report)
    with pytest.raises(dj.DataJointError, match="must not be negative"):
        Square.job_report({"i": 2}, attempts=-1)


def states(Square: Any) -> Iterator[str]:
    jobs = Square.jobs
    yield "no job"
    jobs.refresh(priority=3)
    yield "waits, to be made from 2"
    jobs.reserve({"i": 1})
    yield "is held since 2"
    jobs.error({"i": 1}, "broken")
    yield "has failed: broken"
    jobs.ignore({"i": 1})
    yield "is ignored"
    jobs.retry()
    jobs.change(jobs, {"status": "pending"})
    Square.connection.settings.jobs.keep_completed = True
    Square.populate(reserve_jobs=True)
    yield "is done and kept"


def test_the_state_of_the_job_is_told(Square: Any) -> None:
    for state in states(Square):
        report = Square.job_report({"i": 1})
        assert state in str(report)
        assert state in report._repr_html_()
    assert "The table has this key" in str(report)


def test_a_job_whose_worker_is_dead_is_told_from_one_that_is_held(Square: Any) -> None:
    seen: list[Any] = []

    def make(self: Any, key: dict[str, Any]) -> None:
        seen.append(Square.job_report(key))
        self.insert1({**key, "y": 0.0})

    Square.make = make
    Square.populate("i = 1", reserve_jobs=True)
    assert seen[0].job["is_held"]
    assert f"process {os.getpid()}" in str(seen[0])
    Square.jobs.refresh()
    Square.jobs.change(Square.jobs & "i = 2", Square.jobs.held_by(2**50))
    report = Square.job_report({"i": 2})
    assert not report.job["is_held"]
    assert "has died: the next worker takes it" in str(report)


def test_a_key_that_nobody_tried_has_a_report_too(Square: Any) -> None:
    report = Square.job_report({"i": 1})
    assert str(report) == "Square  i=1\nThe table does not have this key; it has no job."
    assert report.attempts == ()


def test_a_key_may_be_written_in_any_way_that_a_row_may(Square: Any) -> None:
    Square.populate("i = 1")
    for key in ({"i": 1.0}, {"i": 1, "x": 5}):
        assert len(Square.job_report(key).attempts) == 1
    with pytest.raises(dj.DataJointError, match="A key of Square is named by i; missing: i"):
        Square.job_report({"x": 1})


def test_a_report_is_plain_data(Square: Any) -> None:
    found = failed(Square, 0).job_report({"i": 2}).to_dict()
    assert set(found) == {"table", "tier", "key", "is_made", "job", "attempts", "earlier"}
    assert found["job"]["status"] == "error"
    assert found["attempts"][0]["outcome"] == "error"


def test_a_report_is_read_once_and_shown_without_the_database(Square: Any) -> None:
    report = failed(Square).job_report({"i": 2})
    with statements(Square.connection) as seen:
        first, second = report._repr_html_(), report._repr_html_()
        assert repr(report) == str(report)
    assert seen == []
    assert first == second


def test_what_a_report_shows_is_escaped_and_in_the_theme_s_colours(Square: Any) -> None:
    page = failed(Square).job_report({"i": 2})._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;bad&lt;/b&gt; 2" in page
    assert "<script" not in page
    assert page.count('open="open"') == 1
    assert "dj-tier-computed" in page
    assert "var(--dj-red)" in page
    assert "prefers-color" not in page


@pytest.mark.parametrize("kind", KEYS)
def test_attempts_are_found_by_keys_of_any_type(db: Database, kind: str) -> None:
    schema = dj.Schema(db.schema_name("keys"), connection=db.connection)

    @schema
    class Parent(dj.Manual):
        definition = f"k : {kind}"

    @schema
    class Child(dj.Computed):
        definition = "-> Parent"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    Parent.insert([(key,) for key in KEYS[kind]])
    Child.populate(max_calls=1)
    Child.populate(reserve_jobs=True)
    for key in KEYS[kind]:
        report = Child.job_report({"k": key})
        assert [attempt["outcome"] for attempt in report.attempts] == ["success"], report
    for given in Parent.proj().to_dicts():
        assert Child.job_report(given).is_made

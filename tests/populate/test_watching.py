"""What is known of a populate follows from its events alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from djupyter.populate.events import (
    Event,
    Failed,
    Finished,
    Lost,
    Planned,
    Started,
    Summary,
    Waiting,
)
from djupyter.populate.watching import Watch, advance, begun_again, ended, stopping
from djupyter.render.progress import SHOWN_FAILURES, Progress, not_begun
from djupyter.render.progress_panel import panel, progress_panel, progress_summary, shown_failures

TABLES = [("Weight", "Computed"), ("Growth", "Computed")]
NUMBERS = st.integers(0, 6)


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Return anything that may happen, in any order."""
    table = draw(st.sampled_from(["Weight", "Growth", "Stranger"]))
    key = {"mouse": draw(NUMBERS)}
    happens: list[Event] = [
        Planned(table, draw(NUMBERS)),
        Started(table, key),
        Finished(table, key, 0.1),
        Lost(table, key, "taken over"),
        Failed(
            table,
            key,
            0.1,
            "ValueError: <b>",
            "Traceback\n<script>",
            draw(st.sampled_from([None, 2.0])),
        ),
        Waiting(table, 1.0, "gone"),
        Summary(table, 1, 1, 1, 1.0),
    ]
    return draw(st.sampled_from(happens))


def after(happened: list[Event], pace: float = 0.5) -> Progress:
    progress = not_begun(TABLES)
    for place, event in enumerate(happened):
        progress = advance(progress, [event], place * pace)
    return progress


def count(happened: list[Event], table: str, kind: type[Event]) -> int:
    return sum(event.table == table and type(event) is kind for event in happened)


@given(st.lists(events(), max_size=40))
def test_counts_are_those_of_the_events(happened: list[Event]) -> None:
    for table in after(happened).tables:
        final = [
            e
            for e in happened
            if isinstance(e, Failed) and e.table == table.name and e.retry_in is None
        ]
        assert table.done == count(happened, table.name, Finished)
        assert table.elsewhere == count(happened, table.name, Lost)
        assert table.errors == len(final)
        assert table.planned == sum(
            e.keys for e in happened if isinstance(e, Planned) and e.table == table.name
        )
        assert table.remaining == max(table.planned - table.ended, 0)


@given(st.lists(events(), max_size=40), st.lists(events(), max_size=10))
def test_what_was_known_is_not_changed_by_what_comes(first: list[Event], more: list[Event]) -> None:
    before = after(first)
    shown = panel(before, 99.0), before.failures
    progress = before
    for event in more:
        progress = advance(progress, [event], 100.0)
    assert (panel(before, 99.0), before.failures) == shown


@given(
    st.lists(events(), max_size=40),
    st.sampled_from([None, KeyboardInterrupt(), ValueError("no")]),
    st.booleans(),
)
def test_at_the_end_nothing_is_in_work_and_all_can_be_shown(
    happened: list[Event], error: BaseException | None, is_stopped: bool
) -> None:
    running = after(happened)
    progress = ended(stopping(running) if is_stopped else running, error, 50.0)
    assert not progress.is_running
    assert not any(table.working for table in progress.tables)
    if progress.phase == "done":
        assert progress.remaining == 0
    page = progress_panel(progress, 50.0)
    assert "<script>" not in page
    assert progress_summary(progress, 50.0)
    again = begun_again(progress, 60.0)
    assert (again.errors, again.remaining, again.done) == (0, 0, progress.done)


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.floats(0.01, 5))
def test_the_rate_is_that_of_the_last_stretches(keys: list[int], pace: float) -> None:
    happened = [Finished("Weight", {"mouse": key}, pace) for key in keys]
    progress = after([Planned("Weight", 100), *happened], pace)
    rate = progress.tables[0].rate(len(keys) * pace)
    assert rate is not None
    assert 0.9 / pace <= rate <= 1.1 / pace


def test_the_rate_of_what_was_added_up_at_once_is_that_of_the_time_it_took() -> None:
    happened = [Planned("Weight", 10), *(Finished("Weight", {"mouse": n}, 0.2) for n in range(10))]
    progress = ended(advance(not_begun(TABLES), happened, 2.0), None, 2.0)
    assert panel(progress, 9.0)["tables"][0]["rate"] == "5/s"


def test_the_oldest_key_in_work_is_named_and_the_others_are_counted() -> None:
    keys = [{"mouse": number} for number in range(3)]
    progress = after([Planned("Weight", 3), *(Started("Weight", key) for key in keys)])
    assert panel(progress, 1.0)["tables"][0]["in work"] == "mouse=0 and 2 more"
    progress = advance(progress, [Finished("Weight", keys[0], 0.1)], 1.0)
    assert panel(progress, 1.0)["tables"][0]["in work"] == "mouse=1 and 1 more"


def test_errors_beyond_a_hundred_are_counted_only() -> None:
    failed = [Failed("Weight", {"mouse": n}, 0.1, "ValueError: no", "") for n in range(250)]
    progress = after([Planned("Weight", 250), *failed])
    assert (progress.errors, len(progress.failures)) == (250, SHOWN_FAILURES)
    assert panel(progress, 1.0)["failures"] == "250 errors, the first 100 of them"


def test_a_database_that_is_away_is_told_until_it_is_back() -> None:
    waiting = after([Planned("Weight", 1), Waiting("Weight", 2.0, "No answer.")])
    assert panel(waiting, 1.0)["trouble"] == "Weight: No answer. Asked again in 2 s."
    assert advance(waiting, [Started("Weight", {"mouse": 1})], 2.0).trouble == ""


def test_a_stop_that_came_after_the_last_key_stopped_nothing() -> None:
    happened = [
        Planned("Weight", 1),
        Started("Weight", {"mouse": 1}),
        Finished("Weight", {"mouse": 1}, 0.1),
    ]
    assert ended(stopping(after(happened)), None, 9.0).phase == "done"
    assert ended(stopping(after(happened[:2])), None, 9.0).phase == "stopped"


@given(st.lists(events(), max_size=40), st.integers(0, 40))
def test_events_may_be_added_up_in_any_portions(happened: list[Event], cut: int) -> None:
    halfway = advance(not_begun(TABLES), happened[:cut], 1.0)
    whole = advance(not_begun(TABLES), happened, 1.0)
    in_two = advance(halfway, happened[cut:], 1.0)
    assert panel(in_two, 1.0) == panel(whole, 1.0)
    assert in_two.failures == whole.failures


def test_many_events_that_nobody_looks_at_are_added_up() -> None:
    watch = Watch(TABLES)
    watch(Planned("Weight", 3000))
    for number in range(3000):
        watch(Finished("Weight", {"mouse": number}, 0.0))
    assert (watch.progress.done, watch.progress.remaining) == (3000, 0)


def test_a_watch_tells_the_time_by_its_clock() -> None:
    times = iter(range(100))
    watch = Watch(TABLES, lambda: next(times))
    watch(Planned("Weight", 1))
    watch.ends()
    assert (watch.progress.started, watch.progress.ended) == (0, 2)


def test_a_traceback_is_shown_without_our_own_frames() -> None:
    stack = (
        "Traceback (most recent call last):\n"
        '  File "/x/djupyter/populate/making/make.py", line 1, in work\n    insert()\n    ^^^^^^\n'
        '  File "/home/ann/lab.py", line 7, in make\n    raise ValueError("no")\n'
        "ValueError: no\n"
    )
    progress = after(
        [Planned("Weight", 1), Failed("Weight", {"mouse": 1}, 0.1, "ValueError: no", stack)]
    )
    (shown,) = shown_failures(progress)
    assert [line.strip() for line in shown["traceback"].splitlines()] == [
        "Traceback (most recent call last):",
        'File "/home/ann/lab.py", line 7, in make',
        'raise ValueError("no")',
        "ValueError: no",
    ]

"""The live diagram without a browser: what it is told, what it counts, and that it waits for nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ipywidgets import HTML

import djupyter as dj
from djupyter.notebook import badges as counting
from djupyter.notebook.badges import Badge, badges
from djupyter.notebook.widgets import diagram as live
from djupyter.notebook.widgets.diagram import Follower, Panel, diagram_widget
from tests.conftest import Database
from tests.statements import statements


@pytest.fixture
def lab(db: Database) -> SimpleNamespace:
    """Four subjects; two of three adults are weighed; a table that others have declared."""
    schema = dj.Schema(db.schema_name("lab"), connection=db.connection)

    @schema
    class Subject(dj.Manual):
        definition = "# <i>A mouse</i>\nsubject : int32\n---\nage : int32"

    @schema
    class Weight(dj.Imported):
        definition = "-> Subject\n---\nweight : float64"
        key_source = Subject & "age > 1"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "weight": 1.0})

    @schema
    class Mean(dj.Computed):
        definition = "-> Weight"

        class Step(dj.Part):
            definition = "-> master\nstep : int32"

    Subject.insert([(n, n) for n in range(1, 5)])
    Weight.populate(max_calls=2)
    return SimpleNamespace(schema=schema, Subject=Subject, Weight=Weight, Mean=Mean)


def structures(lab: SimpleNamespace) -> list[Any]:
    return [each().structure for each in (lab.Subject, lab.Weight, lab.Mean, lab.Mean.Step)]


def test_rows_and_progress_of_all_tables_are_one_statement(
    lab: SimpleNamespace, db: Database
) -> None:
    tables = structures(lab)
    badges(db.connection, tables)
    with statements(db.connection) as seen:
        found = badges(db.connection, tables)
    assert list(found.values()) == [Badge(4), Badge(2, 3), Badge(0, 2), Badge(0)]
    assert len([each for each in seen if not each.startswith("PRAGMA")]) <= 2
    assert sum("count(" in each for each in seen) == 1


def test_without_a_class_keys_are_those_of_the_parents(lab: SimpleNamespace, db: Database) -> None:
    with dj.Connection(db.url) as other:
        found = badges(other, structures(lab))
    assert found[lab.Weight().name] == Badge(2, 4)


def test_counts_end_at_a_bound(
    lab: SimpleNamespace, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "BOUND", 2)
    found = badges(db.connection, structures(lab))
    assert found[lab.Subject().name] == Badge(3)
    assert found[lab.Subject().name].text == "> 2 rows"
    assert found[lab.Weight().name].part is None


def test_a_key_source_that_cannot_be_used_leaves_the_rows(
    lab: SimpleNamespace, db: Database
) -> None:
    lab.Weight.key_source = "nonsense"
    assert badges(db.connection, structures(lab))[lab.Weight().name] == Badge(2)


def test_a_key_source_that_takes_too_long_is_counted_no_more(
    lab: SimpleNamespace, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(dj.Diagram(lab.schema), Panel(), HTML())
    asked = []

    def slow(connection: dj.Connection, tables: Any, *, keys: bool = True) -> dict[Any, Badge]:
        asked.append(keys)
        if keys:
            raise KeyboardInterrupt  # as of a statement that the timer stops
        return badges(connection, tables, keys=keys)

    monkeypatch.setattr(live, "badges", slow)
    for _ in range(2):
        found = follower._counted(structures(lab))
        assert found[lab.Weight().name] == Badge(2)
    assert asked == [True, False, False]


class Browser:
    """What the script in the browser would see: the widgets' traits, and an event for each change."""

    def __init__(self, diagram: dj.Diagram) -> None:
        self.box = diagram_widget(diagram)
        self.panel, _, self.card = self.box.children
        self._changed = threading.Condition()
        for widget in (self.panel, self.card):
            widget.observe(self._note)

    def _note(self, _: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def say(self, kind: str, **more: object) -> None:
        self.panel._handle_custom_msg({"kind": kind, **more}, [])

    def wait(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, timeout=60)

    def badge(self, name: str) -> dict[str, Any] | None:
        (table,) = [each for each in self.panel.graph["tables"] if each["label"] == name]
        return self.panel.badges.get(table["id"])

    def say_visible(self) -> None:
        self.say("visible", tables=[each["id"] for each in self.panel.graph["tables"]])

    def close(self) -> None:
        for widget in (*self.box.children, self.box):
            widget.close()
        for thread in threading.enumerate():
            if thread.name == "djupyter diagram":
                thread.join(60)
                assert not thread.is_alive()


@pytest.fixture
def browser(lab: SimpleNamespace) -> Any:
    browser = Browser(dj.Diagram(lab.schema))
    yield browser
    browser.close()


def test_nothing_runs_and_nothing_is_asked_before_a_browser_shows_it(
    lab: SimpleNamespace, db: Database
) -> None:
    diagram = dj.Diagram(lab.schema)
    before = threading.active_count()
    with statements(db.connection) as seen:
        Browser(diagram).close()
    assert seen == []
    assert threading.active_count() == before


def test_numbers_follow_what_happens_in_other_threads_and_connections(
    lab: SimpleNamespace, browser: Browser
) -> None:
    browser.say_visible()
    browser.wait(lambda: browser.badge("Weight") == {"text": "2 / 3", "part": pytest.approx(2 / 3)})
    assert browser.badge("Subject") == {"text": "4 rows", "part": None}
    lab.Weight.populate()
    browser.wait(lambda: browser.badge("Weight") == {"text": "3 / 3", "part": 1.0})


def test_only_what_is_visible_is_counted(browser: Browser) -> None:
    browser.say("visible", tables=["t0", "t99", None])
    browser.wait(lambda: bool(browser.panel.badges))
    assert set(browser.panel.badges) == {"t0"}


def test_a_chosen_table_shows_its_card_until_none_is(
    browser: Browser, lab: SimpleNamespace
) -> None:
    browser.say("chosen", table="t0")
    browser.wait(lambda: browser.card.value != "")
    assert "4 rows" in browser.card.value
    assert "&lt;i&gt;A mouse&lt;/i&gt;" in browser.card.value
    browser.say("chosen", table=None)
    browser.wait(lambda: browser.card.value == "")


def test_a_table_that_is_gone_shows_an_error_and_stops_nothing(
    browser: Browser, lab: SimpleNamespace
) -> None:
    lab.Mean.drop(prompt=False)
    place = [each["label"] for each in browser.panel.graph["tables"]].index("Mean")
    browser.say("chosen", table=f"t{place}")
    browser.wait(lambda: "dj-fault" in browser.card.value)
    browser.say_visible()
    browser.wait(lambda: browser.badge("Subject") is not None)
    assert browser.badge("Mean") is None


def test_a_follower_hears_from_any_thread(lab: SimpleNamespace, browser: Browser) -> None:
    threads = [threading.Thread(target=browser.say_visible) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    browser.wait(lambda: browser.badge("Subject") is not None)
    names = [each.name for each in threading.enumerate()]
    assert names.count("djupyter diagram") == 1


def test_messages_that_nobody_sends_do_nothing(lab: SimpleNamespace, browser: Browser) -> None:
    follower = Follower(dj.Diagram(lab.schema), Panel(), browser.card)
    for message in ({}, {"kind": "chosen"}, {"kind": "visible"}, {"kind": "alive"}):
        follower._answer(message)
    assert follower._visible == []

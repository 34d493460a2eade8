"""The live table's answers, without a browser, on every database."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import djupyter as dj
from djupyter.notebook.widgets import browsing
from djupyter.notebook.widgets.browse import Browser
from djupyter.notebook.widgets.browsing import Browsing
from djupyter.notebook.widgets.errands import Errand, Errands
from djupyter.query import show
from tests.conftest import Database

TIMEOUT = 60  # seconds; nothing takes so long


class Client:
    """Asks as the browser does, and waits for the answer."""

    def __init__(self, query: Any, text: str = "Trial") -> None:
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self.browsing = Browsing(query, text, "Trial", "Manual", self.heard.put)
        self.opened = self.browsing.opened()
        self.view = self.opened["view"]
        self.asked = 0

    def send(self, do: str, **more: Any) -> int:
        self.asked += 1
        message = {"do": do, "client": "c", "id": self.asked, "view": self.view, **more}
        self.browsing.handle(message)
        return self.asked

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """Return the answer to one question."""
        number = self.send(do, **more)
        while True:
            answer = self.heard.get(timeout=TIMEOUT)
            if answer["id"] == number:
                if answer["kind"] == "view":
                    self.view = answer["view"]
                return answer

    def until(self, kind: str, name: str, value: Any) -> dict[str, Any]:
        """Return the first answer of a kind with some value."""
        while True:
            answer = self.heard.get(timeout=TIMEOUT)
            if answer["kind"] == kind and answer[name] == value:
                return answer


def values(answer: dict[str, Any], place: int = 0) -> list[str]:
    """Return the texts of a column."""
    cells = [row["cells"][place] for row in answer["rows"]]
    return [cell if isinstance(cell, str) else cell[0] for cell in cells]


@pytest.fixture
def trial(db: Database) -> Any:
    schema = dj.Schema(db.schema_name("lab"), connection=db.connection)

    @schema
    class Trial(dj.Manual):
        definition = """
        # One go
        n : int32       # its number
        ---
        w = null : float64
        name : varchar(40)
        data = null : <blob>
        """

    Trial.insert(
        {"n": n, "w": n % 10 if n % 7 else None, "name": f"<b>{n}</b>", "data": None}
        for n in range(500)
    )
    return Trial


@pytest.fixture
def ask(trial: Any) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def made(query: Any = None, text: str = "Trial") -> Client:
        clients.append(Client(trial() if query is None else query, text))
        return clients[-1]

    yield made
    for client in clients:
        client.browsing.close()


def test_pages_follow_each_other_and_any_place_is_found(ask: Callable[..., Client]) -> None:
    client = ask()
    opened = client.opened
    assert values(opened) == [str(n) for n in range(60)]
    assert (opened["top"], opened["bottom"], opened["total"]) == (True, False, None)
    assert [column["name"] for column in opened["columns"]] == ["n", "w", "name", "data"]

    after = client.ask("after", row=opened["rows"][-1]["id"])
    assert values(after) == [str(n) for n in range(60, 120)]
    end = client.ask("end")
    assert values(end) == [str(n) for n in range(440, 500)]
    assert end["bottom"]
    before = client.ask("before", row=end["rows"][0]["id"])
    assert values(before) == [str(n) for n in range(380, 440)]
    jump = client.ask("jump", fraction=0.501)
    assert values(jump)[0] == "250"

    client.send("walk")
    assert client.until("total", "counted", True)["total"] == 500
    jump = client.ask("jump", fraction=0.7)
    assert (values(jump)[0], jump["start"], jump["exact"]) == ("350", 350, True)
    assert client.ask("jump", fraction=0)["top"]
    last = client.ask("jump", fraction=0.99)
    assert (last["bottom"], last["start"]) == (True, 440)


def test_an_order_and_filters_make_a_query_that_gives_just_these_rows(
    trial: Any, ask: Callable[..., Client]
) -> None:
    client = ask()
    order, filters = [["w", True]], {"w": ">= 3", "name": "8</b"}
    view = client.ask("view", order=order, filters=filters)
    assert view["kind"] == "view"
    found = eval(view["text"], {"dj": dj, "Trial": trial})
    rows = found.to_dicts()
    assert 3 < len(rows) <= 60
    assert values(view) == [str(row["n"]) for row in rows]
    assert [row["w"] for row in rows] == sorted((row["w"] for row in rows), reverse=True)
    assert view["total"] == len(rows)

    client.send("walk")
    view = client.ask("view", order=order, filters={})
    assert values(view)[0] == "9"
    end = client.ask("end")
    assert values(end, 1)[-1] == "NULL"  # last in a descending order
    client.send("walk")
    assert client.until("total", "view", client.view)["total"] == 500
    middle = client.ask("jump", fraction=0.5)
    assert set(values(middle, 1)) == {"4.0"} or values(middle, 1)[0] in ("4.0", "5.0")


def test_a_filter_that_cannot_be_read_is_told_and_the_rows_stay(ask: Callable[..., Client]) -> None:
    client = ask()
    error = client.ask("view", order=[], filters={"w": "heavy"})
    assert (error["kind"], error["about"]) == ("error", "rows")
    assert "no number" in error["text"]
    error = client.ask("view", order=[["data", False]], filters={})
    assert "cannot be ordered" in error["text"]
    assert values(client.ask("end"))[-1] == "499"


def test_every_kind_of_query_can_be_browsed(trial: Any, ask: Callable[..., Client]) -> None:
    for query, count in [
        (trial & "n < 100", 100),
        (trial & "n < 0", 0),
        (trial.proj(twice="n * 2"), 500),
        (dj.U("w") & trial, 11),
        (dj.U("w").aggr(trial, k="count(*)"), 11),
        (dj.U().aggr(trial, k="count(*)"), 1),
        (trial & dj.Top(70, "w desc"), 70),
    ]:
        client = ask(query)
        client.send("walk")
        assert client.until("total", "counted", True)["total"] == count
        end = client.ask("end")
        assert end["bottom"]
        if client.opened["rows"] and not client.opened["bottom"]:
            assert values(client.ask("before", row=end["rows"][0]["id"]))


def test_a_query_without_an_order_is_refused(trial: Any) -> None:
    with pytest.raises(dj.DataJointError, match="cannot be ordered"):
        Client(dj.U("data") & trial)


def test_a_histogram_is_counted_and_opaque_columns_say_why_not(ask: Callable[..., Client]) -> None:
    client = ask()
    found = client.ask("histogram", name="w")
    assert sum(bar["count"] for bar in found["bars"]) + found["nulls"] == 500
    assert found["sampled"] is None
    assert "not compared" in client.ask("histogram", name="data")["text"]


def test_a_large_table_is_sampled_unless_all_rows_are_asked_for(
    ask: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "_EXACT", 400)
    monkeypatch.setattr(browsing, "_EACH", 3)
    client = ask()
    found = client.ask("histogram", name="n")
    assert found["sampled"] == 300
    assert client.ask("histogram", name="n", all=True)["sampled"] is None


# Values of a row


def test_a_row_shows_all_its_values_and_objects_their_cards(
    trial: Any, ask: Callable[..., Client]
) -> None:
    long = "line\n" + "x" * 30
    trial.insert1({"n": -2, "name": long, "data": np.arange(5000.0).reshape(50, 100)})
    trial.insert1({"n": -1, "name": "", "data": {"<script>": ["</b>", 1]}})
    client = ask()
    first, second = (row["id"] for row in client.opened["rows"][:2])
    detail = client.ask("detail", row=first)
    texts = {value["name"]: value["text"] for value in detail["values"]}
    assert texts == {"n": "-2", "w": "NULL", "name": long, "data": "float64 (50, 100)"}
    value = client.until("value", "name", "data")
    assert "50 × 100" in value["html"]
    assert "<img" in value["html"]
    client.ask("detail", row=second)
    assert client.until("value", "name", "data")["text"] == "{'<script>': ['</b>', 1]}"


def test_what_is_too_large_is_not_loaded_and_what_is_damaged_says_so(
    trial: Any, ask: Callable[..., Client], db: Database
) -> None:
    db.connection.settings["display.preview_bytes"] = 5_000
    trial.insert1({"n": -2, "name": "", "data": np.random.default_rng(0).random(5000)})
    trial.insert1({"n": -1, "name": "", "data": "short"})
    node = (trial & "n = -1").node
    damaged = db.connection.backend
    from djupyter.query import statement

    table = damaged.relation(trial().structure)
    sql = statement.update(node, damaged, table, "data")
    db.connection.execute(sql.text, sql.parameters((*node.values, b"mYm\0\x07"), damaged.adapt))
    client = ask()
    client.ask("detail", row=client.opened["rows"][0]["id"])
    assert "are not loaded" in client.until("value", "name", "data")["text"]
    client.ask("detail", row=client.opened["rows"][1]["id"])
    assert client.until("value", "name", "data")["failed"]


def test_a_row_that_is_gone_says_so(trial: Any, ask: Callable[..., Client]) -> None:
    client = ask()
    (trial & "n = 0").delete_quick()
    error = client.ask("detail", row=client.opened["rows"][0]["id"])
    assert (error["about"], error["text"]) == ("detail", "The row is not there any more.")


def test_of_blobs_only_the_first_bytes_travel_to_a_page(
    trial: Any, ask: Callable[..., Client], db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.insert(
        {"n": -n, "name": "", "data": np.random.default_rng(n).random(9000)} for n in range(1, 30)
    )
    sizes: list[int] = []
    fetch = db.connection.fetch

    def counted(sql: str, *rest: Any) -> list[Any]:
        rows = fetch(sql, *rest)
        sizes.append(sum(len(v) for row in rows for v in row if isinstance(v, bytes | str)))
        return rows

    monkeypatch.setattr(db.connection, "fetch", counted)
    client = ask()
    client.ask("after", row=client.opened["rows"][-1]["id"])
    client.ask("jump", fraction=0.01)
    assert sizes
    assert max(sizes) < 30 * show.PREFIX_BYTES + 60 * 40


# Beside the kernel's main thread


def test_an_open_transaction_of_the_user_is_left_alone(
    trial: Any, ask: Callable[..., Client], db: Database
) -> None:
    client = ask()
    with db.connection.transaction:
        trial.insert1({"n": 1000, "name": "not yet", "w": 1})
        assert values(client.ask("end"))[-1] == "499"
        assert len(trial & "n = 1000") == 1
    assert values(client.ask("end"))[-1] == "1000"


LONG = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "mysql": "SELECT sleep(600)",
    "postgresql": "SELECT pg_sleep(600)",
}


def test_a_statement_is_stopped_by_something_newer_and_by_the_limit_of_time(db: Database) -> None:
    started, done = threading.Event(), threading.Event()
    said: queue.Queue[str] = queue.Queue()

    def long(errand: Errand) -> None:
        started.set()
        db.connection.fetch(LONG[db.backend])

    errands = Errands(db.connection)
    errands.do(long, said.put)
    assert started.wait(TIMEOUT)
    errands.do(lambda errand: done.set(), said.put)
    assert done.wait(TIMEOUT)
    assert said.empty()
    errands.do(long, said.put, seconds=0.3)
    assert "took longer" in said.get(timeout=TIMEOUT)
    # The session of the thread goes on.
    errands.do(lambda errand: said.put(str(db.connection.fetch("SELECT 7")[0][0])), said.put)
    assert said.get(timeout=TIMEOUT) == "7"


# The widget


def test_the_same_output_has_a_widget_the_static_table_and_text(trial: Any) -> None:
    browser = trial.browse()
    assert isinstance(browser, Browser)
    data, _ = browser._repr_mimebundle_()
    assert set(data) == {
        "application/vnd.jupyter.widget-view+json",
        "text/html",
        "text/plain",
    }
    assert data["text/plain"] == repr(trial()) == repr(browser)
    assert data["text/html"] == trial()._repr_html_()
    assert "&lt;b&gt;" in data["text/html"]
    browser.close()


def test_the_python_text_uses_the_names_of_the_notebook(lab: Any) -> None:
    lab.run("Subject.insert([(n, 'rat') for n in range(3)]); S = Subject")
    lab.run("rats = S & 'subject_id > 1'; both = S.proj() + (S & 'subject_id = 1').proj()")
    lab.run("free = dj.FreeTable(lab.connection, '`lab`.`subject`'); del Subject")
    for shown, text in [
        ("rats", "S & 'subject_id > 1'"),
        ("both", "both"),
        ("free", "S"),
        ("S.proj() + S.proj()", "query"),
    ]:
        lab.run(f"live = ({shown}).browse()")
        assert lab["live"].opened["text"] == text
    lab.run("del S; live = free.browse()")
    assert lab["live"].opened["text"] == "free"


def test_a_message_that_makes_no_sense_is_passed_over(ask: Callable[..., Client]) -> None:
    client = ask()
    for message in ({}, {"do": "drop"}, {"do": "after", "row": 9}, {"do": "end", "view": 99}):
        client.browsing.handle({"client": "c", "id": 0, "view": client.view, **message})
    client.send("stop")
    assert values(client.ask("end"))[-1] == "499"

import sqlite3
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import djupyter as dj
from djupyter.query import show


@pytest.fixture
def seen(db: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any]]]:
    """Every statement that is fetched from now on, with its rows."""
    statements: list[tuple[str, list[Any]]] = []
    fetch = db.connection.fetch

    def watched(sql: str, *rest: Any) -> list[Any]:
        rows = fetch(sql, *rest)
        statements.append((sql, rows))
        return rows

    monkeypatch.setattr(db.connection, "fetch", watched)
    return statements


def test_the_first_rows_by_key_are_shown_and_all_are_counted(t: SimpleNamespace) -> None:
    t.N.insert([(n, n) for n in range(50, 10, -1)])
    shown = repr(t.N())
    assert "*n" in shown
    assert shown.count("\n") == 2 + 12 + 1
    assert "   ..." in shown
    assert "(Total: 43)" in shown
    assert " 1 " in shown
    assert " 50 " not in shown


def test_settings_decide_how_much_is_shown(t: SimpleNamespace, db: Any) -> None:
    db.connection.settings["display.limit"] = 2
    db.connection.settings["display.show_tuple_count"] = False
    shown = repr(t.A())
    assert ("one" in shown, "two" in shown, "o'ne%" in shown) == (True, True, False)
    assert "Total" not in shown
    assert len(t.A().preview()) == 2


def test_counting_stops_at_a_bound(t: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "COUNT_BOUND", 20)
    t.N.insert([(n, n) for n in range(10, 60)])
    assert "(Total: more than 20)" in repr(t.N())
    assert "(Total: more than 20)" in repr(t.N * t.E.proj())
    assert "(Total: 14)" in repr(t.N & "n < 21")


def test_a_top_is_shown_in_its_own_order(t: SimpleNamespace) -> None:
    for query in (t.A & dj.Top(2, "a desc"), (t.A & dj.Top(2, "a desc")).proj("name")):
        shown = repr(query)
        assert shown.index("o'ne%") < shown.index("two")
        assert "(Total: 2)" in shown


def test_of_blobs_only_the_first_bytes_travel(typed: Any, seen: list[Any]) -> None:
    typed.insert([{"id": i, "blob": np.arange(100_000.0), "raw": bytes(100_000)} for i in range(3)])
    seen.clear()
    query = typed.proj("blob", "raw", b2="(blob)")
    for shown in (repr(query), query._repr_html_(), query.preview().to_string()):
        assert "float64 (100000,)" in shown
        assert "bytes 100000" in shown
    assert seen
    values = [value for _, rows in seen for row in rows for value in row]
    assert all(len(value) <= show.PREFIX_BYTES for value in values if isinstance(value, bytes))


def test_a_computed_or_distinct_blob_is_summarised_too(typed: Any, seen: list[Any]) -> None:
    typed.insert([{"id": i, "blob": np.arange(100_000.0)} for i in range(2)])
    seen.clear()
    assert "float64 (100000,)" in repr(typed.proj(q="ifnull(blob, blob)"))
    assert "(Total: 1)" in repr(dj.U("blob") & typed)
    values = [value for _, rows in seen for row in rows for value in row]
    assert all(len(value) <= show.PREFIX_BYTES for value in values if isinstance(value, bytes))


def test_a_short_array_is_drawn_beside_its_summary(typed: Any, seen: list[Any]) -> None:
    typed.insert([{"id": 1, "blob": np.arange(30.0)}, {"id": 2, "blob": np.arange(3000.0)}])
    typed.insert(
        [{"id": n, "blob": v} for n, v in ((3, [1, 2]), (4, np.array([1, np.nan])), (5, "x"))]
    )
    seen.clear()
    html = typed()._repr_html_()
    assert html.count("<svg") == html.count("<polyline") == 1
    assert "float64 (30,)" in html
    assert len(seen) == 1


def test_markup_in_values_names_and_comments_is_escaped(schema: dj.Schema) -> None:
    @schema
    class Evil(dj.Manual):
        definition = """
        # <script>alert('table')</script>
        id : int32   # <script>alert('attribute')</script>
        ---
        text : varchar(80)
        doc : json
        """

    Evil.insert1((1, "<script>alert('value')</script>", {"<script>": "</td>"}))
    html = Evil()._repr_html_()
    assert "<script" not in html
    assert "&lt;script" in html


@pytest.mark.parametrize(
    "query",
    [
        lambda t: t.A & "a > 9",
        lambda t: t.A.proj(),
        lambda t: t.A * t.B,
        lambda t: t.A.aggr(t.B, n="count(b)"),
        lambda t: dj.U("x") & t.A,
        lambda t: dj.U().aggr(t.A, n="count(*)"),
        lambda t: t.A.proj() + t.D.proj(),
        lambda t: t.A & dj.Top(2),
        lambda t: t.S(),
        lambda t: t.S.proj(),
        lambda t: t.C.extend(t.A),
        lambda t: t.A & (t.B & dj.Top(1)),
    ],
)
def test_every_kind_of_query_is_shown(t: SimpleNamespace, query: Any) -> None:
    found = query(t)
    assert isinstance(repr(found), str)
    assert "<table" in found._repr_html_()
    assert len(found.preview()) == len(found)


def test_what_is_wrong_is_shown_in_place_of_rows(t: SimpleNamespace) -> None:
    query = t.E & "e = 1"
    t.E.drop()
    assert repr(query).startswith("MissingTableError: ")
    assert "MissingTableError" in query._repr_html_()


def test_values_that_cannot_be_decoded_are_shown_as_they_are(typed: Any, db: Any) -> None:
    if db.backend != "sqlite":
        pytest.skip("only SQLite lets another program write such values")
    typed.insert1({"id": 1, "d": "2024-01-31", "blob": 5})
    table = typed.connection.backend.quote(typed.connection.backend.locate(typed().name)[1])
    with sqlite3.connect(db.url.removeprefix("sqlite:///")) as other:
        other.execute("PRAGMA ignore_check_constraints = ON")
        other.execute(f"UPDATE {table} SET d = 'someday', blob = x'00FF', j = '{{'")
    other.close()
    shown = repr(typed())
    assert "someday" in shown
    assert typed()._repr_html_()

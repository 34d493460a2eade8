"""What the algebra costs: building a statement, small fetches and large ones, beside the bare driver.

Run it with `python benchmarks/query.py [repeats]`. Everything is on SQLite, in a temporary folder.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import djupyter as dj
from djupyter.query import statement

ROWS = 100_000
SUBJECTS = 1_000
FETCHES = 500
SELECT = "SELECT subject_id, session, day, depth, note FROM {}"


def declare(connection: dj.Connection) -> tuple[Any, Any]:
    """Declare and fill the tables; return their classes."""
    schema = dj.Schema("bench", connection=connection)

    @schema
    class Subject(dj.Manual):
        definition = "subject_id : int32\n---\nspecies : varchar(20)"

    @schema
    class Session(dj.Manual):
        definition = """
        -> Subject
        session : int32
        ---
        day : int32
        depth : float64
        note : varchar(40)
        """

    Subject.insert([(i, ("rat", "mouse")[i % 2]) for i in range(SUBJECTS)])
    Session.insert((i % SUBJECTS, i // SUBJECTS, i, i / 3, f"session {i}") for i in range(ROWS))
    return Subject, Session


def timed(act: Callable[[], object], repeats: int) -> float:
    """Return the median time of an action in milliseconds."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        act()
        times.append(perf_counter() - start)
    return median(times) * 1e3


def report(label: str, ours: float, driver: float | None = None, per: int = 1) -> None:
    """Print one line: our time, the driver's, and how many times longer ours is."""
    line = f"{label:<46}{ours / per:>10.3f} ms"
    print(line if driver is None else f"{line}{driver / per:>10.3f} ms{ours / driver:>7.1f} x")


def building(subject: Any, session: Any, repeats: int) -> None:
    """Measure a query of a join, a projection and an aggregation, from operators to text."""

    def build() -> str:
        joined = (subject & "species = 'rat'").proj() * session.proj("depth", twice="depth * 2")
        text: str = subject.aggr(
            joined & "depth > 5", n="count(session)", top="max(twice)"
        ).make_sql()
        return text

    def cold() -> None:
        statement.forget()
        build()

    report("build join + proj + aggr, statement unknown", timed(cold, repeats * 5))
    report("build join + proj + aggr, statement known", timed(build, repeats * 50))
    report("restrict by a key", timed(lambda: subject & {"subject_id": 5}, repeats * 100))


def small(subject: Any, session: Any, raw: sqlite3.Connection, repeats: int) -> None:
    """Measure many small fetches."""
    table = '"bench.session"'
    one = f"{SELECT.format(table)} WHERE subject_id = ? AND session = ?"
    keys = [{"subject_id": i % SUBJECTS, "session": i % 100} for i in range(FETCHES)]
    ours = timed(lambda: [(session & key).fetch1() for key in keys], repeats)
    driver = timed(lambda: [raw.execute(one, [*key.values()]).fetchall() for key in keys], repeats)
    report(f"fetch1, each of {FETCHES}", ours, driver, per=FETCHES)
    restricted, where = session & "depth > 5", f"FROM {table} WHERE depth > 5"
    ours = timed(lambda: len(restricted), repeats)
    report("len", ours, timed(lambda: raw.execute(f"SELECT count(*) {where}").fetchall(), repeats))
    ours = timed(lambda: bool(restricted), repeats * 20)
    driver = timed(lambda: raw.execute(f"SELECT 1 {where} LIMIT 1").fetchall(), repeats * 20)
    report("bool", ours, driver)


def large(session: Any, raw: sqlite3.Connection, repeats: int) -> None:
    """Measure fetches of a whole table."""
    query = session()
    driver = timed(lambda: raw.execute(SELECT.format('"bench.session"')).fetchall(), repeats)
    for name in ("to_dicts", "to_arrays", "to_pandas", "to_arrow"):
        report(f"{name}, {ROWS:,} rows x 5", timed(getattr(query, name), repeats), driver)
    report(f"iteration, {ROWS:,} rows x 5", timed(lambda: [None for _ in query], repeats), driver)
    keys = query.keys(limit=ROWS // 2)
    report(f"restriction by {ROWS // 2:,} keys", timed(lambda: len(query & keys), repeats))


def relations(subject: Any, session: Any, repeats: int) -> None:
    """Measure restrictions by relations."""
    counted = subject.aggr(session, n="count(*)")
    for label, query in {
        "Session & (Subject & species)": session & (subject & "species = 'rat'"),
        "Session - (Subject & species)": session - (subject & "species = 'rat'"),
        "Subject & Session": subject & session,
        "Subject - Session": subject - session,
        "Subject & (Session & depth)": subject & (session & "depth > 30000"),
        "Subject & (Subject.aggr(...) & n)": subject & (counted & "n > 99"),
    }.items():
        report(f"len({label})", timed(lambda query=query: len(query), repeats))  # type: ignore[misc]


def main() -> None:
    """Print a line for each measurement: ours, the driver's, the ratio."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with TemporaryDirectory() as folder, dj.Connection(f"sqlite:///{Path(folder) / 'b.db'}") as c:
        subject, session = declare(c)
        raw = sqlite3.connect(Path(folder) / "b.db")
        building(subject, session, repeats)
        small(subject, session, raw, repeats)
        large(session, raw, repeats)
        relations(subject, session, repeats)
        raw.close()


if __name__ == "__main__":
    main()

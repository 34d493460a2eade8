"""The benchmarks run: every workload, with few rows. How fast is not for tests to judge."""

import json

import pytest

from benchmarks import big, many
from benchmarks.__main__ import main
from benchmarks.places import Place
from benchmarks.report import as_json, markdown
from benchmarks.tables import TINY
from benchmarks.timing import Aims, Outcome, Workload, measure
from benchmarks.workloads import WORKLOADS
from tests.conftest import Database
from tests.servers import KINDS


@pytest.fixture
def place(db: Database) -> Place:
    return Place(db.server, db.url, db.mark)


# On SQLite and one server in turn: that the measuring works is the same on all of them, and takes its time.
TURNS = [
    pytest.param(workload, server, id=f"{server}-{workload.name}")
    for number, workload in enumerate(WORKLOADS)
    for server in ("sqlite", list(KINDS)[number % len(KINDS)])
]


@pytest.mark.parametrize(("workload", "db"), TURNS, indirect=["db"])
def test_every_workload_measures_every_contender(place: Place, workload: Workload) -> None:
    outcome = measure(workload, place, TINY)
    assert outcome.seconds["djupyter"] > 0
    is_compared = place.has_datajoint and place.name not in workload.alone
    assert ("datajoint" in outcome.seconds) == is_compared
    assert workload.aims.driver is None or outcome.ratio("driver") is not None


def test_streaming_is_measured_in_a_process_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert big.main(rows=1000) == 0
    assert capsys.readouterr().out.startswith("1,000 rows in ")


def test_collection_is_measured_in_a_process_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert many.main(objects=25) == 0
    assert capsys.readouterr().out.startswith("25 objects collected in ")


def test_the_command_line_runs_one_workload_on_one_backend(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["--tiny", "--backend", "sqlite", "--workload", "form known"])
    head, row = capsys.readouterr().out.splitlines()
    assert head.startswith("workload")
    assert row.startswith("build a query, its form known")


def outcome(**seconds: float) -> Outcome:
    aims = Aims(driver=1.5, datajoint={"mysql": 0.5}, statements=20)
    return Outcome(WORKLOADS[0].__class__("work", None, aims), "mariadb", "mysql", seconds, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        ({"djupyter": 1.4, "driver": 1.0, "datajoint": 2.9}, "pass"),
        ({"djupyter": 1.6, "driver": 1.0, "datajoint": 4.0}, "MISS"),
        ({"djupyter": 1.4, "driver": 1.0, "datajoint": 2.0}, "MISS"),
        ({"djupyter": 1.4}, ""),
    ],
)
def test_a_workload_passes_when_it_meets_every_aim(seconds: dict[str, float], verdict: str) -> None:
    assert outcome(**seconds).verdict == verdict


def test_the_report_has_a_row_for_each_outcome() -> None:
    outcomes = [outcome(djupyter=1.0, driver=0.5)]
    assert "| work | mariadb | 1.00 s | 2.00 | 1.50 |" in markdown(outcomes)
    (row,) = json.loads(as_json(outcomes))["outcomes"]
    assert row["verdict"] == "MISS"

"""A worker without a notebook: what it makes, how it is stopped, what it says, and how it ends."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, Signals
from typing import Any

import pytest

import djupyter as dj
from djupyter.cli import _parser, main
from djupyter.settings import Settings
from tests.conftest import Database
from tests.populate.serving import Lab, Worker
from tests.servers import NotAvailable, running, unavailable


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A pipeline in a file."""
    url = f"sqlite:///{tmp_path / 'lab.db'}"
    with dj.Connection(url, settings=Settings(safemode=False)) as connection:
        yield Lab(tmp_path, url, "lab", connection)


def kinds(events: list[dict[str, Any]], *kinds: str) -> list[tuple[Any, ...]]:
    return [(e["table"], e["key"]["i"]) for e in events if e["event"] in kinds]


def wait_for(*files: Path) -> None:
    """Wait until files exist."""
    while not all(file.exists() for file in files):
        time.sleep(0.02)


def test_all_tables_of_a_module_are_made(db: Database, tmp_path: Path) -> None:
    lab = Lab.of(db, tmp_path)
    lab.order("ok", "ok", "ok")
    with lab.worker() as worker:
        status, events = worker.ended()
    assert status == 0
    assert lab.made(lab.Report) == [0, 1, 2]
    assert (events[0]["event"], events[0]["tables"]) == ("begin", ["Result", "Report"])
    assert sorted(kinds(events, "finished")) == [
        (table, i) for table in ("Report", "Result") for i in range(3)
    ]
    summary = events[-2]
    assert (summary["event"], summary["done"], summary["failed"]) == ("summary", 6, 0)
    assert (events[-1]["event"], events[-1]["status"]) == ("end", 0)
    assert lab.statuses() == {}
    assert lab.leases == 0


def test_sigterm_ends_the_key_in_work_and_gives_back_the_rest(db: Database, tmp_path: Path) -> None:
    lab = Lab.of(db, tmp_path)
    lab.order("wait", "ok", "ok")
    with lab.worker("--loop") as worker:
        worker.until("started")
        worker.send(SIGTERM)
        assert worker.until("stopping")["signal"] == "SIGTERM"
        (tmp_path / "go").touch()
        assert worker.status() == 0
    assert (lab.made(), lab.made(lab.Report)) == ([0], [])
    assert lab.statuses() == {1: "pending", 2: "pending"}
    assert lab.leases == 0


@pytest.mark.parametrize(("signals", "grace"), [((SIGTERM,), "0.1"), ((SIGINT, SIGTERM), "1000")])
def test_a_key_is_interrupted_by_the_end_of_the_grace_period_or_a_second_signal(
    lab: Lab, signals: tuple[Any, ...], grace: str
) -> None:
    lab.order("sleep", "ok")
    with lab.worker("--grace", grace) as worker:
        worker.until("started")
        for number in signals:
            worker.send(number)
            if number == signals[0]:
                worker.until("stopping")
        assert worker.status() == 130
    assert lab.made() == []
    assert lab.statuses() == {0: "pending", 1: "pending"}
    assert lab.leases == 0


def test_a_signal_to_all_processes_lets_them_end_their_keys(lab: Lab) -> None:
    lab.order("wait", "wait", "ok", "ok")
    with lab.worker("--processes", "2", "--tables", "Result") as worker:
        wait_for(lab.folder / "begun0", lab.folder / "begun1")
        worker.send(SIGTERM, to_all=True)
        worker.until("stopping")
        (lab.folder / "go").touch()
        assert worker.status() == 0
    assert lab.made() == [0, 1]
    assert lab.statuses() == {2: "pending", 3: "pending"}
    assert lab.leases == 0


def test_in_a_loop_new_keys_are_found(lab: Lab) -> None:
    lab.order("ok")
    with lab.worker("--loop", "--idle", "0.1") as worker:
        worker.until("idle")
        lab.Order.insert1((1, "fail"))
        worker.until("failed")
        lab.Order.insert1((2, "ok"))
        worker.until("finished", table="Report", key={"i": 2})
        worker.send(SIGTERM)
        assert worker.status() == 0
    assert lab.made(lab.Report) == [0, 2]


def test_a_worker_that_is_idle_stops_at_once(lab: Lab) -> None:
    with lab.worker("--loop", "--idle", "1000") as worker:
        worker.until("idle")
        worker.send(SIGINT)
        assert worker.status() == 0


def test_keys_that_fail_harm_no_others_and_are_told(lab: Lab) -> None:
    lab.order("ok", "fail", "leave", "ok")
    with lab.worker() as worker:
        status, events = worker.ended()
    assert status == 1
    assert lab.made(lab.Report) == [0, 3]
    assert lab.statuses() == {1: "error", 2: "error"}
    errors = {e["key"]["i"]: e for e in events if e["event"] == "failed"}
    assert errors[1]["error"] == "ValueError: bad\nkey"
    assert 'raise ValueError("bad\\nkey")' in errors[1]["traceback"]
    assert errors[2]["error"] == "SystemExit: 7"


def test_a_make_that_ends_the_program_and_is_tried_again_ends_nothing_else(lab: Lab) -> None:
    lab.order("leave", "ok")
    (lab.folder / "patient.py").write_text("from processing import *\nResult.max_attempts = 2\n")
    with Worker(["patient", "--url", lab.url, "--json"], lab.folder) as worker:
        status, events = worker.ended()
    assert status == 0
    assert kinds(events, "failed") == [("Result", 0)]
    assert lab.made(lab.Report) == [1]
    assert lab.statuses() == {0: "pending"}


def test_a_health_file_that_cannot_be_touched_is_said_at_once(lab: Lab) -> None:
    with lab.worker("--loop", "--health-file", str(lab.folder / "absent" / "healthy")) as worker:
        status, events = worker.ended()
    assert status == 2
    assert events[-2]["event"] == "gives up"
    assert events[-2]["error"].startswith("FileNotFoundError: ")


def test_people_get_one_line_for_each_event(lab: Lab) -> None:
    lab.order("ok", "fail")
    command = [sys.executable, "-m", "djupyter.cli", "worker", "processing", "--url", lab.url]
    result = subprocess.run(command, cwd=lab.folder, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    events = [line.split()[1] for line in result.stdout.splitlines()]
    assert {*events} == {
        "begin",
        "healthy",
        "planned",
        "started",
        "finished",
        "failed",
        "summary",
        "end",
    }
    (failed,) = [line for line in result.stdout.splitlines() if " failed " in line]
    assert failed.endswith("error='ValueError: bad key'")
    assert "not of the log" in result.stderr  # what make prints


def test_tables_keys_and_their_number_may_be_limited(lab: Lab) -> None:
    lab.order("ok", "ok", "ok", "ok")
    with lab.worker("--tables", "Result", "--restrict", "i > 0", "--max-calls", "2") as worker:
        assert worker.status() == 0
    assert (lab.made(), lab.made(lab.Report)) == ([1, 2], [])
    lab.Result.jobs.refresh(priority=9)
    with lab.worker("--priority", "8") as worker:
        assert worker.status() == 0
    assert lab.made() == lab.made(lab.Report)


@pytest.mark.parametrize("options", [[], ["--processes", "2"]])
def test_a_key_that_never_ends_has_failed_after_the_time_limit(
    lab: Lab, options: list[str]
) -> None:
    lab.order("sleep", "stubborn", "ok")
    with lab.worker("--time-limit", "0.5", *options) as worker:
        status, events = worker.ended()
    assert status == 1
    assert lab.made(lab.Report) == [2]
    assert lab.statuses() == {0: "error", 1: "error"}
    assert {e["error"].split(":")[0] for e in events if e["event"] == "failed"} <= {
        "TimeLimitError",
        "WorkerDied",
    }


def test_a_process_that_hears_nothing_is_killed_after_the_time_limit(lab: Lab) -> None:
    lab.order("deaf", "ok")
    with lab.worker("--time-limit", "0.5", "--processes", "2") as worker:
        status, events = worker.ended()
    assert status == 1
    assert lab.made() == [1]
    (failed,) = [e for e in events if e["event"] == "failed"]
    assert "killed" in failed["error"]


def test_a_worker_that_hears_nothing_is_killed_and_its_key_has_failed(lab: Lab) -> None:
    lab.order("deaf", "ok")
    with lab.worker("--time-limit", "0.5") as worker:
        assert worker.status() == -SIGKILL
    while lab.leases:  # its guardian ends it
        time.sleep(0.02)
    assert lab.statuses() == {0: "error", 1: "pending"}
    with lab.worker() as worker:
        assert worker.status() == 0
    assert lab.made() == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [SIGTERM, SIGKILL])
def test_no_process_outlives_its_worker(lab: Lab, number: Signals) -> None:
    lab.order("wait", "wait")
    with lab.worker("--processes", "2", "--grace", "0") as worker:
        wait_for(lab.folder / "begun0", lab.folder / "begun1")
        children = worker.children()
        assert len(children) >= 2
        worker.send(number)
        assert worker.status() == (130 if number == SIGTERM else -SIGKILL)
    while any(map(is_alive, children)):
        time.sleep(0.02)
    lab.Result.jobs.refresh()
    with lab.worker() as worker:  # as soon as the lease has ended
        worker.until("started")
        (lab.folder / "go").touch()
        assert worker.status() == 0
    assert lab.made() == [0, 1]


def is_alive(pid: int) -> bool:
    """Return whether a process still runs; one that nobody waits for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_key_that_wants_too_much_memory_has_failed(lab: Lab) -> None:
    lab.order("greedy", "ok")
    with lab.worker("--memory", "2GB") as worker:
        status, events = worker.ended()
    assert status == 1
    assert lab.made(lab.Report) == [1]
    (failed,) = [e for e in events if e["event"] == "failed"]
    assert failed["error"].startswith("MemoryError")


def test_the_health_file_is_touched_while_idle_and_while_a_key_is_in_work(lab: Lab) -> None:
    file = lab.folder / "healthy"
    options = ("--loop", "--idle", "0.1", "--health-file", str(file))
    with lab.worker(*options, DJ_JOBS_LEASE="1") as worker:
        assert worker.until("healthy")["database_seconds"] > 0
        assert file.exists()
        lab.order("wait")
        worker.until("started")
        file.unlink()
        wait_for(file)  # the lease is renewed
        (lab.folder / "go").touch()
        worker.until("finished")
        worker.send(SIGTERM)
        assert worker.status() == 0


def test_what_cannot_be_used_is_said(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0")
    (tmp_path / "empty.py").write_text("")
    for arguments, expected in (
        (["absent"], "No module named 'absent'"),
        (["broken"], "ZeroDivisionError"),
        (["empty"], "Nothing was found that can be populated"),
        (["processing", "--tables", "Reslut"], "Did you mean `Result`?"),
    ):
        result = subprocess.run(
            [sys.executable, "-m", "djupyter.cli", "worker", *arguments, "--url", lab.url],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 2
        assert expected in result.stdout


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["m", "--loop", "--max-calls", "3"],
        ["m", "--memory", "much"],
        ["m", "--memory", "0GB"],
        ["m", "--processes", "0"],
        ["m", "--grace", "-1"],
        ["m", "--idle", "nan"],
        ["m", "--time-limit", "0"],
    ],
)
def test_what_is_no_option_is_refused(options: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["worker", *options])
    assert exit_.value.code == 2


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4 * 10**9), ("4GiB", 2**32), ("4g", 2**32), ("1.5 MB", 1_500_000), ("123", 123)],
)
def test_sizes_are_read_as_they_are_written(text: str, size: int) -> None:
    assert _parser().parse_args(["worker", "m", "--memory", text]).memory == size


def test_a_database_that_does_not_answer_has_a_status_of_its_own(lab: Lab) -> None:
    with lab.worker(url="postgresql://nobody@127.0.0.1:1/none") as worker:
        status, events = worker.ended()
    assert status == 3
    assert "No database answers" in events[0]["error"]


def test_a_worker_may_start_before_its_database(lab: Lab) -> None:
    with lab.worker("--loop", url="postgresql://nobody@127.0.0.1:1/none") as worker:
        assert "No database answers" in worker.until("waiting")["error"]
        worker.send(SIGTERM)
        assert worker.status() == 0


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_worker_survives_the_server(kind: str, tmp_path: Path) -> None:
    with ExitStack() as ending:
        try:
            server = ending.enter_context(running(kind))
        except NotAvailable as reason:
            unavailable(kind, str(reason))
        connection = dj.Connection(server.url, settings=Settings(safemode=False))
        lab = Lab(tmp_path, server.url, "lab", ending.enter_context(connection))
        lab.order("ok")
        worker = ending.enter_context(lab.worker("--loop", "--idle", "0.1"))
        worker.until("idle")
        server.kill()
        worker.until("waiting")
        server.start()
        lab.Order.insert1((1, "ok"))
        worker.until("finished", table="Report", key={"i": 1})
        lab.Order.insert1((2, "wait"))
        worker.until("started")
        server.kill()
        (tmp_path / "go").touch()
        server.start()
        worker.until("finished", table="Report", key={"i": 2})
        worker.send(SIGTERM)
        assert worker.status() == 0
        assert lab.made(lab.Report) == [0, 1, 2]
        assert lab.statuses() == {}

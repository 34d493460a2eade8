"""Outcomes as a table of ratios beside the aims: on screen, as Markdown, as JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from benchmarks.timing import Contender, Outcome

HEAD = (
    "workload",
    "backend",
    "djupyter",
    "/ driver",
    "aim",
    "/ datajoint",
    "aim",
    "statements",
    "",
)
_PACKAGES = ("djupyter", "datajoint", "PyMySQL", "psycopg", "psycopg2-binary", "numpy", "pandas")


def cells(outcome: Outcome) -> tuple[str, ...]:
    """Return one row of the table."""
    aims = outcome.workload.aims
    return (
        outcome.workload.name,
        outcome.place,
        _time(outcome.seconds["djupyter"]),
        _ratio(outcome.ratio("driver")),
        _ratio(aims.driver),
        _ratio(outcome.ratio("datajoint")),
        _ratio(aims.datajoint.get(outcome.backend)),
        _statements(outcome),
        outcome.verdict,
    )


def line(row: Sequence[str]) -> str:
    """Return a row for the screen."""
    widths = (42, 12, 12, 10, 7, 12, 7, 22, 5)
    return "".join(
        text.ljust(width) if place < 2 or place > 6 else text.rjust(width - 2) + "  "
        for place, (text, width) in enumerate(zip(row, widths, strict=True))
    ).rstrip()


def markdown(outcomes: Iterable[Outcome]) -> str:
    """Return the table in Markdown, with what it was measured on."""
    rows = [HEAD, ["---"] * len(HEAD), *map(cells, outcomes)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\nMeasured on {', '.join(f'{k} {v}' for k, v in machine().items())}.\n"


def as_json(outcomes: Iterable[Outcome]) -> str:
    """Return all medians, in seconds, as JSON."""
    return json.dumps({"machine": machine(), "outcomes": [*map(_plain, outcomes)]}, indent=2)


def machine() -> dict[str, str]:
    """Return what the times depend on."""
    found = {"Python": platform.python_version(), "cores": str(os.cpu_count()), "on": sys.platform}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _plain(outcome: Outcome) -> dict[str, Any]:
    aims = outcome.workload.aims
    return {
        "workload": outcome.workload.name,
        "backend": outcome.place,
        "seconds": dict(outcome.seconds),
        "statements": dict(outcome.statements),
        "aims": {
            "driver": aims.driver,
            "datajoint": aims.datajoint.get(outcome.backend),
            "statements": aims.statements,
        },
        "verdict": outcome.verdict,
    }


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _statements(outcome: Outcome) -> str:
    order: tuple[Contender, ...] = ("djupyter", "driver", "datajoint")
    counts = [str(outcome.statements[name]) for name in order if name in outcome.statements]
    return " / ".join(counts)

"""The command line: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import big, many, places, report
from benchmarks.tables import TINY, Sizes
from benchmarks.timing import Outcome, measure
from benchmarks.workloads import WORKLOADS


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for; return 1 when an aim is missed."""
    asked = _parser().parse_args(arguments)
    if asked.big:
        return big.main()
    if asked.many:
        return many.main()
    sizes = TINY if asked.tiny else Sizes(repeats=asked.repeats)
    outcomes: list[Outcome] = []
    here = Path.cwd()
    print(report.line(report.HEAD), flush=True)
    # Neither library finds settings in files: there are none where this runs.
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for name in asked.backend or ["sqlite"]:
                outcomes += _measured(name, asked.workload or [""], sizes)
        finally:
            os.chdir(here)
    if asked.markdown:
        asked.markdown.write_text(report.markdown(outcomes))
    if asked.json:
        asked.json.write_text(report.as_json(outcomes))
    return int(any(outcome.verdict == "MISS" for outcome in outcomes))


def _measured(backend: str, wanted: list[str], sizes: Sizes) -> list[Outcome]:
    outcomes = []
    with places.opened(backend) as place:
        for workload in WORKLOADS:
            chosen = any(words in workload.name for words in wanted)
            if chosen and place.backend in workload.backends:
                outcomes.append(measure(workload, place, sizes))
                print(report.line(report.cells(outcomes[-1])), flush=True)
    return outcomes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--backend", action="append", choices=places.NAMES, help="may be repeated")
    parser.add_argument(
        "--workload", action="append", help="only those with this in their name; may be repeated"
    )
    parser.add_argument("--repeats", type=int, default=5, help="rounds, beside one to warm up")
    parser.add_argument("--tiny", action="store_true", help="few rows: does everything run?")
    parser.add_argument("--big", action="store_true", help="stream 10 million rows from SQLite")
    parser.add_argument("--many", action="store_true", help="collect a million objects")
    parser.add_argument("--json", type=lambda text: Path(text).absolute())
    parser.add_argument("--markdown", type=lambda text: Path(text).absolute())
    return parser


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    sys.exit(main())

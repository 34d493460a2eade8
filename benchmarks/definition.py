"""How long a definition of 200 attributes takes to parse and to write.

Run it with `python benchmarks/definition.py`.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

from djupyter.definition.parser import parse
from djupyter.definition.writer import write

ATTRIBUTES = 200
REPEATS = 200
KINDS = (
    "trial_{n} = null : int32  # number of the trial, it's counted from 1",
    'name_{n} = "none: #{n}" : varchar(1{n:03})',
    "sex_{n} = 'U' : enum('M', 'F', 'U', 'no {n}')  # as registered",
    "-> [nullable, unique] subject.Subject.proj(subject_{n}='subject_id')",
    "weight_{n} = 1.5 : decimal(6, 2)  # in grams",
    "signal_{n} = null : <blob@raw>  # samples × channels",
    "started_{n} = CURRENT_TIMESTAMP : datetime(3)",
    "depth_{n} : float64",
)


def definition() -> str:
    """Return a definition that has a bit of everything."""
    lines = [KINDS[n % len(KINDS)].format(n=n + 1) for n in range(ATTRIBUTES)]
    return "\n".join(["# everything", "-> Session", "---", *lines, "index (trial_1, name_2)"])


def main() -> None:
    """Print the first parse, which meets every type anew, and the medians."""
    text = definition()
    start = perf_counter()
    parsed = parse(text)
    print(f"first parse: {(perf_counter() - start) * 1e3:.2f} ms")
    for label, act in (("parse", lambda: parse(text)), ("write", lambda: write(parsed))):
        times = []
        for _ in range(REPEATS):
            start = perf_counter()
            act()
            times.append(perf_counter() - start)
        print(f"{label} {ATTRIBUTES} attributes: {median(times) * 1e3:.2f} ms")


if __name__ == "__main__":
    main()

"""What the panel of a populate costs: trivial keys in a real kernel, with it and without, in turns.

python -m benchmarks.panel [KEYS] [TURNS]
"""

from __future__ import annotations

import statistics
import sys
from typing import Any

from jupyter_client.manager import start_new_kernel

PREPARE = """
import tempfile, time
import djupyter as dj

folder = tempfile.TemporaryDirectory()
lab = dj.Schema("lab", connection=dj.Connection(f"sqlite:///{folder.name}/lab.db"))

@lab
class Key(dj.Manual):
    definition = "n : int32"

@lab
class Made(dj.Computed):
    definition = "-> Key"
    def make(self, key):
        self.insert1(key)

Key.insert([(number,) for number in range(KEYS)])

def timed(**options):
    Made.delete_quick()
    wall, cpu = time.perf_counter(), time.process_time()
    Made.populate(**options)
    print(time.perf_counter() - wall, time.process_time() - cpu)

timed(max_calls=100, display_progress=True)
"""
FORMS = {"without": "timed()", "with": "timed(display_progress=True)"}


def main(keys: int = 10_000, turns: int = 10) -> None:
    """Measure, and print the medians and their ratio."""
    manager, client = start_new_kernel()

    def run(source: str) -> list[float]:
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            said.append(
                message["content"].get("text", "") if message["msg_type"] == "stream" else ""
            )

        client.execute_interactive(source, output_hook=hear, timeout=600)
        return [float(word) for word in "".join(said).split()]

    run(PREPARE.replace("KEYS", str(keys)))
    found: dict[str, list[list[float]]] = {name: [] for name in FORMS}
    for turn in range(turns):
        for name in list(FORMS)[:: 1 if turn % 2 else -1]:
            found[name].append(run(FORMS[name]))
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    for place, what in enumerate(("wall", "cpu")):
        seconds = {name: [turn[place] for turn in found[name]] for name in FORMS}
        ratios = [a / b for a, b in zip(seconds["with"], seconds["without"], strict=True)]
        medians = ", ".join(f"{name} {statistics.median(seconds[name]):.2f} s" for name in FORMS)
        print(f"{what:<5} {medians}, ratio {statistics.median(ratios):.3f} (median of {turns})")


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))

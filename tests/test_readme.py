"""The example of the README runs as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def run(code: str, folder: Path) -> str:
    settings = {name: text for name, text in os.environ.items() if not name.startswith("DJ_")}
    # The folder lies in nobody's project, but a settings file may stand above it all the same.
    settings["DJ_IGNORE_CONFIG_FILE"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=settings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_example_prints_what_the_readme_says_also_the_second_time(tmp_path):
    text = README.read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    (said,) = re.findall(r"It prints `([^`]+)`", text)
    assert run(code, tmp_path) == said
    assert (tmp_path / "djupyter.db").exists()
    assert run(code, tmp_path) == said


def test_the_commands_of_the_readme_are_in_the_makefile():
    makefile = README.with_name("Makefile").read_text(encoding="utf-8")
    commands = set(re.findall(r"^make (\w+)", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert commands == {"demo", "lab", "test", "docs"}
    assert all(f"\n{command}:" in makefile for command in commands)

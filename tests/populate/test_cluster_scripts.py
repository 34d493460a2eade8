"""The submission script of the documentation does what the page says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-on-a-cluster.md"


def test_the_array_of_slurm_runs_a_worker_in_place_of_the_shell(tmp_path: Path) -> None:
    (script,) = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    options = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", script, re.MULTILINE))
    assert script.startswith("#!/usr/bin/env bash\n")
    assert options["array"] == "1-50"
    assert options["signal"] == "B:TERM@300"  # B: to the shell, which the worker has replaced
    assert "requeue" in options
    # An environment and a worker that says who it is and what it was told.
    environment = tmp_path / "lab" / ".venv" / "bin"
    environment.mkdir(parents=True)
    (environment / "activate").write_text(f'PATH="{environment}:$PATH"\n')
    worker = environment / "djupyter"
    worker.write_text('#!/bin/sh\necho $$ "$@"\n')
    worker.chmod(0o755)
    with subprocess.Popen(
        ["bash"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(tmp_path), "SLURM_ARRAY_TASK_ID": "1"},
    ) as shell:
        said, _ = shell.communicate(script)
    assert said == f"{shell.pid} worker my_pipeline.processing --grace 240\n"

"""What `binder/` says is what Binder understands; `.ci/binder` installs it and runs the quickstart."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"
# https://repo2docker.readthedocs.io/en/latest/configuration/: those that have a meaning beside environment.yml.
KNOWN = {"environment.yml", "postBuild", "start", "apt.txt"}


def test_all_files_have_a_meaning_to_repo2docker():
    assert {file.name for file in BINDER.iterdir()} <= KNOWN
    assert not any((ROOT / folder).exists() for folder in (".binder", "environment.yml"))


def test_the_environment_has_a_python_that_the_package_takes():
    environment = yaml.safe_load((BINDER / "environment.yml").read_text())
    (python,) = [it for it in environment["dependencies"] if str(it).startswith("python=")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert (
        f"Programming Language :: Python :: {python.removeprefix('python=')}"
        in project["classifiers"]
    )


def test_the_script_can_be_run():
    script = BINDER / "postBuild"
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("page", ["README.md", ".ci/binder"])
def test_the_address_opens_a_notebook_in_jupyterlab(page):
    opened = set(re.findall(r"lab/tree/([\w/.]+\.ipynb)", (ROOT / page).read_text()))
    assert opened == {"notebooks/00_quickstart.ipynb"}
    assert all((ROOT / path).exists() for path in opened)

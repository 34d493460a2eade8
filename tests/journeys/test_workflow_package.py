"""A pipeline in several modules, one schema each, works as an installed package.

The modules are those of the usual project layout (`src/workflow/subject.py`, `acquisition.py`,
`processing.py`), written for datajoint: only the import line is changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PYPROJECT = """
[build-system]
requires = ["setuptools>=61.0"]
build-backend = "setuptools.build_meta"

[project]
name = "my-pipeline"
version = "0.1.0"
requires-python = ">=3.9"

[tool.setuptools.packages.find]
where = ["src"]

[tool.datajoint]
"display.limit" = 7

[tool.datajoint.stores.main]
protocol = "file"
location = "objects/raw"

[tool.datajoint.stores.processed]
protocol = "file"
location = "objects/processed"
"""

MODULES = {
    "__init__.py": "",
    "subject.py": '''
import djupyter as dj

schema = dj.Schema('subject')

@schema
class Subject(dj.Manual):
    definition = """
    subject_id : int
    ---
    subject_name : varchar(100)
    """

@schema
class SubjectNote(dj.Manual):
    definition = """
    -> Subject
    note_date : date
    ---
    note : varchar(1000)
    """
''',
    "acquisition.py": '''
import djupyter as dj
from . import subject

schema = dj.Schema('acquisition')

@schema
class Session(dj.Manual):
    definition = """
    -> subject.Subject        # Foreign key to upstream schema
    session_id : int
    ---
    session_date : date
    """

@schema
class Scan(dj.Imported):
    definition = """
    -> Session
    scan_idx : int
    """

    def make(self, key):
        self.insert({**key, 'scan_idx': i} for i in range(2))

@schema
class RawScan(dj.Imported):
    definition = """
    -> Scan
    ---
    scan_data : object@main
    """
''',
    "processing.py": '''
import djupyter as dj
from . import acquisition

schema = dj.Schema('processing')

@schema
class ProcessedScan(dj.Computed):
    definition = """
    -> acquisition.Scan
    ---
    quality_score : float
    """

    def make(self, key):
        day = (acquisition.Session & key).fetch1('session_date')
        self.insert1({**key, 'quality_score': self.score(day, key['scan_idx'])})

    def score(self, day, index):
        return day.day + index / 2
''',
}

PROGRAM = """
import json
import warnings

warnings.filterwarnings("ignore", message="These types")
import djupyter as dj
from workflow import acquisition, processing, subject

subject.Subject.insert([(1, "Ada"), (2, "Bo")], skip_duplicates=True)
subject.SubjectNote.insert1((1, "2024-01-01", "calm"), skip_duplicates=True)
acquisition.Session.insert([(1, 1, "2024-01-03"), (2, 1, "2024-01-04")], skip_duplicates=True)
scans = acquisition.Scan.populate()
processed = processing.ProcessedScan.populate()
best = subject.Subject.aggr(processing.ProcessedScan, best="max(quality_score)")
joined = subject.Subject * acquisition.Session * processing.ProcessedScan
print(json.dumps({
    "where": subject.__file__,
    "schemas": dj.list_schemas(),
    "scans": scans["success_count"],
    "processed": processed["success_count"],
    "best": best.to_dicts(order_by="KEY"),
    "joined": len(joined & "subject_name = 'Bo'"),
    "with_scans": len(subject.Subject & acquisition.Scan),
    "parents": acquisition.Session.parents() + processing.ProcessedScan.parents(),
    "raw": acquisition.RawScan.describe(),
    "limit": dj.config["display.limit"],
    "store": dj.config["stores.main"] if "stores.main" in dj.config else dj.config["stores"]["main"],
}))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The source of the package, as a repository would hold it."""
    folder = tmp_path / "my_pipeline"
    package = folder / "src" / "workflow"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    for name, text in MODULES.items():
        (package / name).write_text(text)
    return folder


def installed(project: Path, target: Path) -> Path:
    """Install the package as pip does, without the network, and return where it is."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
    ]
    options = ["--no-index", "--disable-pip-version-check", "--target", str(target), str(project)]
    result = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return target


def run(project: Path, path: Path, database: Path) -> dict[str, object]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("DJ_")}
    paths = [str(path), *filter(None, [environment.get("PYTHONPATH")])]
    environment |= {"DJ_DATABASE_PATH": str(database), "PYTHONPATH": os.pathsep.join(paths)}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_a_pipeline_of_several_modules_works_as_an_installed_package(
    project: Path, tmp_path: Path
) -> None:
    pytest.importorskip(
        "setuptools", reason="the project's build backend: pip install setuptools wheel"
    )
    place = installed(project, tmp_path / "installed")
    database = tmp_path / "lab.db"

    found = run(project, place, database)

    assert Path(str(found.pop("where"))).is_relative_to(place)
    # A relative place is meant from the file that says it.
    assert found.pop("store") == {"protocol": "file", "location": str(project / "objects/raw")}
    assert str(found.pop("raw")).split() == ["->", "Scan", "---", "scan_data", ":", "<object@main>"]
    assert found == {
        "schemas": ["acquisition", "processing", "subject"],
        "scans": 2,
        "processed": 4,
        "best": [{"subject_id": 1, "best": 3.5}, {"subject_id": 2, "best": 4.5}],
        "joined": 2,
        "with_scans": 2,
        "parents": ["`subject`.`subject`", "`acquisition`.`_scan`"],
        "limit": 7,
    }
    assert database.is_file()

    again = run(project, place, database)
    assert (again["scans"], again["processed"], again["joined"]) == (0, 0, 2)

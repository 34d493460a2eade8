"""The command line does what the methods do, and its exit status tells how it went."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import djupyter as dj
from djupyter.cli import main
from djupyter.session import default
from djupyter.settings import Settings


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The URL of a database with a table of objects, one of which no row refers to."""
    entries: dict[str, Any] = {"default": "raw"}
    for name in ("raw", "cold"):
        (tmp_path / name).mkdir()
        entries[name] = {"protocol": "file", "location": str(tmp_path / name)}
    (tmp_path / "datajoint.json").write_text(json.dumps({"stores": entries}))
    monkeypatch.chdir(tmp_path)
    # As in a new process.
    monkeypatch.setattr(default, "_settings", None)
    monkeypatch.setattr(default, "_connection", None)
    url = f"sqlite:///{tmp_path / 'lab.db'}"
    with dj.Connection(url, settings=Settings(safemode=False, stores=entries)) as connection:
        schema = dj.Schema("lab", connection=connection)
        table = schema(
            type("Item", (dj.Manual,), {"definition": "n : int32\n---\no : <object@raw>"})
        )
        table.insert([(1, b"abc"), (2, b"defg")])
        (table & "n = 1").delete()
    yield url
    default.connection.close()


def answered(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_orphans_are_reported_and_removed(lab: str, capsys: pytest.CaptureFixture[str]) -> None:
    scanned = answered(capsys, 0, "gc", "scan", "lab", "--url", lab, "--grace-period", "0")
    assert (scanned["files"], scanned["orphans"]) == (2, 1)
    assert main(["gc", "collect", "lab", "--url", lab, "--grace-period", "0"]) == 0
    shown = capsys.readouterr()
    assert "1 of 2 files" in shown.out
    assert "without --yes" in shown.err
    options = ["--url", lab, "--grace-period", "0", "--store", "raw", "--yes"]
    assert answered(capsys, 0, "gc", "collect", "lab", *options)["removed"] == 1
    assert answered(capsys, 0, "gc", "scan", "lab", "--url", lab)["files"] == 1


def test_a_schema_is_verified(lab: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answered(capsys, 0, "verify", "lab", "--url", lab)["is_valid"]
    for path in (tmp_path / "raw").rglob("n=2/*"):
        path.unlink()
    assert answered(capsys, 1, "verify", "lab", "--url", lab, "--hashes")["counts"]["missing"] == 1
    assert main(["verify", "lab", "--url", lab]) == 1
    assert "1 missing" in capsys.readouterr().out


def test_objects_are_copied(lab: str, capsys: pytest.CaptureFixture[str]) -> None:
    copied = answered(capsys, 0, "copy", "lab", "raw", "cold", "--rewrite", "--url", lab)
    assert (copied["files"], copied["rows"]) == (1, 1)
    assert answered(capsys, 0, "verify", "lab", "--url", lab)["objects"] == 1


def test_what_is_wrong_is_said_without_a_traceback(
    lab: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "lba", "--url", lab]) == 1
    assert "Did you mean `lab`?" in capsys.readouterr().err
    assert main(["gc", "scan", "lab", "--store", "rwa", "--url", lab]) == 1
    assert "not configured" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["gc"], ["verify"], ["copy", "lab", "raw"]])
def test_what_is_no_command_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom djupyter.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n"
        "    print(*[m for m in ('pandas', 'fsspec', 'pydantic') if m in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "verify" in result.stdout
    assert result.stderr.split() == []

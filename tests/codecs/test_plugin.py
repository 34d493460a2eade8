"""The plugin of the how-to, in a package of its own, found by its entry point."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-codec.md"
PROGRAM = """
import djupyter as dj

lab = dj.Instance("sqlite://", safemode=False)
lab.config["stores"] = {"default": "raw", "raw": {"protocol": "file", "location": "."}}
assert {"longtext", "spikes"} <= {*dj.list_codecs()}

@lab.Schema("lab")
class Note(dj.Manual):
    definition = '''
    note : int32
    ---
    body    : <longtext@raw>
    inside  : <spikes>
    outside : <spikes@>
    '''

import lab_codecs
Note.insert1((1, "Once upon a time", lab_codecs.Spikes(7, [0.5]), lab_codecs.Spikes(8, [1.5])))
row = Note.fetch1()
print(row["body"], row["inside"].unit, row["outside"].unit)
"""


def plugin(folder: Path) -> int:
    """Write what the page shows as an installed package; return the number of its lines."""
    text = PAGE.read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_examples(text)
    classes = [e.source for e in examples if e.source.startswith("class ") and "Codec" in e.source]
    plain = [e.source for e in examples if e.source.startswith("class Spikes:")]
    source = "\n\n".join(["import djupyter as dj", *plain, *classes])
    (folder / "lab_codecs.py").write_text(source, encoding="utf-8")
    (offer,) = re.findall(r'^longtext = "(.*)"$', text, flags=re.MULTILINE)
    info = folder / "lab_codecs-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-codecs\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        f"[djupyter.codecs]\nlongtext = {offer}\nspikes = lab_codecs:SpikesCodec\n"
    )
    return len(source.splitlines())


def test_the_plugin_of_the_page_is_found_by_its_entry_point(tmp_path: Path) -> None:
    package, here = tmp_path / "package", tmp_path / "store"
    package.mkdir()
    here.mkdir()
    assert plugin(package) < 100
    paths = os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=here,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "Once upon a time 7 8", done.stderr
    assert len(list(here.rglob("body_*.txt.gz"))) == 1

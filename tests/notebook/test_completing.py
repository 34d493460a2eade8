"""What is offered at a place of a cell; `|` marks the cursor."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.notebook.completing import candidates

HEADS = {
    "Subject": ["subject_id", "species"],
    "Session": ["subject_id", "session", "session_date"],
    "Session.Trial": ["subject_id", "session", "trial"],
    "recent": ["session_date"],
    "ephys.Probe": ["probe"],
}


class Lab:
    """A small notebook."""

    def tables(self) -> Sequence[str]:
        return ["Session", "Session.Trial", "Subject", "ephys.Probe"]

    def in_schema(self, schema: str) -> Sequence[str]:
        return {"ephys": ["Probe"], "lab": ["Session", "Subject"]}.get(schema, [])

    def classes(self) -> Sequence[str]:
        return ["Session", "Session.Trial", "Subject", "recent"]

    def names(self) -> Sequence[str]:
        return ["Session", "Subject", "recent", "subset"]

    def attributes(self, name: str) -> Sequence[str]:
        return HEADS.get(name, [])

    def schemas(self) -> Sequence[str]:
        return ["ephys", "lab"]

    def stores(self) -> Sequence[str]:
        return ["archive", "raw"]

    def codecs(self) -> Sequence[str]:
        return ["attach", "blob", "npy"]

    def options(self, magic: str) -> Sequence[str]:
        return ["--max", "--where"] if magic == "dj_populate" else []


def offered(marked: str) -> list[str]:
    offset = marked.index("|")
    found = candidates(marked.replace("|", ""), offset, Lab())
    if found is None:
        return []
    assert marked[:offset].endswith(found.fragment)
    return [each.text for each in found.all]


TABLE = "%%dj_table Scan : Imported\n# A scan\n"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        # definitions
        (TABLE + "-> |", ["Session", "Session.Trial", "Subject", "ephys.Probe"]),
        (TABLE + "-> Ses|", ["Session", "Session.Trial"]),
        (TABLE + "->ses|", ["Session", "Session.Trial"]),
        (TABLE + "  -> [nullable] Sub|", ["Subject"]),
        (TABLE + "-> Session.T|", ["Session.Trial"]),
        (TABLE + "-> ephys.|", ["ephys.Probe"]),
        (TABLE + "-> lab.s|", ["lab.Session", "lab.Subject"]),
        (TABLE + "-> [|", ["nullable", "unique"]),
        (TABLE + "-> [nullable, u|", ["unique"]),
        (TABLE + '-> Subject.proj(mother="sub|', ["subject_id"]),
        (TABLE + "depth : flo|", ["float32", "float64"]),
        (TABLE + "depth = 0.5 : flo|  # deep\n---\n", ["float32", "float64"]),
        (TABLE + "note = 'a: b' : varc|", ["varchar("]),
        (TABLE + "trace : <|", ["<attach>", "<blob>", "<npy>"]),
        (TABLE + "trace : <b|", ["<blob>"]),
        (TABLE + "trace : <blob@|", ["archive>", "raw>"]),
        (TABLE + "trace : <blob@r|", ["raw>"]),
        (TABLE + "-> Subject\nscan : int8\n---\nindex (s|", ["subject_id", "species", "scan"]),
        (TABLE + "depth : int32  # not flo|", []),
        (TABLE + "# -> Ses|", []),
        (TABLE + "dep|", []),
        ("class A(dj.Manual):\n    definition = '''\n    -> Sub|", ["Subject"]),
        ('class A(dj.Manual):\n    definition = """\n    a : int1|', ["int16"]),
        # headers
        ("%%dj_table Scan : |", ["Manual", "Lookup", "Imported", "Computed"]),
        ("%%dj_table Scan : comp|", ["Computed"]),
        ("%%dj_table Scan :comp|\na : int8", ["Computed"]),
        ("%%dj_table Ses|", ["Session", "Session.Trial"]),
        # magics
        ("%dj_describe S|", ["Session", "Session.Trial", "Subject"]),
        ("%dj_populate Session Sub|", ["Subject"]),
        ("x = 1\n%dj_drop Sub|", ["Subject"]),
        ("%%dj_make Sub|\nself", ["Subject"]),
        ("%dj_diagram Sub|", ["Subject"]),
        ("%dj_populate --w|", ["--where"]),
        ('%dj_populate Session --where "session_|', ["session_date"]),
        ("%dj_populate Session --where session_date|", ["session_date"]),
        ("%dj_tables |", ["ephys", "lab"]),
        ("%dj_diagram ep|", ["ephys", "ephys.Probe"]),
        ("%dj_module la|", ["lab"]),
        ("%dj_connect my|", ["mysql://"]),
        ("%dj_desc|", []),
        # Python
        ("Session & Sub|", ["Subject", "subset"]),
        ("Session * |", ["Session", "Session.Trial", "Subject", "recent", "subset"]),
        ("Session & Session.|", ["Session.Trial"]),
        ("x & Sub|", []),
        ("2 * Sub|", []),
        ('Session & "session_|', ["session_date"]),
        ("Session & 'session_date > 1 and sub|", ["subject_id"]),
        ("Session & \"session_date = 'sub|", []),
        ("(Session * Subject) & 'sp|", ["species"]),
        ('Session & {"session_|', ["session_date"]),
        ("Session & {'subject_id': 1, 'session_|", ["session_date"]),
        ("Session & {'subject_id': 'sub|", []),
        ("Session & [\n    'session_|", ["session_date"]),
        ("recent & 'ses|", ["session_date"]),
        ('Session.proj("ses|', ["session", "session_date"]),
        ("Session.proj(ses|", ['"session"', '"session_date"']),
        ('Session.proj("session", sub|', ['"subject_id"']),
        ("Session.proj(new='sub|", ["subject_id"]),
        ("Session.Trial.fetch1('tr|", ["trial"]),
        ("(Session & 'session > 1').to_arrays('sub|", ["subject_id"]),
        ("print('sub|", []),
        ("Session\nopen('sub|", []),
        ("Session & 'a'  # & Sub|", []),
        ("Session & f'sub|", ["subject_id"]),
        ("%%time\nSession & 'sub|", ["subject_id"]),
        ("%%dj_make Scan\nkey = (Session & 'sub|", ["subject_id"]),
        (TABLE + "a : int8\n\ndef make(self, key):\n    x = Session & 'sub|", ["subject_id"]),
        ("%%dj_table Kind : Lookup\nkind : char(4)\n===\n-> Ses|", []),
        ("%%bash\nls Sub|", []),
    ],
)
def test_what_could_be_meant_is_offered(cell: str, expected: list[str]) -> None:
    assert offered(cell) == expected


@given(
    st.text("ab&->:<@%\"'#(){}[]=.,\n Session", max_size=60),
    st.sampled_from(["", TABLE, "%dj_populate ", "%%dj_sql\n", "Session & '"]),
)
def test_no_cell_is_too_odd(text: str, start: str) -> None:
    cell = start + text
    for offset in range(len(cell) + 1):
        found = candidates(cell, offset, Lab())
        assert found is None or cell[:offset].endswith(found.fragment)

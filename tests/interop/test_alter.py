"""What datajoint declared is altered here, and datajoint reads what came of it."""

from __future__ import annotations

import datajoint
import pytest

import djupyter as dj
from tests.interop.conftest import Both

THING = """
# things
a : int32 # number
---
s : varchar(20) # text
i8 = 3 : int8
f=1.5 : float64
d = "1.5" : decimal(6,2)
flag = 1 : bool
e = "M" : enum('M', 'F')
day = "2024-02-29" : date
t = CURRENT_TIMESTAMP : datetime
t3 = CURRENT_TIMESTAMP(3) : datetime(3)
u = null : uuid # id
j = null : json
b = null : <blob> # any
c = "" : char(4)
"""
CHILD = """
-> Thing
n : int16
---
-> [nullable] Thing.proj(other='a')
x=1.5 : float32 # hm
"""


def declare(library, schema):
    Thing = type("Thing", (library.Manual,), {"definition": THING})
    Child = type("Child", (library.Manual,), {"definition": CHILD})
    schema(Thing, context={"Thing": Thing})
    schema(Child, context={"Thing": Thing})
    return Thing, Child


def test_tables_of_datajoint_are_altered_without_anything_spurious(both: Both, capsys):
    Theirs, TheirChild = declare(datajoint, both.peer.Schema(both.schema_name()))
    Theirs.insert1({"a": 1, "s": "x"})
    TheirChild.insert1({"a": 1, "n": 2, "other": None})
    before = both.snapshot(both.schema_name())
    schema = dj.Schema(both.schema_name(), connection=both.connection)
    Thing, Child = declare(dj, schema)
    context = {"Thing": Thing}
    for table in (Thing, Child):
        capsys.readouterr()
        table.alter(prompt=False, context=context)
        assert capsys.readouterr().out.strip() == "unchanged"
    assert both.snapshot(both.schema_name()) == before

    after = THING.replace("a : int32 # number", "num : int32 # {a} number")
    after = after.replace("s : varchar(20) # text", "s2 : varchar(40) # {s} text")
    Thing.definition = after.replace("'M', 'F'", "'M', 'F', 'U'")
    Thing.alter(prompt=False, context=context)
    assert (Thing * Child.proj("x")).fetch1("num", "s2", "e") == (1, "x", "M")

    peer = datajoint.VirtualModule("lab", both.schema_name(), connection=both.peer.connection)
    assert peer.Child.to_dicts() == [{"num": 1, "n": 2, "other": None, "x": 1.5}]
    assert len(peer.Thing * peer.Child.proj("x")) == 1
    peer.Thing.insert1({"num": 5, "s2": "y", "e": "U"})
    assert (Thing & {"num": 5}).fetch1("s2", "e") == ("y", "U")


_NATIVE = {
    "postgresql": ("v : float", "v=null : float", "v : serial", "v : timestamp", "v : real"),
    "mariadb": ("v : float", "v : real", "v : int unsigned", "v : timestamp", "v : year"),
    "mysql": ("v : float", "v : real", "name : varchar(20)\nindex ((lower(name)))"),
}


@pytest.mark.filterwarnings("ignore::djupyter.definition.types.NativeTypeWarning")
def test_what_the_server_made_of_their_words_is_no_difference(both: Both):
    peer = both.peer.Schema(both.schema_name())
    definitions = {
        f"Table{number}": f"a : int32\n---\n{lines}"
        for number, lines in enumerate(_NATIVE[both.server])
    }
    for name, text in definitions.items():
        peer(type(name, (datajoint.Manual,), {"definition": text}))
    before = both.snapshot(both.schema_name())
    schema = dj.Schema(both.schema_name(), connection=both.connection)
    for name, text in definitions.items():
        table = type(name, (dj.Manual,), {"definition": text})
        schema(table)  # warns of a difference
        table.alter(prompt=False)
    assert both.snapshot(both.schema_name()) == before

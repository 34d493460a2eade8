"""Tables declared here in a schema that datajoint made are like its own, at once and afterwards."""

from __future__ import annotations

import datajoint
import pytest

import djupyter as dj
from tests.interop.conftest import Both
from tests.interop.rows import rows


@pytest.fixture
def schema(both: Both):
    """Their schema, with one table, opened here."""
    peer = both.peer.Schema(both.schema_name())
    peer(type("Lab", (datajoint.Manual,), {"definition": "lab : varchar(8)"}))
    return dj.Schema(both.schema_name(), connection=both.connection)


def declare_mice(schema: dj.Schema) -> tuple[type, type]:
    @schema
    class Mouse(dj.Manual):
        definition = """
        name : varchar(8)
        ---
        coat="grey" : enum('grey', 'white')
        note="" : varchar(20)
        """

    @schema
    class Scan(dj.Manual):
        definition = """
        -> Mouse
        scan : int16
        ---
        -> [nullable] Mouse.proj(other="name")
        """

    return Mouse, Scan


def test_a_new_table_there_can_be_referred_to_by_a_text_at_once(both: Both, schema):
    Mouse, Scan = declare_mice(schema)
    Mouse.insert1({"name": "Ann"})
    Scan.insert1(("Ann", 1, "Ann"))
    peer = datajoint.VirtualModule("lab", schema.database, connection=both.peer.connection)
    assert rows(peer.Scan()) == rows(Scan())


def test_texts_of_a_new_table_there_compare_at_once_as_they_do_afterwards(both: Both, schema):
    Mouse, _ = declare_mice(schema)
    Mouse.insert([{"name": "Ann", "note": "Red"}, {"name": "Bob", "note": "red"}])
    module = dj.VirtualModule("lab", schema.database, connection=both.connection)
    for table in (Mouse, module.Mouse):
        assert (table & 'note = "red"').keys() == [{"name": "Bob"}]
        assert (table & {"note": "Red"}).keys() == [{"name": "Ann"}]
        assert len(dj.U("note") & table) == 2

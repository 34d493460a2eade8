"""What is declared and filled here is opened by datajoint."""

from __future__ import annotations

import datajoint
import pytest

import djupyter as dj
from tests.interop.catalogue import alike
from tests.interop.conftest import Both
from tests.interop.pipeline import declare, fill, subjects
from tests.interop.rows import rows
from tests.interop.test_theirs_read_here import TABLES, member


@pytest.fixture
def ours(both: Both):
    """Our pipeline, filled."""
    schema = dj.Schema(both.schema_name(), connection=both.connection)
    tables = declare(dj, schema, postgresql=both.is_postgresql)
    fill(tables, postgresql=both.is_postgresql)
    return tables


@pytest.fixture
def there(both: Both, ours):
    """Our schema as a virtual module of theirs."""
    schema = both.peer.Schema(both.schema_name(), create_schema=False, create_tables=False)
    return datajoint.VirtualModule("lab", schema.database, connection=both.peer.connection)


def test_the_database_is_as_they_would_have_made_it(both: Both, ours):
    name = both.schema_name("theirs")
    declare(datajoint, both.peer.Schema(name), postgresql=both.is_postgresql)
    # What populate notes of each attempt is ours alone.
    dj.FreeTable(both.connection, f"`{both.schema_name()}`.`~job_log`").drop_quick()
    mine = alike(both.snapshot(both.schema_name()), both.schema_name())
    peers = alike(both.snapshot(name), name)
    for what in peers:
        assert mine[what] == peers[what], what


def test_their_virtual_module_has_all_rows(both: Both, ours, there):
    for name in TABLES:
        assert rows(member(there, name)()) == rows(member(ours, name)()), name


def test_their_classes_open_our_tables_and_find_nothing_to_declare(both: Both, ours):
    before = both.snapshot(both.schema_name())
    theirs = declare(datajoint, both.peer.Schema(both.schema_name()), postgresql=both.is_postgresql)
    for name in TABLES:
        assert rows(member(theirs, name)()) == rows(member(ours, name)()), name
    assert both.snapshot(both.schema_name()) == before


def test_their_headings_have_our_types_comments_and_lineage(both: Both, ours, there):
    for name in TABLES:
        mine, peers = member(ours, name)().heading, member(there, name)().heading
        assert list(mine.names) == list(peers.names)
        for attribute in mine.names:
            assert peers[attribute].lineage == mine[attribute].lineage, (name, attribute)
            if not (both.is_postgresql and attribute in _brought(member(ours, name))):
                # Attributes of a foreign key have no comment in PostgreSQL; ours take the parent's.
                assert (peers[attribute].comment or "") == mine[attribute].comment, (
                    name,
                    attribute,
                )


def _brought(table: type) -> set[str]:
    return {name for key in table().structure.foreign_keys for name in key.names}


def test_rows_inserted_updated_and_deleted_there_are_so_here(both: Both, ours, there):
    new = {**subjects(postgresql=both.is_postgresql)[0], "subject_id": 7, "sex": "F"}
    there.Subject.insert1(new)
    there.Subject.update1({"subject_id": 7, "remark": "again"})
    assert rows(ours.Subject & "subject_id = 7") == rows(there.Subject & "subject_id = 7")
    (there.Session & "subject_id = 1").delete(prompt=False)
    for name in TABLES:
        assert rows(member(there, name)()) == rows(member(ours, name)()), name
    assert len(ours.Scan()) == 1


def test_both_work_on_the_same_tables_in_turn(both: Both, ours):
    theirs = declare(datajoint, both.peer.Schema(both.schema_name()), postgresql=both.is_postgresql)
    for number in range(10, 16):
        mine, other = (ours, theirs) if number % 2 else (theirs, ours)
        mine.Subject.insert1({"subject_id": number, "remark": f"nr {number}"})
        other.Session.insert1((number, 1, None))
        mine.Scan.populate()
        other.Count.populate()
        assert len(mine.Count & {"subject_id": number}) == 1
        assert rows(mine.Count.Item()) == rows(other.Count.Item())
    (theirs.Subject & "subject_id > 12").delete(prompt=False)
    (ours.Subject & "subject_id = 10").delete(prompt=False)
    for name in TABLES:
        assert rows(member(theirs, name)()) == rows(member(ours, name)()), name


def test_their_new_table_may_refer_to_ours_and_ours_to_theirs(both: Both, ours):
    peer_schema = both.peer.Schema(both.schema_name())
    kind, session = ours.Kind, ours.Session
    theirs = declare(datajoint, peer_schema, postgresql=both.is_postgresql)

    class Added(datajoint.Manual):
        definition = """
        -> theirs.Kind
        -> theirs.Session
        ---
        word : varchar(8)
        """

    peer_schema(Added, context={"theirs": theirs})
    schema = dj.Schema(both.schema_name(), connection=both.connection)

    class More(dj.Manual):
        definition = """
        -> Added
        extra : int32
        """

    added = schema["Added"]
    schema(More, context={"Added": added})
    theirs.Kind.insert1(("cat", ""))
    Added.insert1(("cat", 1, 1, "w"))
    More.insert1(("cat", 1, 1, 3))
    assert (kind() & More).fetch1("kind") == "cat"
    assert len(session & More) == 1
    (theirs.Kind & "kind = 'cat'").delete(prompt=False)
    assert len(More()) == 0


def test_a_table_dropped_here_leaves_no_trace_there(both: Both, ours):
    ours.Count.drop(prompt=False)
    peer = both.peer.Schema(both.schema_name())
    assert "__count" not in peer.list_tables()
    assert not [key for key in peer.lineage if ".__count." in key]


def test_columns_of_jobs_tables_that_they_make_for_our_table_are_theirs(both: Both, ours):
    theirs = declare(datajoint, both.peer.Schema(both.schema_name()), postgresql=both.is_postgresql)
    ours.Session.insert1((2, 5, None))
    theirs.Scan.jobs.refresh()
    assert theirs.Scan.jobs.progress()["pending"] == 1
    theirs.Scan.populate(reserve_jobs=True)
    assert rows(theirs.Scan()) == rows(ours.Scan())


_NATIVE = {
    "small": ("smallint", 3),
    "whole": ("int", 3),
    "note": ("text", "t"),
    "day": ("timestamp", "2020-01-02 03:04:05"),
    "price": ("numeric(6,2)", 3),
}
_TRANSLATED = {
    "tiny": ("tinyint", 3),
    "counted": ("int unsigned", 3),
    "year_": ("year", 2000),
    "long": ("longtext", "t"),
}


@pytest.mark.filterwarnings("ignore::djupyter.definition.types.NativeTypeWarning")
def test_native_types_keep_the_plain_comment_where_the_server_knows_them(both: Both):
    schema = dj.Schema(both.schema_name(), connection=both.connection)
    types = {**_NATIVE, **_TRANSLATED}
    lines = "\n".join(f"{name} : {type}  # of {name}" for name, (type, _) in types.items())

    @schema
    class Native(dj.Manual):
        definition = f"a : int32\n---\n{lines}"

    row = {"a": 1, **{name: value for name, (_, value) in types.items()}}
    Native.insert1(row)
    peer = datajoint.VirtualModule("lab", schema.database, connection=both.peer.connection).Native
    peer.insert1({**row, "a": 2})
    assert rows(peer()) == rows(Native())
    assert len(rows(peer())) == 2
    for name in types:
        assert peer.heading[name].comment == f"of {name}"
    if both.is_postgresql:
        sql = """SELECT col_description(%s::regclass, attnum) FROM pg_attribute
            WHERE attrelid = %s::regclass AND attnum > 0"""
        place = f'"{schema.database}"."native"'
        noted = [comment for (comment,) in both.connection.query(sql, (place, place))]
        assert noted[0] == ":int32:"
        assert [c.startswith(":") for c in noted[1:]] == [n in _TRANSLATED for n in types]

"""What datajoint declared and filled is opened here."""

from __future__ import annotations

import datajoint
import pytest

import djupyter as dj
from tests.interop.conftest import Both
from tests.interop.pipeline import declare, fill, subjects
from tests.interop.rows import rows

TABLES = (
    "Kind",
    "Subject",
    "Session",
    "Session.Trial",
    "Pair",
    "Only",
    "Scan",
    "Count",
    "Count.Item",
)


def member(holder: object, path: str) -> type:
    for name in path.split("."):
        holder = getattr(holder, name)
    return holder  # type: ignore[return-value]


@pytest.fixture
def theirs(both: Both):
    """Their pipeline, filled."""
    tables = declare(datajoint, both.peer.Schema(both.schema_name()), postgresql=both.is_postgresql)
    fill(tables, postgresql=both.is_postgresql)
    return tables


@pytest.fixture
def here(both: Both, theirs):
    """Their schema as a virtual module of ours."""
    return dj.VirtualModule("lab", both.schema_name(), connection=both.connection)


def test_a_virtual_module_has_all_tables_and_rows(both: Both, theirs, here):
    for name in TABLES:
        assert rows(member(here, name)()) == rows(member(theirs, name)()), name


def test_a_virtual_module_has_the_keys_and_the_attributes_in_their_order(theirs, here):
    for name in TABLES:
        ours, peers = member(here, name)(), member(theirs, name)()
        assert list(ours.heading.names) == list(peers.heading.names), name
        assert list(ours.primary_key) == list(peers.primary_key), name


def test_every_attribute_has_the_lineage_that_they_noted(theirs, here):
    for name in TABLES:
        ours, peers = member(here, name)(), member(theirs, name)()
        for attribute in peers.heading.names:
            if (noted := peers.heading[attribute].lineage) is not None:
                assert ours.heading[attribute].lineage == noted, (name, attribute)


def test_tables_are_linked_as_they_linked_them(theirs, here):
    for name in TABLES:
        ours, peers = member(here, name)(), member(theirs, name)()
        assert _plain(ours.parents()) == _plain(peers.parents()), name
        assert _plain(ours.children()) == _plain(peers.children()), name


def _plain(names: list[str]) -> list[str]:
    return sorted(name.replace('"', "").replace("`", "") for name in names)


def test_the_declared_types_are_those_of_their_definitions(both: Both, here):
    heading = here.Subject().heading
    text = {name: heading[name].type_text for name in heading.names}
    assert text["subject_id"] == "int32"
    assert text["kind"] == "varchar(20)"
    assert text["sex"].replace(" ", "") == "enum('M','F','U')"
    assert text["exact"] == "datetime(3)"
    assert text["alive"] == "bool"
    assert text["data"] == "<blob>"
    # Nothing in the database says what type a foreign key's attribute was declared with; its parent does.
    assert here.Session().heading["subject_id"].type_text == "int32"
    assert here.Count.Item().heading["session"].type_text == "int16"


def test_comments_and_defaults_read_as_they_were_written(both: Both, here):
    assert "it's said" in here.Kind().describe()
    heading = here.Subject().heading
    assert heading["remark"].comment == "it's free: text"
    assert heading["sex"].default.text == "U"
    assert heading["weight"].default.text in ("1.5", "1.5e0")
    assert heading["seen"].default.kind == "now"


def test_indexes_are_found(here):
    text = here.Subject().describe()
    assert "index (birth)" in text.lower()
    assert "unique index (remark, sex)" in text.lower()


def test_our_describe_of_their_table_can_be_declared_here(both: Both, theirs, here):
    copy = dj.Schema(both.schema_name("copy"), connection=both.connection)
    kind = type("Kind", (dj.Lookup,), {"definition": here.Kind().describe()})
    copy(kind)
    subject = type("Subject", (dj.Manual,), {"definition": here.Subject().describe()})
    copy(subject, context={"Kind": kind})
    assert subject().heading.names == here.Subject().heading.names
    copy.drop()


def test_opening_changes_nothing_in_their_database(both: Both, theirs):
    before = both.snapshot(both.schema_name())
    module = dj.VirtualModule("lab", both.schema_name(), connection=both.connection)
    for name in TABLES:
        member(module, name)().to_dicts()
        member(module, name)().describe()
        repr(member(module, name)())
    schema = dj.Schema(both.schema_name(), connection=both.connection)
    schema.list_tables()
    _ = schema.lineage
    assert both.snapshot(both.schema_name()) == before


def test_the_same_classes_open_their_tables_and_change_nothing(both: Both, theirs):
    before = both.snapshot(both.schema_name())
    schema = dj.Schema(both.schema_name(), connection=both.connection)
    ours = declare(dj, schema, postgresql=both.is_postgresql)
    for name in TABLES:
        assert rows(member(ours, name)()) == rows(member(theirs, name)()), name
    assert both.snapshot(both.schema_name()) == before


def test_altering_their_tables_to_the_same_definition_changes_nothing(both: Both, theirs):
    before = both.snapshot(both.schema_name())
    schema = dj.Schema(both.schema_name(), connection=both.connection)
    ours = declare(dj, schema, postgresql=both.is_postgresql)
    for name in TABLES:
        member(ours, name)().alter(prompt=False)
    assert both.snapshot(both.schema_name()) == before


def test_rows_inserted_here_are_read_there(both: Both, theirs, here):
    new = {
        **subjects(postgresql=both.is_postgresql)[0],
        "subject_id": 7,
        "sex": "F",
        "note": [1, {"a": None}],
    }
    here.Subject.insert1(new)
    assert rows(theirs.Subject() & "subject_id = 7") == rows(here.Subject & "subject_id = 7")
    assert rows(here.Subject & "subject_id = 7")[0]["weight"] == 0.1
    if both.server != "mariadb":  # datajoint gives the text there
        assert (theirs.Subject & "subject_id = 7").fetch1("note") == [1, {"a": None}]


def test_rows_updated_and_deleted_here_are_so_there(both: Both, theirs, here):
    here.Subject.update1({"subject_id": 2, "remark": "changed", "price": None, "alive": False})
    assert rows(theirs.Subject & "subject_id = 2") == rows(here.Subject & "subject_id = 2")
    assert (theirs.Subject & "subject_id = 2").fetch1("remark") == "changed"
    (here.Session & {"subject_id": 1, "session": 1}).delete(prompt=False)
    for name in TABLES:
        assert rows(member(here, name)()) == rows(member(theirs, name)()), name
    assert len(theirs.Scan()) == 2


def test_restrictions_and_joins_give_what_they_give_there(theirs, here):
    assert rows(here.Subject & 'sex = "M"') == rows(theirs.Subject & "sex = 'M'")
    assert rows(here.Subject.proj() * here.Scan) == rows(theirs.Subject.proj() * theirs.Scan)
    ours = here.Session.proj().aggr(here.Session.Trial, n="count(trial)", top="max(score)")
    peers = theirs.Session.proj().aggr(theirs.Session.Trial, n="count(trial)", top="max(score)")
    assert rows(ours) == rows(peers)
    assert rows(here.Session & (here.Scan & "frames > 15")) == rows(
        theirs.Session & (theirs.Scan & "frames > 15")
    )


def test_what_they_left_to_compute_is_computed_here(both: Both, theirs):
    theirs.Session.insert1((2, 5, None))
    schema = dj.Schema(both.schema_name(), connection=both.connection)
    ours = declare(dj, schema, postgresql=both.is_postgresql)
    assert ours.Scan.progress() == (1, 4)
    ours.Scan.populate()
    ours.Count.populate()
    assert theirs.Count.progress() == (0, 4)
    assert rows(theirs.Count.Item()) == rows(ours.Count.Item())


def test_jobs_and_lineage_tables_stay_and_are_not_listed(both: Both, theirs):
    theirs.Session.insert1((2, 5, None))
    theirs.Scan.jobs.refresh()
    name = both.schema_name()
    before = both.snapshot(name)
    module = dj.VirtualModule("lab", name, connection=both.connection)
    assert not [table for table in module.schema.list_tables() if table.startswith("~")]
    schema = dj.Schema(name, connection=both.connection)
    ours = declare(dj, schema, postgresql=both.is_postgresql)
    ours.Subject.insert1(
        {**subjects(postgresql=both.is_postgresql)[1], "subject_id": 9, "remark": "x"}
    )
    assert both.snapshot(name) == before
    theirs.Scan.populate(reserve_jobs=True)
    assert len(ours.Scan()) == 4


def test_hidden_attributes_stay_hidden_and_keep_their_values(both: Both):
    settings = both.peer.config
    settings["jobs.add_job_metadata"] = True
    settings["provenance.capture"] = True
    name = both.schema_name()
    theirs = declare(datajoint, both.peer.Schema(name), postgresql=both.is_postgresql)
    fill(theirs, postgresql=both.is_postgresql)
    hidden = [row[3] for row in both.snapshot(name)["columns"] if str(row[3]).startswith("_job")]
    assert "_job_start_time" in hidden
    module = dj.VirtualModule("lab", name, connection=both.connection)
    assert not [n for n in module.Scan().heading.names if n.startswith("_")]
    module.Scan.insert1(
        {"subject_id": 2, "session": 1, "frames": 3}, allow_direct_insert=True, replace=True
    )
    assert rows(module.Scan()) == rows(theirs.Scan())


def test_opening_leaves_a_lineage_with_rows_missing_and_tables_of_others_as_they_are(
    both: Both, theirs
):
    name, quote = both.schema_name(), both.connection.backend.quote
    both.connection.query(
        f"DELETE FROM {quote(name)}.{quote('~lineage')} WHERE table_name IN ('session', '__count')"
    )
    both.connection.query(f"CREATE TABLE {quote(name)}.{quote('~log')} (a int)")
    both.connection.query(f"CREATE TABLE {quote(name)}.{quote('a__b__c')} (a int PRIMARY KEY)")
    before = both.snapshot(name)
    schema = dj.Schema(name, connection=both.connection)
    ours = declare(dj, schema, postgresql=both.is_postgresql)
    assert len(ours.Subject.proj() * ours.Session) == len(ours.Session()) == 3
    assert len(ours.Scan.proj() * ours.Count) == len(ours.Count())
    dj.virtual_schema(name, connection=both.connection)
    dj.Diagram(schema).make_mermaid()
    assert both.snapshot(name) == before

"""Declared tables read back as they were declared, and keep their keys."""

from __future__ import annotations

import datetime
import uuid
import warnings
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from djupyter.definition.names import TableName
from djupyter.definition.parser import parse
from djupyter.definition.types import parse_type
from djupyter.errors import (
    DataJointError,
    DuplicateError,
    IntegrityError,
    MissingAttributeError,
    MissingTableError,
)
from djupyter.heading.attribute import Attribute
from djupyter.heading.differences import changed
from djupyter.heading.structure import resolve
from djupyter.sql import ddl
from djupyter.sql.connection import Connection
from tests.sql.conftest import LAB, OTHER, ours, place, put

SUBJECT = """
# animals: "all" of 'them' 100%
sid : int32  # subject: id
uid : uuid
---
sex="U" : enum('M','F:x','U')  # gender
dob=null : date
t=CURRENT_TIMESTAMP : datetime
t3=CURRENT_TIMESTAMP(3) : datetime(3)
t6=CURRENT_TIMESTAMP(6) : datetime(6)
moment="2020-01-01" : datetime
other="A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11" : uuid
notes="it's" : varchar(30)
empty="" : varchar(30)
`null`="null" : char(4)
flag=true : bool
off=false : bool
w=1.5 : float64
f=2 : float32
m=1.25 : decimal(6,2)
j=null : json
data=null : <blob>
there=null : <blob@raw>
b=null : bytes
many=-3 : int8
n=3 : int unsigned
long : longtext
at : time
index (dob)
unique index (notes, sex)
index (upper(notes), w)
index (j.a.b[2])
""".replace("`null`", "none")

TABLES = {
    "Subject": SUBJECT,
    "Single": "---\nvalue : int16",
    "Session": """
    -> Subject
    n : int16
    ---
    -> [nullable, unique] Subject.proj(ref='sid', refu='uid')
    -> [nullable] Subject.proj(again='sid', againu='uid')
    -> Single
    index (n, sid)
    """,
    "Pair": """
    -> Session.proj(first='n')
    -> Session.proj(second='n')
    -> Single
    ---
    -> [unique] Session.proj(third='n')
    select : int32  # a word of SQL
    """,
    "Counted": "id : bigint unsigned auto_increment\n---\nx=null : float64",
    "Referring": "-> Counted",
}
WHOLE = {
    "sid": 1,
    "uid": str(uuid.uuid4()),
    "long": "text",
    "at": "12:00:00",
}


@pytest.fixture
def only_sqlite(db):
    if db.backend != "sqlite":
        pytest.skip(
            "about how a file keeps tables: servers have types, indexes and comments of their own"
        )


@pytest.fixture
def subject(connection, declare):
    declare("Subject", SUBJECT)
    return connection


def test_every_structure_reads_back_as_it_was_declared(only_sqlite, connection, declare, db):
    declared = {}
    for class_name, definition in TABLES.items():
        schema = OTHER if class_name == "Pair" else LAB
        structure = declare(class_name, definition, schema)
        declared[structure.name] = structure
    with Connection(db.url) as other:
        read = {s.name: s for tables in ours(other).values() for s in tables.values()}
    assert read == declared
    assert ours(connection) == {
        schema: {n.table: s for n, s in declared.items() if n.schema == schema}
        for schema in (LAB, OTHER)
    }
    for name, structure in declared.items():
        assert read[name].foreign_keys == structure.foreign_keys
        assert [a.lineage for a in read[name].attributes] == [
            a.lineage for a in structure.attributes
        ]


PORTABLE = "\n".join(
    line.replace("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
    for line in SUBJECT.splitlines()
    if not line.startswith(("n=", "long", "at ", "index (upper", "index (j"))
)


def test_structures_read_back_on_every_backend(connection, declare, db):
    """Servers may order indexes and foreign keys in their own way."""
    definitions = {"Subject": PORTABLE, **{n: TABLES[n] for n in ("Single", "Session", "Pair")}}
    declared = {
        name: declare(name, definition, OTHER if name == "Pair" else LAB)
        for name, definition in definitions.items()
    }
    with Connection(db.url) as other:
        for structure in declared.values():
            read = other.catalog.structure(structure.name)
            assert changed(structure, read) == ()
            assert read.comment == structure.comment
            assert set(read.foreign_keys) == set(structure.foreign_keys)
            assert [a.lineage for a in read.attributes] == [a.lineage for a in structure.attributes]


def test_hidden_attributes_read_back(connection):
    ddl.create_schema(connection, LAB)
    hidden = Attribute("_job_version", parse_type("varchar(64)"), comment="code version")
    structure = resolve(parse("a : int8"), TableName(LAB, "__stat"), lambda key: None, [hidden])
    assert ddl.declare(connection, structure)
    connection.catalog.forget()
    read = connection.catalog.structure(structure.name)
    assert read == structure
    assert read.heading.names == ["a"]


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
COMMENTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)
TYPES = st.sampled_from(
    [
        *("int8", "int64", "float32", "bool", "char(3)", "varchar(255)", "date", "datetime(6)"),
        *("uuid", "json", "bytes", "<blob>", "<npy@raw>", "decimal(15,4)", "enum('a','b:c')"),
        *("tinyint unsigned", "double", "mediumtext", "timestamp", "year", "varbinary(20)"),
    ]
).map(parse_type)


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(NAMES, TYPES, COMMENTS), min_size=1, unique_by=lambda a: a[0]), COMMENTS)
def test_any_attributes_and_comments_read_back(attributes, comment):
    name = TableName(LAB, "#any")
    structure = replace(
        resolve(parse("---"), name, lambda key: None),
        comment=comment,
        attributes=tuple(
            Attribute(
                attribute,
                type,
                in_key=i == 0,
                comment=c,
                lineage=f"{LAB}.#any.{attribute}" if i == 0 else None,
            )
            for i, (attribute, type, c) in enumerate(attributes)
        ),
    )
    with Connection("sqlite://") as connection:
        ddl.create_schema(connection, LAB)
        ddl.declare(connection, structure)
        connection.catalog.forget()
        assert connection.catalog.structure(name) == structure


# What the database does by itself


def test_defaults_fill_what_an_insert_leaves_out(only_sqlite, subject):
    put(subject, **WHOLE)
    names = ["sex", "dob", "moment", "other", "notes", "none", "flag", "off", "w", "m", "many"]
    ((*values, t3),) = subject.fetch(f'SELECT {", ".join(names)}, t3 FROM "{LAB}.subject"')
    assert values == [
        *("U", None, "2020-01-01 00:00:00", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "it's"),
        *("null", 1, 0, 1.5, 1.25, -3),
    ]
    assert datetime.datetime.fromisoformat(t3).year >= 2024


def test_a_key_attribute_must_be_given_and_is_not_numbered_silently(
    only_sqlite, connection, declare
):
    declare("Plain", "id : int32")
    with pytest.raises(MissingAttributeError, match="`id`"):
        connection.execute(f'INSERT INTO "{LAB}.plain" DEFAULT VALUES')


def test_an_auto_increment_key_is_numbered(connection, declare):
    declare("Counted", TABLES["Counted"])
    put(connection, "counted", x=1.5)
    put(connection, "counted", x=2.5)
    assert connection.fetch(f"SELECT id FROM {place(connection, 'counted')}") == [(1,), (2,)]


def test_uniqueness_and_foreign_keys_are_kept_by_the_database(connection, declare):
    declare("Mouse", "mouse : int32")
    declare("Cage", "cage : int32\n---\n-> [nullable, unique] Mouse")
    put(connection, "mouse", mouse=1)
    put(connection, "cage", cage=1, mouse=1)
    put(connection, "cage", cage=2, mouse=None)
    put(connection, "cage", cage=3, mouse=None)
    with pytest.raises(DuplicateError, match=r"the same primary key \(cage\) exists already"):
        put(connection, "cage", cage=1, mouse=None)
    with pytest.raises(DuplicateError, match="the same values of mouse"):
        put(connection, "cage", cage=4, mouse=1)
    with pytest.raises(IntegrityError, match=rf"refers to `{LAB}`.`mouse` \(mouse\)"):
        put(connection, "cage", cage=4, mouse=9)
    with pytest.raises(IntegrityError, match="other rows still refer"):
        connection.execute(f"DELETE FROM {place(connection, 'mouse')}")
    connection.execute(f"UPDATE {place(connection, 'mouse')} SET mouse = 5")
    assert connection.fetch(f"SELECT mouse FROM {place(connection, 'cage')} WHERE cage = 1") == [
        (5,)
    ]


def test_a_singleton_holds_one_row(connection, declare):
    declare("Single", TABLES["Single"])
    put(connection, "single", value=1)
    with pytest.raises(DuplicateError, match="the same primary key exists already"):
        put(connection, "single", value=2)


def test_a_foreign_key_gets_an_index_unless_one_begins_with_its_attributes(
    only_sqlite, connection, declare
):
    declare("A", "a : int8")
    declare("B", "b : int8")
    declare("C", "-> A\n-> B\n---\n-> [nullable] A.proj(a2='a')\n-> B.proj(b2='b')\nindex (b2)")
    rows = connection.fetch(
        f"SELECT i.name, x.name FROM pragma_index_list('{LAB}.c') AS i, pragma_index_info(i.name) AS x"
        " WHERE i.origin = 'c' ORDER BY 2"
    )
    assert [attribute for _, attribute in rows] == ["a2", "b", "b2"]


# What cannot be declared


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ("a : decimal(16,2)", "keeps only 15 digits exactly"),
        ("a : int auto_increment\nb : int8", "primary key of one attribute"),
        ("a : int8\n---\nb=CURRENT_TIMESTAMP(3) : datetime", r"Declare it as datetime\(3\)"),
    ],
)
def test_what_sqlite_cannot_keep_is_refused_with_the_way_out(
    only_sqlite, connection, definition, problem
):
    ddl.create_schema(connection, LAB)
    with warnings.catch_warnings(action="ignore"):
        structure = resolve(parse(definition), TableName(LAB, "t"), lambda key: None)
    with pytest.raises(DataJointError, match=problem):
        ddl.declare(connection, structure)
    assert connection.catalog.structure(structure.name) is None


def test_declaring_twice_changes_nothing(connection, declare):
    structure = declare("Mouse", "mouse : int32")
    changed = replace(structure, comment="another one")
    assert not ddl.declare(connection, changed)
    connection.catalog.forget()
    assert connection.catalog.structure(structure.name) == structure


def test_tables_are_neither_declared_nor_dropped_inside_a_transaction(connection, declare):
    structure = declare("Mouse", "mouse : int32")
    with connection.transaction:
        with pytest.raises(DataJointError, match="inside a transaction"):
            ddl.declare(connection, structure)
        with pytest.raises(DataJointError, match="inside a transaction"):
            ddl.drop(connection, structure.name)


def test_a_table_needs_its_schema(connection):
    structure = resolve(parse("a : int8"), TableName(LAB, "t"), lambda key: None)
    with pytest.raises(DataJointError, match=f"schema `{LAB}` does not exist"):
        ddl.declare(connection, structure)


@pytest.mark.parametrize("name", ["", "a.b", "a b", 'a"b', "x" * 65])
def test_a_schema_name_that_would_confuse_is_refused(connection, name):
    with pytest.raises(DataJointError, match="cannot name a schema"):
        ddl.create_schema(connection, name)


# Dropping


def test_dropping_takes_notes_and_lineage_along(only_sqlite, connection, declare):
    structure = declare("Subject", SUBJECT)
    ddl.drop(connection, structure.name)
    assert connection.catalog.structure(structure.name) is None
    assert connection.fetch('SELECT * FROM "~comments"') == []
    assert connection.fetch(f"SELECT * FROM {place(connection, '~lineage')}") == []
    with pytest.raises(MissingTableError):
        connection.fetch(f"SELECT * FROM {place(connection, 'subject')}")


def test_a_table_that_others_refer_to_is_dropped_only_with_them(connection, declare):
    parent = declare("Mouse", "mouse : int32")
    child = declare("Cage", "-> Mouse", OTHER)
    put(connection, "mouse", mouse=1)
    with pytest.raises(DataJointError, match=rf"`{OTHER}`\.`cage` refer to it"):
        ddl.drop(connection, parent.name)
    with pytest.raises(DataJointError, match=rf"`{OTHER}`\.`cage` refer to it"):
        ddl.drop_schema(connection, LAB)
    ddl.drop(connection, parent.name, child.name)
    assert ours(connection) == {LAB: {}, OTHER: {}}


def test_dropping_a_schema_leaves_the_others(connection, declare):
    declare("Mouse", "mouse : int32")
    declare("Cage", "-> Mouse")
    kept = declare("Room", "room : int32", OTHER)
    ddl.drop_schema(connection, LAB)
    assert list(ours(connection)) == [OTHER]
    assert connection.catalog.structure(kept.name) == kept
    with pytest.raises(DataJointError, match="does not exist"):
        ddl.drop_schema(connection, LAB)

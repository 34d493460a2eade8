"""A schema as a Python module: executing it elsewhere declares the same tables."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import djupyter as dj
from djupyter.definition.names import TableName
from djupyter.heading.structure import TableStructure
from djupyter.sql import ddl
from tests.conftest import Database
from tests.pipelines import university

HOSTILE = [
    'it\'s "quoted" and `ticked`',
    'three """ and four """" quotes',
    "'''",
    'ends with a quote "',
    "backslash \\ n \\n \\x41 \\u0041 \\N{DASH} \\",
    "{braces} {0} {{}} $dollar %s %% %(x)s",
    "tab\tinside",
    "bell\x07, nbsp\xa0, \u2028 separator, \x0b, \x85",
    "naïve Ünïcode 日本語 🐁",
    '"""); import os; os.abort() #',
    "# - [x] -> Nobody --- index (a)",
]


def run(path: Path, url: str) -> None:
    """Execute a module in a process of its own, whose default connection is the test's."""
    program = (
        "import runpy, sys, warnings; warnings.simplefilter('error'); "
        "warnings.filterwarnings('ignore', 'The server .* has no TLS'); "
        "import djupyter as dj; dj.conn(sys.argv[1]); runpy.run_path(sys.argv[2])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, url, str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def declared_again(path: Path, db: Database, *schemas: dj.Schema) -> None:
    """Check that the saved modules of schemas, parents first, declare what was there."""
    connection = db.connection
    files, before = [], {}
    for schema in schemas:
        files.append(path / f"{schema.name}.py")
        schema.save(files[-1])
        before[schema.name] = structures(connection, schema.name)
    for schema in reversed(schemas):
        schema.drop(prompt=False)
    for schema, file in zip(schemas, files, strict=True):
        run(file, db.url)
        connection.catalog.forget()
        assert structures(connection, schema.name) == before[schema.name]
        assert schema.save() == file.read_text(encoding="utf-8")


def structures(connection: dj.Connection, schema: str) -> dict[str, TableStructure]:
    """Return the tables of a schema as a fresh look at the database finds them."""
    connection.catalog.forget()
    return dict(connection.catalog.structures(schema))


def table(schema: dj.Schema, base: type, name: str, definition: str, **parts: str) -> type:
    """Declare a class with parts."""
    nested = {own: type(own, (dj.Part,), {"definition": text}) for own, text in parts.items()}
    return schema(type(name, (base,), {"definition": definition, **nested}))


def test_a_pipeline_is_declared_again_in_another_process(
    schema: dj.Schema, db: Database, tmp_path: Path
) -> None:
    university.declare(schema)
    declared_again(tmp_path, db, schema)


def test_every_type_default_and_index_is_declared_again(
    schema: dj.Schema, db: Database, tmp_path: Path
) -> None:
    table(
        schema,
        dj.Manual,
        "Everything",
        r"""
        # one of each
        i8 : int8               # tiny
        i64 : int64
        u : uuid
        d : date
        name : varchar(30)
        kind : enum('a', "it's", 'x:y', '"q"', '\\', 'a,b', 'ü', '')
        ---
        i16 = 5 : int16
        i32 = null : int32
        f32 = 1.5 : float32
        f64 = -1e-300 : float64
        b = 1 : bool
        dec = 2.50 : decimal(8,3)
        c = "x y" : char(4)
        v = "it's \\ \"\"" : varchar(100)   # with 'quotes'
        empty = "" : varchar(10)
        day = "2024-02-29" : date
        at = CURRENT_TIMESTAMP : datetime
        at3 = CURRENT_TIMESTAMP(3) : datetime(3)
        then = "2024-01-31 12:00:00" : datetime
        k = "b" : enum('a', 'b')
        j = null : json
        raw = null : bytes
        stuff = null : <blob>
        file = null : <attach>
        index (day)
        unique index (v, i16)
        index (i32, day)
        """.replace('\\"\\"', '""'),
    )
    declared_again(tmp_path, db, schema)


def test_every_kind_of_key_is_declared_again(
    schema: dj.Schema, db: Database, tmp_path: Path
) -> None:
    table(schema, dj.Manual, "Node", "n : int32  # number\nm : varchar(5)\n---\nw=null : float64")
    table(schema, dj.Lookup, "Alone", "---\nvalue : int32")
    table(
        schema, dj.Manual, "Edge", "-> Node.proj(a='n', b='m')\n-> Node.proj(c='n')\n---\nx : int8"
    )
    table(schema, dj.Manual, "Maybe", "k : int8\n---\n-> [nullable] Node\n-> [unique] Alone")
    table(
        schema,
        dj.Imported,
        "Both",
        "-> Node\nm2 : int8\n---\n-> [nullable, unique] Edge.proj(z='a')",
    )
    table(
        schema,
        dj.Computed,
        "Whole",
        "-> Both",
        One="-> master\none : int8",
        Two="-> master\n-> master.One\n-> Node.proj(n2='n', m3='m')\n---\nunique index (n2)",
    )
    declared_again(tmp_path, db, schema)


def test_other_schemas_are_virtual_modules(schema: dj.Schema, db: Database, tmp_path: Path) -> None:
    table(schema, dj.Manual, "Subject", "subject : int32", Ear="-> master\near : enum('l', 'r')")
    other = dj.Schema(db.schema_name("import"), connection=db.connection)
    lab = dj.virtual_schema(schema.name, connection=db.connection)
    other.add_objects["lab"] = lab
    table(other, dj.Manual, "Session", "-> lab.Subject\nsession : int16")
    table(other, dj.Manual, "Look", "-> lab.Subject.Ear\n-> Session\n---\nseen : bool")
    assert f'{schema.name} = dj.VirtualModule("{schema.name}", "{schema.name}")' in other.save()
    declared_again(tmp_path, db, schema, other)


def test_a_part_that_comes_after_what_depends_on_its_master_is_added_later(
    schema: dj.Schema, db: Database, tmp_path: Path
) -> None:
    session = table(
        schema, dj.Manual, "Session", "session : int32", Trial="-> master\ntrial : int32"
    )
    table(schema, dj.Manual, "Review", "-> Session.Trial\nreview : int32")
    session.Verdict = type("Verdict", (dj.Part,), {"definition": "-> master\n-> Review"})
    schema(session)
    table(schema, dj.Manual, "Answer", "-> Session.Verdict\nanswer : int32")
    assert "Session.Verdict = type(" in schema.save()
    declared_again(tmp_path, db, schema)


def test_no_comment_breaks_out_of_its_string(
    schema: dj.Schema, db: Database, tmp_path: Path
) -> None:
    for number, text in enumerate(HOSTILE):
        definition = f"# {text}\na : int32  # {text}\n---\nb=null : int8  # {text}"
        table(schema, dj.Manual, f"Hostile{number}", definition)
    declared_again(tmp_path, db, schema)


def test_no_value_breaks_out_of_its_string(schema: dj.Schema, db: Database, tmp_path: Path) -> None:
    for number, text in enumerate(HOSTILE):
        single, double = text.replace("'", "''"), text.replace('"', '""')
        definition = (
            f"a : enum('{single}', 'other')\n---\n"
            f"b=\"{double}\" : varchar(100)\nc='{single}' : enum('{single}')"
        )
        table(schema, dj.Manual, f"Hostile{number}", definition)
    declared_again(tmp_path, db, schema)


def test_a_file_is_not_replaced_unless_asked(schema: dj.Schema, tmp_path: Path) -> None:
    table(schema, dj.Manual, "A", "a : int32")
    file = tmp_path / "lab.py"
    assert schema.save(file) == file.read_text() == schema.save()
    file.write_text("mine")
    with pytest.raises(dj.DataJointError, match=r"lab\.py is there already.*overwrite"):
        schema.save(str(file))
    assert file.read_text() == "mine"
    schema.save(str(file), overwrite=True)
    assert "class A(dj.Manual)" in file.read_text()


def test_a_saved_module_reads_like_one_written_by_hand(schema: dj.Schema) -> None:
    table(schema, dj.Manual, "Session", "# a visit\nsession : int32", Trial="-> master\nt : int8")
    table(schema, dj.Computed, "Score", "-> Session\n---\nscore = null : float64  # 0 to 1")
    assert (
        schema.save()
        == f'''"""Tables of a schema, as `schema.save()` found them in the database."""

import djupyter as dj

schema = dj.Schema("{schema.name}")


@schema
class Session(dj.Manual):
    definition = """
    # a visit
    session              : int32
    ---
    """

    class Trial(dj.Part):
        definition = """
        -> master
        t                    : int8
        ---
        """


@schema
class Score(dj.Computed):
    definition = """
    -> Session
    ---
    score=null           : float64                      # 0 to 1
    """
'''
    )


def test_an_empty_schema_is_a_module_without_classes(schema: dj.Schema) -> None:
    program: dict[str, object] = {}
    source = schema.save().replace("dj.Schema(", "dict(name=")
    exec(source, program)
    assert program["schema"] == {"name": schema.name}


def test_tables_that_no_class_can_declare_are_named(schema: dj.Schema, db: Database) -> None:
    connection = db.connection
    table(schema, dj.Manual, "A", "a : int32")
    structure = connection.catalog.structures(schema.name)["a"]
    for name in ("a__b__c", "#a", "nobody__part"):
        ddl.declare(connection, replace(structure, name=TableName(schema.name, name)))
    for name in ("a__b__c", "a"):
        use = f"-> `{schema.name}`.`{name}`"
        table(schema, dj.Manual, "Use" + name.replace("_", ""), use)
    left = (f"`{schema.name}`.`{name}`" for name in ("a", "a__b__c", "nobody__part"))
    source = schema.save()
    assert f"# No class can declare these tables: {', '.join(left)}" in source
    assert source.count(f"-> `{schema.name}`.`a") == 2
    assert "class A(dj.Lookup):" in source

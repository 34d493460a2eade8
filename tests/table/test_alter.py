"""A declared table changes and keeps its rows, or nothing changes and the message says why."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import djupyter as dj
from djupyter.errors import DataJointError, DuplicateError, IntegrityError, InvalidValueError
from djupyter.graph.dependencies import DependencyCycle
from djupyter.heading.planning import plan
from djupyter.table.alter import alter as alter_table
from tests.conftest import Database

BEFORE = """
# Mice
mouse : int32  # number
---
name = "" : varchar(20)
weight = null : float64  # in g
sex = "U" : enum('M', 'F', 'U')
born = null : date
index (name)
"""
ROWS = [
    {"mouse": 1, "name": "Minnie", "weight": 20.5, "sex": "F", "born": "2024-01-31"},
    {"mouse": 2, "name": "Max", "sex": "M"},
    {"mouse": 3},
]

Alter = Callable[..., str]


@pytest.fixture
def Mouse(schema: dj.Schema) -> Any:
    @schema
    class Mouse(dj.Manual):
        definition = BEFORE

    Mouse.insert(ROWS)
    return Mouse


@pytest.fixture
def Session(schema: dj.Schema, Mouse: Any) -> Any:
    @schema
    class Session(dj.Manual):
        definition = """
        -> Mouse
        session : int16
        """

    Session.insert([(1, 1), (2, 1)])
    return Session


@pytest.fixture
def alter(capsys: pytest.CaptureFixture[str]) -> Alter:
    """Give a class another definition, alter its table, and return what is said of it."""

    def alter(cls: Any, definition: str, *, prompt: bool = False) -> str:
        cls.definition = definition
        capsys.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cls.alter(prompt=prompt)
        return capsys.readouterr().out.strip()

    return alter


def refused(alter: Alter, cls: Any, definition: str) -> str:
    """Alter in vain; return the message, after a look that nothing has changed."""
    before = cls.describe(), cls.to_dicts()
    with pytest.raises(DataJointError) as error:
        alter(cls, definition)
    assert (cls.describe(), cls.to_dicts()) == before
    return str(error.value)


def line(before: str, after: str, text: str = BEFORE) -> str:
    assert before in text
    return text.replace(before, after)


# What is done


def test_comments_change(Mouse: Any, alter: Alter) -> None:
    after = line("# Mice", "# All mice", line("# in g", "# body weight"))
    assert alter(Mouse, after) == "altered: changed comments"
    assert "# All mice" in Mouse.describe()
    assert Mouse.heading["weight"].comment == "body weight"


def test_altering_twice_changes_nothing_more(Mouse: Any, alter: Alter) -> None:
    after = line("weight = null : float64  # in g", "mass = null : float64  # {weight} in g")
    assert alter(Mouse, after) == "altered: renamed `weight` to `mass`"
    assert alter(Mouse, after) == "unchanged"
    assert Mouse.heading["mass"].comment == "in g"


def test_new_attributes_get_null_or_their_default_in_the_rows_that_are_there(
    Mouse: Any, alter: Alter
) -> None:
    after = line("---", "---\nnotes = null : json\nroom = 7 : int16  # where")
    assert alter(Mouse, after) == "altered: added `notes`, added `room`"
    assert (Mouse & {"mouse": 1}).fetch1("notes", "room", "name") == (None, 7, "Minnie")
    assert Mouse.heading.names[:3] == ["mouse", "notes", "room"]


def test_a_renamed_attribute_keeps_its_values(Mouse: Any, alter: Alter) -> None:
    after = line("weight = null : float64  # in g", "mass = null : float64  # {weight} in mg")
    assert alter(Mouse, after) == "altered: renamed `weight` to `mass`, changed comments"
    assert (Mouse & "mouse = 1").fetch1("mass") == 20.5


def test_the_key_is_renamed_with_its_lineage_while_nothing_refers_to_it(
    Mouse: Any, alter: Alter
) -> None:
    after = line("mouse : int32  # number", "animal : int64  # {mouse} number")
    alter(Mouse, after)
    assert Mouse.primary_key == ["animal"]
    assert Mouse.heading["animal"].lineage == f"{Mouse().name.schema}.mouse.animal"
    assert sorted(Mouse.to_arrays("animal")) == [1, 2, 3]


@pytest.mark.parametrize(
    ("before", "after", "name", "value"),
    [
        ("varchar(20)", "varchar(6)", "name", "Minnie"),
        ("varchar(20)", "enum('', 'Minnie', 'Max')", "name", "Minnie"),
        ("float64", "decimal(6,2)", "weight", pytest.approx(20.5)),
        ("float64", "float32", "weight", 20.5),
        ("= null : float64", "= null : varchar(9)", "weight", "20.5"),
        ("enum('M', 'F', 'U')", "enum('F', 'M', 'U', 'X')", "sex", "F"),
        ("enum('M', 'F', 'U')", "varchar(3)", "sex", "F"),
        ("born = null : date", "born = null : datetime", "born", pd.Timestamp("2024-01-31")),
        ("born = null : date", "born = null : varchar(10)", "born", "2024-01-31"),
        ("mouse : int32", "mouse : int8", "mouse", 1),
        ("mouse : int32", "mouse : float64", "mouse", 1.0),
        ("mouse : int32", "mouse : varchar(3)", "mouse", "1"),
    ],
)
def test_types_change_when_all_values_fit(
    Mouse: Any, alter: Alter, before: str, after: str, name: str, value: object
) -> None:
    assert alter(Mouse, line(before, after)).startswith(f"altered: changed `{name}` from ")
    found = (Mouse & "name = 'Minnie'").fetch1(name)
    assert (float(found) if name == "weight" and "decimal" in after else found) == value
    assert len(Mouse()) == 3


def test_texts_become_what_they_spell_and_back(Mouse: Any, alter: Alter) -> None:
    for type in ("datetime", "varchar(19)", "datetime", "date", "char(10)", "date"):
        alter(Mouse, line("born = null : date", f"born = null : {type}"))
    assert str((Mouse & "mouse = 1").fetch1("born")) == "2024-01-31"


def test_an_attribute_without_values_becomes_any_type(schema: dj.Schema, alter: Alter) -> None:
    @schema
    class Thing(dj.Manual):
        definition = "a : int32\n---\nb = null : varchar(3)"

    Thing.insert1((1, None))
    for type in (
        "bool",
        "char(2)",
        "json",
        "uuid",
        "varchar(3)",
        "date",
        "bytes",
        "enum('x')",
        "int8",
    ):
        alter(Thing, f"a : int32\n---\nb = null : {type}")
    Thing.insert1({"a": 2})
    Thing.insert1({"a": 3, "b": 4})
    assert Thing.to_arrays("b", order_by="KEY").tolist() == [None, None, 4]


def test_an_enum_loses_a_member_that_no_row_has(Mouse: Any, alter: Alter) -> None:
    Mouse.update1({"mouse": 3, "sex": "F"})
    alter(Mouse, line("sex = \"U\" : enum('M', 'F', 'U')", "sex = \"F\" : enum('M', 'F')"))
    with pytest.raises(InvalidValueError):
        Mouse.insert1({"mouse": 4, "sex": "U"})


def test_required_and_nullable_change_as_the_rows_allow(Mouse: Any, alter: Alter) -> None:
    required = line("weight = null", "weight")
    assert "2 rows have none" in refused(alter, Mouse, required)
    Mouse.update1({"mouse": 2, "weight": 1.0})
    Mouse.update1({"mouse": 3, "weight": 1.0})
    assert alter(Mouse, required) == "altered: made `weight` required"
    with pytest.raises(DataJointError):
        Mouse.insert1({"mouse": 4})
    assert alter(Mouse, BEFORE) == "altered: made `weight` nullable"
    Mouse.insert1({"mouse": 4})


def test_defaults_change_for_rows_to_come(Mouse: Any, alter: Alter) -> None:
    assert alter(Mouse, line('name = ""', 'name = "x"')) == "altered: changed the default of `name`"
    Mouse.insert1({"mouse": 4})
    assert list(Mouse.to_arrays("name", order_by="mouse")) == ["Minnie", "Max", "", "x"]


def test_the_order_changes(Mouse: Any, alter: Alter) -> None:
    alter(Mouse, line("---", "---\nborn = null : date", line("born = null : date\n", "")))
    assert Mouse.heading.names == ["mouse", "born", "name", "weight", "sex"]


def test_indexes_come_and_go(Mouse: Any, alter: Alter) -> None:
    Mouse.update1({"mouse": 2, "weight": 1.5})
    after = line("index (name)", "unique index (name, sex)\nunique index (weight)")
    said = alter(Mouse, after)
    assert said == (
        "altered: added unique index (name, sex), added unique index (weight), dropped index (name)"
    )
    with pytest.raises(DuplicateError):
        Mouse.insert1({"mouse": 4, "weight": 1.5})
    Mouse.insert(
        [{"mouse": 5, "name": "a"}, {"mouse": 6, "name": "b"}]
    )  # no weight is no duplicate
    assert alter(Mouse, line("index (name)", "")).count("dropped") == 2


def test_an_attribute_that_holds_nothing_goes(Mouse: Any, alter: Alter) -> None:
    for mouse in (1, 2):
        Mouse.update1({"mouse": mouse, "sex": None, "born": None})
    after = line("sex = \"U\" : enum('M', 'F', 'U')\nborn = null : date\n", "")
    assert alter(Mouse, after) == "altered: dropped `sex`, dropped `born`"
    assert (Mouse & "mouse = 1").fetch1() == {"mouse": 1, "name": "Minnie", "weight": 20.5}


def test_an_empty_table_without_children_changes_in_any_way(
    schema: dj.Schema, Mouse: Any, alter: Alter
) -> None:
    @schema
    class Lab(dj.Manual):
        definition = "lab : varchar(8)"

    Mouse.delete_quick()
    alter(Mouse, "-> Lab\nn : int16\n---\nname : varchar(20)")
    assert Mouse.primary_key == ["lab", "n"]
    assert Mouse.parents() == [Lab.full_table_name]
    Lab.insert1(("here",))
    Mouse.insert1(("here", 1, "x"))
    with pytest.raises(IntegrityError):
        Mouse.insert1(("there", 1, "x"))
    assert len(Mouse * Lab) == 1
    Mouse.delete_quick()
    alter(Mouse, "n : int16\n---\n-> [nullable, unique] Lab")
    assert Mouse.primary_key == ["n"]
    Mouse.insert([(1, None), (2, None), (3, "here")])
    with pytest.raises(DuplicateError):
        Mouse.insert1((4, "here"))


# What refers to the table


def test_rows_that_refer_to_the_table_stay_and_still_refer_to_it(
    Mouse: Any, Session: Any, alter: Alter
) -> None:
    alter(Mouse, line("varchar(20)", "varchar(40)"))
    assert len(Session()) == 2
    assert Mouse.children() == [Session.full_table_name]
    with pytest.raises(IntegrityError):
        Session.insert1((9, 1))
    with pytest.raises(IntegrityError):
        (Mouse & "mouse = 1").delete_quick()
    (Mouse & "mouse = 1").delete()
    assert Session.to_dicts() == [{"mouse": 2, "session": 1}]


def test_a_table_keeps_its_own_foreign_keys(Mouse: Any, Session: Any, alter: Alter) -> None:
    alter(Session, "-> Mouse\nsession : int32\n---\nnote = '' : varchar(9)")
    assert Session.parents() == [Mouse.full_table_name]
    with pytest.raises(IntegrityError):
        Session.insert1((9, 1, ""))
    assert len(Session * Mouse) == 2


def test_part_tables_survive_the_alteration_of_their_master(
    schema: dj.Schema, alter: Alter
) -> None:
    @schema
    class Scan(dj.Manual):
        definition = "scan : int32"

        class Field(dj.Part):
            definition = "-> master\nfield : int8"

    Scan.insert1((1,))
    Scan.Field.insert1((1, 1))
    alter(Scan, "scan : int32\n---\nnote = null : varchar(9)")
    alter(Scan.Field, "-> master\nfield : int8\n---\ndepth = 0 : int16")
    assert Scan.Field.to_dicts() == [{"scan": 1, "field": 1, "depth": 0}]
    Scan.delete()
    assert len(Scan.Field()) == 0


# What is refused


def test_an_attribute_with_values_does_not_go(Mouse: Any, alter: Alter) -> None:
    message = refused(alter, Mouse, line("weight = null : float64  # in g\n", ""))
    assert "`weight` would go, but 1 row has a value" in message
    assert "20.5" in message
    assert "{weight}" in message


def test_what_may_be_a_renaming_is_asked_for(Mouse: Any, alter: Alter) -> None:
    message = refused(alter, Mouse, line("weight = null", "mass = null"))
    assert "begin its comment with `{weight}`" in message


@pytest.mark.parametrize(
    ("before", "after", "count", "example"),
    [
        ("varchar(20)", "varchar(3)", "1 row has", "'Minnie'"),
        ("enum('M', 'F', 'U')", "enum('M', 'U')", "1 row has", "'F'"),
        ("float64", "int32", "1 row has", "20.5"),
        ("born = null : date", "born = null : int32", "1 row has", "datetime.date(2024, 1, 31)"),
        ('name = "" : varchar(20)', "name = null : date", "3 rows have", "''"),
        ('name = "" : varchar(20)', "name = null : bytes", "3 rows have", "''"),
        ("weight = null : float64", "weight = null : <blob>", "1 row has", "20.5"),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    Mouse: Any, alter: Alter, before: str, after: str, count: str, example: str
) -> None:
    message = refused(alter, Mouse, line(before, after))
    assert count in message
    if "no exact conversion" not in message:
        assert f"for example {example}" in message


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("007", "int32"),
        ("7 mm", "int32"),
        ("1e3", "float64"),
        ("7.25", "int16"),
        ("ab ", "char(3)"),
        ("2024-1-31", "date"),
        ("31.01.2024", "date"),
        ("2024-01-31 12:00", "datetime"),
        ("x", "uuid"),
        ("{a: 1}", "json"),
    ],
)
def test_a_text_that_spells_no_value_of_the_type_is_not_reinterpreted(
    schema: dj.Schema, alter: Alter, text: str, type: str
) -> None:
    @schema
    class Note(dj.Manual):
        definition = "note : int32\n---\ntext : varchar(40)"

    Note.insert1((1, text))
    assert repr(text) in refused(alter, Note, f"note : int32\n---\ntext : {type}")


@pytest.mark.parametrize(
    ("number", "old", "new"),
    [
        (0.1, "float64", "float32"),
        (2**53 + 1, "int64", "float64"),
        (1.5, "float64", "bool"),
        (300, "int16", "int8"),
        ("2024-01-31 12:00:00", "datetime", "date"),
        ("2024-01-31 12:00:00.5", "datetime(3)", "datetime"),
    ],
)
def test_a_value_that_would_become_another_is_refused(
    schema: dj.Schema, alter: Alter, number: object, old: str, new: str
) -> None:
    @schema
    class Value(dj.Manual):
        definition = f"a : int32\n---\nx : {old}"

    Value.insert1((1, number))
    assert "does not fit" in refused(alter, Value, f"a : int32\n---\nx : {new}")


def test_values_of_a_codec_change_neither_codec_nor_place(schema: dj.Schema, alter: Alter) -> None:
    @schema
    class Trace(dj.Manual):
        definition = "a : int32\n---\nx = null : <blob>"

    Trace.insert1((1, [1, 2]))
    assert "no exact conversion" in refused(alter, Trace, "a : int32\n---\nx = null : bytes")
    Trace.update1({"a": 1, "x": None})
    alter(Trace, "a : int32\n---\nx = null : bytes")
    assert Trace.heading["x"].type_text == "bytes"


def test_a_new_attribute_without_value_needs_an_empty_table(Mouse: Any, alter: Alter) -> None:
    after = line("---", "---\nroom : int16")
    message = refused(alter, Mouse, after)
    assert "room = null : int16" in message
    Mouse.delete_quick()
    assert alter(Mouse, after) == "altered: added `room`"


def test_a_unique_index_needs_values_that_differ(Mouse: Any, alter: Alter) -> None:
    Mouse.update1({"mouse": 2, "name": "Minnie"})
    message = refused(alter, Mouse, line("index (name)", "unique index (name)"))
    assert "1 value is there more than once, for example 'Minnie'" in message


def test_changes_of_keys_are_refused_with_the_steps_to_take(
    Mouse: Any, Session: Any, alter: Alter
) -> None:
    message = refused(alter, Mouse, line("---", "cage : int8\n---"))
    assert "change the primary key from (mouse) to (mouse, cage)" in message
    assert "only while no table depends on it, but Session depends on it" in message
    assert "rows = Mouse.to_dicts()" in message


def test_a_key_that_would_close_a_cycle_is_refused(schema: dj.Schema, alter: Alter) -> None:
    @schema
    class First(dj.Manual):
        definition = "first : int8"

    @schema
    class Second(dj.Manual):
        definition = "-> First"

    First.definition = "first : int8\n---\n-> [nullable] Second.proj(other='first')"
    with pytest.raises(DependencyCycle):
        First.alter(prompt=False)


def test_a_transaction_is_no_place_to_alter_in(Mouse: Any, db: Database, alter: Alter) -> None:
    with db.connection.transaction, pytest.raises(DataJointError, match="inside a transaction"):
        alter(Mouse, line("# Mice", "# All mice"))
    assert "# Mice" in Mouse.describe()


def test_a_table_that_someone_else_changed_meanwhile_stays(
    Mouse: Any, db: Database, alter: Alter
) -> None:
    mine = Mouse().structure
    with dj.Connection(db.url) as other:
        theirs = plan(mine, replace(mine, comment="Theirs")).wanted
        alter_table(other, mine, theirs)
    with pytest.raises(DataJointError, match="changed by someone else meanwhile"):
        alter(Mouse, line("# Mice", "# Mine"))
    assert "# Theirs" in Mouse.describe()


# Nothing is lost


def test_the_plan_is_shown_and_nothing_done_without_a_yes(
    Mouse: Any, alter: Alter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda question: "no")
    said = alter(Mouse, line("# Mice", "# All mice"), prompt=True)
    assert said.splitlines()[1:] == ["  change comments", "not altered"]
    assert "# Mice" in Mouse.describe()
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    assert alter(Mouse, line("# Mice", "# All"), prompt=True).endswith("altered: changed comments")


def test_an_interrupt_while_rows_are_copied_changes_nothing(
    Mouse: Any, Session: Any, db: Database, alter: Alter, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = type(db.connection).execute

    def interrupted(self: Any, sql: str, params: Any = ()) -> int:
        # What a transaction of the database can undo is interrupted when it has been done, other
        # statements, each of which is final, before.
        if any(word in sql for word in ("RENAME", "DROP", "ALTER")):
            if db.connection.backend.defines_in_transactions:
                execute(self, sql, params)
            raise KeyboardInterrupt
        return execute(self, sql, params)

    before = Mouse.describe(), Mouse.to_dicts()
    with monkeypatch.context() as patch:
        patch.setattr(type(db.connection), "execute", interrupted)
        with pytest.raises(KeyboardInterrupt):
            alter(Mouse, line("varchar(20)", "varchar(40)"))
    assert (Mouse.describe(), Mouse.to_dicts()) == before
    assert not db.connection.in_transaction
    with pytest.raises(IntegrityError):
        Session.insert1((9, 1))


@pytest.mark.filterwarnings("ignore::djupyter.definition.types.NativeTypeWarning")
def test_rows_are_numbered_on_after_an_alteration(schema: dj.Schema, alter: Alter) -> None:
    @schema
    class Event(dj.Manual):
        definition = "event : bigint auto_increment\n---\nwhat = '' : varchar(8)"

    Event.insert([{"what": "a"}, {"what": "b"}])
    (Event & "event = 2").delete_quick()
    alter(Event, "event : bigint auto_increment\n---\nwhat = '' : varchar(16)")
    Event.insert1({"what": "c"})
    assert sorted(Event.to_arrays("event")) == [1, 3]
    Event.delete_quick()
    alter(Event, "event : bigint auto_increment\n---\nwhat = '' : varchar(32)")
    Event.insert1({"what": "d"})
    assert sorted(Event.to_arrays("event")) == [4]


def test_triggers_and_indexes_of_other_programs_survive(
    Mouse: Any, db: Database, alter: Alter
) -> None:
    if db.backend != "sqlite":
        pytest.skip("servers change tables in place")
    table = f'"{Mouse().name.schema}.mouse"'
    connection = db.connection
    connection.execute(f"CREATE INDEX mine ON {table} (born)")
    connection.execute(f"CREATE VIEW seen AS SELECT * FROM {table}")
    connection.execute(
        f"CREATE TRIGGER watch AFTER INSERT ON {table} BEGIN UPDATE {table} SET sex = 'M'; END"
    )
    alter(Mouse, line("varchar(20)", "varchar(40)"))
    kept = connection.fetch(
        "SELECT name FROM sqlite_master WHERE name IN ('mine', 'watch', 'seen')"
    )
    assert len(kept) == 3
    assert len(connection.fetch("SELECT * FROM seen")) == 3


def test_another_connection_sees_the_altered_table(Mouse: Any, db: Database, alter: Alter) -> None:
    with dj.Connection(db.url) as other:
        table = dj.FreeTable(other, Mouse.full_table_name)
        assert "notes" not in table.heading.names
        alter(Mouse, line("---", "---\nnotes = null : json"))
        other.catalog.forget()
        assert "notes" in table.heading.names
        assert len(table) == 3


def test_the_database_file_stays_sound(
    Mouse: Any, Session: Any, db: Database, alter: Alter
) -> None:
    if db.backend != "sqlite":
        pytest.skip("looks into a file")
    alter(Mouse, line("varchar(20)", "varchar(40)"))
    with sqlite3.connect(db.url.removeprefix("sqlite:///")) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master")]
        assert not any(" new" in name for name in names)


def test_an_altered_table_is_the_same_as_one_declared_anew(
    Mouse: Any, db: Database, alter: Alter
) -> None:
    if db.backend != "sqlite":
        pytest.skip("compares the statements in a file")
    after = line("---", "---\nnotes = null : <blob>\nroom = 7 : int16  # where")
    after = line("weight = null : float64", "weight = 1.5 : decimal(9,3)", after)
    after = line("index (name)", "unique index (born)\nindex (room, sex)", after)
    Mouse.delete_quick()
    alter(Mouse, after)
    name = Mouse().name
    with dj.Connection("sqlite://") as fresh:
        Declared: Any = type("Mouse", (dj.Manual,), {"definition": after})
        dj.Schema(name.schema, connection=fresh)(Declared)
        kept = "SELECT name, sql FROM sqlite_master WHERE tbl_name = ? ORDER BY name"
        tables = [c.fetch(kept, (f"{name.schema}.{name.table}",)) for c in (fresh, db.connection)]
        assert tables[0] == tables[1]
        notes = 'SELECT * FROM "~comments" ORDER BY table_name, attribute_name'
        assert fresh.fetch(notes) == db.connection.fetch(notes)
        assert Declared().structure == Mouse().structure

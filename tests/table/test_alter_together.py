"""A table changes together with what refers to it: keys, foreign keys, tiers; and a plan can be seen before."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import DataJointError, DuplicateError, IntegrityError, MissingTableError
from tests.conftest import Database

Alter = Callable[..., str]


@pytest.fixture
def alter(capsys: pytest.CaptureFixture[str]) -> Alter:
    """Give a class another definition, alter its table, and return what is said of it."""

    def alter(cls: Any, definition: str, **options: Any) -> str:
        cls.definition = definition
        capsys.readouterr()
        cls.alter(**{"prompt": False, **options})
        return capsys.readouterr().out.strip()

    return alter


@pytest.fixture
def pipeline(schema: dj.Schema) -> Any:
    """A mouse with sessions, scans of them, and a cage mate."""

    @schema
    class Mouse(dj.Manual):
        definition = "mouse : int32  # number\n---\nname = '' : varchar(20)"

        class Mark(dj.Part):
            definition = "-> master\nmark : int8"

    @schema
    class Session(dj.Manual):
        definition = "-> Mouse\nsession : int16\n---\n-> [nullable] Mouse.proj(mate='mouse')"

    @schema
    class Scan(dj.Manual):
        definition = "-> Session\nscan : int16\n---\nindex (mouse)"

    Mouse.insert([(1, "Minnie"), (2, "Max")])
    Mouse.Mark.insert([(1, 1), (2, 3)])
    Session.insert([(1, 1, 2), (2, 1, None)])
    Scan.insert([(1, 1, 1), (2, 1, 7)])
    return Mouse, Session, Scan


def refused(cls: Any, definition: str, alter: Alter, **options: Any) -> str:
    before = cls.describe(), cls.to_dicts()
    with pytest.raises(DataJointError) as error:
        alter(cls, definition, **options)
    assert (cls.describe(), cls.to_dicts()) == before
    return str(error.value)


# Keys that others refer to


def test_a_renamed_key_takes_all_that_refer_to_it_along(pipeline: Any, alter: Alter) -> None:
    Mouse, Session, Scan = pipeline
    said = alter(Mouse, "animal : int32  # {mouse} number\n---\nname = '' : varchar(20)")
    assert said == "altered: renamed `mouse` to `animal`"
    assert Session.heading.names == ["animal", "session", "mate"]
    assert Scan.to_dicts() == [
        {"animal": 1, "session": 1, "scan": 1},
        {"animal": 2, "session": 1, "scan": 7},
    ]
    assert Mouse.Mark.heading.names == ["animal", "mark"]
    assert len(Scan * Mouse) == 2
    assert len(Session * Mouse.proj(mate="animal")) == 1
    lineage = f"{Mouse().name.schema}.mouse.animal"
    assert Scan.heading["animal"].lineage == Session.heading["mate"].lineage == lineage
    with pytest.raises(IntegrityError):
        Session.insert1((9, 1, None))
    Session.definition = Session.definition.replace("mate='mouse'", "mate='animal'")
    Scan.definition = Scan.definition.replace("index (mouse)", "index (animal)")
    for cls in (Mouse, Session, Scan):
        assert alter(cls, cls.definition) == "unchanged"
    (Mouse & "animal = 1").delete()
    assert Scan.to_dicts() == [{"animal": 2, "session": 1, "scan": 7}]


def test_a_renaming_that_meets_another_attribute_is_refused(pipeline: Any, alter: Alter) -> None:
    Mouse, *_ = pipeline
    text = "mate : int32  # {mouse} number\n---\nname = '' : varchar(20)"
    assert "Session has an attribute `mate` already" in refused(Mouse, text, alter)


def test_a_key_gets_another_type_with_all_that_refer_to_it(
    pipeline: Any, alter: Alter, db: Database
) -> None:
    Mouse, Session, Scan = pipeline
    text = "mouse : int64  # number\n---\nname = '' : varchar(20)"
    if not db.connection.backend.retypes_keys:
        message = refused(Mouse, text, alter)
        assert "change `mouse` of the primary key from int32 to int64" in message
        assert "(1) keep the rows" in message
        return
    assert alter(Mouse, text) == "altered: changed `mouse` from int32 to int64"
    assert [t.heading[n].type_text for t, n in ((Scan, "mouse"), (Session, "mate"))] == [
        "int64"
    ] * 2
    Mouse.insert1((2**40, "Big"))
    Session.insert1((2**40, 1, 2**40))
    with pytest.raises(IntegrityError):
        Session.insert1((2**41, 1, None))
    assert len(Scan * Session * Mouse) == 2


def test_a_comment_of_a_key_is_told_where_it_is_referred_to(pipeline: Any, alter: Alter) -> None:
    Mouse, _, Scan = pipeline
    alter(Mouse, "mouse : int32  # ear tag\n---\nname = '' : varchar(20)")
    assert Mouse.heading["mouse"].comment == "ear tag"
    assert alter(Scan, Scan.definition) == "unchanged"


# The primary key


def test_a_primary_key_without_children_changes_where_rows_stay_distinct(
    pipeline: Any, alter: Alter
) -> None:
    *_, Scan = pipeline
    text = "-> Session\n---\nscan : int16\nindex (mouse)"
    assert "primary key" in alter(Scan, text)
    assert Scan.primary_key == ["mouse", "session"]
    with pytest.raises(DuplicateError):
        Scan.insert1((1, 1, 9))
    alter(Scan, "-> Session\nscan : int16\nplane = 1 : int8\n---\nindex (mouse)")
    assert Scan.primary_key == ["mouse", "session", "scan", "plane"]
    assert {row["plane"] for row in Scan.to_dicts()} == {1}
    Scan.insert1((1, 1, 1, 2))
    assert "1 value is there more than once, for example 1, 1, 1" in refused(
        Scan, "-> Session\nscan : int16\n---\nplane = 1 : int8\nindex (mouse)", alter
    )


def test_a_primary_key_that_others_refer_to_is_refused_with_the_steps(
    pipeline: Any, alter: Alter
) -> None:
    Mouse, *_ = pipeline
    message = refused(Mouse, "mouse : int32\ncage = 1 : int8\n---\nname = '' : varchar(20)", alter)
    assert "change the primary key from (mouse) to (mouse, cage)" in message
    assert "(1) keep the rows (`rows = Mouse.to_dicts()`)" in message
    assert "(3) declare Mouse.Mark, Session again" in message


# Foreign keys


def test_a_foreign_key_is_dropped_and_added_again(pipeline: Any, alter: Alter) -> None:
    Mouse, _, Scan = pipeline
    alter(Scan, "mouse : int32\nsession : int16\nscan : int16\n---\nindex (mouse)")
    assert Scan.parents() == []
    Scan.insert1((9, 9, 9))
    message = refused(Scan, "-> Session\nscan : int16\n---\nindex (mouse)", alter)
    assert "1 row has no row there, for example with `mouse` = 9" in message
    (Scan & "mouse = 9").delete()
    alter(Scan, "-> Session\nscan : int16\n---\nindex (mouse)")
    assert len(Scan.parents()) == 1
    assert Scan.heading["mouse"].lineage == f"{Mouse().name.schema}.mouse.mouse"
    with pytest.raises(IntegrityError):
        Scan.insert1((9, 9, 9))


def test_a_nullable_foreign_key_is_added_to_rows(
    schema: dj.Schema, pipeline: Any, alter: Alter
) -> None:
    Mouse, *_ = pipeline

    @schema
    class Room(dj.Lookup):
        definition = "room : varchar(8)"
        contents = (("r1",),)

    text = "mouse : int32  # number\n---\nname = '' : varchar(20)\n-> [nullable] Room"
    alter(Mouse, text)
    Mouse.update1({"mouse": 1, "room": "r1"})
    with pytest.raises(IntegrityError):
        Mouse.update1({"mouse": 2, "room": "r2"})
    required = text.replace("[nullable] ", "")
    assert "`room` would be required, but 1 row has none" in refused(Mouse, required, alter)
    Mouse.update1({"mouse": 2, "room": "r1"})
    assert "change" in alter(Mouse, required)
    unique = required.replace("-> Room", "-> [unique] Room")
    assert "more than once, for example 'r1'" in refused(Mouse, unique, alter)


def test_a_reference_by_another_name_keeps_its_values(pipeline: Any, alter: Alter) -> None:
    _, Session, _ = pipeline
    text = "-> Mouse\nsession : int16\n---\n-> [nullable] Mouse.proj(friend='mouse')"
    assert alter(Session, text) == "altered: renamed `mate` to `friend`"
    assert (Session & "mouse = 1").fetch1("friend") == 2


# Tiers


@pytest.mark.filterwarnings("ignore:.*is declared as")
def test_a_table_of_another_tier_keeps_rows_parts_and_children(
    schema: dj.Schema, pipeline: Any, alter: Alter
) -> None:
    Old, Session, Scan = pipeline

    class Mouse(dj.Imported):
        definition = Old.definition

        class Mark(dj.Part):
            definition = "-> master\nmark : int8"

    with pytest.warns(UserWarning, match="in the database it is Manual, with its rows"):
        schema(Mouse)
    with pytest.raises(MissingTableError):
        Mouse.to_dicts()
    name = Old().name
    said = alter(Mouse, Old.definition)
    assert said == "altered: renamed the table `mouse` to `_mouse` from Manual to Imported"
    assert len(Mouse()) == 2
    assert len(Mouse.Mark()) == 2
    assert Mouse().name.table == "_mouse"
    assert Mouse.Mark().name.table == "_mouse__mark"
    assert set(schema.list_tables()) == {"_mouse", "_mouse__mark", "session", "scan"}
    lineage = f"{name.schema}._mouse.mouse"
    assert Mouse.heading["mouse"].lineage == Scan.heading["mouse"].lineage == lineage
    assert Mouse.Mark.heading["mark"].lineage == f"{name.schema}._mouse__mark.mark"
    assert Session.parents() == [str(Mouse().name)] * 2
    assert len(Scan * Session * Mouse) == 2
    with pytest.raises(IntegrityError):
        Session.insert1((9, 1, None))
    assert alter(Mouse, Old.definition) == "unchanged"
    (Mouse & "mouse = 1").delete()
    assert (len(Scan()), len(Mouse.Mark())) == (1, 1)


# The plan


def test_a_dry_run_shows_steps_and_statements_and_changes_nothing(
    pipeline: Any, alter: Alter
) -> None:
    Mouse, Session, _ = pipeline
    before = Mouse.describe(), Session.describe(), Mouse.to_dicts()
    said = alter(
        Mouse, "animal : int32  # {mouse} number\n---\nname = 'x' : varchar(40)", dry_run=True
    )
    for step in ("rename `mouse` to `animal`", "change `name` from varchar(20) to varchar(40)"):
        assert step in said
    assert "Session in schema" in said
    assert "varchar(40)" in said.partition("With these statements:")[2] or "CHECK" in said
    Mouse.definition = "mouse : int32  # number\n---\nname = '' : varchar(20)"
    assert (Mouse.describe(), Session.describe(), Mouse.to_dicts()) == before


def test_a_dry_run_of_what_is_unsafe_says_why(pipeline: Any, alter: Alter) -> None:
    Mouse, *_ = pipeline
    text = "mouse : int32  # number\n---\nname = '' : varchar(2)"
    assert "2 rows have a value that does not fit" in refused(Mouse, text, alter, dry_run=True)


def test_values_go_only_after_a_yes_to_how_many(
    pipeline: Any, alter: Alter, monkeypatch: pytest.MonkeyPatch
) -> None:
    Mouse, *_ = pipeline
    text = "mouse : int32  # number"
    assert "`name` would go, but 2 rows have a value in it" in refused(Mouse, text, alter)
    answers = iter(["no", "yes"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    said = alter(Mouse, text, prompt=True)
    assert "LOST: `name` would go, but 2 rows have a value in it, for example 'Max'" in said
    assert len(Mouse.heading.names) == 2
    alter(Mouse, text, prompt=True)
    assert Mouse.heading.names == ["mouse"]
    assert len(Mouse()) == 2


def test_an_enum_shared_by_two_tables_changes_in_one(schema: dj.Schema, alter: Alter) -> None:
    @schema
    class First(dj.Manual):
        definition = "a : int8\n---\nsex = 'U' : enum('M', 'F', 'U')"

    @schema
    class Second(dj.Manual):
        definition = "b : int8\n---\nsex = 'U' : enum('M', 'F', 'U')"

    First.insert1((1, "F"))
    Second.insert1((1, "M"))
    alter(First, "a : int8\n---\nsex = 'X' : enum('M', 'F', 'X')")
    First.insert1({"a": 2})
    assert First.to_arrays("sex", order_by="a").tolist() == ["F", "X"]
    Second.insert1({"b": 2})
    assert Second.to_arrays("sex", order_by="b").tolist() == ["M", "U"]
    with pytest.raises(DataJointError):
        Second.insert1((3, "X"))


def test_hidden_attributes_stay_with_their_values(
    schema: dj.Schema, db: Database, alter: Alter
) -> None:
    @schema
    class Trace(dj.Manual):
        definition = "a : int32\n---\nx = 0 : int8"

    Trace.insert1((1, 5))
    backend = db.connection.backend
    table = ".".join(backend.quote(part) for part in backend.locate(Trace().name) if part)
    db.connection.execute(f"ALTER TABLE {table} ADD COLUMN {backend.quote('_note')} int DEFAULT 7")
    db.connection.catalog.forget()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alter(Trace, "a : int32\n---\ny = null : date\nx = 0 : int16")
    assert Trace().structure.attributes[-1].name.startswith(("_note", "x"))
    sql = f"SELECT {backend.quote('_note')} FROM {table}"
    assert [tuple(row) for row in db.connection.fetch(sql)] == [(7,)]
    assert alter(Trace, Trace.definition) == "unchanged"

"""Classes become tables: names, contents, parts, parents, and what cannot be declared."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import DefinitionError
from djupyter.graph.dependencies import DependencyCycle
from tests.conftest import Database
from tests.pipelines import university


@pytest.fixture
def Subject(schema: dj.Schema) -> Any:
    @schema
    class Subject(dj.Manual):
        definition = "subject_id : int32"

    return Subject


def test_each_tier_has_its_name_in_the_database(schema: dj.Schema) -> None:
    university.declare(schema)
    assert set(schema.list_tables()) == {
        "#department", "student", "student_major", "course", "section", "section__meeting", "enroll", "grade",
    }  # fmt: skip
    assert schema.list_tables().index("section") < schema.list_tables().index("section__meeting")


def test_a_declared_table_describes_itself_and_its_place(schema: dj.Schema) -> None:
    uni = university.declare(schema)
    assert uni.StudentMajor.describe().splitlines() == [
        "-> Student",
        "---",
        "-> Department",
        "declared_on          : date",
        '-> [nullable] Student.proj(mentor="student_id")',
    ]
    assert uni.Section.Meeting.describe().startswith("-> master")
    assert uni.Enroll.primary_key == ["student_id", "dept", "course", "section"]
    assert [name.split("`")[3] for name in uni.StudentMajor.parents()] == [
        "student",
        "#department",
        "student",
    ]
    assert [t.table_name for t in uni.Course.children(as_objects=True)] == ["section"]
    assert next(t.table_name for t in uni.Grade.ancestors(as_objects=True)) == "grade"
    assert [t.table_name for t in uni.Section.parts(as_objects=True)] == ["section__meeting"]
    assert uni.StudentMajor.parents(primary=False, foreign_key_info=True)[1][1] == {
        "primary": False,
        "attr_map": {"mentor": "student_id"},
        "aliased": True,
        "multi": True,
    }


def test_what_describe_writes_declares_the_same_table_elsewhere(
    db: Database, schema: dj.Schema
) -> None:
    uni = university.declare(schema)
    again = dj.Schema(db.schema_name("again"), connection=db.connection)
    for cls in (uni.Department, uni.Student, uni.StudentMajor):
        again(type(cls.__name__, (cls.__base__,), {"definition": cls.describe()}), context={"_": 0})
    assert again["StudentMajor"].describe() == uni.StudentMajor.describe()


def test_an_attribute_keeps_its_default_when_it_refers_to_a_parent(
    schema: dj.Schema, Subject: Any
) -> None:
    @schema
    class Visit(dj.Manual):
        definition = """
        visit : int32
        ---
        subject_id = 5 : int32
        -> Subject
        """

    Subject.insert1((5,))
    Visit.insert1({"visit": 1})
    assert Visit.to_dicts() == [{"visit": 1, "subject_id": 5}]
    Again = type("Again", (dj.Manual,), {"definition": Visit.describe()})
    schema(Again)
    Again.insert1({"visit": 1})
    assert Again.fetch1("subject_id") == 5
    Again.definition = Visit.describe().replace("=5 ", "=6 ")
    Again.alter(prompt=False)
    Again.alter(prompt=False)
    assert "subject_id=6 " in Again.describe()


def test_lookup_contents_are_inserted_when_there_are_more_than_rows(schema: dj.Schema) -> None:
    def declared(rows: Any) -> Any:
        @schema
        class Kind(dj.Lookup):
            definition = "kind : int8\n---\ntext = '' : varchar(8)"
            contents = rows

        return Kind

    kind = declared([(1, "a"), (2, "b")])
    with pytest.warns(UserWarning, match=r"\(2 of 3\)"):
        assert len(declared({"kind": k, "text": "new"} for k in (1, 2, 3))) == 3
    assert (kind & "kind = 1").fetch1("text") == "a"
    kind.insert1((9, "mine"))
    (kind & "kind = 1").delete()
    with pytest.warns(UserWarning, match=r"\(1 of 2\)"):
        again = declared([(1, "a"), (2, "b")])
    assert len(again) == 3, "not inserted again while there are more rows"


def test_contents_may_be_a_property_and_parts_have_theirs(schema: dj.Schema) -> None:
    @schema
    class Kind(dj.Lookup):
        definition = "kind : int8"

        @property
        def contents(self) -> Iterator[tuple[int]]:  # type: ignore[override]
            yield from ((i,) for i in range(3))

        class Item(dj.Part):
            definition = "-> master\nitem : int8"
            contents = ((0, 1), (0, 2))

    assert (len(Kind), len(Kind.Item)) == (3, 2)


def test_a_mistake_in_the_definition_is_shown_with_its_line(schema: dj.Schema) -> None:
    with pytest.raises(DefinitionError) as caught:

        @schema
        class Scan(dj.Manual):
            definition = """
            scan : int32
            ---
            depth : flaot32
            """

    assert str(caught.value).splitlines()[:3] == [
        "unknown type 'flaot32' (line 4, column 21)",
        "    4 |             depth : flaot32",
        "      |                     ^^^^^^^",
    ]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "-> Subjcet",
            ["unknown table 'Subjcet' (line 3, column 16)", "^^^^^^^", "Did you mean `Subject`?"],
        ),
        ("-> Nothing", ["unknown table 'Nothing'", "Declare the parent first"]),
        ("-> dj", ["'dj' is not a table but module"]),
        ("-> Undecorated", ["'Undecorated' is not declared yet", "no activated schema"]),
        ("-> Waiting", ["'Waiting' is not declared yet", "activate its schema"]),
        ("-> Scan", ["'Scan' cannot refer to itself", "two renamed"]),
        ("-> self", ["'self' cannot refer to itself"]),
        ("-> some", ["'some' is a restricted table"]),
        ("-> Foreign", ["'Foreign' lies on another connection"]),
        ("-> `nowhere`.`none`", ["'`nowhere`.`none`' is not in the database"]),
        (
            "-> Subject.proj(s='id')",
            ["'id' is not in the primary key of Subject", "|             -> Subject.proj"],
        ),
        ("scan : int8", ["declared twice", "    3 |             scan : int8"]),
        ("index (nope)", ["unknown attribute 'nope'", "    3 |             index (nope)"]),
    ],
)
def test_what_a_line_cannot_mean_is_shown_with_its_source(
    schema: dj.Schema, Subject: Any, line: str, shown: list[str]
) -> None:
    class Undecorated(dj.Manual):
        definition = "u : int8"

    later = dj.Schema(connection=schema.connection)

    @later
    class Waiting(dj.Manual):
        definition = "w : int8"

    elsewhere = dj.Schema("elsewhere", connection=dj.Connection("sqlite://"))

    @elsewhere
    class Foreign(dj.Manual):
        definition = "f : int8"

    some = Subject & "subject_id = 1"
    assert some is not None
    with pytest.raises(DefinitionError) as caught:

        @schema
        class Scan(dj.Manual):
            definition = f"""
            scan : int8
            {line}
            """

    for text in shown:
        assert text in str(caught.value)
    assert "    3 | " in str(caught.value)
    assert "scan" not in schema.list_tables()


def test_a_parent_may_be_named_by_module_schema_or_database_name(
    db: Database, schema: dj.Schema, Subject: Any
) -> None:
    subject = ModuleType("subject")
    subject.Subject = Subject  # type: ignore[attr-defined]
    other = dj.Schema(
        db.schema_name("other"), connection=db.connection, add_objects={"subject": subject}
    )
    parents = ["subject.Subject", f"{schema.name}.Subject", f"`{schema.name}`.`subject`"]
    for number, parent in enumerate(parents):
        cls = other(type(f"T{number}", (dj.Manual,), {"definition": f"-> {parent}"}))
        assert cls.parents() == [Subject.full_table_name]
    with pytest.raises(DefinitionError, match=rf"Did you mean `{schema.name}.Subject`"):
        other(type("T9", (dj.Manual,), {"definition": "-> Subject"}), context={"dj": dj})


def test_a_table_of_the_schema_is_found_though_its_class_is_not_around(
    schema: dj.Schema, Subject: Any
) -> None:
    again = dj.Schema(schema.name, connection=schema.connection)
    child = again(
        type("Child", (dj.Manual,), {"definition": "-> Subject\nc : int8"}), context={"dj": dj}
    )
    assert child.parents() == [Subject.full_table_name]


def test_a_definition_may_be_inherited_with_its_parent(schema: dj.Schema, Subject: Any) -> None:
    class Note(dj.Manual):
        definition = "-> self.source\nnote : int8"
        source: Any = None

    @schema
    class SubjectNote(Note):
        source = Subject

    assert SubjectNote.parents() == [Subject.full_table_name]


def test_parts_may_refer_to_their_master_and_to_each_other(schema: dj.Schema) -> None:
    @schema
    class Session(dj.Manual):
        definition = "session : int8"

        class Trial(dj.Part):
            definition = "-> master\ntrial : int8"

        class Event(dj.Part):
            definition = "-> Trial\n-> master\nevent : int8"

    assert Session.Event.primary_key == ["session", "trial", "event"]
    assert Session.Trial.master is Session


def test_a_part_has_to_refer_to_its_master(schema: dj.Schema) -> None:
    with pytest.raises(
        dj.DataJointError, match=r"Session.Trial does not refer to its master. Add `-> master`"
    ):

        @schema
        class Session(dj.Manual):
            definition = "session : int8"

            class Trial(dj.Part):
                definition = "trial : int8"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: type("scan", (dj.Manual,), {"definition": "a : int8"}), "CamelCase"),
        (lambda: type("P", (dj.Part,), {"definition": "a : int8"}), "nest it in its master"),
        (lambda: type("X", (), {}), "inherits from dj.Manual"),
        (lambda: 5, "inherits from dj.Manual"),
        (lambda: type("D", (dj.Manual,), {"definition": 5}), "must be text, not int"),
        (lambda: type("K", (dj.Manual,), {"definition": "-> [nullable] Subject"}), "nullable"),
    ],
)
def test_what_cannot_be_declared_is_explained(
    schema: dj.Schema, Subject: Any, make: Any, message: str
) -> None:
    with pytest.raises(dj.DataJointError, match=message):
        schema(make())
    assert schema.list_tables() == ["subject"]


def test_schemas_must_not_depend_on_each_other(
    db: Database, schema: dj.Schema, Subject: Any
) -> None:
    names = [db.schema_name("middle"), db.schema_name("end")]
    middle, end = (dj.Schema(name, connection=db.connection) for name in names)

    @middle
    class M(dj.Manual):
        definition = "-> Subject"

    @end
    class E(dj.Manual):
        definition = "-> M"

    with pytest.raises(DependencyCycle) as caught:

        @schema
        class Back(dj.Manual):
            definition = "-> E"

    assert caught.value.path == [schema.name, *names, schema.name]
    assert " → ".join(caught.value.path) in str(caught.value)
    assert schema.list_tables() == ["subject"]


def test_a_changed_definition_changes_nothing_and_warns_of_what_differs(
    schema: dj.Schema, Subject: Any
) -> None:
    Subject.insert1((1,))

    class Changed(dj.Manual):
        definition = "# mice\nsubject_id : int64\n---\nsex : enum('F', 'M')"

    Changed.__name__ = "Subject"
    with pytest.warns(UserWarning, match="Subject is not that of the table") as caught:
        schema(Changed)
    told = str(caught[0].message)
    assert "subject_id: subject_id : int64 (in the database: subject_id : int32)" in told
    assert "sex: only in the definition" in told
    assert "table comment: mice (in the database: none)" in told
    assert caught[0].filename == __file__
    assert Subject.describe().splitlines()[0].split() == ["subject_id", ":", "int32"]
    assert len(Subject) == 1


@pytest.mark.filterwarnings("ignore:These types")
def test_declaring_the_same_again_is_silent(db: Database, schema: dj.Schema, Subject: Any) -> None:
    definition = r"""
    # every kind: of "line"
    -> Subject
    a = 5 : int16        # a colon: inside
    ---
    b = null : varchar(20)
    c = "it's" : varchar(20)   # it's
    d = 1e3 : float64
    e = true : bool
    f = 'x:y' : enum('x:y', "it's")
    g = CURRENT_TIMESTAMP : datetime(3)
    h : decimal(6,2)
    i = '2024-01-01' : date
    j = null : <blob>
    k = "12345678-1234-5678-1234-567812345678" : uuid
    l = '2024-01-01 10:00:00' : datetime
    m : object@main
    n = 1 : int unsigned
    -> [nullable, unique] Subject.proj(partner="subject_id")
    index (b, c)
    unique index (c)
    """
    schema(type("Full", (dj.Manual,), {"definition": definition}), context={"Subject": Subject})
    with dj.Connection(db.url) as connection, warnings.catch_warnings():
        connection.connect()  # may warn that it is not encrypted
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", message="These types")
        again = dj.Schema(schema.name, connection=connection)
        again(type("Full", (dj.Manual,), {"definition": definition}), context={"dj": dj})
        again(
            type("Full", (dj.Manual,), {"definition": again["Full"].describe()}),
            context={"dj": dj},
        )


def test_a_failing_part_or_row_leaves_no_table_behind(schema: dj.Schema) -> None:
    class Master(dj.Manual):
        definition = "m : int32"

        class Good(dj.Part):
            definition = "-> master\ng : int8"

        class Bad(dj.Part):
            definition = "-> master\nb : int33"

    class Kind(dj.Lookup):
        definition = "kind : int8"
        contents = (1, "many")

    for cls in (Master, Kind):
        with pytest.raises(dj.DataJointError):
            schema(cls)
    assert schema.list_tables() == []


def test_two_schemas_cannot_differ_only_in_case(schema: dj.Schema) -> None:
    name = schema.name
    with pytest.raises(dj.DataJointError, match=f"differ only in case from `{name}`"):
        dj.Schema(name.upper(), connection=schema.connection)


def test_a_name_too_long_for_some_databases_is_refused_by_all(schema: dj.Schema) -> None:
    with pytest.raises(dj.DataJointError, match="max length of 63 characters by 2"):
        schema(type("T" + "x" * 64, (dj.Manual,), {"definition": "t : int8"}))
    with pytest.raises(dj.DataJointError, match="cannot name a schema"):
        dj.Schema(5, connection=schema.connection)  # type: ignore[arg-type]


def test_methods_of_an_undecorated_class_say_that_it_has_no_schema() -> None:
    class Loose(dj.Manual):
        definition = "a : int8"

    for call in (Loose.to_dicts, Loose.describe, lambda: Loose.insert1((1,)), lambda: len(Loose)):
        with pytest.raises(dj.DataJointError, match="Decorate the class with a schema"):
            call()

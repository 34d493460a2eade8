"""Tables whose texts the database compares without regard to case, as those that datajoint makes on MySQL."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import djupyter as dj
from djupyter.errors import DataJointError, DuplicateError
from tests.conftest import Database, Servers

DECLARED = """CREATE TABLE `{schema}`.`mouse` (
    `name` varchar(20) NOT NULL COMMENT ':varchar(20):',
    `strain` varchar(20) CHARACTER SET latin1 NOT NULL COMMENT ':varchar(20):',
    `size` float NOT NULL DEFAULT 0.1 COMMENT ':float32:',
    PRIMARY KEY (`name`), INDEX (`strain`)
    ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"""


@pytest.fixture(params=["mariadb", "mysql"])
def db(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Database]:
    database = Database(request.param, servers.url(request.param))
    yield database
    database.close()


@pytest.fixture
def t(db: Database) -> SimpleNamespace:
    schema = dj.Schema(db.schema_name("lab"), connection=db.connection)
    db.connection.query(DECLARED.format(schema=schema.database))

    @schema
    class Mouse(dj.Manual):
        definition = (
            "name : varchar(20)\n---\nstrain : varchar(20)\nsize = 0.1 : float32\nindex (strain)"
        )

    @schema
    class Scan(dj.Manual):
        definition = "-> Mouse\nscan : int8"

    @schema
    class Wanted(dj.Manual):
        definition = "who : varchar(20)"

    Mouse.insert([("abc", "B6", 0.1), ("d", "b6", 0.25)])
    Scan.insert1(("abc", 1))
    Wanted.insert([("ABC",), ("d",)])
    return SimpleNamespace(Mouse=Mouse, Scan=Scan, Wanted=Wanted, schema=schema)


@pytest.mark.parametrize(
    ("restriction", "names"),
    [
        ({"name": "abc"}, ["abc"]),
        ({"name": "ABC"}, []),
        ({"name": "abc "}, []),
        ({"strain": "B6"}, ["abc"]),
        ([{"strain": "b6"}, {"strain": "x"}], ["d"]),
        ([{"name": "ABC"}, {"name": "D"}], []),
        ('name = "ABC"', []),
        ('name = "abc"', ["abc"]),
        ('strain in ("b6", "x")', ["d"]),
        ('strain like "B%"', ["abc"]),
        ('strain > "a"', ["d"]),
        (dj.Not({"strain": "B6"}), ["d"]),
    ],
)
def test_restrictions_regard_case_and_blanks(
    t: SimpleNamespace, restriction: Any, names: list[str]
) -> None:
    assert list((t.Mouse & restriction).to_arrays("name")) == names


def test_one_row_is_changed_by_a_key_that_has_its_case(t: SimpleNamespace) -> None:
    t.Mouse.update1({"name": "abc", "strain": "%s", "size": 0.5})
    assert (t.Mouse & "size = 0.5").fetch1() == {"name": "abc", "strain": "%s", "size": 0.5}
    with pytest.raises(DataJointError, match="has none with name='ABC'"):
        t.Mouse.update1({"name": "ABC", "strain": "B7"})


def test_joins_and_restrictions_by_tables_regard_case(t: SimpleNamespace) -> None:
    mice, wanted = t.Mouse.proj(), t.Wanted.proj(name="who")
    assert list(mice.restrict(wanted, semantic_check=False).to_arrays("name")) == ["d"]
    assert list(mice.join(wanted, semantic_check=False).to_arrays("name")) == ["d"]
    assert len(t.Mouse * t.Scan) == 1


def test_a_row_is_changed_only_by_its_own_key(t: SimpleNamespace) -> None:
    with pytest.raises(dj.DataJointError):
        t.Mouse.update1({"name": "ABC", "size": 1})
    (t.Mouse & {"name": "ABC"}).delete(prompt=False)
    assert len(t.Mouse) == 2


def test_a_key_that_the_database_takes_for_another_is_refused_rather_than_skipped(
    t: SimpleNamespace,
) -> None:
    for options in ({}, {"skip_duplicates": True}, {"replace": True}):
        with pytest.raises(DuplicateError):
            t.Mouse.insert1(("ABC", "x", 1), **options)
    t.Mouse.insert1(("abc", "x", 1), skip_duplicates=True)
    assert t.Mouse.to_arrays("strain").tolist() == ["B6", "b6"]


def test_tables_declared_beside_them_can_refer_to_them(t: SimpleNamespace) -> None:
    assert "varchar(20)" in {str(a.type) for a in t.Scan.heading.values()}
    with pytest.raises(dj.errors.IntegrityError):
        t.Scan.insert1(("nobody", 1))


def test_a_float32_is_read_with_all_its_digits(t: SimpleNamespace) -> None:
    t.Mouse.insert1(("e", "x", 0.12345678))
    row = t.Mouse & {"name": "e"}
    assert row.fetch1("size") == 0.12345678359270096
    assert row.proj(double="size * 1").fetch1("double") == 0.12345678359270096
    assert dj.U().aggr(row, most="max(size)").fetch1("most") == 0.12345678359270096


def test_distinct_values_and_groups_regard_case(t: SimpleNamespace) -> None:
    assert (dj.U("strain") & t.Mouse).to_dicts(order_by="KEY") == [
        {"strain": "B6"},
        {"strain": "b6"},
    ]
    assert len(dj.U("strain") & t.Mouse) == 2
    groups = dj.U("strain").aggr(t.Mouse, n="count(*)", upper="upper(strain)")
    assert groups.to_dicts(order_by="KEY") == [
        {"strain": "B6", "n": 1, "upper": "B6"},
        {"strain": "b6", "n": 1, "upper": "B6"},
    ]
    assert len(groups & 'strain = "b6"') == 1


def test_a_union_regards_case(t: SimpleNamespace) -> None:
    @t.schema
    class Other(dj.Manual):
        definition = "name : varchar(20)"

    t.schema.connection.query(
        f"ALTER TABLE `{t.schema.database}`.`other` MODIFY `name` varchar(20) "
        "COLLATE utf8mb4_general_ci NOT NULL COMMENT ':varchar(20):'"
    )
    Other.insert([("ABC",), ("d",)])
    other = dj.FreeTable(t.schema.connection, f"{t.schema.database}.other")
    t.schema.connection.catalog.forget()
    both = t.Mouse.proj() + other
    assert (dj.U("name") & t.Mouse.proj()).keys(order_by="KEY") == [{"name": "abc"}, {"name": "d"}]
    assert sorted(row["name"] for row in both) == ["ABC", "abc", "d"]

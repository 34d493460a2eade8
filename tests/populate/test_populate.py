"""Each missing key is made once, in a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import djupyter as dj
from djupyter.errors import IntegrityError, UnknownAttributeError
from djupyter.populate.running import stages
from tests.conftest import Database


@pytest.fixture
def Source(schema: dj.Schema) -> Any:
    @schema
    class Source(dj.Manual):
        definition = "i : int32\n---\nx : float64"

    Source.insert((i, i / 2) for i in range(1, 6))
    return Source


@pytest.fixture
def Square(schema: dj.Schema, Source: Any) -> Any:
    @schema
    class Square(dj.Computed):
        definition = "-> Source\n---\ny : float64"
        fails: Any = ()

        class Digit(dj.Part):
            definition = "-> master\ndigit : int8"

        def make(self, key: dict[str, Any], factor: float = 1.0) -> None:
            x = (Source & key).fetch1("x")
            self.insert1({**key, "y": factor * x**2})
            self.Digit.insert([{**key, "digit": d} for d in range(2)])
            if key["i"] in self.fails:
                raise ValueError("bad three")

    return Square


def made(table: Any) -> list[int]:
    return list(table.to_arrays("i", order_by="KEY"))


def test_every_missing_key_is_made_with_its_parts(Square: Any) -> None:
    assert Square.progress() == (5, 5)
    assert Square.populate() == {"success_count": 5, "error_list": []}
    assert Square.progress() == (0, 5)
    assert Square.to_arrays("y", order_by="KEY").tolist() == [0.25, 1, 2.25, 4, 6.25]
    assert len(Square.Digit) == 10
    assert Square.populate() == {"success_count": 0, "error_list": []}


def test_restrictions_are_all_met_and_a_list_is_any_of(Square: Any, Source: Any) -> None:
    Square.populate("i > 1", Source & "i < 4")
    assert made(Square) == [2, 3]
    Square.populate([{"i": 1}, {"i": 5}])
    assert made(Square) == [1, 2, 3, 5]
    assert Square.progress("i > 3") == (1, 2)
    assert Square.populate({"other": 3})["success_count"] == 1


def test_max_calls_limits_the_keys(Square: Any) -> None:
    assert Square.populate(max_calls=0)["success_count"] == 0
    assert Square.populate(max_calls=2)["success_count"] == 2
    assert made(Square) == [1, 2]
    with pytest.raises(dj.DataJointError, match="must not be negative"):
        Square.populate(max_calls=-1)


def test_make_gets_its_further_arguments(Square: Any) -> None:
    Square.populate("i = 2", make_kwargs={"factor": 10})
    assert Square.fetch1("y") == 10


def test_an_error_undoes_its_key_only_and_says_which(Square: Any) -> None:
    Square.fails = (3,)
    with pytest.raises(ValueError, match="bad three") as caught:
        Square.populate()
    assert caught.value.__notes__ == ["While computing Square for the key {'i': 3}."]
    assert made(Square) == [1, 2]
    assert len(Square.Digit) == 4


def test_suppressed_errors_are_returned_and_the_rest_is_made(Square: Any) -> None:
    Square.fails = (3, 4)
    found = Square.populate(suppress_errors=True)
    assert found == {
        "success_count": 3,
        "error_list": [({"i": 3}, "ValueError: bad three"), ({"i": 4}, "ValueError: bad three")],
    }
    found = Square.populate(suppress_errors=True, return_exception_objects=True)
    assert isinstance(found["error_list"][0][1], ValueError)
    assert made(Square) == [1, 2, 5]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_stop_is_never_suppressed_and_undoes_the_key(
    schema: dj.Schema, Source: Any, stop: type[BaseException]
) -> None:
    @schema
    class Stopped(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)
            if key["i"] == 3:
                raise stop

    with pytest.raises(stop):
        Stopped.populate(suppress_errors=True)
    assert made(Stopped) == [1, 2]
    assert not schema.connection.in_transaction


def test_an_error_at_commit_counts_as_an_error_of_its_key(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Orphan(dj.Computed):
        definition = "-> Source\n---\n-> [nullable] Source.proj(other='i')"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "other": 99 if key["i"] == 2 else None})

    found = Orphan.populate(suppress_errors=True, return_exception_objects=True)
    assert [(key, type(error)) for key, error in found["error_list"]] == [
        ({"i": 2}, IntegrityError)
    ]
    assert made(Orphan) == [1, 3, 4, 5]


def test_rows_are_inserted_only_inside_make(Square: Any) -> None:
    for insert in (Square.insert1, Square().insert1):
        with pytest.raises(dj.DataJointError, match="only be done inside its make"):
            insert((1, 1.0))
    Square.fails = (1,)
    Square.populate(suppress_errors=True)
    with pytest.raises(dj.DataJointError, match="only be done inside its make"):
        Square.insert([(1, 1.0)])
    Square.insert1((1, 1.0), allow_direct_insert=True)
    Square.Digit.insert1((1, 5))
    assert len(Square) == 5


def test_populate_is_refused_where_it_cannot_be_exact(Square: Any, db: Database) -> None:
    with pytest.raises(dj.DataJointError, match="during a transaction"), db.connection.transaction:
        Square.populate()
    with pytest.raises(
        dj.DataJointError, match=r"restricted table.*Square.populate\(restriction\)"
    ):
        (Square & "i = 1").populate()
    with pytest.raises(dj.DataJointError, match="processes must be at least 1, but is 0"):
        Square.populate(processes=0)
    for wrong in (0, -1):
        with pytest.raises(dj.DataJointError, match="time_limit must be more than 0"):
            Square.populate(time_limit=wrong)
        with pytest.raises(dj.DataJointError, match="memory_limit must be more than 0"):
            Square.populate(memory_limit=wrong)
    assert Square.populate(processes=1)["success_count"] == 5


def test_a_table_without_make_says_what_to_write(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Empty(dj.Computed):
        definition = "-> Source"

    with pytest.raises(NotImplementedError, match=r"Empty does not say how.*make\(self, key\)"):
        Empty.populate(suppress_errors=True)


def test_a_make_of_the_early_days_is_called(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Old(dj.Imported):
        definition = "-> Source"

        def _make_tuples(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    assert Old.populate()["success_count"] == 5


def test_a_make_that_inserts_nothing_is_an_error_that_says_so(
    schema: dj.Schema, Source: Any
) -> None:
    @schema
    class Lazy(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            if key["i"] != 2:
                self.insert1(key)

    with pytest.raises(
        dj.DataJointError, match=r"Lazy ended without inserting a row for \{'i': 2\}"
    ):
        Lazy.populate()
    assert Lazy.populate(suppress_errors=True)["success_count"] == 3
    assert Lazy.progress() == (1, 5)


def test_a_make_that_finds_its_row_made_through_another_name_is_no_error(
    schema: dj.Schema, Source: Any
) -> None:
    @schema
    class Made(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            dj.FreeTable(self.connection, self.full_table_name).insert1(key)

    assert Made.populate()["success_count"] == 5


def test_a_make_cannot_declare_tables(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Declares(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            schema(type("Inner", (dj.Manual,), {"definition": "a : int8"}))

    with pytest.raises(dj.DataJointError, match="declare the tables before it starts"):
        Declares.populate()
    assert "inner" not in schema.list_tables()


def test_an_insert_that_make_gets_wrong_is_explained(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Wrong(dj.Computed):
        definition = "-> Source\n---\nresult : float64"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "resutl": 1})

    with pytest.raises(UnknownAttributeError, match="Did you mean `result`"):
        Wrong.populate()


def test_what_happens_is_told_to_the_listener(Square: Any) -> None:
    Square.fails = (2,)
    heard: list[dict[str, Any]] = []
    Square.populate(
        listener=lambda event: heard.append(event.to_dict()), suppress_errors=True, max_calls=3
    )
    assert [(event["event"], event.get("key", {}).get("i")) for event in heard] == [
        ("planned", None),
        ("started", 1),
        ("finished", 1),
        ("started", 2),
        ("failed", 2),
        ("started", 3),
        ("finished", 3),
        ("summary", None),
    ]
    assert {event["table"] for event in heard} == {"Square"}
    assert heard[4]["error"] == "ValueError: bad three"
    assert "in make" in heard[4]["traceback"]
    assert (heard[-1]["done"], heard[-1]["failed"], heard[-1]["lost"]) == (2, 1, 0)


def test_what_is_planned_is_no_more_than_max_calls(Square: Any) -> None:
    heard: list[Any] = []
    Square.populate(listener=heard.append, max_calls=3)
    assert heard[0].to_dict() == {"event": "planned", "table": "Square", "keys": 3}


def test_progress_is_shown(Square: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Square.populate(display_progress=True, max_calls=3)
    assert "Square" in capsys.readouterr().err
    Square.progress(display=True)
    assert capsys.readouterr().out == "Square: 3 of 5 done, 2 remain.\n"


# Key sources


def test_the_default_key_source_joins_the_parents_in_the_key(
    schema: dj.Schema, Source: Any
) -> None:
    @schema
    class Method(dj.Lookup):
        definition = "method : varchar(8)"
        contents = (("mean",), ("max",))

    @schema
    class Pair(dj.Computed):
        definition = """
        -> Source.proj(left="i")
        -> Source.proj(right="i")
        -> Method
        ---
        -> Source
        """

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "i": 1})

    assert Pair.key_source.primary_key == ["left", "right", "method"]
    assert Pair.progress() == (50, 50)
    Pair.populate("left < right", {"method": "max"})
    assert len(Pair) == 10
    assert Pair.progress() == (40, 50)


def test_a_key_source_may_be_an_attribute_a_property_or_a_class(
    schema: dj.Schema, Source: Any
) -> None:
    class Make(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    @schema
    class ByAttribute(Make):
        key_source = Source & "i < 3"

    @schema
    class ByProperty(Make):
        @property
        def key_source(self) -> Any:
            return Source & [{"i": 4}]

    @schema
    class ByClass(Make):
        key_source = Source

    for table, keys in ((ByAttribute, [1, 2]), (ByProperty, [4]), (ByClass, [1, 2, 3, 4, 5])):
        table.populate()
        assert made(table) == keys


def test_a_wrong_key_source_is_explained(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Other(dj.Manual):
        definition = "o : int8"

    class Make(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    @schema
    class NoQuery(Make):
        key_source = 5

    @schema
    class TooMany(Make):
        key_source = Source * Other

    @schema
    class NoParents(dj.Computed):
        definition = "n : int8\n---\n-> Source"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    with pytest.raises(dj.DataJointError, match="Invalid key_source value of NoQuery"):
        NoQuery.populate()
    with pytest.raises(dj.DataJointError, match="lacks: o"):
        TooMany.populate()
    with pytest.raises(dj.DataJointError, match="dependencies from its primary key"):
        NoParents.populate()


def test_a_key_of_its_own_makes_several_rows_per_key(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Several(dj.Computed):
        definition = "-> Source\nn : int8"

        def make(self, key: dict[str, Any]) -> None:
            self.insert({**key, "n": n} for n in range(3))

    Several.populate(max_calls=2)
    assert len(Several) == 6
    assert Several.progress() == (3, 5)


# Three parts


def three_parts(schema: dj.Schema, Source: Any) -> Any:
    @schema
    class Parts(dj.Computed):
        definition = "-> Source\n---\ny : float64"
        changes = False

        def make_fetch(self, key: dict[str, Any], offset: float = 0) -> tuple[Any, ...]:
            return np.array([(Source & key).fetch1("x"), np.nan]), offset

        def make_compute(self, key: dict[str, Any], x: Any, offset: float) -> tuple[Any, ...]:
            assert not self.connection.in_transaction
            if self.changes:
                Source.update1({**key, "x": 100.0})
            return (float(x[0]) ** 2 + offset,)

        def make_insert(self, key: dict[str, Any], y: float) -> None:
            assert self.connection.in_transaction
            self.insert1({**key, "y": y})

    return Parts


def by_generator(schema: dj.Schema, Source: Any) -> Any:
    @schema
    class Parts(dj.Computed):
        definition = "-> Source\n---\ny : float64"
        changes = False

        def make(self, key: dict[str, Any], offset: float = 0) -> Iterator[Any]:
            x = np.array([(Source & key).fetch1("x"), np.nan])
            computed = yield (x,)
            if computed is None:
                assert not self.connection.in_transaction
                if self.changes:
                    Source.update1({**key, "x": 100.0})
                computed = (float(x[0]) ** 2 + offset,)
                yield computed
            assert self.connection.in_transaction
            self.insert1({**key, "y": computed[0]})
            yield

    return Parts


@pytest.mark.parametrize("declare", [three_parts, by_generator])
def test_computing_in_parts_holds_no_transaction(
    schema: dj.Schema, Source: Any, declare: Any
) -> None:
    table = declare(schema, Source)
    assert table.populate("i < 3", make_kwargs={"offset": 1}) == {
        "success_count": 2,
        "error_list": [],
    }
    assert table.to_arrays("y", order_by="KEY").tolist() == [1.25, 2]


@pytest.mark.parametrize("declare", [three_parts, by_generator])
def test_input_that_changes_meanwhile_inserts_nothing(
    schema: dj.Schema, Source: Any, declare: Any
) -> None:
    table = declare(schema, Source)
    table.changes = True
    with pytest.raises(dj.DataJointError, match=r"Referential integrity failed.*'i': 1"):
        table.populate()
    assert len(table) == 0


def test_parts_that_return_no_tuple_are_explained(schema: dj.Schema, Source: Any) -> None:
    @schema
    class NoTuple(dj.Computed):
        definition = "-> Source"

        def make_fetch(self, key: dict[str, Any]) -> Any:
            return 5

        def make_compute(self, key: dict[str, Any], x: Any) -> Any: ...

        def make_insert(self, key: dict[str, Any]) -> None: ...

    with pytest.raises(dj.DataJointError, match=r"NoTuple.make_fetch must return a tuple.*not int"):
        NoTuple.populate()


def test_a_generator_that_never_yields_is_explained(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Short(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> Iterator[Any]:
            yield ()

    with pytest.raises(
        dj.DataJointError, match="must yield what it fetched, then what it computed"
    ):
        Short.populate()


def test_make_may_insert_through_its_class(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Twice(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            Twice.insert1(key)

    assert Twice.populate()["success_count"] == 5
    with pytest.raises(dj.DataJointError, match="only be done inside its make"):
        Twice.insert1({"i": 9})


def test_make_may_not_insert_into_another_computed_table(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Other(dj.Computed):
        definition = "-> Source"

    @schema
    class Twice(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            Other.insert1(key)

    with pytest.raises(dj.DataJointError, match="only be done inside its make"):
        Twice.populate()


def test_a_key_that_another_worker_makes_meanwhile_is_not_an_error(
    db: Database, schema: dj.Schema, Source: Any
) -> None:
    @schema
    class Slow(dj.Computed):
        definition = "-> Source\n---\ny : float64"

        def make(self, key: dict[str, Any]) -> None:
            with dj.Connection(db.url) as other:
                theirs = dj.FreeTable(other, f"{schema.database}.__slow")
                theirs.insert1({**key, "y": 1}, allow_direct_insert=True)
            self.insert1({**key, "y": 2})

    assert Slow.populate() == {"success_count": 0, "error_list": []}
    assert set(Slow.to_arrays("y").tolist()) == {1.0}


def test_what_was_made_since_it_was_listed_is_passed_over_whatever_the_key_looks_like(
    schema: dj.Schema, Source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "_FRESH", -1.0)
    begun: list[int] = []

    @schema
    class Run(dj.Computed):
        definition = "run : int32\n-> Source"

        def make(self, key: dict[str, Any]) -> None:
            begun.append(key["i"])
            self.insert({"run": run, "i": i} for run in (7, 8) for i in range(1, 6))

    assert Run.populate()["success_count"] == 1
    assert len(begun) == 1

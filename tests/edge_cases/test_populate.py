"""Statements 166 to 191: filling computed tables, one worker at a time."""

from __future__ import annotations

from typing import Any

import pytest

import djupyter as dj


@pytest.fixture
def Source(schema: dj.Schema) -> Any:
    @schema
    class Source(dj.Manual):
        definition = "i : int32\n---\nx : float64"

    Source.insert((i, i / 2) for i in range(1, 5))
    return Source


@pytest.fixture
def Square(schema: dj.Schema, Source: Any) -> Any:
    @schema
    class Square(dj.Computed):
        definition = "-> Source\n---\ny : float64"
        fails: Any = {}  # noqa: RUF012

        def make(self, key: dict[str, Any], factor: float = 1.0) -> None:
            self.insert1({**key, "y": factor * (Source & key).fetch1("x") ** 2})
            if key["i"] in self.fails:
                raise self.fails[key["i"]]

    return Square


def made(table: Any) -> list[int]:
    return list(table.to_arrays("i", order_by="KEY"))


@pytest.mark.statement(166)
def test_a_second_call_has_nothing_to_do(Square: Any) -> None:
    assert Square.populate() == {"success_count": 4, "error_list": []}
    assert Square.populate() == {"success_count": 0, "error_list": []}


@pytest.mark.statement(167, 175)
def test_an_error_undoes_its_key_only(Square: Any) -> None:
    Square.fails = {3: ValueError("bad three")}
    with pytest.raises(ValueError, match="bad three"):
        Square.populate()
    assert made(Square) == [1, 2]
    found = Square.populate(suppress_errors=True)
    assert found == {"success_count": 1, "error_list": [({"i": 3}, "ValueError: bad three")]}
    found = Square.populate(suppress_errors=True, return_exception_objects=True)
    assert found["error_list"][0][1] is Square.fails[3]
    assert made(Square) == [1, 2, 4]


@pytest.mark.statement(168)
def test_max_calls_limits_the_keys(Square: Any) -> None:
    """A negative number is refused, not a slice from the end."""
    assert Square.populate(max_calls=0)["success_count"] == 0
    assert Square.populate(max_calls=3)["success_count"] == 3
    with pytest.raises(dj.DataJointError, match="negative"):
        Square.populate(max_calls=-1)


@pytest.mark.statement(169)
def test_restrictions_are_arguments(Square: Any, Source: Any) -> None:
    Square.populate("i > 1", Source & "i < 3")
    assert made(Square) == [2]
    Square.populate([{"i": 1}, "i = 2"])
    assert made(Square) == [1, 2]
    assert Square.populate({"other": 3})["success_count"] == 2
    with pytest.raises(dj.DataJointError, match="restricted"):
        (Square & "i = 1").populate()


@pytest.mark.statement(170)
def test_there_is_no_populate_inside_a_transaction(Square: Any) -> None:
    with (
        pytest.raises(dj.DataJointError, match="Populate cannot be called during a transaction"),
        Square.connection.transaction,
    ):
        Square.populate()


@pytest.mark.statement(171)
def test_the_key_source_may_be_overridden(schema: dj.Schema, Source: Any) -> None:
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
            return Source & {"i": 4}

    @schema
    class Wrong(Make):
        key_source = 5

    for table, keys in ((ByAttribute, [1, 2]), (ByProperty, [4])):
        table.populate()
        assert made(table) == keys
    with pytest.raises(dj.DataJointError, match="Invalid key_source value"):
        Wrong.populate()

    @schema
    class Far(dj.Manual):
        definition = "far : int32"

    @schema
    class TooMany(Make):
        key_source = Source * Far

    with pytest.raises(dj.DataJointError, match="far"):
        TooMany.populate()


@pytest.mark.statement(172)
def test_a_make_that_inserts_nothing_is_an_error_and_leaves_its_key_to_be_made(
    schema: dj.Schema, Source: Any
) -> None:
    """Not a success, after which the key would be made again each time."""

    @schema
    class Lazy(dj.Computed):
        definition = "-> Source"

        def make(self, key: dict[str, Any]) -> None:
            pass

    found = Lazy.populate(suppress_errors=True)
    assert found["success_count"] == 0
    assert "without inserting a row for {'i': 1}" in found["error_list"][0][1]
    assert Lazy.progress() == (4, 4)


@pytest.mark.statement(173, 191)
@pytest.mark.parametrize("allowed", [True, False])
def test_progress_counts_keys_of_the_source(schema: dj.Schema, Source: Any, allowed: bool) -> None:
    """A table may have key attributes of its own, whatever the setting says."""
    schema.connection.settings.jobs.allow_new_pk_fields_in_computed_tables = allowed

    @schema
    class Several(dj.Computed):
        definition = "-> Source\nn : int32"

        def make(self, key: dict[str, Any]) -> None:
            self.insert({**key, "n": n} for n in range(3))

    assert Several.progress() == (4, 4)
    Several.populate("i < 3")
    assert Several.progress() == (2, 4)
    assert len(Several) == 6


@pytest.mark.statement(174)
def test_a_table_must_say_how_it_is_made(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Empty(dj.Computed):
        definition = "-> Source"

    @schema
    class Old(dj.Imported):
        definition = "-> Source"

        def _make_tuples(self, key: dict[str, Any]) -> None:
            self.insert1(key)

    with pytest.raises(NotImplementedError):
        Empty.populate()
    assert Old.populate()["success_count"] == 4


@pytest.mark.statement(176)
def test_make_gets_its_further_arguments(Square: Any, schema: dj.Schema, Source: Any) -> None:
    Square.populate("i = 2", make_kwargs={"factor": 10})
    assert Square.fetch1("y") == 10

    @schema
    class Parts(dj.Computed):
        definition = "-> Source\n---\ny : float64"

        def make_fetch(self, key: dict[str, Any], offset: float = 0.0) -> tuple[Any, ...]:
            return (Source & key).fetch1("x"), offset

        def make_compute(self, key: dict[str, Any], x: float, offset: float) -> tuple[Any, ...]:
            return (x + offset,)

        def make_insert(self, key: dict[str, Any], y: float) -> None:
            self.insert1({**key, "y": y})

    Parts.populate("i = 2", make_kwargs={"offset": 5.0})
    assert Parts.fetch1("y") == 6.0


@pytest.mark.statement(177)
def test_input_that_changes_while_it_computes_inserts_nothing(
    schema: dj.Schema, Source: Any
) -> None:
    @schema
    class Slow(dj.Computed):
        definition = "-> Source\n---\ny : float64"

        def make_fetch(self, key: dict[str, Any]) -> tuple[Any, ...]:
            return ((Source & key).fetch1("x"),)

        def make_compute(self, key: dict[str, Any], x: float) -> tuple[Any, ...]:
            Source.update1({**key, "x": 99.0})
            return (x,)

        def make_insert(self, key: dict[str, Any], y: float) -> None:
            self.insert1({**key, "y": y})

    with pytest.raises(dj.DataJointError, match="changed"):
        Slow.populate("i = 1")
    assert len(Slow) == 0


@pytest.mark.statement(178)
@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_stop_is_never_suppressed(Square: Any, stop: type[BaseException]) -> None:
    """Ctrl-C stops the work too, also where errors are suppressed: whoever presses it means it."""
    Square.fails = {2: stop()}
    with pytest.raises(stop):
        Square.populate(suppress_errors=True)
    assert made(Square) == [1]
    assert not Square.connection.in_transaction


@pytest.mark.statement(178)
def test_a_stop_gives_the_jobs_back_and_only_that_of_system_exit_is_an_error(Square: Any) -> None:
    """Ctrl-C says nothing about the key in work, so that its job waits for the next worker."""
    Square.fails = {2: KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        Square.populate(reserve_jobs=True, suppress_errors=True)
    assert len(Square.jobs.pending) == len(Square.jobs) == 3
    Square.fails = {2: SystemExit("enough")}
    with pytest.raises(SystemExit):
        Square.populate(reserve_jobs=True, suppress_errors=True)
    assert Square.jobs.errors.keys() == [{"i": 2}]
    assert Square.jobs.errors.fetch1("error_message") == "SystemExit: enough"
    assert len(Square.jobs.reserved) == 0


@pytest.mark.statement(179)
@pytest.mark.parametrize("reserve", [False, True])
def test_several_processes_make_the_same_rows(Square: Any, reserve: bool) -> None:
    assert Square.populate(processes=2, reserve_jobs=reserve)["success_count"] == 4
    assert Square.to_arrays("y", order_by="KEY").tolist() == [0.25, 1.0, 2.25, 4.0]


@pytest.mark.statement(180)
def test_keys_to_do_are_told_by_the_key_alone(schema: dj.Schema, Source: Any) -> None:
    @schema
    class Named(dj.Computed):
        definition = "-> Source\n---\nx : float64"

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "x": -1.0})

    assert Named.populate()["success_count"] == 4
    assert Named.progress() == (0, 4)
    assert Named.populate()["success_count"] == 0

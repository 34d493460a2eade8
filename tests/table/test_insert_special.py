"""Inserting into tables that are not like others: blobs, numbered rows, singletons."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import djupyter as dj
from djupyter.errors import (
    DuplicateError,
    IntegrityError,
    InvalidValueError,
    MissingAttributeError,
)


def test_blobs_are_encoded_and_json_travels_whole(schema: dj.Schema) -> None:
    @schema
    class Data(dj.Manual):
        definition = "i : int8\n---\nsignal : <blob>\ndoc = null : json"

    Data.insert1({"i": 1, "signal": np.arange(3.0), "doc": {"k": [1, None]}})
    Data.insert(pd.DataFrame({"i": [2], "signal": [np.zeros(2)], "doc": [{"k": 2}]}))
    assert np.array_equal((Data & "i = 1").fetch1("signal"), np.arange(3.0))
    assert (Data & "i = 2").fetch1("doc") == {"k": 2}
    with pytest.raises(MissingAttributeError, match="`signal`"):
        Data.insert1({"i": 3, "signal": None})
    with pytest.raises(InvalidValueError, match=r"Data, row 1.*`signal` : <blob>"):
        Data.insert([{"i": 4, "signal": 1}, {"i": 5, "signal": object()}])


def test_the_database_numbers_an_auto_increment_key(schema: dj.Schema) -> None:
    with pytest.warns(UserWarning, match="as they are"):

        @schema
        class Counted(dj.Manual):
            definition = "n : int auto_increment\n---\nx : int8"

    Counted.insert([{"x": 5}, {"x": 6}])
    Counted.insert1({"n": None, "x": 7})
    Counted.insert1({"n": 10, "x": 8})
    assert Counted.to_arrays("n", order_by="KEY").tolist() == [1, 2, 3, 10]


def test_a_singleton_holds_at_most_one_row(schema: dj.Schema) -> None:
    @schema
    class Rig(dj.Manual):
        definition = "---\nvoltage = 5 : int8"

    Rig.insert1({})
    assert Rig.to_dicts() == [{"voltage": 5}]
    with pytest.raises(DuplicateError):
        Rig.insert1({"voltage": 6})
    Rig.update1({"voltage": 7})
    Rig.insert1({"voltage": 8}, skip_duplicates=True)
    assert Rig.fetch1("voltage") == 7
    assert Rig.delete() == 1
    with pytest.raises(dj.DataJointError, match="existing entry"):
        Rig.update1({"voltage": 7})


def test_rows_refer_to_the_row_of_a_singleton(schema: dj.Schema) -> None:
    @schema
    class Rig(dj.Manual):
        definition = "---\nvoltage = 5 : int8"

    @schema
    class Lens(dj.Manual):
        definition = "-> Rig\n---\nzoom : int8"

    @schema
    class Run(dj.Manual):
        definition = "run : int8\n---\n-> Rig"

    with pytest.raises(IntegrityError):
        Run.insert1({"run": 1})
    Rig.insert1({})
    Lens.insert1({"zoom": 3})
    Run.insert([{"run": 1}, {"run": 2}])
    with pytest.raises(DuplicateError):
        Lens.insert1({"zoom": 4})
    assert Run.describe() == "run                  : int8\n---\n-> Rig"
    assert Lens.restrict_by(Rig & "voltage = 5").to_dicts() == [{"zoom": 3}]
    assert len(Run.restrict_by(Rig & "voltage = 6")) == 0
    assert list(dj.Diagram.cascade(Rig()).counts().values()) == [1, 1, 2]
    assert Rig.delete() == 1
    assert len(Lens()) == len(Run()) == 0


def test_a_nullable_reference_below_a_singleton_is_one_where_its_visible_key_is_given(
    schema: dj.Schema,
) -> None:
    @schema
    class Rig(dj.Manual):
        definition = "---\nvoltage = 5 : int8"

    @schema
    class Lens(dj.Manual):
        definition = "-> Rig\nlens : int8"

    @schema
    class Run(dj.Manual):
        definition = "run : int8\n---\n-> [nullable] Lens"

    Rig.insert1({})
    Lens.insert([{"lens": 1}, {"lens": 2}])
    Run.insert([{"run": 1, "lens": 1}, {"run": 2, "lens": None}, {"run": 3}])
    with pytest.raises(IntegrityError):
        Run.insert1({"run": 4, "lens": 9})
    assert Run.restrict_by(Lens & "lens = 1").keys() == [{"run": 1}]
    assert list(dj.Diagram.cascade(Rig()).counts().values()) == [1, 2, 1]
    assert Run.describe() == "run                  : int8\n---\n-> [nullable] Lens"
    Run.alter(prompt=False)
    assert Rig.delete() == 1
    assert Run.to_dicts(order_by="KEY") == [{"run": 2, "lens": None}, {"run": 3, "lens": None}]

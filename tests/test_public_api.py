"""What `import djupyter as dj` offers, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import djupyter as dj

HEAVY = (
    "pandas",
    "polars",
    "pyarrow",
    "matplotlib",
    "networkx",
    "IPython",
    "zarr",
    "fsspec",
    "pydantic",
    "tqdm",
    "sqlite3.dbapi3",
)

# Names of datajoint's tables that work on the class itself, as far as they exist here.
CLASS_LEVEL = {
    "heading": None, "primary_key": None, "connection": None, "table_name": None, "full_table_name": None,
    "key_source": None,
    "describe": (), "proj": (), "keys": (), "to_dicts": (), "to_pandas": (), "to_polars": (), "to_arrow": (),
    "to_arrays": (), "head": (), "tail": (), "fetch1": (), "parents": (), "children": (), "ancestors": (),
    "descendants": (), "parts": (), "populate": (), "progress": (), "delete_quick": (), "delete": (),
    "drop": (),
}  # fmt: skip


def test_every_public_name_exists_once() -> None:
    assert sorted(set(dj.__all__)) == sorted(dj.__all__)
    for name in dj.__all__:
        assert getattr(dj, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Manuel"):
        dj.Manuel  # noqa: B018


def test_names_of_a_table_work_on_its_class() -> None:
    schema = dj.Schema("api", connection=dj.Connection("sqlite://"))

    @schema
    class Source(dj.Manual):
        definition = "i : int8"

    @schema
    class Result(dj.Computed):
        definition = "-> Source\n---\nx : float64"

        def make(self, key: dict[str, object]) -> None:
            self.insert1({**key, "x": 1})

    Source.connection.settings["safemode"] = False
    Source.insert([(1,)])
    Source.insert1((2,), skip_duplicates=True)
    Source.insert_dataframe(Source.to_pandas(), skip_duplicates=True)
    Result.populate({"i": 1})
    Result.update1({"i": 1, "x": 2})
    assert Result.validate([(1, 2)]).is_valid
    with Source.staged_insert1 as staged:
        staged.rec["i"] = 3
    (Source & "i = 3").delete()
    assert len(Source - Result) == 1
    assert len(Source * Result) == 1
    assert len(Source & Result) == len(Source.aggr(Result, n="count(*)")) - 1
    assert len(Result.join(Source)) == len(Source.extend(Result)) - 1
    assert (-Source).restriction is not None
    assert [row["i"] for row in Source] == [1, 2]
    with pytest.warns(DeprecationWarning, match="fetch"):
        assert Result.fetch("KEY") == [{"i": 1}]
    for name, arguments in CLASS_LEVEL.items():
        found = getattr(Result, name)
        if arguments is not None:
            found(*arguments)
    assert not Result.is_declared


def test_importing_stays_light() -> None:
    program = f"import sys, djupyter; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []

"""Frames and Arrow tables as Parquet files in stores: on a folder, in memory and on S3."""

from __future__ import annotations

import builtins
import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import djupyter as dj
from djupyter.codecs.file_card import file_card
from djupyter.codecs.parquet import GROUP
from djupyter.codecs.parquet_card import parquet_card
from djupyter.codecs.parquet_ref import ParquetRef
from djupyter.errors import DataJointError, MissingExternalFile
from tests.codecs.storing import Place

FRAME = pd.DataFrame(
    {"t": [0.5, 1.5, 2.5], "unit": [1, 2, 1], "name": ["a", "ü", None]},
    index=pd.Index([10, 20, 30], name="spike"),
)
TABLE = pa.table({"t": [0.5, 1.5, 2.5], "unit": pa.array([1, 2, 1], pa.int8())})
N = 3_000_000


@pytest.fixture
def place(store_entry: dict[str, Any]) -> Place:
    """`<parquet>` with each kind of store."""
    return Place("parquet", store_entry)


@pytest.fixture
def memory() -> Place:
    """`<parquet>` with a store in memory."""
    return Place("parquet", {"protocol": "memory", "location": "tests/parquet"})


def long_table(rows: int = N) -> pa.Table:
    """Return a table of several groups of rows."""
    return pa.table({"t": np.arange(rows, dtype=float), "unit": np.arange(rows) % 7})


def test_a_frame_shows_its_first_rows_and_all_as_text(place):
    ref = place.trip(pd.DataFrame({"t": range(20), "<b>": ["<script>", None] * 10}))
    html = ref._repr_html_()
    for seen in ("&lt;script&gt;", "&lt;b&gt;", "int64", "The first 8 rows.", ref.path):
        assert seen in html
    assert "<script>" not in html
    assert ".dj-table" in html  # its rules come along
    assert html.count("<tr>") == 5 + 1 + 8  # facts: path, store, size, rows, columns
    assert "It is empty" in place.trip(FRAME.iloc[:0])._repr_html_()
    nested = pa.table({"a": [{"b": 1, "c": [2, 3]}], "a.b": [None]})
    assert "[2, 3]" in place.trip(nested)._repr_html_()


def test_a_file_of_parquet_is_shown_as_a_frame_wherever_it_lies():
    content = io.BytesIO()
    pq.write_table(TABLE, content)
    shown = file_card("a.parquet", len(content.getvalue()), lambda: content, ())
    assert dict(shown.facts) == {"rows": "3", "columns": "2"}
    assert "2.5" in shown.picture


@pytest.mark.parametrize("columns", [3, 30])
def test_of_a_large_frame_little_is_read(columns):
    rng = np.random.default_rng(0)
    content = io.BytesIO()
    pq.write_table(pa.table({f"c{n}": rng.random(300_000) for n in range(columns)}), content)
    read = []

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            read.append(len(data))
            return data

    shown = parquet_card(Counted(content.getvalue()), (), 8_000_000)
    assert sum(read) < 8_000_000
    assert "The first 8 rows" in shown.note
    assert ("columns" in shown.note) is (columns == 30)


def test_a_frame_that_is_damaged_or_gone_says_so(memory):
    ref = memory.trip(TABLE)
    memory.store.put(ref.path, b"PAR1 nothing")
    assert "Cannot be shown" in ref._repr_html_()
    memory.store.remove(ref.path)
    assert "Missing external file" in ref._repr_html_()


def test_a_frame_whose_rows_are_too_large_for_a_preview_is_left_unread():
    content = io.BytesIO()
    pq.write_table(pa.table({"text": ["x" * 100] * 3}), content, compression="none")
    with pytest.raises(DataJointError, match="a preview reads 100 bytes"):
        parquet_card(io.BytesIO(content.getvalue()), (), 100)


def test_a_frame_of_pandas_comes_back_with_its_index(place):
    ref = place.trip(FRAME)
    pd.testing.assert_frame_equal(ref.to_pandas(), FRAME)
    pd.testing.assert_frame_equal(ref.to_pandas(["unit"]), FRAME[["unit"]])


@pytest.mark.parametrize(
    "frame",
    [
        FRAME.reset_index(drop=True),
        FRAME.set_index("unit", append=True),
        FRAME.set_index(pd.DatetimeIndex(["2024-01-01", "2024-02-29", "2025-01-01"], tz="UTC")),
        FRAME.assign(kind=pd.Categorical(["x", "y", "x"]), n=pd.array([1, None, 3], "Int16")),
        FRAME.iloc[:0],
        pd.DataFrame(),
    ],
)
def test_frames_of_pandas(memory, frame):
    pd.testing.assert_frame_equal(memory.trip(frame).to_pandas(), frame, check_freq=False)


def test_a_frame_of_polars_comes_back(place):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {"t": [1.5, None], "name": ["a", "b"], "kind": pl.Series(["x", "y"], dtype=pl.Categorical)}
    )
    ref = place.trip(frame)
    assert ref.to_polars().equals(frame)
    assert ref.to_polars(["name"]).columns == ["name"]


def test_a_table_of_arrow_comes_back(place):
    assert place.trip(TABLE).to_arrow().equals(TABLE)
    batch = TABLE.to_batches()[0]
    assert place.trip(batch).to_arrow().equals(TABLE)


def test_the_row_says_where_and_what_it_is(place):
    document = place.put(TABLE)
    (size,) = place.files(document).values()
    assert document["path"].startswith("_schema/lab/scan/id=1/x_")
    assert document["path"].endswith(".parquet")
    assert document == {
        "path": document["path"],
        "store": "raw",
        "size": size,
        "rows": 3,
        "columns": [["t", "double"], ["unit", "int8"]],
    }
    assert place.codec.referenced_paths(document) == [(document["path"], "raw")]


def test_what_is_known_without_reading(memory):
    document = memory.put(FRAME)
    memory.store.remove(document["path"])
    ref = memory.get(document)
    assert isinstance(ref, ParquetRef)
    assert (ref.shape, len(ref)) == ((3, 4), 3)
    assert ref.columns == ["t", "unit", "name", "spike"]
    assert ref.schema["t"] == "double"
    assert repr(ref).startswith("ParquetRef(3 rows: t double, unit int64, ")
    assert (ref.path, ref.store, ref.size) == (document["path"], "raw", document["size"])
    assert ref.to_json() == document


def test_only_the_columns_and_groups_of_rows_that_are_needed_are_read(tmp_path, monkeypatch):
    place = Place("parquet", {"protocol": "file", "location": str(tmp_path)})
    document = place.put(long_table())
    file = tmp_path / document["path"]
    assert pq.ParquetFile(file).num_row_groups > 1
    read = counted(monkeypatch, place.store)
    ref = place.get(document)
    assert ref.to_arrow(["t"]).column_names == ["t"]
    one_column = read.pop()
    assert ref.to_arrow(["t"], filters=[("t", "<", 10.0)]).num_rows == 10
    one_group = read.pop()
    assert one_group < 0.7 * one_column < 0.8 * document["size"]


def counted(monkeypatch, store) -> list[int]:
    """Count the bytes that are read from a store, a number for each opening."""
    counts: list[int] = []
    opened = type(store).open

    class Counting:
        def __init__(self, file):
            self._file = file
            counts.append(0)

        def __getattr__(self, name):
            return getattr(self._file, name)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self._file.close()

        def read(self, size=-1):
            data = self._file.read(size)
            counts[-1] += len(data)
            return data

    def open_(self, path, mode="rb"):
        file = opened(self, path, mode)
        return Counting(file) if mode == "rb" else file

    monkeypatch.setattr(type(store), "open", open_)
    return counts


def test_filters_select_rows(memory):
    ref = memory.trip(FRAME)
    assert ref.to_pandas(["t"], filters=[("unit", "==", 1)]).index.tolist() == [10, 30]
    assert ref.to_arrow(filters=pa.compute.field("t") > 2).num_rows == 1
    assert ref.to_arrow(filters=[("t", ">", 99.0)]).num_rows == 0


def test_batches_come_in_bounded_memory(place):
    ref = place.trip(long_table(200_000))
    sizes = [batch.num_rows for batch in ref.batches(["unit"], rows=50_000)]
    assert sizes == [50_000] * 4


def test_a_stream_is_written_as_it_comes(tmp_path):
    place = Place("parquet", {"protocol": "file", "location": str(tmp_path)})
    batch = pa.record_batch({"t": np.arange(500_000, dtype=float)})
    peak = 0

    def batches():
        nonlocal peak
        for _ in range(40):
            peak = max(peak, pa.total_allocated_bytes() - before)
            yield pa.record_batch({"t": batch["t"]})
            # Made anew, so that what is held back is seen.
            yield pa.record_batch(
                {"t": pa.array(np.arange(500_000, dtype=float) + 1, pa.float64())}
            )

    before = pa.total_allocated_bytes()
    ref = place.trip(pa.RecordBatchReader.from_batches(batch.schema, batches()))
    assert ref.shape == (40_000_000, 1)
    assert peak < 4 * GROUP < 8 * 40_000_000
    groups = pq.ParquetFile(tmp_path / ref.path).num_row_groups
    assert 8 <= groups <= 16


def test_what_one_store_gave_goes_into_another(store_entry):
    place = Place("parquet", store_entry, cold={"protocol": "memory", "location": "tests/cold"})
    again = place.get(place.put(place.trip(FRAME), "cold"))
    assert again.store == "cold"
    pd.testing.assert_frame_equal(again.to_pandas(), FRAME)


def test_other_libraries_take_a_reference_as_a_stream(memory):
    ref = memory.trip(TABLE)
    assert pa.table(ref).equals(TABLE)


def test_others_read_the_file(tmp_path):
    place = Place("parquet", {"protocol": "file", "location": str(tmp_path)})
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / place.put(FRAME)["path"]), FRAME)


# Bad input


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, np.zeros(3), "a.parquet", pd.Series([1])])
def test_what_is_no_frame_is_refused(memory, value):
    with pytest.raises(DataJointError, match="<parquet> takes a frame of pandas or polars"):
        memory.put(value)


def test_a_lazy_frame_of_polars_has_to_be_collected(memory):
    pl = pytest.importorskip("polars")
    with pytest.raises(DataJointError, match=r"\.collect\(\)"):
        memory.put(pl.LazyFrame({"a": [1]}))


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"mixed": [1, "a", b"b"]}),
        pd.DataFrame({"thing": [object(), object()]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame(index=pd.RangeIndex(3)),
    ],
)
def test_what_parquet_cannot_hold_is_refused(memory, frame):
    with pytest.raises(DataJointError, match="Parquet cannot hold this frame"):
        memory.put(frame)


def test_a_failing_stream_leaves_no_file(place):
    def batches():
        yield TABLE.to_batches()[0]
        raise ValueError("the microscope stopped")

    with pytest.raises(ValueError, match="microscope"):
        place.put(pa.RecordBatchReader.from_batches(TABLE.schema, batches()))
    place.staging.discarded()
    assert list(place.store.entries()) == []


def test_a_file_that_is_gone_is_missed_by_its_path(place):
    document = place.put(TABLE)
    place.store.remove(document["path"])
    with pytest.raises(MissingExternalFile, match=document["path"]):
        place.get(document).to_arrow()


@pytest.mark.parametrize("cut", [0, 3, 100, -5])
def test_a_damaged_file_is_named_by_its_path(place, cut):
    document = place.put(TABLE)
    whole = place.store.get(document["path"])
    place.store.put(document["path"], whole[:cut])
    ref = place.get(document)
    with pytest.raises(DataJointError, match=document["path"]):
        ref.to_arrow()
    with pytest.raises(DataJointError, match=document["path"]):
        list(ref.batches())


def test_a_file_that_was_changed_is_noticed(memory):
    document, other = memory.put(TABLE), memory.put(TABLE.slice(1))
    memory.store.put(document["path"], memory.store.get(other["path"]))
    with pytest.raises(DataJointError, match="it was changed"):
        memory.get(document).to_arrow()
    with pytest.raises(DataJointError, match="it was changed"):
        memory.get(document).reader()


def test_an_unknown_column_is_named_with_the_known(memory):
    ref = memory.trip(TABLE)
    with pytest.raises(DataJointError, match=r"no column 'x'\. It has: t, unit"):
        ref.to_pandas(["t", "x"])
    with pytest.raises(DataJointError, match="list of columns"):
        ref.to_pandas("t")


def test_without_pyarrow_the_extra_is_named(memory, monkeypatch):
    document = memory.put(TABLE)
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "pyarrow":
            raise ImportError("no pyarrow")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    for use in (lambda: memory.put(FRAME), memory.get(document).to_arrow):
        with pytest.raises(DataJointError, match=r"pip install 'djupyter\[arrow\]'"):
            use()


# Through tables


def test_rows_have_frames(db, store_entry):
    connection = db.connection
    connection.settings["stores"] = {"default": "raw", "raw": store_entry}
    schema = dj.Schema(db.schema_name("lab"), connection=connection)

    @schema
    class Spikes(dj.Manual):
        definition = """
        session : int32
        ---
        spikes = null : <parquet@>
        """

    Spikes.insert([(1, FRAME), (2, None), (3, TABLE)])
    first, none, third = Spikes.to_arrays("spikes", order_by="KEY")
    pd.testing.assert_frame_equal(first.to_pandas(), FRAME)
    assert none is None
    assert third.schema == {"t": "double", "unit": "int8"}
    store = connection.stores.get("raw")
    before = {entry.path for entry in store.entries()}
    with pytest.raises(dj.errors.DuplicateError):
        Spikes.insert([(4, FRAME), (1, FRAME)])
    assert {entry.path for entry in store.entries()} == before
    store.remove(first.path)
    with pytest.raises(MissingExternalFile, match=first.path):
        first.to_pandas()

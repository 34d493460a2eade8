"""The blob format: every published vector in both directions, round trips, and damaged data."""

import collections
import datetime
import enum
import json
import struct
import uuid
import zlib
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from djupyter.codecs import blob, blob_reader
from djupyter.codecs.blob import BlobCodec, MatCell, MatStruct, pack, unpack
from djupyter.errors import DataJointError

VECTORS = json.loads((Path(__file__).parent / "blob-vectors.json").read_text())["vectors"]


def matcell(*items):
    cell = np.empty((1, len(items)), dtype=object)
    for position, item in enumerate(items):
        cell[0, position] = item
    return cell.view(MatCell)


NAMES = {
    "np": np,
    "datetime": datetime,
    "uuid": uuid,
    "Decimal": Decimal,
    "MatCell": MatCell,
    "MatStruct": MatStruct,
    "matcell": matcell,
}


def payload(data):
    """Return protocol and element, whatever the zlib build made of them."""
    return zlib.decompress(data[14:]) if data.startswith(b"ZL123\0") else data


def vectors(**conditions):
    return [
        pytest.param(vector, id=vector["name"])
        for vector in VECTORS
        if all((name in vector) == present for name, present in conditions.items())
    ]


def element(value):
    """Return the packed element, without the protocol."""
    return pack(value, compress=False)[4:]


def blob_of(code, *body):
    return b"dj0\0" + code + b"".join(body)


def u64(*numbers):
    return struct.pack(f"<{len(numbers)}Q", *numbers)


# Vectors


@pytest.mark.parametrize(
    "vector", [v for v in vectors(raises=False) if not v.values[0]["decode_only"]]
)
def test_packing_gives_exactly_the_bytes_of_the_vector(vector):
    value = eval(vector["python"], NAMES)
    packed, expected = pack(value, vector["compress"]), bytes.fromhex(vector["hex"])
    assert payload(packed) == payload(expected)
    assert packed.startswith(b"ZL123\0") == vector["zlib"]


@pytest.mark.parametrize("vector", vectors(raises=False))
def test_unpacking_gives_the_value_of_the_vector(vector, monkeypatch):
    monkeypatch.setattr(blob, "use_32bit_dims", vector.get("use_32bit_dims", False))
    value = unpack(bytes.fromhex(vector["hex"]), squeeze=vector.get("squeeze", False))
    assert type(value).__name__ == vector["unpacked_type"]
    if "unpacked_shape" in vector:
        assert list(value.shape) == vector["unpacked_shape"]
    assert repr(value).startswith(vector["unpacked"].removesuffix("..."))


@pytest.mark.parametrize("vector", vectors(raises=True))
def test_damaged_vectors_raise_the_documented_error(vector):
    expected = {"KeyError": KeyError, "ValueError": ValueError}.get(vector["raises"], Exception)
    with pytest.raises(DataJointError) as caught:
        unpack(bytes.fromhex(vector["hex"]))
    assert isinstance(caught.value, expected)
    if vector["name"] in ("err_size_mismatch", "err_trailing", "err_code"):
        assert str(caught.value) == vector["message"]


# The envelope


def test_a_blob_of_1000_bytes_stays_raw_and_one_of_1001_is_compressed():
    overhead = len(pack(b""))
    assert pack(b"x" * (1000 - overhead)).startswith(b"dj0\0")
    assert pack(b"x" * (1001 - overhead)).startswith(b"ZL123\0")


def test_data_that_compression_would_enlarge_stay_raw():
    noise = np.random.default_rng(0).bytes(3000)
    assert pack(noise).startswith(b"dj0\0")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_bytes_is_unpacked(kind):
    assert unpack(kind(pack([1]))) == [1]


def test_nothing_unpacks_to_none():
    assert unpack(None) is None


def test_text_is_refused_where_bytes_are_expected():
    with pytest.raises(DataJointError, match="not of <class 'str'>"):
        unpack("dj0")


# What becomes of values


class Colour(enum.IntEnum):
    RED = 3


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Colour.RED, 3),
        (Point(1, 2), (1, 2)),
        (memoryview(b"ab"), (97, 98)),
        (collections.deque([1]), [1]),
        (collections.OrderedDict(a=1), {"a": 1}),
        ({"a": 1}.keys(), {"a"}),
        (np.bytes_(b"ab"), b"ab"),
        (pd.Timestamp("2024-01-02 03:04:05"), datetime.datetime(2024, 1, 2, 3, 4, 5)),
        (pd.NaT, None),
        ([[1, [2.5, {"k": (None,)}]]], [[1, [2.5, {"k": (None,)}]]]),
    ],
)
def test_relatives_of_a_type_come_back_as_the_plain_type(value, expected):
    result = unpack(pack(value))
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    "value",
    [
        datetime.timedelta(1),
        Path("a"),
        (n for n in [1]),
        len,
        np.array([(1,)], dtype=[("a", "i4")])[0],
        np.zeros(2, dtype=[]),
        object(),
        [object()],
    ],
)
def test_other_types_are_refused(value):
    with pytest.raises(
        DataJointError, match=r"Packing object of type <.*> currently not supported!"
    ):
        pack(value)


@pytest.mark.parametrize("dtype", ["f2", "g", "G", ">f8", ">M8[D]", "S2", "m8[s]", "M8[10s]", "M8"])
def test_ambiguous_dtypes_are_refused(dtype):
    with pytest.raises(DataJointError, match="is ambiguous or unknown"):
        pack(np.zeros(1, dtype=dtype))


def test_a_surrogate_is_a_unicode_error_for_pack_and_our_error_for_the_codec():
    with pytest.raises(UnicodeEncodeError):
        pack("\ud800")
    with pytest.raises(DataJointError, match="not valid Unicode"):
        BlobCodec().encode("\ud800")


def test_an_int_of_more_than_65535_bytes_is_refused():
    assert unpack(pack(2 ** (65534 * 8))) == 2 ** (65534 * 8)
    with pytest.raises(DataJointError, match="limited to 65535 bytes"):
        pack(2 ** (65535 * 8))


def test_a_container_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(DataJointError, match="levels of nesting"):
        pack(loop)


def test_200_levels_of_nesting_come_back():
    value = []
    for _ in range(199):
        value = [value]
    assert unpack(pack(value)) == value


def test_masked_arrays_and_matrices_come_back_as_plain_arrays():
    masked = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    assert unpack(pack(masked)).tolist() == [1.0, 2.0]
    assert type(unpack(pack(masked))) is np.ndarray


def test_numeric_arrays_come_back_read_only_in_column_major_order():
    array = unpack(pack(np.arange(6.0).reshape(2, 3)))
    assert array.flags.f_contiguous
    assert not array.flags.writeable


def test_object_arrays_of_equally_long_sequences_are_restored():
    array = np.empty(2, dtype=object)
    array[0], array[1] = [1, 2], [3, 4]
    result = unpack(pack(array))
    assert result.shape == (2,)
    assert result.tolist() == [[1, 2], [3, 4]]


def test_records_with_arrays_inside_are_restored():
    records = np.zeros(3, dtype=[("a", "i4"), ("b", "f8", (2,))])
    records["b"] = np.arange(6).reshape(3, 2)
    result = unpack(pack(records))
    assert result.dtype.names == ("a", "b")
    np.testing.assert_array_equal(result["b"], records["b"])


def test_matlab_structs_of_several_positions_come_back_in_their_places():
    struct_array = np.empty((2, 2), dtype=[("a", "O"), ("b", "O")])
    for position in np.ndindex(2, 2):
        struct_array[position] = (str(position), position)
    result = unpack(pack(struct_array.view(MatStruct)))
    assert isinstance(result, MatStruct)
    assert result["a"][0, 1] == "(0, 1)"
    assert result["b"][1, 0] == (1, 0)


def test_the_matlab_protocol_ends_where_a_python_value_is_met():
    assert pack(matcell(np.zeros(1), matcell(np.zeros(1)))).startswith(b"mYm\0")
    assert pack(matcell(np.zeros(1), "a")).startswith(b"dj0\0")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.uuids()
)
HASHABLE = st.recursive(SCALARS, lambda below: st.tuples(below, below), max_leaves=3)
VALUES = st.recursive(
    SCALARS,
    lambda below: (
        st.lists(below, max_size=4)
        | st.tuples(below, below)
        | st.dictionaries(HASHABLE, below, max_size=4)
        | st.sets(HASHABLE, max_size=4)
    ),
    max_leaves=12,
)
DTYPES = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="<")
    | hnp.unsigned_integer_dtypes(endianness="<")
    | hnp.floating_dtypes(endianness="<", sizes=(32, 64))
    | hnp.complex_number_dtypes(endianness="<", sizes=(64, 128))
    | hnp.datetime64_dtypes(endianness="<", max_period="Y", min_period="ns")
)
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=1, min_side=0, max_side=4))


@given(VALUES)
def test_nested_values_survive_a_round_trip(value):
    assert unpack(pack(value)) == value


@given(ARRAYS)
def test_arrays_survive_a_round_trip(array):
    result = unpack(pack(array))
    assert result.dtype == array.dtype
    np.testing.assert_array_equal(result, array)


# Damaged and hostile data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(blob_of(b"\x02", u64(2**63)), id="a list longer than the blob"),
        pytest.param(blob_of(b"\x05", u64(2**63)), id="a text longer than the blob"),
        pytest.param(blob_of(b"A", u64(2**62)), id="more dimensions than bytes"),
        pytest.param(blob_of(b"A", u64(1, 2**60), b"\x06" + bytes(7)), id="a huge array"),
        pytest.param(blob_of(b"A", u64(2, 0, 2**63), b"\x06" + bytes(7)), id="an empty huge array"),
        pytest.param(blob_of(b"A", u64(100), u64(*[1] * 100), b"\x06" + bytes(15)), id="100 dims"),
        pytest.param(blob_of(b"A", u64(1, 2**40), b"\x05" + bytes(7)), id="a huge object array"),
        pytest.param(blob_of(b"A", u64(1, 1), b"\x05\0\0\0\1\0\0\0"), id="complex objects"),
        pytest.param(blob_of(b"C", u64(1, 2**40)), id="a huge cell"),
        pytest.param(blob_of(b"S", u64(1, 2**40), b"\1\0\0\0a\0"), id="a huge struct"),
        pytest.param(blob_of(b"S", u64(1, 1), b"\xff\xff\xff\xff"), id="too many names"),
        pytest.param(blob_of(b"S", u64(1, 1), b"\1\0\0\0abc"), id="a name without an end"),
        pytest.param(blob_of(b"F", b"\1\0\0\0a\0", element([1])), id="a column that is no array"),
        pytest.param(
            blob_of(b"F", b"\2\0\0\0a\0b\0", element(np.zeros(2)), element(np.zeros(3))),
            id="columns of different lengths",
        ),
        pytest.param(
            blob_of(b"F", b"\2\0\0\0a\0a\0", element(np.zeros(2)), element(np.zeros(2))),
            id="columns of the same name",
        ),
        pytest.param(
            blob_of(b"\x04", u64(1, 9), b"\x02", u64(0), u64(1), b"\xff"), id="list as key"
        ),
        pytest.param(blob_of(b"t", struct.pack("<iq", 20241399, -1)), id="an impossible date"),
        pytest.param(blob_of(b"t", struct.pack("<iq", -1, 250000_000000)), id="an impossible time"),
        pytest.param(blob_of(b"d", u64(3), b"abc"), id="a decimal without digits"),
        pytest.param(blob_of(b"\x05", u64(1), b"\xff"), id="a text that is not UTF-8"),
        pytest.param(b"ZL123\0", id="a wrapper without a length"),
        pytest.param(b"ZL123\0" + u64(5) + b"no zlib data", id="a wrapper without zlib"),
        pytest.param(b"ZL123\0" + u64(2**60) + zlib.compress(b"dj0\0\xff"), id="a false size"),
        pytest.param(b"ZL123\0" + u64(5) + zlib.compress(b"dj0\0\xff")[:-2], id="cut short"),
        pytest.param(
            b"ZL123\0" + u64(5) + zlib.compress(b"dj0\0\xff" + bytes(10**7)), id="a zip bomb"
        ),
        pytest.param(b"dj0\0" + (b"\x02" + u64(1, 10**9)) * 500, id="nested beyond its size"),
        pytest.param(b"dj0\0" + b"F\1\0\0\0a\0" * 500, id="records nested without end"),
    ],
)
def test_impossible_promises_are_refused(data):
    with pytest.raises(DataJointError):
        unpack(data)


def test_nesting_deeper_than_the_limit_is_refused():
    packed = b"\xff"
    for _ in range(201):
        packed = b"\x02" + u64(1, len(packed)) + packed
    with pytest.raises(DataJointError, match="deeper than 200"):
        unpack(b"dj0\0" + packed)


def unpack_or_refuse(data):
    """Unpack; pass only if the data are understood or refused by our own error."""
    try:
        unpack(data)
        unpack(data, squeeze=True)
        blob_reader.read(data, use_32bit_dims=True)
    except DataJointError:
        pass


@given(st.binary(max_size=200), st.sampled_from([b"", b"dj0\0", b"mYm\0"]))
def test_random_bytes_are_understood_or_refused(data, protocol):
    unpack_or_refuse(protocol + data)


@given(st.binary(max_size=120), st.sampled_from(list(b"ASCFPt\x01\x02\x03\x04")))
def test_random_bytes_behind_a_code_are_understood_or_refused(data, code):
    unpack_or_refuse(b"dj0\0" + bytes([code]) + data)


EXAMPLES = [payload(bytes.fromhex(vector["hex"])) for vector in VECTORS]


@given(st.data())
def test_mutated_blobs_are_understood_or_refused(data):
    packed = bytearray(data.draw(st.sampled_from([x for x in EXAMPLES if 4 < len(x) < 400])))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(4, len(packed) - 1))
        packed[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(4, len(packed)))
    unpack_or_refuse(bytes(packed[:end]))


# The codec


def test_the_codec_gives_back_what_it_was_given():
    codec = BlobCodec()
    assert codec.decode(codec.encode({"a": [1, 2]})) == {"a": [1, 2]}


RECORDS = np.zeros(2, dtype=[("x", "f8"), ("y", "i4")])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((1000, 3)), "float64 (1000, 3)"),
        (np.random.default_rng(0).random((1000, 3)), "float64 (1000, 3)"),
        (np.zeros((2, 2), dtype="uint8"), "uint8 (2, 2)"),
        (np.zeros(3, dtype="complex64"), "complex64 (3,)"),
        (np.zeros(3, dtype="M8[us]"), "datetime64[us] (3,)"),
        (np.array(["a", "b"]), "object (2,)"),
        (np.array([b"a"], dtype="c"), "char (1,)"),
        (np.float32(1), "float32"),
        (dict.fromkeys("abcd"), "dict 4 keys"),
        ({"a": 1}, "dict 1 key"),
        ([1, 2, 3], "list 3 items"),
        ((1,), "tuple 1 item"),
        ({1, 2}, "set 2 items"),
        ("x" * 1234, "str 1.2 kB"),
        (b"x" * 300, "bytes 300 B"),
        (7, "int"),
        (True, "bool"),
        (1.5, "float"),
        (1j, "complex"),
        (None, "None"),
        (Decimal(1), "Decimal"),
        (uuid.UUID(int=1), "UUID"),
        (datetime.date(2024, 1, 1), "date"),
        (datetime.time(1), "time"),
        (datetime.datetime(2024, 1, 1), "datetime"),
        (matcell(1, 2), "cell (1, 2)"),
        (np.zeros((1, 1), dtype=[("a", "O")]).view(MatStruct), "struct (1, 1)"),
        (RECORDS, "records (2,) x, y"),
    ],
)
def test_a_summary_needs_only_the_first_bytes(value, text):
    packed = pack(value)
    assert BlobCodec().summarize(packed[:512], len(packed)) == text


@example(b"ZL123\0\xff")
@example(b"mYm\0A" + u64(2**40))
@example(b"mYm\0A" + u64(1, 2) + b"\x63\0\0\0\0\0\0\0")
@given(st.binary(max_size=100))
def test_a_summary_never_raises(data):
    for prefix in (data, b"dj0\0" + data, b"ZL123\0" + bytes(8) + data):
        assert BlobCodec().summarize(prefix, 2400)


def test_the_summary_of_unknown_bytes_tells_their_size():
    assert BlobCodec().summarize(b"what", 2400) == "blob 2.4 kB"

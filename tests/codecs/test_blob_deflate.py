"""Compression of blobs: any zlib reads it, it stays small, and memory holds one packed blob beside the value."""

import subprocess
import sys
import tracemalloc
import zlib

import datajoint.blob
import numpy as np
import pytest

from djupyter.codecs.blob import pack, unpack
from djupyter.errors import DataJointError

CHANCE = np.random.default_rng(0)
COUNT = 200_000
ROWS, COLUMNS = np.mgrid[:450, :450]
WORDS = np.array([CHANCE.bytes(4).hex()[: 2 + number % 7].encode() for number in range(500)])
ARRAYS = {
    "floats": CHANCE.random(COUNT),
    "normal floats": CHANCE.normal(size=COUNT),
    "single floats": CHANCE.normal(size=COUNT).astype("f4"),
    "smooth image": (2000 + 1500 * np.sin(ROWS / 200) + CHANCE.normal(0, 8, ROWS.shape)).astype(
        "u2"
    ),
    "stack": CHANCE.poisson(300, (20, 100, 100)).astype("u2"),
    "counts": CHANCE.poisson(5, COUNT),
    "numbers": np.arange(COUNT),
    "times": np.cumsum(CHANCE.exponential(0.01, COUNT)),
    "rounded": np.round(CHANCE.normal(size=COUNT), 2),
    "zeros": np.zeros(COUNT),
    "mask": CHANCE.random(COUNT) < 0.1,
    "noise": CHANCE.integers(0, 256, COUNT, dtype="u1"),
    "columns apart": CHANCE.poisson(9, (COUNT, 3))[:, ::2],
    "complex": CHANCE.random((300, 300)) + 1j,
    "text": np.frombuffer(b" ".join(WORDS[CHANCE.zipf(1.3, COUNT) % len(WORDS)]), "u1"),
}


@pytest.fixture(params=ARRAYS)
def array(request):
    return ARRAYS[request.param]


def test_datajoint_reads_every_compressed_array_and_is_read(array):
    np.testing.assert_array_equal(datajoint.blob.unpack(pack(array)), array)
    np.testing.assert_array_equal(unpack(datajoint.blob.pack(array)), array)


def test_a_packed_array_is_at_most_a_tenth_longer_than_datajoints(array):
    assert len(pack(array)) <= 1.1 * len(datajoint.blob.pack(array)) + 100


def test_packing_again_gives_the_same_bytes(array):
    assert pack(array) == pack(array.copy())


def test_the_order_in_memory_does_not_show(array):
    assert pack(np.asfortranarray(array)) == pack(np.ascontiguousarray(array))


@pytest.mark.parametrize("compress", [True, False])
def test_packing_needs_memory_for_the_packed_blob_only(array, compress):
    large = np.concatenate([array] * -(-12_000_000 // array.nbytes))
    peak, _ = peak_of(lambda: pack(large, compress))
    assert peak < 1.15 * large.nbytes + 3_000_000


@pytest.mark.parametrize("name", ["floats", "counts", "zeros", "stack"])
def test_unpacking_needs_memory_for_the_value_only(name):
    large = np.concatenate([ARRAYS[name]] * -(-12_000_000 // ARRAYS[name].nbytes))
    packed = pack(large)
    peak, _ = peak_of(lambda: unpack(packed))
    assert peak < 1.1 * large.nbytes + 1_000_000


def test_an_array_that_is_not_compressed_is_a_view_of_the_bytes():
    packed = pack(ARRAYS["floats"], compress=False)
    peak, value = peak_of(lambda: unpack(packed))
    assert peak < 100_000
    assert value.base is not None
    assert not value.flags.writeable


def peak_of(act):
    tracemalloc.start()
    try:
        value = act()
        return tracemalloc.get_traced_memory()[1], value
    finally:
        tracemalloc.stop()


def test_values_with_large_arrays_inside_keep_their_places():
    value = {"a": ARRAYS["floats"], "b": [1, ARRAYS["stack"], "c"], "d": b"x" * 70_000}
    for data in (pack(value), pack(value, compress=False)):
        found = unpack(data)
        np.testing.assert_array_equal(found["a"], value["a"])
        np.testing.assert_array_equal(found["b"][1], value["b"][1])
        assert found["b"][::2] == [1, "c"]
        assert found["d"] == value["d"]


def test_without_the_fast_packages_zlib_does():
    program = """
import sys
sys.modules["isal"] = sys.modules["zlib_ng"] = None
import zlib, numpy as np
from djupyter.codecs.blob import pack, unpack
value = np.arange(10_000)
packed = pack(value)
assert packed[14:] == zlib.compress(pack(value, compress=False))
assert (unpack(packed) == value).all()
try:
    unpack(packed[:-10])
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.startswith("DataJointError Blob size mismatch"), done.stderr


def wrapped(size, stream):
    return b"ZL123\0" + size.to_bytes(8, "little") + stream


PLAIN = pack(np.arange(1000), compress=False)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(wrapped(len(PLAIN), zlib.compress(PLAIN)[:-1]), id="a checksum cut short"),
        pytest.param(
            wrapped(len(PLAIN), zlib.compress(PLAIN)[:-4] + b"abcd"), id="another checksum"
        ),
        pytest.param(wrapped(len(PLAIN) - 1, zlib.compress(PLAIN)), id="more than declared"),
        pytest.param(wrapped(len(PLAIN) + 1, zlib.compress(PLAIN)), id="less than declared"),
        pytest.param(wrapped(0, zlib.compress(bytes(10**7))), id="nothing declared"),
        pytest.param(wrapped(len(PLAIN), b""), id="no stream"),
        pytest.param(b"ZL123\0\1\0", id="half a length"),
        pytest.param(
            b"dj0\0A" + (10**5).to_bytes(8, "little") + b"\xff" * 800_000, id="100,000 dimensions"
        ),
    ],
)
def test_damaged_and_hostile_data_are_refused_in_little_memory(data):
    def read():
        with pytest.raises(DataJointError):
            unpack(data)

    peak, _ = peak_of(read)
    assert peak < 3_000_000

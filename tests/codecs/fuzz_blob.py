"""Blobs damaged at random: `python -m tests.codecs.fuzz_blob 1000000 7` tries a million, from the seed 7.

What comes of each is a value or a `DataJointError`; anything else is reported with the blob.
"""

import datetime
import faulthandler
import json
import random
import struct
import sys
import warnings
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np

from djupyter.codecs import blob_reader
from djupyter.codecs.blob import MatStruct, pack, unpack
from djupyter.codecs.blob_summary import summary
from djupyter.errors import DataJointError

_VECTORS = json.loads((Path(__file__).parent / "blob-vectors.json").read_text())["vectors"]
_RECORDS = np.zeros(3, dtype=[("x", "f8"), ("y", "i4"), ("z", [("u", "f4"), ("v", "O")])])
_VALUES = [
    {"a": [1, 2.5, "three", None, True], "b": (Decimal("1.5"), {4, 5}), 6: {"c": b"bytes"}},
    [[[[[]]]], [[1], [2, [3]]], ()],
    [datetime.date(2024, 2, 29), datetime.time(1, 2, 3), datetime.datetime(2024, 1, 2, 3)],
    _RECORDS,
    np.zeros((1, 2), dtype=[("a", "O"), ("b", "O")]).view(MatStruct),
    np.arange(24).reshape(2, 3, 4),
    np.array(["a", None, [1, 2], {"k": 1.0}], dtype=object),
    np.zeros((2, 2), dtype="c16"),
    np.zeros(5, dtype="M8[us]"),
    np.zeros((3, 400)),
    np.random.default_rng(0).poisson(3, 3000),
    [*range(500)],
    dict.fromkeys(map(str, range(200)), 1.5),
    "a text " * 400,
]
CORPUS = [bytes.fromhex(vector["hex"]) for vector in _VECTORS] + [*map(pack, _VALUES)]
# Numbers that lengths, counts and dimensions should better not be.
_HOSTILE = [0, 1, 2, 4, 8, 9, 255, 2**16, 2**31, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1]
_CODES = b"ASCFPtdu\x01\x02\x03\x04\x05\x06\x0a\x0b\x0c\x0d\xff"


def damaged(chance: random.Random) -> bytes:
    """Return a blob of the corpus with some damage, outside or inside its compression."""
    data = bytearray(chance.choice(CORPUS))
    is_inside = data.startswith(b"ZL123\0") and chance.random() < 0.7
    if is_inside:
        data = bytearray(_plain(bytes(data)))
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        chance.choice(_DAMAGES)(data, chance)
    if not is_inside and chance.random() > 0.1:
        return bytes(data)
    return b"ZL123\0" + struct.pack("<Q", len(data)) + zlib.compress(data, 1)


def outcome(data: bytes) -> str:
    """Return `value` or `refused`; raises whatever else comes."""
    if not summary(data[:512], len(data)):
        raise AssertionError("no summary")
    readings: list[Callable[[], object]] = [
        lambda: unpack(data),
        lambda: unpack(data, squeeze=True),
        lambda: blob_reader.read(data, use_32bit_dims=True),
    ]
    is_read, *_ = [_succeeds(read) for read in readings]
    return "value" if is_read else "refused"


def _succeeds(read: Callable[[], object]) -> bool:
    try:
        read()
    except DataJointError as error:
        if isinstance(error.__cause__, MemoryError | RecursionError):
            raise AssertionError("only the limits of the machine stopped this") from error
        return False
    return True


def _plain(data: bytes) -> bytes:
    try:
        return zlib.decompress(data[14:])
    except zlib.error:  # a vector that is damaged, or of 32 bits
        return data


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _code(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice(_CODES)


def _length(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data) + 1)
    data[place : place + 8] = struct.pack("<Q", chance.choice(_HOSTILE))


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _remove(data: bytearray, chance: random.Random) -> None:
    place = chance.randrange(len(data) + 1)
    del data[place : place + chance.randrange(1, 20)]


def _splice(data: bytearray, chance: random.Random) -> None:
    other = chance.choice(CORPUS)
    start = chance.randrange(len(other) + 1)
    place = chance.randrange(len(data) + 1)
    data[place:place] = other[start : start + chance.randrange(64)]


_DAMAGES = (_flip, _flip, _code, _length, _length, _cut, _remove, _splice)


def main(count: int, seed: int) -> int:
    """Try so many damaged blobs and report; return how many came out wrong."""
    faulthandler.enable()
    warnings.simplefilter("error")
    chance, found = random.Random(seed), {"value": 0, "refused": 0, "wrong": 0}
    for number in range(count):
        data = damaged(chance)
        try:
            found[outcome(data)] += 1
        except Exception as error:
            found["wrong"] += 1
            print(number, repr(error), data[:2000].hex(), flush=True)
        if (number + 1) % 50_000 == 0 or number + 1 == count:
            print(number + 1, found, flush=True)
    return found["wrong"]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])) > 0)

"""Which part of an array a preview reads."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.render.sampling import sample


@st.composite
def arrays(draw):
    shape = tuple(draw(st.lists(st.integers(1, 5000), min_size=1, max_size=5)))
    chunks = tuple(draw(st.integers(1, n)) for n in shape)
    return shape, draw(st.sampled_from([1, 2, 8, 16])), draw(st.integers(1, 10**7)), chunks


def chunks_read(index, shape, chunks):
    count = 1
    for part, n, c in zip(index, shape, chunks, strict=True):
        stop = n if isinstance(part, slice) and part.stop is None else getattr(part, "stop", 1)
        count *= -(-stop // c) if isinstance(part, slice) else 1
    return count


@given(arrays())
def test_no_more_is_read_than_allowed_or_one_chunk(case):
    shape, itemsize, budget, chunks = case
    part = sample(shape, itemsize, budget, chunks)
    count = chunks_read(part.index, shape, chunks)
    assert count == 1 or count * prod(chunks) * itemsize <= budget


@given(arrays())
def test_a_part_lies_in_the_array_and_has_at_most_two_axes_or_colours(case):
    shape, itemsize, budget, chunks = case
    part = sample(shape, itemsize, budget, chunks)
    assert len(part.index) == len(shape)
    assert len(part.axes) <= 3
    for place, n in zip(part.index, shape, strict=True):
        if isinstance(place, slice):
            assert 0 < place.stop <= n
        else:
            assert 0 <= place < n


@pytest.mark.parametrize(
    ("shape", "index", "is_whole"),
    [
        ((), (), True),
        ((7,), (slice(0, 7),), True),
        ((3, 4), (slice(0, 3), slice(0, 4)), True),
        ((9, 3, 4), (4, slice(0, 3), slice(0, 4)), False),
        ((30, 40, 3), (slice(0, 30), slice(0, 40), slice(0, 3)), True),
    ],
)
def test_small_arrays_show_a_plane_a_trace_or_colours(shape, index, is_whole):
    part = sample(shape, 8, 8_000_000)
    assert part.index == index
    assert part.is_whole == is_whole

"""Damaged blobs become a value or one clear error; `fuzz_blob` tries as many as there is time for."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djupyter.codecs.blob import unpack
from tests.codecs import fuzz_blob


@pytest.mark.parametrize("seed", range(4))
def test_damaged_blobs_are_understood_or_refused(seed):
    chance = random.Random(seed)
    outcomes = {fuzz_blob.outcome(fuzz_blob.damaged(chance)) for _ in range(500)}
    assert outcomes == {"value", "refused"}


@given(st.randoms(use_true_random=False))
def test_damage_that_hypothesis_can_shrink_is_understood_or_refused(chance):
    assert fuzz_blob.outcome(fuzz_blob.damaged(chance)) in ("value", "refused")


def test_the_corpus_is_mostly_of_sound_blobs():
    assert sum(fuzz_blob.outcome(data) == "value" for data in fuzz_blob.CORPUS) > 50
    assert unpack(fuzz_blob.CORPUS[-1]) == "a text " * 400

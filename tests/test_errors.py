"""Errors travel between processes, and keep what they say when advice is added."""

from __future__ import annotations

import pickle

import pytest

from djupyter.errors import (
    DataJointError,
    DefinitionError,
    MissingFolder,
    UnknownAttributeError,
    UnknownSettingError,
)

ERRORS = [
    DataJointError("no such trial", "Insert it."),
    DefinitionError("a type is missing after ':'", 4, 14, "recorded_on :", 1, "Write a type."),
    MissingFolder("/mnt/disk"),
    UnknownAttributeError("no `x`"),
    UnknownSettingError("no setting `x`"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_in_another_process(error):
    error.add_note("While computing Stat.")
    there = pickle.loads(pickle.dumps(error))
    assert (type(there), str(there), vars(there)) == (type(error), str(error), vars(error))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_advice_is_added_behind_the_message(error):
    advised = error.suggest("Ask Anna.")
    assert isinstance(advised, type(error))
    assert str(advised).endswith("Ask Anna.")

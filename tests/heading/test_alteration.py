"""A plan says what it takes to make one structure another, without a database."""

from __future__ import annotations

import pytest

from djupyter.definition.names import TableName
from djupyter.definition.parser import parse
from djupyter.definition.types import parse_type
from djupyter.errors import DataJointError
from djupyter.heading.attribute import Attribute
from djupyter.heading.planning import plan
from djupyter.heading.structure import TableStructure, resolve

BEFORE = """
# Mice
a : int32  # number
---
name = "" : varchar(20)
weight = null : float32  # in g
index (name)
"""


def table(text: str, class_name: str = "mouse", **parents: TableStructure) -> TableStructure:
    return resolve(parse(text), TableName("lab", class_name), lambda key: parents[key.parent])


def steps(after: str, before: str = BEFORE, **parents: TableStructure) -> list[str]:
    return list(plan(table(before, **parents), table(after, **parents)).steps)


def test_nothing_changes_when_nothing_differs() -> None:
    assert steps(BEFORE) == []


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ("# Mice", "# All mice", "change comments"),
        ("# number", "# its number", "change comments"),
        ('name = ""', 'name = "x"', "change the default of `name`"),
        ("varchar(20)", "varchar(40)", "change `name` from varchar(20) to varchar(40)"),
        ("weight = null", "weight", "make `weight` required"),
        ('name = ""', "name = null", "make `name` nullable"),
        ("index (name)", "unique index (name)", "add unique index (name)"),
        ("index (name)", "", "drop index (name)"),
        ("---", "---\nnotes = null : json", "add `notes`"),
        ('name = "" : varchar(20)\n', "", "drop `name`"),
        ("\n---", "\nb : int8\n---", "change the primary key from (a) to (a, b)"),
    ],
)
def test_each_change_is_a_step(old: str, new: str, step: str) -> None:
    changed = BEFORE.replace(old, new)
    if step == "drop `name`":
        changed = changed.replace("index (name)", "")
    assert step in steps(changed)


def test_comments_and_indexes_leave_the_table_itself_alone() -> None:
    after = BEFORE.replace("# Mice", "# All").replace("index (name)", "index (weight)")
    alteration = plan(table(BEFORE), table(after))
    assert alteration.reindexes
    assert not alteration.rebuilds


def test_braces_in_a_comment_rename_and_are_not_kept() -> None:
    after = BEFORE.replace(
        "weight = null : float32  # in g", "mass = null : float64  # {weight} in g"
    )
    alteration = plan(table(BEFORE), table(after))
    assert alteration.renames == (("mass", "weight"),)
    assert alteration.wanted.by_name["mass"].comment == "in g"
    assert not alteration.added
    assert not alteration.removed
    assert alteration.steps == (
        "rename `weight` to `mass`",
        "change `mass` from float32 to float64",
    )


def test_a_definition_that_asked_for_a_renaming_asks_no_more_once_it_is_done() -> None:
    after = BEFORE.replace(
        "weight = null : float32  # in g", "mass = null : float32  # {weight} in g"
    )
    done = plan(table(BEFORE), table(after)).wanted
    assert plan(done, table(after)).steps == ()


def test_braces_that_rename_nothing_are_an_ordinary_comment() -> None:
    before = BEFORE.replace("# in g", "# {unit} g")
    assert steps(before, before) == []
    assert steps(before) == ["change comments"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("mass = null : float32  # {wieght} in g", "Did you mean `weight`"),
        ("mass = null : float32  # {name} in g", "`name` is still declared"),
    ],
)
def test_a_renaming_of_the_wrong_attribute_is_refused(line: str, message: str) -> None:
    after = BEFORE.replace("weight = null : float32  # in g", line)
    with pytest.raises(DataJointError, match=message):
        plan(table(BEFORE), table(after))


def test_one_attribute_that_goes_and_one_of_its_type_that_comes_are_ambiguous() -> None:
    after = BEFORE.replace("weight = null", "mass = null")
    assert plan(table(BEFORE), table(after)).ambiguous == (("weight", "mass"),)


def test_indexes_follow_a_renaming() -> None:
    after = BEFORE.replace('name = "" : varchar(20)', 'title = "" : varchar(20)  # {name}')
    after = after.replace("index (name)", "index (title)")
    assert steps(after) == ["rename `name` to `title`"]


def test_foreign_keys_that_come_go_or_get_options_are_told() -> None:
    lab = table("lab : int8", "lab")
    plain, with_key = "a : int32", "a : int32\n---\n-> Lab"
    assert steps(with_key, plain, Lab=lab) == ["add the foreign key to Lab (lab)", "add `lab`"]
    assert steps(plain, with_key, Lab=lab) == ["drop the foreign key to Lab (lab)", "drop `lab`"]
    options = with_key.replace("->", "-> [unique]")
    assert steps(options, with_key, Lab=lab) == [
        "change the options of the foreign key to Lab (lab)"
    ]


def test_hidden_attributes_stay() -> None:
    hidden = Attribute("_job_version", parse_type("varchar(64)"), nullable=True)
    before = table(BEFORE)
    before = TableStructure(before.name, "", (*before.attributes, hidden), (), before.indexes)
    assert plan(before, table(BEFORE)).wanted.attributes[-1] == hidden


def test_a_new_order_is_a_step() -> None:
    lines = BEFORE.splitlines()
    lines[4], lines[5] = lines[5], lines[4]
    assert steps("\n".join(lines)) == ["reorder the attributes"]

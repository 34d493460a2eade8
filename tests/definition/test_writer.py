"""The text of `describe()` and the markers in the comments of a database."""

import pytest

from djupyter.definition.model import AttributeSpec, TableDefinition
from djupyter.definition.parser import parse
from djupyter.definition.types import parse_type
from djupyter.definition.writer import read_marker, write, write_marker


def test_describe_lines_up_names_types_and_comments():
    text = """
    #animals
    sid:int32#subject id
    uid : uuid
    ---
    -> [nullable,unique] lab.Rig.proj(rig2='rig', room2='room')
    sex='U' : enum("M", 'F',"U") # gender
    t = current_timestamp() : datetime
    w=1.5 : float64
    code='1' : varchar(5)
    day=2020-01-01 : date
    ok=TRUE : bool
    data=NULL : blob@raw # stuff
    index(sid)
    unique   index (t,(lower(code)))
    """
    assert write(parse(text)).split("\n") == [
        "# animals",
        "sid                  : int32                        # subject id",
        "uid                  : uuid",
        "---",
        '-> [nullable, unique] lab.Rig.proj(rig2="rig",room2="room")',
        "sex=\"U\"              : enum('M','F','U')            # gender",
        "t=CURRENT_TIMESTAMP  : datetime",
        "w=1.5                : float64",
        'code="1"             : varchar(5)',
        'day="2020-01-01"     : date',
        "ok=1                 : bool",
        "data=null            : <blob@raw>                   # stuff",
        "INDEX (sid)",
        "UNIQUE INDEX (t, (lower(code)))",
    ]


def test_a_singleton_is_written_as_a_divider():
    assert write(TableDefinition()) == "---"


def test_comments_from_elsewhere_are_made_to_fit_a_line():
    item = AttributeSpec("a", parse_type("int32"), comment=": two\r\nlines")
    definition = parse(write(TableDefinition(":x\n---\n", (item,))))
    assert (definition.comment, definition.primary[0].comment) == ("x ---", "two lines")


@pytest.mark.parametrize(
    ("marker", "kind", "comment"),
    [
        (":int32:subject id", "int32", "subject id"),
        (":int32:", "int32", ""),
        (":decimal(6,2):", "decimal(6,2)", ""),
        (":enum('M','F','U'):gender", "enum('M','F','U')", "gender"),
        (":enum('pending', 'reserved'):", "enum('pending','reserved')", ""),
        (":enum('a:b','it''s:'):x: y", "enum('a:b','it''s:')", "x: y"),
        (':enum(\\"M\\", \\"F\\"):x', "enum('M','F')", "x"),
        (":<blob@raw>:", "<blob@raw>", ""),
        (":datetime(3):a:b", "datetime(3)", "a:b"),
        (":blob@raw:old", "<blob@raw>", "old"),
    ],
)
def test_a_marker_is_read(marker, kind, comment):
    assert read_marker(marker) == (parse_type(kind), comment)


@pytest.mark.parametrize(
    "comment", ["", "plain", "see: below", ":", "::", ":)", ":external-raw:x", ":'a:b"]
)
def test_a_comment_without_a_marker_stays_whole(comment):
    assert read_marker(comment) == (None, comment)


def test_a_marker_has_both_colons_even_without_a_comment():
    assert write_marker("uuid", "") == ":uuid:"

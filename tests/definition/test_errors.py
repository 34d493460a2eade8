"""What a user reads when a definition is wrong; the messages are reviewed as text."""

import pytest

from djupyter.definition.parser import parse
from djupyter.errors import DefinitionError


def message(text):
    with pytest.raises(DefinitionError) as caught:
        parse(text, warn=False)
    return str(caught.value)


TYPES = (
    "Types: int8 int16 int32 int64 float32 float64 decimal bool char varchar date datetime uuid "
    "json bytes enum <codec>"
)

SNAPSHOTS = [
    (
        "# scans\n-> Session\nscan : int16\n---\ndepth : flaot32   # recording depth",
        f"""\
        unknown type 'flaot32' (line 5, column 9)
            5 | depth : flaot32   # recording depth
              |         ^^^^^^^
            Did you mean float32?  {TYPES}""",
    ),
    (
        "a : int32\n---\nb : int32\nrecorded_on :",
        """\
        a type is missing after ':' (line 4, column 14)
            4 | recorded_on :
              |              ^
            Write `name : type  # comment`, for example `recorded_on : date`.""",
    ),
    (
        "SubjectId : int32",
        """\
        attribute names are in lower case (line 1, column 1)
            1 | SubjectId : int32
              | ^^^^^^^^^
            Write `subject_id`.""",
    ),
    (
        "a : int32\n---\nb : int32\n---",
        """\
        a definition has one divider (line 4, column 1)
            4 | ---
              | ^^^
            The primary key ends in line 2 already. Remove one of the two lines.""",
    ),
    (
        "subject_id int32",
        """\
        ':' is missing after 'subject_id' (line 1, column 12)
            1 | subject_id int32
              |            ^^^^^
            Write `subject_id : int32`.""",
    ),
    (
        "a : int32\na : float64",
        """\
        attribute 'a' is declared twice (line 2, column 1)
            2 | a : float64
              | ^
            It is declared in line 1 already. Rename or remove one of them.""",
    ),
    (
        "---\n\tage = 'young' : int8",
        """\
        the default 'young' does not fit int8 (line 2, column 8)
            2 | \tage = 'young' : int8
              | \t      ^^^^^^^
            An int8 holds -128 to 127.""",
    ),
    (
        "---\nsex = 'F' : enum('f', 'm')",
        """\
        the default 'F' does not fit enum('f','m') (line 2, column 7)
            2 | sex = 'F' : enum('f', 'm')
              |       ^^^
            Did you mean `f`? Its values: f, m.""",
    ),
    (
        "---\n-> [nullable, uniqe] lab.Rig",
        """\
        unknown option 'uniqe' (line 2, column 15)
            2 | -> [nullable, uniqe] lab.Rig
              |               ^^^^^
            Did you mean `unique`? Options: nullable, unique.""",
    ),
    (
        "-> [nullable] Rig\n---",
        """\
        a foreign key in the primary key cannot be nullable (line 1, column 5)
            1 | -> [nullable] Rig
              |     ^^^^^^^^
            Remove the option, or move the line below `---`.""",
    ),
    (
        "a = null : int32\n---",
        """\
        an attribute of the primary key cannot be nullable (line 1, column 5)
            1 | a = null : int32
              |     ^^^^
            Remove the default, or move the line below `---`.""",
    ),
    (
        "=> Session",
        """\
        unexpected '=>' (line 1, column 1)
            1 | => Session
              | ^^
            A foreign key is written `-> Parent`.""",
    ),
    (
        "a : int32\n---\nname = \"none : varchar(10)  # it's open",
        """\
        the quote " is not closed (line 3, column 8)
            3 | name = "none : varchar(10)  # it's open
              |        ^
            A quote within quotes is written twice: "".""",
    ),
    (
        "mouse : int32\n---\nindex (mous)",
        """\
        the index names an unknown attribute 'mous' (line 3, column 8)
            3 | index (mous)
              |        ^^^^
            Did you mean `mouse`? Attributes: mouse.""",
    ),
    (
        "a : int32 the subject's number",
        """\
        the quote ' is not closed (line 1, column 22)
            1 | a : int32 the subject's number
              |                      ^
            A quote within quotes is written twice: ''.""",
    ),
    (
        "---\n  sex = 'M' : enum('M', U)   # as registered",
        """\
        a quoted value is expected, not 'U' (line 2, column 25)
            2 |   sex = 'M' : enum('M', U)   # as registered
              |                         ^
            Quote each value and put commas between them: `enum('M', 'F')`.""",
    ),
    (
        "a : int32 number",
        """\
        unexpected text after the type int32 (line 1, column 11)
            1 | a : int32 number
              |           ^^^^^^
            A comment begins with '#': `int32  # number`.""",
    ),
]


@pytest.mark.parametrize(("text", "expected"), SNAPSHOTS)
def test_a_mistake_is_shown_at_its_place_with_what_to_write(text, expected):
    # Not textwrap.dedent, which blanks the tab in an example.
    assert message(text) == "\n".join(line.removeprefix(" " * 8) for line in expected.split("\n"))


def test_line_numbers_count_windows_line_ends_once():
    assert message("a : int32\r\n\r\n---\r\nB : int8").startswith(
        "attribute names are in lower case (line 4, column 1)"
    )


PLACES = [
    # names
    ("_a : int32", 1, 1, "names that begin with '_' are reserved"),
    ("2p : int32", 1, 1, "an attribute name cannot begin with a digit"),
    ("'a' : int32", 1, 1, "attribute names are not quoted"),
    ("gr\u00f6sse : int32", 1, 1, "'gr\u00f6sse' is no attribute name"),
    ("my attr : int32", 1, 4, "unexpected 'attr' in the attribute name"),
    ("my-attr : int32", 1, 3, "unexpected '-' in the attribute name"),
    ("a" * 64 + " : int32", 1, 1, "the attribute name is too long"),
    ("a", 1, 2, "a type is missing after 'a'"),
    ("a # : int32", 1, 2, "a type is missing after 'a'"),
    # types
    ("a : INT32", 1, 5, "unknown type 'INT32'"),
    ("a : varchar", 1, 5, "varchar needs a length"),
    ("a : varchar(0)", 1, 5, "the length 0 is out of range"),
    ("a : char(256)", 1, 5, "the length 256 is out of range"),
    ("a : varchar(ten)", 1, 5, "varchar needs a length"),
    ("a : varchar(20", 1, 12, "the bracket '(' is not closed"),
    ("a : decimal(66,2)", 1, 5, "the parameters of decimal are out of range"),
    ("a : decimal(2,3)", 1, 5, "the parameters of decimal are out of range"),
    ("a : datetime(7)", 1, 5, "the precision of datetime is out of range"),
    ("a : int32(4)", 1, 10, "int32 takes no parameters"),
    ("a : enum('M', F)", 1, 15, "a quoted value is expected, not 'F'"),
    ("a : enum()", 1, 10, "a quoted value is expected, not ')'"),
    ("a : enum('M','F'", 1, 9, "the bracket '(' is not closed"),
    ("a : enum('M', 'M')", 1, 15, "the enum has a value twice"),
    ("a : int32 = 5", 1, 11, "the default stands before the colon"),
    ("a : int32 : b", 1, 11, "unexpected text after the type int32"),
    ("---\na : <blob", 2, 5, "the bracket '<' is not closed"),
    ("---\na : <my blob>", 2, 5, "'<my blob>' is not a codec"),
    ("---\na : <blob> b", 2, 12, "unexpected text after the type <blob>"),
    # defaults
    ("a = : int32", 1, 4, "a default is missing after '='"),
    ("a = 5", 1, 6, "':' and a type are missing after the default"),
    ("a = 'x' y : varchar(9)", 1, 9, "unexpected text after the default"),
    ("a = \u201cx\u201d : varchar(9)", 1, 5, "a quote within an unquoted default"),
    ("a = 2147483648 : int32", 1, 5, "the default '2147483648' does not fit int32"),
    ("a = nan : float64", 1, 5, "the default 'nan' does not fit float64"),
    ("a = 1e39 : float32", 1, 5, "the default '1e39' does not fit float32"),
    ("a = 12.345 : decimal(4,2)", 1, 5, "the default '12.345' does not fit decimal(4,2)"),
    ("a = 123 : decimal(4,2)", 1, 5, "the default '123' does not fit decimal(4,2)"),
    ("a = 2 : bool", 1, 5, "the default '2' does not fit bool"),
    ("a = 'abc' : char(2)", 1, 5, "the default 'abc' does not fit char(2)"),
    ("a = 2026-02-30 : date", 1, 5, "the default '2026-02-30' does not fit date"),
    ("a = '0000-00-00' : date", 1, 5, "the default '0000-00-00' does not fit date"),
    ("a = 'noon' : datetime", 1, 5, "the default 'noon' does not fit datetime"),
    ("a = now() : date", 1, 5, "the default CURRENT_TIMESTAMP does not fit date"),
    ("a = '12' : uuid", 1, 5, "the default '12' does not fit uuid"),
    ("---\na = '' : <blob>", 2, 5, "<blob> takes no default other than null"),
    ("---\na = '{}' : json", 2, 5, "json takes no default other than null"),
    ("---\na = '' : longblob", 2, 5, "longblob takes no default other than null"),
    # the primary key
    ("a : json", 1, 5, "json cannot stand in the primary key"),
    ("a : bytes", 1, 5, "bytes cannot stand in the primary key"),
    ("a : longblob", 1, 5, "longblob cannot stand in the primary key"),
    ("a :  <blob@raw>  # b", 1, 6, "<blob@raw> cannot stand in the primary key"),
    # comments
    ("a : int32  # : b", 1, 14, "a comment cannot begin with ':'"),
    ("  #: b", 1, 4, "a comment cannot begin with ':'"),
    # foreign keys
    ("- > A", 1, 1, "unexpected '- >'"),
    ("---> A", 1, 1, "unexpected '--->'"),
    ("\u2192 A", 1, 1, "unexpected '\u2192'"),
    ("a -> B", 1, 3, "a foreign key stands on its own line"),
    ("->", 1, 3, "a table is missing after '->'"),
    ("-> a.", 1, 6, "a table is missing after '.'"),
    ("-> [] A", 1, 5, "an option is missing"),
    ("-> [unique A", 1, 12, "a comma is missing between the options"),
    ("-> [unique", 1, 4, "the bracket '[' is not closed"),
    ("-> A & 'x'", 1, 6, "unexpected '&'"),
    ("-> A.proj('x')", 1, 11, "a new name is expected"),
    ("-> A.proj(b)", 1, 12, "'=' is missing after the new name"),
    ("-> A.proj(b=c)", 1, 13, "a quoted name of the parent is expected"),
    ("-> A.proj(b='c+1')", 1, 13, "'c+1' is no attribute name"),
    ("-> A.proj(b='c' d='e')", 1, 17, "a comma is missing between the renames"),
    ("-> A.proj(b='c', b='d')", 1, 18, "b is renamed twice"),
    ("-> A.proj(b='c', d='c')", 1, 20, "'c' is renamed twice"),
    ("-> A.proj(B='c')", 1, 11, "attribute names are in lower case"),
    ("-> A.proj(b='c'", 1, 10, "the bracket '(' is not closed"),
    # indexes
    ("index a", 1, 7, "':' is missing after 'index'"),
    ("index mine (a)", 1, 7, "an index has no name"),
    ("unique (a)", 1, 8, "'index' is missing after 'unique'"),
    ("unique index a", 1, 14, "an index has no name"),
    ("index ()", 1, 8, "an attribute is missing in the index"),
    ("index (a,)", 1, 10, "an attribute is missing in the index"),
    ("index (a, a)", 1, 11, "'a' is twice in the index"),
    ("index (A)", 1, 8, "attribute names are in lower case"),
    ("index ((a)", 1, 7, "the bracket '(' is not closed"),
    ("index (a) b", 1, 11, "unexpected 'b'"),
    # other lines
    ("--", 1, 1, "unexpected '--'"),
    ("\u2014\u2014\u2014", 1, 1, "unexpected '\u2014\u2014\u2014'"),
    ("@x", 1, 1, "unexpected '@'"),
    ("\u200ba : int32", 1, 1, "unexpected '\\u200b'"),
]


@pytest.mark.parametrize(("text", "line", "column", "problem"), PLACES)
def test_a_mistake_is_found_where_it_stands(text, line, column, problem):
    with pytest.raises(DefinitionError) as caught:
        parse(text, warn=False)
    error = caught.value
    assert (error.line, error.column, error.problem) == (line, column, problem)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("INT", "int32"),
        ("VARCHAR(20)", "varchar"),
        ("LONGBLOB", "<blob>"),
        ("varchr(20)", "varchar"),
        ("string", "varchar(n)"),
        ("uint8", "int16"),
        ("ndarray", "<blob>"),
        ("object", "<object@>"),
        ("npy@raw", "<npy@raw>"),
        ("attach", "<attach>"),
        ("dict", "json"),
        ("datetme", "datetime"),
    ],
)
def test_the_nearest_type_is_named(wrong, right):
    assert f"Did you mean {right}?  Types: int8 " in message(f"---\na : {wrong}")

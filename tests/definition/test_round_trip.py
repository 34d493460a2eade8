"""Any definition can be written and read back, and any text is read or explained."""

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from djupyter.definition.lexer import split_lines
from djupyter.definition.model import (
    AttributeSpec,
    Default,
    ForeignKeySpec,
    IndexSpec,
    TableDefinition,
    TypeSpec,
)
from djupyter.definition.parser import parse
from djupyter.definition.types import parse_type
from djupyter.definition.writer import read_marker, write, write_marker
from djupyter.errors import DefinitionError

# A definition is made of lines, so a value that holds the end of a line cannot be written in one.
LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
HOSTILE = st.sampled_from(
    [
        "it's",
        'a "b" c',
        "# x",
        "---",
        "-> A",
        "a : int32",
        "50%",
        "null",
        "\\",
        "''",
        "::",
        "a,b",
        "][",
    ]
)
VALUES = LINE | HOSTILE
COMMENTS = VALUES.map(lambda text: text.strip()).filter(lambda text: not text.startswith(":"))
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True) | st.sampled_from(
    ["index", "unique", "select", "null", "master", "proj"]
)
CLASSES = st.sampled_from(
    ["A", "master", "self.x", "lab.Subject", "a.b.C.Part", "`lab`.`#kind`", '"l"."k"']
)
STORES = st.sampled_from([None, "", "raw", "s-3.eu"])


@st.composite
def enums(draw):
    values = draw(st.lists(VALUES, min_size=1, max_size=4, unique=True))
    text = ",".join("'" + value.replace("'", "''") + "'" for value in values)
    return TypeSpec(f"enum({text})", "core", "enum", tuple(values))


@st.composite
def codecs(draw):
    name, store = draw(st.sampled_from(["blob", "object", "MyCodec_2"])), draw(STORES)
    text = f"<{name}>" if store is None else f"<{name}@{store}>"
    return TypeSpec(text, "codec", name, store=store)


def integers(bits):
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


# A type beside the literals that may be its default.
PLAIN = {
    **{f"int{bits}": integers(bits).map(str) for bits in (8, 16, 32, 64)},
    "float32": st.floats(width=32, allow_nan=False, allow_infinity=False).map(str),
    "float64": st.floats(allow_nan=False, allow_infinity=False).map(str),
    "decimal(8,3)": st.decimals(-99999, 99999, places=3).map(lambda number: f"{Decimal(number):f}"),
    "bool": st.sampled_from("01"),
    "char(2)": st.sampled_from(["", "a", "''", "#:"]),
    "varchar(100)": VALUES,
    "date": st.dates().map(str),
    "datetime": st.datetimes().map(str),
    "datetime(3)": st.datetimes().map(lambda time: time.isoformat(timespec="milliseconds")),
    "uuid": st.uuids().map(str),
    "int unsigned": VALUES,
    "character varying(20)": VALUES,
    "timestamp(3) without time zone": VALUES,
    "double precision": st.just("1.5"),
}
KEY_TYPES = st.sampled_from(list(PLAIN)).map(parse_type) | enums()
OTHER_TYPES = st.sampled_from(["json", "bytes", "longblob"]).map(parse_type) | codecs()


@st.composite
def attributes(draw, name, *, in_key):
    kind = draw(KEY_TYPES if in_key else KEY_TYPES | OTHER_TYPES)
    literals = st.sampled_from(kind.arguments) if kind.name == "enum" else PLAIN.get(kind.text)
    defaults = [st.none()]
    if literals is not None:
        defaults.append(st.builds(Default, st.just("literal"), literals))
    if kind.name == "datetime":
        texts = st.sampled_from(["CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP(3)"])
        defaults.append(st.builds(Default, st.just("now"), texts))
    if not in_key:
        defaults.append(st.just(Default("null")))
    return AttributeSpec(name, kind, draw(st.one_of(defaults)), draw(COMMENTS))


@st.composite
def foreign_keys(draw, *, in_key):
    new = draw(st.lists(NAMES, max_size=3, unique=True))
    old = draw(st.lists(NAMES, min_size=len(new), max_size=len(new), unique=True))
    nullable = not in_key and draw(st.booleans())
    renames = tuple(zip(new, old, strict=True))
    return ForeignKeySpec(draw(CLASSES), renames, nullable, draw(st.booleans()))


def indexes(names):
    expressions = st.sampled_from(
        ["(lower(a))", "b.c[0]:char(20)", "(concat(a, ',', \"(#\"))", "(a ->> '$.x')", "f(a,(b))"]
    )
    entries = st.sampled_from(names) | expressions if names else expressions
    lists = st.lists(entries, min_size=1, max_size=3, unique=True).map(tuple)
    return st.builds(IndexSpec, lists, st.booleans())


@st.composite
def definitions(draw):
    names = draw(st.lists(NAMES, max_size=8, unique=True))
    middle = draw(st.integers(0, len(names)))
    sections = []
    for own, in_key in ((names[:middle], True), (names[middle:], False)):
        items = [draw(attributes(name, in_key=in_key)) for name in own]
        items += draw(st.lists(foreign_keys(in_key=in_key), max_size=2))
        sections.append(tuple(draw(st.permutations(items))))
    entries = draw(st.lists(indexes(names), max_size=2))
    return TableDefinition(draw(COMMENTS), *sections, tuple(entries))


def attempt(read):
    """Return what is read, or the one error that may come of it."""
    try:
        return read()
    except DefinitionError as error:
        return error


@given(definitions())
def test_a_written_definition_parses_to_itself(definition):
    assert parse(write(definition), warn=False) == definition


@given(
    definitions(),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "  ", "\t", "\u00a0"]),
)
def test_line_ends_and_indentation_do_not_matter(definition, end, blank):
    lines = write(definition).split("\n")
    text = end.join(f"{blank}{line}{blank}{end}" for line in lines)
    assert parse(text, warn=False) == definition


@given(KEY_TYPES | OTHER_TYPES, VALUES)
def test_a_marker_gives_back_the_type_and_the_comment(kind, comment):
    assert read_marker(write_marker(kind.text, comment)) == (kind, comment)


PIECES = """
    a b Big int32 varchar(3) enum('M','F') <blob@> decimal(4,2) unique index -> --- : : = null 'x'
    " ' ( ) [ ] , nullable .proj( new='old' # #: 3 _x 12:30 unsigned
    \u2192 \u201cq\u201d \u200b \u00b2 \u0663
"""
SOUP = st.lists(
    st.sampled_from([*PIECES.split(), "\n", "\n", "\n", "\r\n", " ", " ", "\t", "\x00"]),
    max_size=25,
).map("".join)


@given(SOUP | st.text(max_size=60))
@example("a : varchar(" + "9" * 5000 + ")")
@example("a = " + "9" * 5000 + " : int32")
@example("a = 1e9999 : float64")
@example("a = 1_0 : float64")
@example("a : enum(" + "'" * 99 + ")")
@example("a : " + "(" * 3000)
@example("\u2028#x")
def test_any_text_is_read_or_explained_at_a_place_in_it(text):
    read = attempt(lambda: parse(text, warn=False))
    if isinstance(read, TableDefinition):
        assert parse(write(read), warn=False) == read
        return
    lines = split_lines(text)
    assert 1 <= read.line <= len(lines)
    assert read.source == lines[read.line - 1]
    assert 1 <= read.column <= len(read.source) + 1
    assert read.column + read.width <= len(read.source) + 2


@given(SOUP | st.text(max_size=60))
def test_any_text_is_a_type_with_a_normal_form_or_explained(text):
    read = attempt(lambda: parse_type(text))
    if isinstance(read, TypeSpec):
        assert parse_type(read.text) == read
        return
    assert read.line == 1
    assert 1 <= read.column <= len(text.strip()) + 1


@given(st.text() | SOUP.map(":{}".format))
def test_any_comment_of_a_database_can_be_read(comment):
    kind, text = read_marker(comment)
    assert text == comment if kind is None else comment.endswith(text)

"""What the definition language means."""

import warnings

import pytest

from djupyter.definition.model import Default, ForeignKeySpec, IndexSpec, TableDefinition
from djupyter.definition.parser import parse
from djupyter.definition.types import NativeTypeWarning, parse_type


def attribute(line):
    [item] = parse(f"---\n{line}", warn=False).secondary
    return item


def test_a_whole_definition_is_read():
    definition = parse(
        """
        # experimental session
        -> subject.Subject
        session_idx : int16          # session number within a subject
        ---
        # what happened
        -> [nullable] Rig
        session_date : date
        notes = '' : varchar(1000)
        unique index (session_date, notes)
        """
    )
    assert definition.comment == "experimental session"
    assert [item.parent for item in definition.foreign_keys] == ["subject.Subject", "Rig"]
    assert definition.primary[1].comment == "session number within a subject"
    assert [item.name for item in definition.secondary[1:]] == ["session_date", "notes"]
    assert definition.indexes == (IndexSpec(("session_date", "notes"), unique=True),)


def test_items_know_where_they_stand():
    definition = parse("\r\n  a : int32\r\n\t-> B\r\n  index (a)")
    places = [(item.line, item.column) for item in (*definition.items, *definition.indexes)]
    assert places == [(2, 3), (3, 2), (4, 3)]


@pytest.mark.parametrize("text", ["", "\n \n", "---", "----- no key\n", "\r\n---\r\n"])
def test_an_empty_definition_declares_a_singleton(text):
    assert parse(text) == TableDefinition()


def test_only_a_comment_at_the_top_is_the_comment_of_the_table():
    assert parse("\n# one\n# two\na : int32\n# three").comment == "one"
    assert parse("a : int32\n# three").comment == ""


def test_text_in_comments_has_no_meaning():
    line = attribute("""a : int32 # it's 50% "->" # --- : enum('x \u00b5\u4e2d\U0001f42d""")
    assert line.comment == """it's 50% "->" # --- : enum('x \u00b5\u4e2d\U0001f42d"""
    assert parse("--- it's the end").secondary == ()


def test_sql_keywords_are_names():
    text = "\n".join(
        f"{name} : int32" for name in ("select", "group", "table", "index", "unique", "null")
    )
    assert len(parse(text).primary) == 6


def test_blanks_are_optional():
    item = attribute("a=1:int32#b")
    assert (item.name, item.default, item.type.text, item.comment) == (
        "a",
        Default("literal", "1"),
        "int32",
        "b",
    )


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ("null : int32", Default("null")),
        ("NULL : <blob>", Default("null")),
        ("'null' : varchar(9)", Default("literal", "null")),
        ("CURRENT_TIMESTAMP : datetime", Default("now", "CURRENT_TIMESTAMP")),
        ("current_timestamp(3) : datetime(3)", Default("now", "CURRENT_TIMESTAMP(3)")),
        ("current_timestamp() : datetime", Default("now", "CURRENT_TIMESTAMP")),
        ("now() : timestamp", Default("now", "CURRENT_TIMESTAMP")),
        ('"CURRENT_TIMESTAMP" : varchar(20)', Default("literal", "CURRENT_TIMESTAMP")),
        ('"" : varchar(9)', Default("literal", "")),
        ("'it''s' : varchar(9)", Default("literal", "it's")),
        ('"say ""hi""" : varchar(9)', Default("literal", 'say "hi"')),
        ("'a:b # c' : varchar(9)", Default("literal", "a:b # c")),
        ("two words : varchar(9)", Default("literal", "two words")),
        ("-1.5e3 : float64", Default("literal", "-1.5e3")),
        ("2020-01-01 : date", Default("literal", "2020-01-01")),
        ("2020-01-01 12:30:00.5 : datetime(3)", Default("literal", "2020-01-01 12:30:00.5")),
        ("true : bool", Default("literal", "1")),
        ("'False' : bool", Default("literal", "0")),
        ("-0.50 : decimal(3,2)", Default("literal", "-0.50")),
        ("'#' : enum(':', '#')", Default("literal", "#")),
        ("12:30:00 : time", Default("literal", "12:30:00")),
    ],
)
def test_a_default_is_null_the_time_or_a_literal(text, default):
    assert attribute(f"a = {text}").default == default


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("master", ForeignKeySpec("master")),
        ("self.source", ForeignKeySpec("self.source")),
        ("lab.subject.Subject  # whose", ForeignKeySpec("lab.subject.Subject")),
        ("[NULLABLE] A", ForeignKeySpec("A", nullable=True)),
        ("[unique, nullable]A", ForeignKeySpec("A", nullable=True, unique=True)),
        ("A.proj()", ForeignKeySpec("A")),
        ("A.proj", ForeignKeySpec("A.proj")),
        ("m.A.proj(x=\"a\", y='b',)", ForeignKeySpec("m.A", (("x", "a"), ("y", "b")))),
        ("`lab`.`#kind`.proj(x='a')", ForeignKeySpec("`lab`.`#kind`", (("x", "a"),))),
        ('"lab"."#kind"', ForeignKeySpec('"lab"."#kind"')),
    ],
)
def test_a_foreign_key_names_a_table_with_options_and_renames(text, expected):
    assert parse(f"---\n-> {text}").secondary == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("index(a,b)", IndexSpec(("a", "b"))),
        ("UNIQUE  INDEX (a)  # fast", IndexSpec(("a",), unique=True)),
        ("Index ((lower(a)), b)", IndexSpec(("(lower(a))", "b"))),
        ("index (a.path:char(20), b)", IndexSpec(("a.path:char(20)", "b"))),
        ("index ((concat(a, ',)', b)))", IndexSpec(("(concat(a, ',)', b))",))),
    ],
)
def test_an_index_has_attributes_or_expressions(text, expected):
    assert parse(f"a : int32\nb : int32\n{text}").indexes == (expected,)


def test_an_index_may_name_attributes_that_a_foreign_key_brings():
    assert parse("-> A\nindex (a_id)").indexes == (IndexSpec(("a_id",)),)


def test_native_types_are_warned_of_once_with_the_type_to_write_instead():
    with pytest.warns(NativeTypeWarning) as caught:
        parse("a : int unsigned\n---\nb : longblob\nc : int32\nd : serial")
    assert len(caught) == 1
    assert str(caught[0].message).splitlines()[1:] == [
        "  a : int unsigned  -> int64",
        "  b : longblob  -> <blob>",
        "  d : serial  -> int64",
    ]
    assert caught[0].filename == __file__


def test_no_warning_where_none_is_wanted_or_due():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse("a : int", warn=False)
        parse("a : int32")


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("int8", "int8"),
        ("decimal( 6 , 2 )", "decimal(6,2)"),
        ("varchar (20)", "varchar(20)"),
        ("datetime(0)", "datetime(0)"),
        ("jsonb", "json"),
        ("enum(\"M\", 'F' )", "enum('M','F')"),
        ("enum('it''s', \"say \"\"#:,\"\"\", '\u4e2d')", "enum('it''s','say \"#:,\"','\u4e2d')"),
        ("<blob>", "<blob>"),
        ("< blob@ >", "<blob@>"),
        ("<My_codec@raw-1>", "<My_codec@raw-1>"),
        ("object@raw", "<object@raw>"),
        ("blob@", "<blob@>"),
        ("attach@raw", "<attach@raw>"),
        ("filepath@raw", "<filepath@raw>"),
    ],
)
def test_a_type_has_a_normal_form(text, normal):
    assert parse_type(text).text == normal
    assert parse_type(text).kind != "native"


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("int", "int", ()),
        ("int (11)  unsigned auto_increment", "int unsigned auto_increment", (11,)),
        ("integer", "integer", ()),
        ("tinyint(1)", "tinyint", (1,)),
        ("mediumint unsigned", "mediumint unsigned", ()),
        ("serial", "serial", ()),
        ("decimal", "decimal", ()),
        ("decimal(6)", "decimal", (6,)),
        ("decimal(6,2) unsigned", "decimal unsigned", (6, 2)),
        ("numeric(6,2)", "numeric", (6, 2)),
        ("float", "float", ()),
        ("double precision", "double precision", ()),
        ("real", "real", ()),
        ("time", "time", ()),
        ("timestamp(3) without time zone", "timestamp without time zone", (3,)),
        ("year", "year", ()),
        ("blob", "blob", ()),
        ("longblob", "longblob", ()),
        ("mediumtext", "mediumtext", ()),
        ("varchar(20) collate utf8mb4_bin", "varchar collate utf8mb4_bin", (20,)),
        ("character varying(20)", "character varying", (20,)),
    ],
)
def test_a_native_type_keeps_its_words(text, name, arguments):
    spec = parse_type(text)
    assert (spec.kind, spec.name, spec.arguments) == ("native", name, arguments)


def test_a_store_is_absent_default_or_named():
    assert [parse_type(text).store for text in ("<blob>", "<blob@>", "<blob@raw>")] == [
        None,
        "",
        "raw",
    ]

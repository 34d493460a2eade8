"""Definitions as text: for people in `describe()`, for databases in the comments of columns.

The text of a definition parses to the same definition. The marker in a comment keeps what the
database's own type does not tell: `:uuid:who` on a `binary(16)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from djupyter.definition.defaults import NUMBER
from djupyter.definition.lexer import STRING
from djupyter.definition.model import (
    AttributeSpec,
    Default,
    ForeignKeySpec,
    IndexSpec,
    Item,
    TableDefinition,
    TypeSpec,
)
from djupyter.definition.types import parse_type
from djupyter.errors import DefinitionError

# The type ends at the first colon outside quotes: an enum's values may hold colons.
_MARKER = re.compile(rf":(?P<type>(?:[^:'\"]|{STRING})++):(?P<comment>.*)", re.DOTALL)
_TEXT_TYPES = ("char", "varchar", "enum", "date", "datetime", "uuid")


def write(definition: TableDefinition) -> str:
    r"""Return a definition as text in the layout of `describe()`.

    Line ends in comments become blanks, and colons at their beginning are left out: a definition
    cannot hold them.

    Examples
    --------
    >>> from djupyter.definition.parser import parse
    >>> print(write(parse("# mice\nsid:int32 # number\n---\nsex='U':enum('M','U')\nindex(sex)")))
    # mice
    sid                  : int32                        # number
    ---
    sex="U"              : enum('M','U')
    INDEX (sex)
    """
    return "\n".join(_lines(definition))


def write_marker(type_text: str, comment: str) -> str:
    """Return the comment that a database keeps of a column with a core type or a codec.

    >>> write_marker("int32", "subject id")
    ':int32:subject id'
    """
    return f":{type_text}:{comment}"


def read_marker(comment: str) -> tuple[TypeSpec | None, str]:
    """Return the declared type and the user's comment from the comment that a database keeps.

    The type is None, and the comment whole, where no type is marked.

    Examples
    --------
    >>> read_marker(":enum('a:b', 'c'):ratio")[0].arguments
    ('a:b', 'c')
    >>> read_marker("see: below")
    (None, 'see: below')
    """
    # PostgreSQL keeps the backslashes that datajoint writes before double quotes for MySQL.
    for text in (comment, comment.replace('\\"', '"')):
        match = _MARKER.fullmatch(text)
        if match:
            try:
                return parse_type(match["type"]), match["comment"]
            except DefinitionError:
                continue
    return None, comment


def _lines(definition: TableDefinition) -> Iterator[str]:
    comment = _one_line(definition.comment)
    if comment:
        yield f"# {comment}"
    yield from map(_item, definition.primary)
    yield "---"
    yield from map(_item, definition.secondary)
    yield from map(_index, definition.indexes)


def _item(item: Item) -> str:
    return write_item(item) if isinstance(item, ForeignKeySpec) else _attribute(item)


def _attribute(item: AttributeSpec) -> str:
    name, comment = _named(item, "="), _one_line(item.comment)
    text = f"{name:<20} : {item.type.text:<28}"
    return f"{text} # {comment}" if comment else text.rstrip()


def write_item(item: Item | IndexSpec) -> str:
    """Return one line by itself, not padded to the columns of a whole definition.

    >>> from djupyter.definition.types import parse_type
    >>> write_item(AttributeSpec("x", parse_type("int8"), Default("null"), "depth"))
    'x = null : int8  # depth'
    """
    if isinstance(item, ForeignKeySpec):
        return _foreign_key(item)
    if isinstance(item, IndexSpec):
        return _index(item)
    comment = _one_line(item.comment)
    return f"{_named(item, ' = ')} : {item.type.text}" + (f"  # {comment}" if comment else "")


def _named(item: AttributeSpec, equals: str) -> str:
    if item.default is None:
        return item.name
    return f"{item.name}{equals}{write_default(item.default, item.type)}"


def write_default(default: Default, spec: TypeSpec) -> str:
    """Return a default as it is written after `=`.

    >>> from djupyter.definition.types import parse_type
    >>> write_default(Default("literal", "M"), parse_type("enum('M','F')"))
    '"M"'
    """
    if default.kind != "literal":
        return default.text or "null"
    if NUMBER.fullmatch(default.text) and spec.name not in _TEXT_TYPES:
        return default.text
    return '"' + default.text.replace('"', '""') + '"'


def _foreign_key(item: ForeignKeySpec) -> str:
    options = ["nullable"] * item.nullable + ["unique"] * item.unique
    renames = ",".join(f'{new}="{old}"' for new, old in item.renames)
    return "".join(
        [
            "-> ",
            f"[{', '.join(options)}] " if options else "",
            item.parent,
            f".proj({renames})" if renames else "",
        ]
    )


def _index(item: IndexSpec) -> str:
    return f"{'UNIQUE ' * item.unique}INDEX ({', '.join(item.attributes)})"


def _one_line(comment: str) -> str:
    return re.sub(r"[\r\n]+", " ", re.sub(r"^[\s:]+", "", comment)).strip()

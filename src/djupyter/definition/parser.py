"""Definition text to a `TableDefinition`; every mistake is explained at the place where it stands.

```
# experimental session              table comment
-> subject.Subject                  foreign key       statements.foreign_key
session_idx : int16   # counts      attribute         attributes.attribute
---                                 end of the primary key
-> [nullable] Rig
notes = "" : varchar(1000)
index (notes)                       index             statements.index
```
"""

from __future__ import annotations

import re
import sys
import warnings
from dataclasses import dataclass, field

from djupyter.definition.attributes import attribute, comment_text
from djupyter.definition.lexer import Line, Token, lex
from djupyter.definition.model import (
    AttributeSpec,
    ForeignKeySpec,
    IndexSpec,
    Item,
    TableDefinition,
)
from djupyter.definition.native import core_type_for
from djupyter.definition.statements import foreign_key, index, is_index
from djupyter.definition.types import NativeTypeWarning
from djupyter.errors import DefinitionError, nearest

# `=>`, `- >`, `--->` and what word processors make of `->`.
_NEARLY_ARROW = re.compile("[-=\u2013\u2014]*\\s*[>\u2192]|<-")
_NEARLY_DIVIDER = re.compile("--(?!>)|[\u2013\u2014\u2015\u2500]+\\s*$")


def parse(text: str, *, warn: bool = True) -> TableDefinition:
    r"""Return what a definition declares.

    Parameters
    ----------
    text
        The definition, with any line ends and any indentation.
    warn
        Whether to warn of types that only one database knows. Off where a text is only compared.

    Raises
    ------
    DefinitionError
        The text is no definition; the error points at the token and says what to write.

    Warns
    -----
    NativeTypeWarning
        Once, naming all attributes with such types and the types to write instead.

    Examples
    --------
    >>> scan = parse("-> Session\nscan : int16  # counts from 1\n---\ndepth = null : float32")
    >>> scan.primary[0].parent, scan.primary[1].comment, scan.secondary[0].nullable
    ('Session', 'counts from 1', True)
    >>> parse("depth : flaot32")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    djupyter.errors.DefinitionError: unknown type 'flaot32' (line 1, column 9)
        1 | depth : flaot32
          |         ^^^^^^^
        Did you mean float32?  Types: int8 int16 int32 int64 float32 float64 decimal bool ...
    """
    draft = _Draft()
    lines = lex(text)
    if lines and lines[0].tokens[0].kind == "comment":
        draft.comment = comment_text(lines[0], lines[0].tokens[0])
    for line in lines:
        if line.tokens[0].kind != "comment":
            draft.add(line)
    draft.check_indexes()
    definition = draft.definition()
    if warn:
        _warn_of_native_types(definition)
    return definition


@dataclass(slots=True)
class _Draft:
    """A definition under construction."""

    comment: str = ""
    sections: tuple[list[Item], list[Item]] = field(default_factory=lambda: ([], []))
    indexes: list[IndexSpec] = field(default_factory=list)
    index_lines: list[Line] = field(default_factory=list)
    divider: Line | None = None
    names: dict[str, int] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """Read a line that is neither blank nor a comment."""
        first = line.tokens[0]
        in_key = self.divider is None
        if first.kind == "divider":
            self.divide(line)
        elif first.kind == "arrow":
            self.sections[not in_key].append(foreign_key(line, in_key=in_key))
        elif is_index(line):
            self.indexes.append(index(line))
            self.index_lines.append(line)
        elif first.kind == "mark":
            raise _mistaken(line, first)
        else:
            self.add_attribute(line, in_key)

    def add_attribute(self, line: Line, in_key: bool) -> None:
        """Read a line `name = default : type`."""
        spec = attribute(line, in_key=in_key)
        earlier = self.names.setdefault(spec.name, line.number)
        if earlier != line.number:
            raise line.error(
                f"attribute '{spec.name}' is declared twice",
                line.tokens[0],
                f"It is declared in line {earlier} already. Rename or remove one of them.",
            )
        self.sections[not in_key].append(spec)

    def divide(self, line: Line) -> None:
        """End the primary key."""
        if self.divider is not None:
            earlier = self.divider.number
            advice = f"The primary key ends in line {earlier} already. Remove one of the two lines."
            raise line.error("a definition has one divider", line.tokens[0], advice)
        self.divider = line

    def check_indexes(self) -> None:
        """Refuse an index on an unknown attribute, as far as all attributes are known here."""
        items = (*self.sections[0], *self.sections[1])
        if any(isinstance(item, ForeignKeySpec) for item in items):
            return
        for spec, line in zip(self.indexes, self.index_lines, strict=True):
            for token in line.tokens:
                if token.text in spec.attributes and token.kind == "name":
                    self._check_entry(line, token)

    def _check_entry(self, line: Line, token: Token) -> None:
        if token.text not in self.names:
            near = nearest(token.text[:64], self.names)
            advice = f"{near} Attributes: {', '.join(self.names)}.".strip()
            raise line.error(f"the index names an unknown attribute '{token.text}'", token, advice)

    def definition(self) -> TableDefinition:
        """Return what has been read."""
        primary, secondary = self.sections
        return TableDefinition(self.comment, tuple(primary), tuple(secondary), tuple(self.indexes))


def _mistaken(line: Line, first: Token) -> DefinitionError:
    """Return the error for a line that begins with a sign."""
    text = line.source[first.column - 1 :]
    arrow = _NEARLY_ARROW.match(text)
    if arrow:
        advice = "A foreign key is written `-> Parent`."
        return line.error_at(f"unexpected '{arrow[0]}'", first.column, len(arrow[0]), advice)
    divider = _NEARLY_DIVIDER.match(text)
    if divider:
        advice = "The divider below the primary key is written `---`."
        width = len(divider[0].rstrip())
        return line.error_at(f"unexpected '{text[:width]}'", first.column, width, advice)
    shown = first.text if first.text.isprintable() else ascii(first.text)[1:-1]
    advice = "Write `name : type  # comment`, `-> Parent`, `---` or `index (name, ...)`."
    return line.error(f"unexpected '{shown}'", first, advice)


def _warn_of_native_types(definition: TableDefinition) -> None:
    found = [
        f"  {item.name} : {item.type}" + (f"  -> {better}" if better else "")
        for item in definition.items
        if isinstance(item, AttributeSpec) and item.type.kind == "native"
        for better in [core_type_for(item.type)]
    ]
    if found:
        warnings.warn(
            "These types are passed to the database as they are, and other databases may not know "
            "them; prefer the core type to the right:\n" + "\n".join(found),
            NativeTypeWarning,
            stacklevel=_levels_to_user(),
        )


def _levels_to_user() -> int:
    """Return how far up the first frame is that is not ours: the line with the definition."""
    frame, level = sys._getframe(1), 1
    package = __name__.partition(".")[0]
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    return level

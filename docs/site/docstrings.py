"""The Markdown in docstrings, as reStructuredText: fenced blocks, tables, and `code`s with a letter behind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LETTER_BEHIND = re.compile(r"(?<![`\\])(`[^`\n]+`)(?=[A-Za-z])")
_RULE = re.compile(r"[|\s:-]+")
_CELL = re.compile(r"(?<!\\)\|")


def translate(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Translate a docstring in place, before its sections are read."""
    lines[:] = _translated(lines)


def _translated(lines: Iterable[str]) -> Iterator[str]:
    table: list[str] = []
    fenced = example = False
    for line in (*lines, ""):
        text = line.strip()
        example = bool(text) and (example or text.startswith(">>>"))
        if not (fenced or example) and text.startswith("|") and text.endswith("|"):
            table.append(text)
            continue
        yield from _table(table)
        table.clear()
        if text.startswith("```"):
            fenced = not fenced
            yield from ("::", "") if fenced else ("",)
        elif fenced:
            yield f"    {line}"
        else:
            yield line if example else _LETTER_BEHIND.sub(r"\1\\ ", line)


def _table(rows: list[str]) -> Iterator[str]:
    if rows:
        yield from (".. list-table::", "   :header-rows: 1", "")
    for row in rows:
        if not _RULE.fullmatch(row):
            first, *others = [cell.strip() for cell in _CELL.split(row)[1:-1]]
            yield f"   * - {first}"
            yield from (f"     - {cell}" for cell in others)
    if rows:
        yield ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", translate, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Plain data to aligned text, for terminals, logs and `text/plain`."""

from __future__ import annotations

from collections.abc import Sequence

from djupyter.render.characters import cut, pad, text_width, visible
from djupyter.render.preview import Preview
from djupyter.render.values import Shown, shown

WIDTH = 32
"""Places a value may take unless the caller says otherwise."""


def preview_text(preview: Preview, width: int | None = None) -> str:
    """Return the first rows of a query as aligned text.

    Parameters
    ----------
    preview
        What to show; key attributes are marked with a star.
    width
        Places a value may take; longer ones are cut. Names of attributes are never cut.

    Examples
    --------
    >>> from djupyter.render.preview import PreviewColumn
    >>> columns = (PreviewColumn("mouse", "int32", in_key=True), PreviewColumn("name", "char(9)"))
    >>> rows = ((1, "Ada"), (12, None))
    >>> print(preview_text(Preview("Mouse", "Manual", "", columns, rows, total=2)))
    *mouse   name
    +------+ +----+
           1 Ada
          12 NULL
     (Total: 2)
    """
    cells = [[shown(value) for value in row] for row in preview.rows]
    heads = [("*" if head.in_key else "") + visible(head.name) for head in preview.columns]
    blocks = [
        _block(head, [row[place] for row in cells], width or WIDTH)
        for place, head in enumerate(heads)
    ]
    lines = [" ".join(pieces).rstrip() for pieces in zip(*blocks, strict=True)]
    if preview.more:
        lines.append("   ...")
    if preview.total is not None:
        bound = "more than " if preview.bounded else ""
        lines.append(f" (Total: {bound}{preview.total})")
    return "\n".join(lines)


def aligned(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Return rows of texts as lines with aligned columns, two blanks apart.

    Parameters
    ----------
    rows
        All of one length.
    right
        Places, counted from 0, that are aligned to the right.

    Examples
    --------
    >>> aligned([["a", "5"], ["bcd", "10"]], frozenset({1}))
    ['a     5', 'bcd  10']
    """
    widths = [max(map(text_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            pad(text, width, right=place in right)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def is_numeric(cells: Sequence[Shown]) -> bool:
    """Whether a column holds numbers (and perhaps NULL), so that it is aligned to the right."""
    kinds = {cell.kind for cell in cells} - {"null"}
    return kinds == {"number"}


def count_text(count: int, bounded: bool = False, unit: str = "row") -> str:
    """Return a count in words.

    >>> count_text(1), count_text(12345), count_text(100, bounded=True)
    ('1 row', '12,345 rows', 'more than 100 rows')
    """
    plural = "" if count == 1 and not bounded else "s"
    return f"{'more than ' if bounded else ''}{count:,} {unit}{plural}"


def _block(head: str, cells: Sequence[Shown], width: int) -> list[str]:
    # One attribute's head, rule and values, all of the same width.
    texts = [cut(cell.text, width) for cell in cells]
    places = max(3, *map(text_width, [head, *texts])) + 2
    right = is_numeric(cells)
    rule = "+" + "-" * (places - 2) + "+"
    return [pad(head, places), rule, *(pad(text, places, right=right) for text in texts)]

"""What an object in a store shows of itself: a title, facts, a picture or a tree, and how much of it was read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from djupyter.render.characters import visible
from djupyter.render.markup import Html, caption, join, muted, output, tag

Facts = tuple[tuple[str, str], ...]

_OPEN_LEVELS = 2
_UNITS = ("kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A group or folder, or what lies in it.

    Parameters
    ----------
    name
        Its own name.
    detail
        Shape, type or size.
    children
        What lies in it, as far as it is shown.
    more
        How many others there are; -1 when nobody counted them.
    attributes
        Names and values that it is described with.
    """

    name: str
    detail: str = ""
    children: tuple[TreeNode, ...] = ()
    more: int = 0
    attributes: Facts = ()


@dataclass(frozen=True, slots=True)
class ObjectCard:
    """An object as plain data.

    Parameters
    ----------
    title
        What it is: `zarr array`, `file`.
    facts
        Names and values, in order.
    picture
        Markup of our own making that shows the contents.
    lines
        What of the contents can be shown as text.
    tree
        What lies in it.
    note
        What was left out, or what is wrong.
    failed
        Whether the note says what is wrong.
    """

    title: str
    facts: Facts = ()
    picture: Html = field(default_factory=lambda: Html(""))
    lines: tuple[str, ...] = ()
    tree: tuple[TreeNode, ...] = ()
    note: str = ""
    failed: bool = False


def object_html(card: ObjectCard, mark: str = "") -> str:
    """Return a card as HTML without scripts; every value is escaped.

    Parameters
    ----------
    card
        What to show.
    mark
        Names a place for sliders, which a widget puts there.

    Examples
    --------
    >>> "&lt;b&gt;" in object_html(ObjectCard("file", (("path", "<b>"),)))
    True
    """
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in card.facts]
    table = tag("table", tag("tbody", *rows), class_="dj-facts") if rows else Html("")
    body = tag("div", table, card.picture, class_="dj-object")
    tree = tag("div", join(_node_html(node, 0) for node in card.tree), class_="dj-tree")
    sliders = tag("div", class_="dj-slices", data_dj_slices=mark)
    note = tag("div", card.note, class_="dj-failed" if card.failed else "dj-muted dj-shown")
    return output(
        caption(card.title, None),
        body,
        tree if card.tree else "",
        sliders if mark else "",
        note if card.note else "",
        styles=("object", "table") if "dj-table" in card.picture else ("object",),
    )


def object_text(card: ObjectCard) -> str:
    """Return a card as lines of text.

    >>> print(object_text(ObjectCard("file", (("size", "5 bytes"),), note="All of it.")))
    file
      size  5 bytes
      All of it.
    """
    width = max((len(name) for name, _ in card.facts), default=0)
    facts = [f"  {name:<{width}}  {visible(value)}" for name, value in card.facts]
    contents = [f"  {visible(line)}".rstrip() for line in card.lines]
    tree = [line for node in card.tree for line in _node_lines(node, 1)]
    note = [f"  {visible(card.note)}"] if card.note else []
    return "\n".join([card.title, *facts, *contents, *tree, *note])


def bytes_text(size: int) -> str:
    """Return a size for people.

    >>> bytes_text(1), bytes_text(1234), bytes_text(8_000_000)
    ('1 byte', '1.2 kB', '8.0 MB')
    """
    if size < 1000:
        return f"{size} byte" if size == 1 else f"{size} bytes"
    if size >= 10**24:  # what a damaged file says
        return f"10^{len(str(size)) - 1} bytes" if size < 10**4000 else "endless bytes"
    power = min(int(math.log10(size) // 3), len(_UNITS))
    if size / 1000**power >= 999.95 and power < len(_UNITS):
        power += 1  # it would be rounded to 1000.0
    return f"{size / 1000**power:,.1f} {_UNITS[power - 1]}"


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape: `512 × 512`, `a single value`.

    >>> shape_text((3, 512)), shape_text(())
    ('3 × 512', 'a single value')
    """
    return " × ".join(f"{n:,}" for n in shape) if shape else "a single value"


def _node_html(node: TreeNode, level: int) -> Html:
    name = join([tag("span", node.name, class_="dj-leaf"), muted(node.detail)], " ")
    if not node.children and not node.more and not node.attributes:
        return tag("div", name, class_="dj-node")
    inside = [_attribute_html(each, value) for each, value in node.attributes]
    inside += [_node_html(child, level + 1) for child in node.children]
    if node.more:
        inside.append(tag("div", muted(_more(node.more)), class_="dj-node"))
    # The attributes of a leaf are seen when it is opened.
    is_open = "open" if level < _OPEN_LEVELS and (node.children or node.more) else None
    return tag("details", tag("summary", name), *inside, open=is_open)


def _attribute_html(name: str, value: str) -> Html:
    return tag("div", muted(f"@{name}"), " ", value, class_="dj-node dj-attribute")


def _node_lines(node: TreeNode, level: int) -> Iterator[str]:
    yield f"{'  ' * level}{visible(node.name)}  {visible(node.detail)}".rstrip()
    for name, value in node.attributes:
        yield f"{'  ' * (level + 1)}@{visible(name)}  {visible(value)}".rstrip()
    for child in node.children:
        yield from _node_lines(child, level + 1)
    if node.more:
        yield f"{'  ' * (level + 1)}{_more(node.more)}"


def _more(count: int) -> str:
    return "… and more" if count < 0 else f"… and {count:,} more"

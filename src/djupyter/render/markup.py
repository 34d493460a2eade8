"""Elements of HTML that cannot be built unescaped, and the stylesheet that goes with them.

Only `Html` is markup; every other string is text and is escaped where it enters an element.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html import escape as escape_html
from importlib.resources import files
from urllib.parse import quote

from djupyter.render.characters import LIMIT, visible

# What needs no escape in a URL within double quotes; `#` and `%` do.
_PLAIN = " /:=;,'()@!*+&"

TIERS = ("Manual", "Lookup", "Imported", "Computed", "Part")


class Html(str):
    """A string that is markup already."""

    __slots__ = ()


def escape(text: str) -> Html:
    """Return text as markup, with every character visible and none of it active.

    >>> escape('<b>"1"</b>')
    '&lt;b&gt;&quot;1&quot;&lt;/b&gt;'
    """
    return text if isinstance(text, Html) else Html(escape_html(visible(text)))


def tag(name: str, *children: str, **attributes: object) -> Html:
    """Return an element; plain strings inside it are escaped.

    Parameters
    ----------
    name
        Name of the element.
    children
        `Html`, or text.
    attributes
        A trailing underscore is dropped, others become hyphens; None and "" are left out. Texts are cut where they
        are too long to read; what is `Html`, such as a URL that holds a picture, is not.

    Examples
    --------
    >>> tag("a", "x < y", class_="dj-chip", aria_label="less")
    '<a class="dj-chip" aria-label="less">x &lt; y</a>'
    """
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_quoted(value)}"'
        for key, value in attributes.items()
        if value not in (None, "")
    )
    if name == "img":  # which has neither children nor an end
        return Html(f"<{name}{shown} />")
    return Html(f"<{name}{shown}>{join(children)}</{name}>")


def _quoted(value: object) -> str:
    return escape_html(visible(str(value), None if isinstance(value, Html) else LIMIT))


def lines(text: str) -> Html:
    r"""Return the lines of a text as markup for a `pre` element; it is not cut.

    >>> lines("a < b\n\tc")
    'a &lt; b\n    c'
    """
    shown = (visible(line.expandtabs(4), None) for line in text.splitlines())
    return Html("\n".join(escape_html(line) for line in shown))


def join(children: Iterable[str], between: str = "") -> Html:
    """Return pieces of markup and text one after the other."""
    return Html(escape(between).join(escape(child) for child in children))


def output(*children: str, styles: tuple[str, ...] = (), id_: str = "") -> Html:
    """Return a whole output: its styles and its elements in one box of ours."""
    return tag("div", stylesheet("base", *styles), *children, class_="dj-out", id_=id_)


@cache
def stylesheet(*names: str) -> Html:
    """Return the style element made of the named files, without their comments and white space."""
    folder = files("djupyter.render") / "static"
    text = "\n".join((folder / f"{name}.css").read_text("utf-8") for name in names)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*([{};,]|:(?=\s))\s*", r"\1", re.sub(r"\s+", " ", text)).strip()
    return Html(f"<style>{text.replace(';}', '}')}</style>")


def image(svg: str, alt: str, **attributes: object) -> Html:
    """Return an SVG as an image: of an element, JupyterLab shows only the words in a notebook that it does not trust.

    Parameters
    ----------
    svg
        The whole of it, with its own styles.
    alt
        What it shows, for those who do not see it.
    attributes
        As of `tag`.
    """
    source = Html(f"data:image/svg+xml,{quote(svg, safe=_PLAIN)}")
    return tag("img", alt=alt, src=source, **attributes)


def images(light: str, dark: str, alt: str, class_: str = "") -> Html:
    """Return an SVG in two shades, of which the stylesheet shows one; without it the light one is seen."""
    return join(
        [
            image(light, alt, class_=f"dj-light {class_}".strip()),
            image(dark, alt, class_=f"dj-dark {class_}".strip(), hidden="hidden"),
        ]
    )


def tier_class(tier: str | None) -> str:
    """Return the class that carries a tier's colour.

    >>> tier_class("Manual"), tier_class(None)
    ('dj-tier-manual', 'dj-tier-none')
    """
    return f"dj-tier-{tier.lower()}" if tier in TIERS else "dj-tier-none"


def caption(name: str, tier: str | None, *more: str) -> Html:
    """Return the head of an output: a name in its tier's colour, the tier, and what follows."""
    label = tag("span", tier, class_="dj-tier") if tier else Html("")
    title = tag("strong", name, class_="dj-name") if name else Html("")
    return tag("div", title, label, *more, class_=f"dj-caption {tier_class(tier)}")


def muted(text: str) -> Html:
    """Return text in the background, nothing for no text."""
    return tag("span", text, class_="dj-muted") if text else Html("")


def prose(text: str) -> Html:
    """Return a sentence in which `code` between backticks is set as code.

    >>> prose("Run `x < 1`.")
    'Run <code>x &lt; 1</code>.'
    """
    pieces = re.split(r"`([^`]+)`", text)
    return join(
        tag("code", piece) if place % 2 else escape(piece) for place, piece in enumerate(pieces)
    )

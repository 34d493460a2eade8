"""Any place of a relation, at once: the row seven tenths of the way down ten million.

A database counts rows by looking at each, so a place is never asked for by its number. Two things stand in for it:

*Posts*
    The place of every so-many-th row. They are set in the background, by walking along the index from one to the
    next, and thinned out whenever there are too many: a thousand posts, whatever the size. Between two posts lies a
    bounded number of rows, which are counted, so that the answer is exact. When the walk has come to the end, the
    total is known.

*Interpolation*
    Where no post is yet, the place is guessed: seven tenths of the way from the first value of the order to the last.
    In a key of several attributes the remainder leads on into the rows that share the first. The guess is as good as
    the values are evenly spread, and then read by keyset like any other place; what comes before and after it is
    exact.

Measured on SQLite, ten million rows in a table with a key of two attributes: a place is found in 1 to 5 ms, posts or
not, and the walk takes 0.8 s; 1 to 10 ms and 6 s in a join.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from djupyter.query.expression import Query
from djupyter.query.filters import family, quoted
from djupyter.query.interpolation import Scale, scale
from djupyter.query.pages import Pages
from djupyter.query.paging import Anchor
from djupyter.query.universal import U

STEP = 2_000
_MOST = 1_024


@dataclass(frozen=True, slots=True)
class Posts:
    """Every `step`-th row of a relation, as far as it has been walked.

    Parameters
    ----------
    step
        Rows from one to the next.
    anchors
        Their places; the first one is that of row number `step`, counted from 1.
    total
        How many rows there are, once the end was reached.
    """

    step: int = STEP
    anchors: tuple[Anchor, ...] = ()
    total: int | None = None

    @property
    def walked(self) -> int:
        """How many rows lie behind the last post."""
        return len(self.anchors) * self.step

    def with_next(self, anchor: Anchor) -> Posts:
        """Return the same with one more; every other one is left out where they are too many.

        >>> posts = Posts(10, ((10,), (20,), (30,)))
        >>> posts.with_next((40,)).walked
        40
        """
        anchors = (*self.anchors, anchor)
        if len(anchors) < _MOST:
            return replace(self, anchors=anchors)
        return Posts(self.step * 2, anchors[1::2])

    def ended(self, rest: int) -> Posts:
        """Return the same when there are only so many rows after the last one."""
        return replace(self, total=self.walked + rest)

    def nearest(self, row: int) -> tuple[Anchor | None, int] | None:
        """Return the last post before a row, counted from 0, and how many rows to go on from it to that one.

        >>> Posts(10, ((10,), (20,))).nearest(12), Posts(10, ((10,),)).nearest(3)
        (((10,), 3), (None, 4))
        >>> Posts(10, ((10,),)).nearest(20) is None
        True
        """
        number = row // self.step
        if number > len(self.anchors) or (number == len(self.anchors) and self.total is None):
            return None
        return self.anchors[number - 1] if number else None, row - number * self.step + 1


def walk(pages: Pages, step: int = STEP) -> Iterator[Posts]:
    """Yield the posts of a relation, each time with one more, until the end is reached.

    Each time, as many index entries are looked at as there are rows between two posts.

    Parameters
    ----------
    pages
        Of the relation.
    step
        Rows between two posts, to begin with.
    """
    posts = Posts(step)
    while posts.total is None:
        last = posts.anchors[-1] if posts.anchors else None
        anchor, gone = pages.skip(last, posts.step)
        posts = posts.ended(gone) if anchor is None else posts.with_next(anchor)
        yield posts


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins.

    Parameters
    ----------
    anchor
        The values of the first attributes of the order, or of all; None at the beginning.
    row
        The number of the first row, from 0, as far as it is known.
    exact
        Whether it is certain.
    """

    anchor: Anchor | None
    row: int | None
    exact: bool


class Seeker:
    """Finds places in a relation.

    Parameters
    ----------
    pages
        Of the relation.

    Attributes
    ----------
    posts
        Those that are there; a walk in another thread replaces them.
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._ends: tuple[Scale | None] | None = None
        self.posts = Posts()

    def total(self) -> tuple[int | None, bool]:
        """Return how many rows there are, as far as is known without asking, and whether that is certain."""
        posts = self.posts
        if posts.total is not None:
            return posts.total, True
        way = self._ends[0] if self._ends else None
        if way is None or not posts.anchors:
            return None, False
        gone = way.fraction(posts.anchors[-1][0]) if posts.anchors[-1][0] is not None else 0.0
        return (max(round(posts.walked / gone), posts.walked + 1) if gone else None), False

    def seek(self, pages: Pages, fraction: float) -> Place:
        """Return the place at a fraction of the way down.

        Parameters
        ----------
        pages
            The same relation, for the thread that asks.
        fraction
            From 0 to 1.
        """
        self.measure(pages)
        total, _ = self.total()
        row = None if total is None else min(round(fraction * total), max(total - 1, 0))
        if fraction <= 0:
            return Place(None, 0, True)
        near = None if row is None else self.posts.nearest(row)
        if near is not None and row is not None:
            anchor, _ = pages.skip(*near)
            if anchor is not None:
                return Place(anchor, row, True)
        return Place(self._guess(pages, fraction), row, False)

    def measure(self, pages: Pages) -> None:
        """Find the ends of the order, once; from then on totals can be guessed."""
        if self._ends is None:
            self._ends = (_ends(pages),)

    def _guess(self, pages: Pages, fraction: float) -> Anchor | None:
        found: Anchor = ()
        way = self._ends[0] if self._ends else None
        here = pages
        while way is not None:
            value, fraction = way.at(fraction)
            if not pages.is_indexed:
                return (*found, value)  # each look would cost as much as the page itself
            place = here.at((value,))
            if place is None:
                return found or None
            if not way.discrete or place[0] != value or len(here.order) == 1:
                return (*found, *place)
            found = (*found, value)
            here = here.within((value,))
            way = _ends(here)
        return found or None


def _ends(pages: Pages) -> Scale | None:
    """Return the way from the first value of the first attribute of an order to the last one; NULL is left out."""
    if not pages.order:
        return None
    if not pages.is_indexed:
        return _extremes(pages)
    ends = [pages.edge(), pages.edge(last=True)]
    if ends[0] is not None and ends[0][0] is None:
        ends[0] = pages.known().edge()
    if ends[1] is not None and ends[1][0] is None:
        ends[1] = pages.known().edge(last=True)
    first, last = ends
    return scale(first[0], last[0]) if first is not None and last is not None else None


def _extremes(pages: Pages) -> Scale | None:
    """Return the same by one look at all rows, where no index leads to either end."""
    (name, descending), query = pages.order[0], Query(pages.connection, pages.node)
    if family(pages.node.heading[name]) not in ("number", "date", "datetime", "text"):
        return None
    pages.check()
    found = U().aggr(query, dj_low=f"min({quoted(name)})", dj_high=f"max({quoted(name)})").fetch1()
    ends = found["dj_low"], found["dj_high"]
    return scale(*(reversed(ends) if descending else ends))


def sample(pages: Pages, seeker: Seeker, name: str, places: int, each: int) -> list[object]:
    """Return the values of an attribute in some rows, at places that are evenly spread over a relation.

    Parameters
    ----------
    pages, seeker
        Of the relation.
    name
        The attribute.
    places, each
        How many places, and how many rows to read at each.
    """
    found: list[object] = []
    for number in range(places):
        place = seeker.seek(pages, number / places)
        found += pages.values(name, place.anchor, each)
    return found

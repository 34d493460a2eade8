"""What the live table asks for, and the answers: plain messages, whoever carries them.

```
asked                                        answered
view       a new order, new filters          view: the first rows, the Python text, or what is wrong with a filter
after, before, jump, end                     rows: a page; the total whenever more is known of it
detail     a row                             detail: its values as text; value: each object, as its own card
histogram  a column                          histogram: bars, and what each would type above the column
stop                                         nothing
```

Pages, details and the walk that counts each have a line of `Errands`: scrolling does not wait for a histogram. A row is
named by a number; its place in the order stays here.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from djupyter.errors import DataJointError
from djupyter.heading.heading import Heading
from djupyter.notebook.widgets.details import opaque_values, plain_values
from djupyter.notebook.widgets.errands import Errand, Errands
from djupyter.query.expression import Query
from djupyter.query.filters import HINTS, family, restriction
from djupyter.query.histogram import histogram, of_sample
from djupyter.query.pages import Page, Pages
from djupyter.query.paging import Anchor, is_sortable, total_order
from djupyter.query.seeking import Seeker, sample, walk
from djupyter.query.spelling import restricted
from djupyter.query.top import Limited, Order
from djupyter.render.characters import cut, visible
from djupyter.render.values import Shown, shown

Message = dict[str, Any]
Post = Callable[[Message], None]

PAGE = 60
_WIDTH = 200  # characters of a value in a row
_EXACT = 1_000_000  # rows that a histogram counts without being told to
_PLACES, _EACH = 100, 100  # of a sample
_VIEWS, _ROWS = 16, 20_000  # that are remembered
_WALK_SECONDS = 60.0
_LONG_SECONDS = 600.0
_PAUSE = 0.25  # seconds between two totals
_REST = 0.05  # seconds between two steps of a walk, at most
_KINDS = {"text": 0, "number": 1, "null": 2, "summary": 3}


@dataclass(frozen=True, slots=True)
class View:
    """A query with filters, in an order.

    Parameters
    ----------
    number
        By which the browser knows it.
    query
        The rows.
    pages, seeker
        Read them.
    text
        Python text that makes it.
    """

    number: int
    query: Query
    pages: Pages
    seeker: Seeker
    text: str


class Browsing:
    """Answers for one query.

    Parameters
    ----------
    query
        What is browsed.
    text
        What it is called in Python.
    title, tier
        What is shown above it.
    post
        Sends an answer, from any thread.

    Raises
    ------
    DataJointError
        The key has no order.
    """

    def __init__(self, query: Query, text: str, title: str, tier: str | None, post: Post) -> None:
        self._query, self._text, self._title, self._tier = query, text, title, tier
        self._post = post
        self._numbers, self._names = itertools.count(1), itertools.count(1)
        self._views: dict[int, View] = {}
        self._anchors: dict[int, Anchor] = {}
        self._lock = threading.Lock()
        connection = query.connection
        self._reading, self._looking, self._walking = (Errands(connection) for _ in range(3))
        self._answers: Mapping[str, Callable[[Message], None]] = {
            "view": self._open,
            "after": self._page,
            "before": self._page,
            "jump": self._page,
            "end": self._page,
            "detail": self._detail,
            "histogram": self._histogram,
            "walk": self._walk,
            "stop": lambda _: self._stop("Stopped."),
        }
        self._natural = _own_order(query)

    def opened(self) -> Message:
        """Return what is shown at first; nothing has been asked for yet, and the caller waits."""
        view = self._view([], {})
        page = view.pages.first(PAGE)
        return {
            "title": visible(self._title),
            "tier": self._tier,
            "columns": _columns(self._query.heading),
            **self._first(view, page),
        }

    def handle(self, message: Message) -> None:
        """Take what the browser asks for, and return at once; the answer is posted later."""
        answer = self._answers.get(str(message.get("do")))
        if answer is not None:
            answer(message)

    def close(self) -> None:
        """End what is being done."""
        self._stop("")

    def _stop(self, reason: str) -> None:
        for errands in (self._reading, self._looking, self._walking):
            errands.stop(reason)

    # -- views --------------------------------------------------------------------------------------

    def _view(self, order: Sequence[tuple[str, bool]], typed: Mapping[str, str]) -> View:
        query, filters = self._query, []
        for name, text in typed.items():
            found = restriction(query.heading.need(name), text)
            if found is not None:
                filters.append(found)
                query = query & found
        whole = total_order(query.heading, order or self._natural)
        text = restricted(self._text, filters, whole if order else ())
        pages = Pages(query.connection, query.node, whole)
        view = View(next(self._numbers), query, pages, Seeker(pages), text)
        with self._lock:
            self._views[view.number] = view
            while len(self._views) > _VIEWS:
                del self._views[next(iter(self._views))]
        return view

    def _open(self, message: Message) -> None:
        order = [(str(name), bool(descending)) for name, descending in message.get("order", [])]
        typed = {str(name): str(text) for name, text in dict(message.get("filters", {})).items()}
        self._walking.stop()

        def work(errand: Errand) -> None:
            view = self._view(order, typed)
            page = view.pages.checked(errand.check).first(PAGE)
            self._reply(message, "view", **self._first(view, page))

        self._reading.do(work, self._failing(message))

    def _first(self, view: View, page: Page) -> Message:
        total = None if page.more else len(page.rows)
        return {
            "view": view.number,
            "text": view.text,
            "rows": self._rows(page),
            "start": 0,
            "exact": True,
            "top": True,
            "bottom": not page.more,
            "total": total,
            "counted": total is not None,
        }

    # -- pages --------------------------------------------------------------------------------------

    def _page(self, message: Message) -> None:
        view = self._views.get(int(message.get("view", 0)))
        if view is None:
            return
        read = {"after": _after, "before": _before, "jump": _jump, "end": _end}[message["do"]]
        anchor = self._anchors.get(int(message.get("row", 0)))
        if anchor is None and message["do"] in ("after", "before"):
            return

        def work(errand: Errand) -> None:
            pages = view.pages.checked(errand.check)
            page, more = read(view.seeker, pages, anchor, message)
            total, counted = view.seeker.total()
            self._reply(
                message, "rows", rows=self._rows(page), **more, total=total, counted=counted
            )

        self._reading.do(work, self._failing(message))

    def _rows(self, page: Page) -> list[Message]:
        found = []
        with self._lock:
            for row, anchor in zip(page.rows, page.anchors, strict=True):
                name = next(self._names)
                self._anchors[name] = anchor
                found.append({"id": name, "cells": [_cell(shown(value)) for value in row]})
            for name in list(itertools.islice(self._anchors, max(len(self._anchors) - _ROWS, 0))):
                del self._anchors[name]
        return found

    def _walk(self, message: Message) -> None:
        """Count the rows of a view, setting posts on the way where an index leads along them."""
        view = self._views.get(int(message.get("view", 0)))
        if view is None:
            return
        here = view

        def work(errand: Errand) -> None:
            pages = here.pages.checked(errand.check)
            if not pages.is_indexed:
                self._reply(message, "total", total=pages.count(), counted=True)
                return
            here.seeker.measure(pages)
            told = 0.0
            begun = before = time.monotonic()
            for posts in walk(pages):
                here.seeker.posts = posts
                now = time.monotonic()
                if now - told > _PAUSE or posts.total is not None:
                    told = now
                    total, counted = here.seeker.total()
                    self._reply(message, "total", total=total, counted=counted)
                # A large table of a shared server is not walked forever, nor without a rest: who scrolls comes first.
                if now - begun > _WALK_SECONDS:
                    return
                errand.pause(min(now - before, _REST))
                before = time.monotonic()

        # The total is a convenience: where it cannot be had, nothing is said.
        self._walking.do(work, lambda _: None, seconds=_WALK_SECONDS * 2)

    # -- beside the rows ----------------------------------------------------------------------------

    def _detail(self, message: Message) -> None:
        view = self._views.get(int(message.get("view", 0)))
        anchor = self._anchors.get(int(message.get("row", 0)))
        if view is None or anchor is None:
            return
        node = view.pages.row(anchor)
        row = self._query._derived(node)

        def work(errand: Errand) -> None:
            found = plain_values(row)
            if found is None:
                raise DataJointError("The row is not there any more.")
            self._reply(message, "detail", row=message["row"], values=found)
            for name, value in opaque_values(row, errand.check):
                self._reply(message, "value", row=message["row"], name=name, **value)

        self._looking.do(work, self._failing(message, "detail"))

    def _histogram(self, message: Message) -> None:
        view = self._views.get(int(message.get("view", 0)))
        name = str(message.get("name"))
        if view is None or name not in view.query.heading:
            return
        attribute = view.query.heading[name]
        whole = bool(message.get("all"))

        def work(errand: Errand) -> None:
            pages = view.pages.checked(errand.check)
            if whole or family(attribute) == "opaque" or _is_small(view.seeker, pages):
                found = histogram(view.query, name)
            else:
                found = of_sample(attribute, self._sample(view, pages, name))
            bars = [{**asdict(bar), "label": visible(bar.label, _WIDTH)} for bar in found.bars]
            self._reply(
                message, "histogram", name=name, bars=bars, nulls=found.nulls, sampled=found.sampled
            )

        seconds = _LONG_SECONDS if whole else 30.0
        self._looking.do(work, self._failing(message, "histogram"), seconds=seconds)

    def _sample(self, view: View, pages: Pages, name: str) -> list[object]:
        by_key = total_order(view.query.heading)
        if pages.order == by_key:
            return sample(pages, view.seeker, name, _PLACES, _EACH)
        keyed = Pages(pages.connection, pages.node, by_key, pages.check)
        return sample(keyed, Seeker(keyed), name, _PLACES, _EACH)

    # -- answering ----------------------------------------------------------------------------------

    def _reply(self, message: Message, kind: str, **more: object) -> None:
        asked = {name: message.get(name) for name in ("client", "id", "do")}
        self._post({**asked, "view": message.get("view"), "kind": kind, **more})

    def _failing(self, message: Message, about: str = "rows") -> Callable[[str], None]:
        return lambda text: self._reply(message, "error", about=about, text=visible(text, 2000))


def _is_small(seeker: Seeker, pages: Pages) -> bool:
    total, counted = seeker.total()
    if counted and total is not None:
        return total <= _EXACT
    return pages.is_indexed and pages.count(bound=_EXACT + 1) <= _EXACT


def _after(seeker: Seeker, pages: Pages, anchor: Any, message: Message) -> tuple[Page, Message]:
    page = pages.after(anchor, PAGE)
    return page, {"bottom": not page.more}


def _before(seeker: Seeker, pages: Pages, anchor: Any, message: Message) -> tuple[Page, Message]:
    page = pages.before(anchor, PAGE)
    return page, {"top": not page.more}


def _end(seeker: Seeker, pages: Pages, anchor: Any, message: Message) -> tuple[Page, Message]:
    page = pages.last(PAGE)
    total, counted = seeker.total()
    start = None if total is None else max(total - len(page.rows), 0)
    if not page.more:
        start, counted = 0, True
    return page, {"start": start, "exact": counted, "top": not page.more, "bottom": True}


def _jump(seeker: Seeker, pages: Pages, anchor: Any, message: Message) -> tuple[Page, Message]:
    place = seeker.seek(pages, min(max(float(message["fraction"]), 0.0), 1.0))
    if place.anchor is None:
        page = pages.first(PAGE)
        return page, {"start": 0, "exact": True, "top": True, "bottom": not page.more}
    page = pages.after(place.anchor, PAGE, inclusive=True)
    if not page.more and len(page.rows) < PAGE:
        return _end(seeker, pages, anchor, message)
    return page, {"start": place.row, "exact": place.exact, "top": False, "bottom": not page.more}


def _own_order(query: Query) -> Order:
    """Return the order that the query itself puts its rows in, as a `Top` does."""
    node = query.node
    return node.order if isinstance(node, Limited) else ()


def _cell(value: Shown) -> str | list[object]:
    text = cut(value.text, _WIDTH)
    return text if value.kind == "text" else [text, _KINDS[value.kind]]


def _columns(heading: Heading) -> list[Message]:
    return [
        {
            "name": attribute.name,
            "type": attribute.type_text,
            "key": attribute.in_key,
            "comment": visible(attribute.comment),
            "numeric": family(attribute) == "number",
            "sortable": is_sortable(attribute),
            "counted": family(attribute) != "opaque",
            "hint": HINTS[family(attribute)],
        }
        for attribute in heading.values()
    ]

"""The picture of how far a populate is: as text, as HTML, and as what the widget shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from djupyter.render.characters import visible
from djupyter.render.job_card import duration_text
from djupyter.render.listing import progress_text
from djupyter.render.markup import Html, join, lines, muted, output, tag, tier_class
from djupyter.render.progress import Phase, Progress, TableProgress, counted
from djupyter.render.text import count_text

_IN_TEXT = 10  # errors that the text lists
_TRACEBACK = 4_000  # characters of one that are shown
_VALUE, _WORK = 60, 90  # characters of a value of a key, and of the key in work

# A frame of what calls `make`, with its lines of source.
_OURS = re.compile(
    r'^  File "[^"\n]*[/\\]djupyter[/\\]populate[/\\][^"\n]*", .*\n(?:    .*\n)*', re.MULTILINE
)

_TITLES: dict[Phase, str] = {
    "running": "Populating",
    "stopping": "Stopping: the key in work is ended",
    "done": "Populated",
    "stopped": "Stopped",
    "interrupted": "Interrupted",
    "failed": "Failed",
}
HEADS = ("table", "progress", "done", "errors", "remaining", "rate", "time left", "in work")
_NUMBERS = HEADS[2:7]


def panel(progress: Progress, now: float) -> dict[str, Any]:
    """Return what the widget shows, without the errors: texts and numbers alone.

    Examples
    --------
    >>> shown = panel(Progress((TableProgress("Stat", planned=4, done=1),)), 2.0)
    >>> shown["title"], shown["note"], shown["tables"][0]["remaining"]
    ('Populating', '1 done, 3 remain, 2.0 s', '3')
    """
    return {
        "phase": progress.phase,
        "look": _look(progress),
        "running": progress.is_running,
        "title": _title(progress),
        "note": _note(progress, now),
        "trouble": visible(progress.trouble),
        "errors": progress.errors,
        "failures": _failures_title(progress),
        "tables": [_row(table, progress, now) for table in progress.tables],
    }


def shown_failures(progress: Progress) -> list[dict[str, str]]:
    """Return the errors as the widget lists them."""
    return [
        {
            "table": visible(failure.table),
            "key": key_text(failure.key),
            "error": visible(failure.error),
            "traceback": _stack(failure.traceback),
        }
        for failure in progress.failures
    ]


def progress_summary(progress: Progress, now: float) -> str:
    """Return a bar for each table, how it went, and the first errors, as text.

    Examples
    --------
    >>> from djupyter.render.progress import Failure
    >>> table = TableProgress("Stat", "Computed", planned=4, done=3, errors=1)
    >>> failure = Failure("Stat", {"mouse": 3}, "ValueError: no third")
    >>> print(progress_summary(Progress((table,), "done", 0.0, 2.0, (failure,)), 9.0))
    Stat  ███████████████▒▒▒▒▒ 3 of 4, 1 error
    Populated with errors: 3 done, 1 error, 2.0 s
      Stat mouse=3: ValueError: no third
    """
    width = max((len(visible(table.name)) for table in progress.tables), default=0)
    bars = [
        f"{visible(table.name):<{width}}  {progress_text(table.done, table.errors, table.planned)}"
        for table in progress.tables
    ]
    note = _note(progress, now)
    told = [f"{_title(progress)}: {note}" if note else _title(progress)]
    told += [f"  {visible(progress.trouble)}"] if progress.trouble else []
    told += [
        f"  {visible(failure.table)} {key_text(failure.key)}: {visible(failure.error)}"
        for failure in progress.failures[:_IN_TEXT]
    ]
    if progress.errors > _IN_TEXT:
        told.append(f"  … and {count_text(progress.errors - _IN_TEXT, unit='error')} more")
    return "\n".join([*bars, *told])


def progress_panel(progress: Progress, now: float, mark: str = "") -> str:
    """Return the same as HTML, with the tracebacks of errors folded away; every value is escaped.

    Parameters
    ----------
    progress
        How far it is.
    now
        The time.
    mark
        A class by which the widget finds the place of its buttons in a page.

    Examples
    --------
    >>> page = progress_panel(Progress((TableProgress("<b>", planned=4, done=1),)), 1.0)
    >>> "&lt;b&gt;" in page, 'aria-valuenow="1"' in page
    (True, True)
    """
    shown = panel(progress, now)
    buttons = tag("span", class_=f"dj-buttons {mark}") if mark else Html("")
    head = tag(
        "div",
        tag("strong", shown["title"], class_="dj-phase"),
        muted(shown["note"]),
        buttons,
        class_="dj-caption",
    )
    used = [
        head for head in HEADS[2:] if head == "done" or any(row[head] for row in shown["tables"])
    ]
    heads = [
        tag("th", name, class_="dj-number" if name in _NUMBERS else "", scope="col")
        for name in (*HEADS[:2], *used)
    ]
    rows = [
        _row_html(row, table.tier, used)
        for row, table in zip(shown["tables"], progress.tables, strict=True)
    ]
    table = tag(
        "table",
        tag("thead", tag("tr", *heads)),
        tag("tbody", *rows),
        class_="dj-table dj-listing dj-bars",
    )
    trouble = shown["trouble"]
    return output(
        tag(
            "div",
            head,
            tag("div", trouble, class_="dj-trouble") if trouble else "",
            tag("div", table, class_="dj-scroll", tabindex=0, role="region", aria_label="progress"),
            _failures_html(progress),
            class_=f"dj-progress dj-phase-{shown['look']}",
        ),
        styles=("table", "listing", "progress"),
    )


def key_text(key: Mapping[str, Any]) -> str:
    """Return a key for people.

    >>> key_text({"mouse": 3, "day": "2024-02-29"})
    'mouse=3, day=2024-02-29'
    """
    return ", ".join(
        f"{visible(name)}={visible(str(value), _VALUE)}" for name, value in key.items()
    )


def _title(progress: Progress) -> str:
    return "Populated with errors" if _look(progress) == "errors" else _TITLES[progress.phase]


def _look(progress: Progress) -> str:
    return "errors" if progress.phase == "done" and progress.errors else progress.phase


def _note(progress: Progress, now: float) -> str:
    seconds = max((progress.ended if progress.ended is not None else now) - progress.started, 0)
    if not any(table.planned for table in progress.tables):
        # The same at each start, so that notebooks can be compared.
        return "nothing was missing" if progress.phase == "done" else ""
    return f"{counted(progress)}, {duration_text(seconds)}"


def _row(table: TableProgress, progress: Progress, now: float) -> dict[str, Any]:
    """Return the texts of a table's row."""
    at = now if progress.ended is None else progress.ended
    rate, is_running = table.rate(at), progress.is_running
    left = table.remaining / rate if rate and table.remaining and is_running else None
    return {
        "name": visible(table.name),
        "tier": tier_class(table.tier),
        "total": table.planned,
        "made": table.done,
        "done_share": _share(table.done, table.planned),
        "errors_share": _share(table.errors, table.planned),
        "done": f"{table.done:,}",
        "errors": f"{table.errors:,}" if table.errors else "",
        "remaining": f"{table.remaining:,}" if table.remaining else "",
        "rate": "" if rate is None else _rate_text(rate),
        "time left": "" if left is None else duration_text(max(round(left), 1)),
        "in work": _work_text(table) if is_running else "",
    }


def _rate_text(rate: float) -> str:
    if rate >= 0.95:
        return f"{rate:,.3g}/s" if rate < 100 else f"{rate:,.0f}/s"
    return f"{rate * 60:.2g}/min" if rate * 60 >= 0.95 else f"{rate * 3600:.2g}/h"


def _work_text(table: TableProgress) -> str:
    if not table.working:
        return ""
    first = visible(key_text(next(iter(table.working.values()))), _WORK)
    others = len(table.working) - 1
    return f"{first} and {others:,} more" if others else first


def _share(count: int, total: int) -> float:
    # Rounded down, so that only a complete table shows a full bar.
    return min(1000 * count // total / 10, 100.0) if total else 0.0


def _row_html(row: Mapping[str, Any], tier: str | None, used: Sequence[str]) -> Html:
    pieces = [
        tag("span", class_=name, style=f"width:{row[share]}%")
        for name, share in (("dj-done", "done_share"), ("dj-errors", "errors_share"))
        if row[share]
    ]
    bar = tag(
        "span",
        *pieces,
        class_="dj-bar",
        role="progressbar",
        aria_valuemin=0,
        aria_valuemax=row["total"],
        aria_valuenow=row["made"],
        aria_label=row["name"],
    )
    name = tag(
        "th", tag("span", row["name"], class_="dj-name"), class_=tier_class(tier), scope="row"
    )
    classes = {"errors": "dj-number dj-failed", "in work": "dj-mono"}
    cells = [tag("td", row[head], class_=classes.get(head, "dj-number")) for head in used]
    return tag("tr", name, tag("td", bar), *cells)


def _failures_title(progress: Progress) -> str:
    listed = len(progress.failures)
    more = f", the first {listed:,} of them" if listed < progress.errors else ""
    return f"{count_text(progress.errors, unit='error')}{more}" if listed else ""


def _failures_html(progress: Progress) -> Html:
    if not progress.failures:
        return Html("")
    listed = [_failure_html(failure) for failure in shown_failures(progress)]
    title = tag("summary", tag("span", _failures_title(progress), class_="dj-failed"))
    return tag("details", title, *listed, class_="dj-failures")


def _failure_html(failure: Mapping[str, str]) -> Html:
    where = join(
        [tag("strong", failure["table"]), tag("span", failure["key"], class_="dj-mono")], " "
    )
    head = tag("summary", where, " ", tag("span", failure["error"], class_="dj-failed"))
    stack = tag("pre", lines(failure["traceback"]), tabindex=0) if failure["traceback"] else ""
    return tag("details", head, stack, class_="dj-failure")


def _stack(traceback: str) -> str:
    """Return a traceback as it is shown: without our own frames, and of a long one the first and the last."""
    traceback = _OURS.sub("", traceback)
    if len(traceback) > _TRACEBACK:
        half = _TRACEBACK // 2
        traceback = f"{traceback[:half]}\n…\n{traceback[-half:]}"
    return "\n".join(visible(line.expandtabs(4), None) for line in traceback.splitlines())

"""What became of one key of a computed table, as text and as HTML: the state of its job, and each attempt at it."""

from __future__ import annotations

from dataclasses import dataclass

from djupyter.render.characters import visible
from djupyter.render.markup import (
    Html,
    caption,
    join,
    lines,
    muted,
    output,
    prose,
    tag,
    tier_class,
)

_TRACEBACK = 12_000  # characters of one that are shown
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True)
class AttemptCard:
    """One attempt to make a key.

    Parameters
    ----------
    outcome
        `success`, `error` or `lost`.
    started
        When, with its time zone.
    seconds
        How long it took.
    host, pid, user, version
        Where, by which process, for whom, and by which version of the code.
    inputs
        Names and values of what the result depends on.
    error, traceback
        What happened.
    """

    outcome: str
    started: str
    seconds: float
    host: str = ""
    pid: int = 0
    user: str = ""
    version: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    error: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class JobCard:
    """A key and what became of it, as plain data.

    Parameters
    ----------
    table, tier
        The table.
    key
        Names and values.
    state
        How its job stands now, in a sentence.
    attempts
        The last ones, the first of them first.
    more
        How many came before those.
    """

    table: str
    tier: str | None
    key: tuple[tuple[str, str], ...]
    state: str
    attempts: tuple[AttemptCard, ...] = ()
    more: int = 0


def job_text(card: JobCard) -> str:
    """Return a card as lines of text, the last attempt first and with its traceback.

    Examples
    --------
    >>> attempt = AttemptCard("error", "2024-02-29 12:30:01 UTC", 0.25, "rig", 7, error="ValueError: no")
    >>> print(job_text(JobCard("Stat", "Computed", (("mouse", "1"),), "failed", (attempt,))))
    Stat  mouse=1
    failed
    error    2024-02-29 12:30:01 UTC  250 ms
      where    rig, process 7
      error    ValueError: no
    """
    told = [f"{visible(card.table)}  {_key_text(card)}".rstrip(), visible(card.state)]
    for place, attempt in reversed(list(enumerate(card.attempts, 1))):
        head = f"{visible(attempt.outcome):<8} {visible(attempt.started)}"
        told.append(f"{head}  {duration_text(attempt.seconds)}")
        told += [f"  {name:<8} {visible(value)}" for name, value in _facts(attempt)]
        told += [f"  {'error':<8} {visible(attempt.error)}"] if attempt.error else []
        if place == len(card.attempts):
            told += [f"    | {line}" for line in _shown_lines(attempt.traceback)]
    return "\n".join([*told, *([_more(card)] if card.more else [])])


def job_html(card: JobCard) -> str:
    """Return a card as HTML without scripts, the last attempt first and open; every value is escaped.

    Examples
    --------
    >>> "&lt;b&gt;" in job_html(JobCard("Stat", "Computed", (("mouse", "<b>"),), "made"))
    True
    """
    key = tag("span", _key_text(card), class_="dj-mono")
    last = len(card.attempts) - 1
    attempts = [
        _attempt_html(attempt, is_open=place == last)
        for place, attempt in reversed(list(enumerate(card.attempts)))
    ]
    return output(
        tag(
            "div",
            caption(card.table, card.tier, key),
            tag("div", prose(card.state), class_="dj-state"),
            *attempts,
            tag("div", _more(card), class_="dj-muted") if card.more else "",
            class_=f"dj-job {tier_class(card.tier)}",
        ),
        styles=("object", "job"),
    )


def duration_text(seconds: float) -> str:
    """Return a duration for people.

    >>> duration_text(0.0004), duration_text(0.25), duration_text(12.34), duration_text(5000)
    ('0.4 ms', '250 ms', '12.3 s', '1 h 23 min')
    """
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    parts: list[str] = []
    left = round(seconds)
    for size, name in (*_UNITS, (1, "s")):
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size} {name}")
            left %= size
    return " ".join(parts)


def _shown_lines(traceback: str) -> list[str]:
    """Return the lines of a traceback that are shown: the first and the last ones of a long one."""
    if len(traceback) > _TRACEBACK:
        half = _TRACEBACK // 2
        traceback = f"{traceback[:half]}\n…\n{traceback[-half:]}"
    return [visible(line.expandtabs(4), None) for line in traceback.splitlines()]


def _attempt_html(attempt: AttemptCard, *, is_open: bool) -> Html:
    outcome = tag(
        "span", attempt.outcome, class_=f"dj-outcome dj-outcome-{_outcome(attempt.outcome)}"
    )
    head = join(
        [outcome, _started(attempt), muted(duration_text(attempt.seconds)), _brief(attempt)],
        " ",
    )
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in _facts(attempt)
    ]
    table = tag("table", tag("tbody", *rows), class_="dj-facts") if rows else Html("")
    error = tag("div", attempt.error, class_="dj-failed") if attempt.error else Html("")
    stack = Html("")
    if attempt.traceback:
        text = lines("\n".join(_shown_lines(attempt.traceback)))
        stack = tag("details", tag("summary", "traceback"), tag("pre", text, tabindex=0))
    body = tag("div", table, error, stack, class_="dj-attempt")
    return tag("details", tag("summary", head), body, open="open" if is_open else None)


def _started(attempt: AttemptCard) -> Html:
    return tag("span", attempt.started, class_="dj-mono")


def _brief(attempt: AttemptCard) -> Html:
    return muted(visible(attempt.error, 80)) if attempt.error else Html("")


def _outcome(outcome: str) -> str:
    return outcome if outcome in ("success", "error", "lost") else "lost"


def _facts(attempt: AttemptCard) -> list[tuple[str, str]]:
    where = [attempt.host, f"process {attempt.pid}" if attempt.pid else ""]
    facts = [
        ("where", ", ".join(filter(None, where))),
        ("user", attempt.user),
        ("version", attempt.version),
        *((f"from {name}", value) for name, value in attempt.inputs),
    ]
    return [(name, value) for name, value in facts if value]


def _key_text(card: JobCard) -> str:
    return ", ".join(f"{visible(name)}={visible(value)}" for name, value in card.key)


def _more(card: JobCard) -> str:
    return f"… and {card.more:,} attempt{'' if card.more == 1 else 's'} before"

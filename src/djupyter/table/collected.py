"""What a look at stores found: how much lies there, how much of it no row refers to, what was removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from djupyter.render.html import scrolled
from djupyter.render.markup import caption, join, muted, output, tag
from djupyter.render.text import aligned

_HEAD = ("store", "schema", "section", "files", "size", "orphans", "size", "young", "removed")
_NUMBERS = frozenset({3, 4, 5, 6, 7, 8})


@dataclass(slots=True)
class Tally:
    """What lies in a section of a store for a schema, in files and bytes.

    Attributes
    ----------
    store, schema, section
        Where; the section is `hash` (by content) or `schema` (by schema, table and key).
    files, bytes
        All that lies there.
    orphans, orphan_bytes
        What no row refers to, and old enough to be removed.
    young
        Files that no row refers to, but younger than the grace period.
    removed, removed_bytes
        What was removed.
    uploads, uploads_removed
        Objects that somebody began to send to a server in parts, before the grace period, and did not finish.
    """

    store: str
    schema: str
    section: str
    files: int = 0
    bytes: int = 0
    orphans: int = 0
    orphan_bytes: int = 0
    young: int = 0
    removed: int = 0
    removed_bytes: int = 0
    uploads: int = 0
    uploads_removed: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What `scan` and `collect` found.

    Attributes
    ----------
    tallies
        By store, schema and section.
    problems
        What could not be read. While there are any, nothing is removed and orphans are a guess.
    failures
        What could not be removed, each with the reason.
    examples
        Paths of some orphans.
    references
        Number of objects in these stores that rows refer to.
    grace_period
        Seconds for which objects without a row were left alone.
    dry_run
        Whether nothing was to be removed.
    """

    tallies: tuple[Tally, ...]
    problems: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    references: int = 0
    grace_period: float = 0.0
    dry_run: bool = True

    @property
    def is_complete(self) -> bool:
        """Whether everything could be read."""
        return not self.problems

    @property
    def files(self) -> int:
        """Number of files of all objects."""
        return sum(tally.files for tally in self.tallies)

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(tally.bytes for tally in self.tallies)

    @property
    def orphans(self) -> int:
        """Number of files that no row refers to, without the young ones."""
        return sum(tally.orphans for tally in self.tallies)

    @property
    def orphan_bytes(self) -> int:
        """Their size."""
        return sum(tally.orphan_bytes for tally in self.tallies)

    @property
    def young(self) -> int:
        """Number of files without a row that are younger than the grace period."""
        return sum(tally.young for tally in self.tallies)

    @property
    def removed(self) -> int:
        """Number of files that were removed."""
        return sum(tally.removed for tally in self.tallies)

    @property
    def removed_bytes(self) -> int:
        """Their size."""
        return sum(tally.removed_bytes for tally in self.tallies)

    @property
    def uploads(self) -> int:
        """Number of uploads that were begun before the grace period and never finished."""
        return sum(tally.uploads for tally in self.tallies)

    @property
    def uploads_removed(self) -> int:
        """Number of those whose parts were removed."""
        return sum(tally.uploads_removed for tally in self.tallies)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        totals = (
            *("files", "bytes", "orphans", "orphan_bytes", "young", "removed", "removed_bytes"),
            *("uploads", "uploads_removed"),
        )
        return {
            **{name: getattr(self, name) for name in totals},
            "references": self.references,
            "grace_period": self.grace_period,
            "dry_run": self.dry_run,
            "problems": list(self.problems),
            "failures": list(self.failures),
            "examples": list(self.examples),
            "sections": [asdict(tally) for tally in self.tallies],
        }

    def __repr__(self) -> str:
        lines = [self._summary(), *aligned([_HEAD, *map(_row, self.tallies)], _NUMBERS)]
        return "\n".join([*lines, *self._notes()])

    def _repr_html_(self) -> str:
        head = join(tag("th", name, scope="col") for name in _HEAD)
        rows = [
            tag(
                "tr",
                *(
                    tag("td", text, class_="dj-number" if n in _NUMBERS else "")
                    for n, text in enumerate(_row(t))
                ),
            )
            for t in self.tallies
        ]
        table = tag(
            "table", tag("thead", tag("tr", head)), tag("tbody", *rows), class_="dj-table dj-rows"
        )
        notes = join(tag("li", note) for note in self._notes())
        return output(
            caption("Objects", None, muted(self._summary())),
            scrolled(table, "objects by store and schema"),
            tag("ul", notes) if notes else "",
            styles=("table",),
        )

    def _summary(self) -> str:
        if not self.is_complete:
            return f"{len(self.problems)} problems: nothing can be removed before all rows can be read."
        if self.dry_run:
            return (
                f"{self.orphans:,} of {self.files:,} files ({size_text(self.orphan_bytes)}) have no row; "
                f"{self.young:,} more are younger than {self.grace_period:,.0f} s."
            )
        return f"{self.removed:,} of {self.files:,} files were removed ({size_text(self.removed_bytes)})."

    def _notes(self) -> Iterator[str]:
        yield from (f"Problem: {text}" for text in self.problems)
        yield from (f"Not removed: {text}" for text in self.failures)
        if self.uploads:
            done = "" if self.dry_run else f"; the parts of {self.uploads_removed:,} were removed"
            yield f"{self.uploads:,} uploads were begun long ago and never finished{done}."


def size_text(size: int) -> str:
    """Return a number of bytes as people read it.

    >>> size_text(999), size_text(12_345), size_text(5 * 10**12)
    ('999 B', '12.3 kB', '5.0 TB')
    """
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


def _row(tally: Tally) -> list[str]:
    return [
        tally.store,
        tally.schema,
        tally.section,
        f"{tally.files:,}",
        size_text(tally.bytes),
        f"{tally.orphans:,}",
        size_text(tally.orphan_bytes),
        f"{tally.young:,}",
        f"{tally.removed:,}",
    ]

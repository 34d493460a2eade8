"""What a check of the objects of a schema found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from djupyter.render.characters import visible
from djupyter.render.html import scrolled
from djupyter.render.markup import caption, join, muted, output, tag
from djupyter.render.text import aligned
from djupyter.table.collected import size_text

Kind = Literal["missing", "changed", "unreadable"]
_SHOWN = 20
_HEAD = ("what", "table", "key", "attribute", "store", "path", "why")


@dataclass(frozen=True, slots=True)
class Finding:
    """An object that is not as its row says.

    Attributes
    ----------
    kind
        `missing`, `changed`, or `unreadable` where the row itself cannot be understood.
    table, key, attribute
        Which row.
    store, path
        Where the object should lie.
    reason
        What was found instead.
    """

    kind: Kind
    table: str
    key: str
    attribute: str
    store: str
    path: str
    reason: str


@dataclass(slots=True)
class Verification:
    """What `schema.verify` found; true when every object is there.

    Attributes
    ----------
    schema
        Its name.
    rows, objects, bytes
        How many rows were read, to how many objects they refer, and how much lies there.
    hashed
        Of how many objects the contents were compared.
    counts
        How many findings there are of each kind.
    findings
        The first thousand of them.
    """

    schema: str
    rows: int = 0
    objects: int = 0
    bytes: int = 0
    hashed: int = 0
    counts: dict[Kind, int] = field(
        default_factory=lambda: {"missing": 0, "changed": 0, "unreadable": 0}
    )
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_valid(self) -> bool:
        """Whether every row has its objects, as they were written as far as that was looked at."""
        return not any(self.counts.values())

    def __bool__(self) -> bool:
        return self.is_valid

    @property
    def missing(self) -> list[Finding]:
        """Objects that are not there."""
        return [each for each in self.findings if each.kind == "missing"]

    @property
    def changed(self) -> list[Finding]:
        """Objects that are not as they were written."""
        return [each for each in self.findings if each.kind == "changed"]

    @property
    def unreadable(self) -> list[Finding]:
        """Rows that do not say which objects they mean."""
        return [each for each in self.findings if each.kind == "unreadable"]

    def note(self, finding: Finding) -> None:
        """Add a finding."""
        self.counts[finding.kind] += 1
        if len(self.findings) < 1000:
            self.findings.append(finding)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        return {"is_valid": self.is_valid, **asdict(self)}

    def __repr__(self) -> str:
        shown = [_HEAD, *map(_row, self.findings[:_SHOWN])]
        table = aligned(shown) if self.findings else []
        return "\n".join([self._summary(), *table, *self._more()])

    def _repr_html_(self) -> str:
        head = join(tag("th", name, scope="col") for name in _HEAD)
        rows = [
            tag("tr", *(tag("td", text) for text in _row(each))) for each in self.findings[:_SHOWN]
        ]
        table = tag(
            "table",
            tag("thead", tag("tr", head)),
            tag("tbody", *rows),
            class_="dj-table dj-rows",
        )
        return output(
            caption(f"Objects of {self.schema}", None, muted(self._summary())),
            scrolled(table, "objects that are not as they should be") if rows else "",
            *(tag("div", line, class_="dj-total dj-muted") for line in self._more()),
            styles=("table",),
        )

    def _summary(self) -> str:
        how = f"{self.hashed:,} of them compared by content" if self.hashed else "compared by size"
        looked = f"{self.objects:,} objects ({size_text(self.bytes)}) of {self.rows:,} rows, {how}"
        if self.is_valid:
            return f"All objects are there: {looked}."
        found = ", ".join(f"{count:,} {kind}" for kind, count in self.counts.items() if count)
        return f"{found}: {looked}."

    def _more(self) -> list[str]:
        more = sum(self.counts.values()) - _SHOWN
        return [f"and {more:,} more"] if more > 0 else []


def _row(each: Finding) -> list[str]:
    texts = (
        each.kind,
        each.table,
        each.key,
        each.attribute,
        each.store,
        each.path,
        each.reason,
    )
    return [visible(text, 100) for text in texts]

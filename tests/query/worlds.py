"""Random pipelines, each both in a database and in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import djupyter as dj
from tests.query import kinds
from tests.query.conditions import Pair
from tests.query.kinds import KINDS, OFTEN
from tests.query.oracle import Attr, Rel, Row

Key = tuple[Any, ...]


def world(random: Random, schema: dj.Schema) -> list[Pair]:
    """Declare and fill three to five tables that refer to each other: masters, parts, a singleton."""
    drafts: list[_Draft] = []
    for number in range(random.randint(3, 5)):
        drafts.append(_Draft(random, number, drafts))
    classes = _declared(schema, drafts)
    for draft, cls in zip(drafts, classes, strict=True):
        cls.insert(draft.inserted)
    return [Pair(draft.rel, cls) for draft, cls in zip(drafts, classes, strict=True)]


def _declared(schema: dj.Schema, drafts: list[_Draft]) -> list[Any]:
    found: dict[int, Any] = {}
    for draft in drafts:
        if draft.master is not None:
            continue
        parts = {
            f"P{part.number}": type(f"P{part.number}", (dj.Part,), {"definition": part.definition})
            for part in drafts
            if part.master == draft.number
        }
        body = {"definition": draft.definition, **parts}
        context = {f"T{number}": cls for number, cls in found.items()}
        cls = schema(type(f"T{draft.number}", (dj.Manual,), body), context={"dj": dj, **context})
        found[draft.number] = cls
        found |= {int(name[1:]): getattr(cls, name) for name in parts}
    return [found[draft.number] for draft in drafts]


def _master(earlier: list[_Draft]) -> _Draft | None:
    """Return the table that the next one may be a part of: only parts may stand between the two."""
    last = earlier[-1] if earlier else None
    if last is not None and last.master is not None:
        last = earlier[last.master]
    return last if last is not None and last.rel.key else None


class _Draft:
    """A table while it is being thought out: its definition, its heading and its rows."""

    def __init__(self, random: Random, number: int, earlier: list[_Draft]) -> None:
        self.random, self.number = random, number
        self.master: int | None = None
        self.attrs: list[Attr] = []
        self.lines: list[str] = []
        self.uniques: list[tuple[str, ...]] = []
        self.draws: list[Callable[[], Row | None]] = []
        self._key(earlier)
        self.lines.append("---")
        self._rest(earlier)
        self.definition = "\n".join(self.lines)
        self.inserted = self._rows()
        rows = tuple({n: kinds.kept(v) for n, v in row.items()} for row in self.inserted)
        self.rel = Rel(tuple(self.attrs), rows)

    def _key(self, earlier: list[_Draft]) -> None:
        random = self.random
        master = _master(earlier)
        if master and random.random() < 0.4:
            self.master = master.number
            self._refer(master, "master", in_key=True, renamed=random.random() < 0.3)
        elif earlier and random.random() < 0.6:
            parent = random.choice(earlier)
            self._refer(parent, parent.place, in_key=True, renamed=random.random() < 0.4)
        elif earlier and random.random() < 0.15:
            return
        if not self.attrs or random.random() < 0.5:
            kind = random.choice([kind for kind in OFTEN if KINDS[kind].in_key])
            self._own(f"k{self.number}", kind, in_key=True)

    def _rest(self, earlier: list[_Draft]) -> None:
        random = self.random
        for place in range(random.randint(0, 4)):
            self._own(f"{random.choice('xs')}{self.number}{place}", random.choice(OFTEN))
        if random.random() < 0.5:
            self._own("note", "int")
        for parent in random.sample(earlier, min(len(earlier), random.choice([0, 1, 1, 2]))):
            if self.master is None or parent.number <= self.master:
                self._refer(parent, parent.place, in_key=False, renamed=random.random() < 0.6)

    @property
    def place(self) -> str:
        """What a reference to this table is written as."""
        return f"T{self.number}" if self.master is None else f"T{self.master}.P{self.number}"

    def _own(self, name: str, kind: str, *, in_key: bool = False) -> None:
        nullable = not in_key and self.random.random() < 0.7
        lineage = f"{self.number}.{name}" if in_key else None
        self.attrs.append(Attr(name, kind, in_key, lineage))
        type_ = self.random.choice(KINDS[kind].types)
        self.lines.append(f"{name}{' = null' * nullable} : {type_}")
        self.draws.append(lambda: {name: kinds.draw(self.random, kind, nullable=nullable)
                                   if nullable else self.random.choice(KINDS[kind].values)})  # fmt: skip

    def _refer(self, parent: _Draft, place: str, *, in_key: bool, renamed: bool) -> None:
        names = {old: f"{old}_{self.number}" if renamed else old for old in parent.rel.key}
        if not names or set(names.values()) & {attr.name for attr in self.attrs}:
            return
        nullable = not in_key and self.random.random() < 0.6
        unique = not in_key and self.random.random() < 0.2
        self.attrs += [
            replace(parent.rel.attr(old), name=new, in_key=in_key) for old, new in names.items()
        ]
        if unique:
            self.uniques.append(tuple(names.values()))
        options = ", ".join(["nullable"] * nullable + ["unique"] * unique)
        arguments = ", ".join(f'{new}="{old}"' for old, new in names.items())
        written = f"{place}.proj({arguments})" if renamed else place
        self.lines.append(f"-> [{options}] {written}" if options else f"-> {written}")

        def draw() -> Row | None:
            if nullable and (not parent.rel.rows or self.random.random() < 0.4):
                return dict.fromkeys(names.values())
            if not parent.rel.rows:
                return None
            row = self.random.choice(parent.rel.rows)
            return {new: row[old] for old, new in names.items()}

        self.draws.append(draw)

    def _rows(self) -> list[Row]:
        keys = [tuple(attr.name for attr in self.attrs if attr.in_key), *self.uniques]
        taken: list[set[Key]] = [set() for _ in keys]
        found: list[Row] = []
        for _ in range(self.random.choice([0, 5, 6, 8, 10, 12, 12])):
            parts = [draw() for draw in self.draws]
            row = {name: value for part in parts if part for name, value in part.items()}
            values = [tuple(row.get(name) for name in names) for names in keys]
            if None in parts or any(v in seen for v, seen in zip(values, taken, strict=True)):
                continue
            for value, seen in zip(values, taken, strict=True):
                # NULL is never a duplicate in a unique index.
                if value == () or None not in value:
                    seen.add(value)
            found.append(row)
        return found

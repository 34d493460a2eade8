"""One pipeline, declared by whichever of the two libraries is given."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np


def declare(dj: Any, schema: Any, *, postgresql: bool) -> SimpleNamespace:
    """Declare tables of every tier, with every type, key and index that datajoint can declare there.

    Parameters
    ----------
    dj
        `datajoint` or `djupyter`.
    schema
        Its schema, to decorate with.
    postgresql
        datajoint cannot insert a uuid there.
    """

    @schema
    class Kind(dj.Lookup):
        definition = """
        # kinds of things, it's said
        kind : varchar(20)
        ---
        note="" : varchar(100)   # what for
        """
        contents = (("mouse", "small"), ("rat", ""))

    @schema
    class Subject(dj.Manual):
        definition = f"""
        # who takes part
        subject_id : int32  # number in the lab
        ---
        -> [nullable] Kind
        sex="U" : enum('M', 'F', 'U')  # gender
        birth=null : date
        seen=CURRENT_TIMESTAMP : datetime
        exact=null : datetime(3)
        {"token=null : int32" if postgresql else "token=null : uuid"}
        alive=1 : bool
        tiny=null : int8
        short=null : int16
        long=null : int64
        weight=1.5 : float64
        ratio=null : float32
        price=null : decimal(6,2)
        code=null : char(4)
        remark="" : varchar(60)  # it's free: text
        raw=null : bytes
        data=null : <blob>  # anything
        note=null : json
        index (birth)
        unique index (remark, sex)
        """

    @schema
    class Session(dj.Manual):
        definition = """
        -> Subject
        session : int16  # of the subject
        ---
        -> [nullable] Subject.proj(observer="subject_id")
        """

        class Trial(dj.Part):
            definition = """
            -> master
            trial : int32
            ---
            score : float64
            """

    @schema
    class Pair(dj.Manual):
        definition = """
        -> Subject.proj(first="subject_id")
        -> Subject.proj(second="subject_id")
        ---
        -> [nullable, unique] Session
        """

    @schema
    class Only(dj.Manual):
        definition = """
        ---
        answer : int32
        """

    @schema
    class Scan(dj.Imported):
        definition = """
        -> Session
        ---
        frames : int64
        """

        def make(self, key: dict[str, Any]) -> None:
            self.insert1({**key, "frames": 10 * key["session"]})

    @schema
    class Count(dj.Computed):
        definition = """
        -> Scan
        ---
        mean=null : float64
        """

        class Item(dj.Part):
            definition = """
            -> master
            item : varchar(10)
            ---
            -> [nullable] Kind
            """

        def make(self, key: dict[str, Any]) -> None:
            frames = (Scan & key).fetch1("frames")
            self.insert1({**key, "mean": frames / 2})
            self.Item.insert(
                [{**key, "item": "a", "kind": "rat"}, {**key, "item": "b", "kind": None}]
            )

    names = ("Kind", "Subject", "Session", "Pair", "Only", "Scan", "Count")
    found = locals()
    return SimpleNamespace(**{name: found[name] for name in names})


def subjects(*, postgresql: bool) -> list[dict[str, Any]]:
    """Return rows with a value of every type, and one with NULLs."""
    full = {
        "subject_id": 1,
        "kind": "mouse",
        "sex": "M",
        "birth": datetime.date(2020, 2, 29),
        "seen": datetime.datetime(2021, 3, 4, 5, 6, 7),
        "exact": datetime.datetime(2021, 3, 4, 5, 6, 7, 891000),
        "token": 5 if postgresql else uuid.UUID(int=2**100 + 3),
        "alive": False,
        "tiny": -128,
        "short": 32767,
        "long": -(2**63),
        "weight": 0.1,
        "ratio": 0.25,
        "price": Decimal("1234.56"),
        "code": "ab",
        "remark": 'it\'s 100% \\ "fine" µ',
        "raw": b"\x00\xff'",
        "data": {"a": np.arange(6).reshape(2, 3), "b": [1, "two", None]},
        "note": None,
    }
    empty = dict.fromkeys(full) | {
        "subject_id": 2,
        "sex": "U",
        "seen": datetime.datetime(1999, 12, 31, 23, 59, 59),
        "alive": True,
        "weight": -1e300,
        "remark": "",
    }
    return [full, empty]


def fill(tables: SimpleNamespace, *, postgresql: bool) -> None:
    """Insert rows into every table and compute what is computed."""
    tables.Subject.insert(subjects(postgresql=postgresql))
    tables.Session.insert([(1, 1, None), (1, 2, 2), (2, 1, 1)])
    tables.Session.Trial.insert([(1, 1, trial, trial / 4) for trial in range(3)])
    tables.Pair.insert1((1, 2, 1, 1))
    tables.Only.insert1({"answer": 42})
    tables.Scan.populate()
    tables.Count.populate()

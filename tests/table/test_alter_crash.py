"""An alteration that is interrupted or killed leaves a table as it was or as it is to be, with all its rows."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

import djupyter as dj
from djupyter.sql.connection import Connection
from tests.conftest import Database

OLD = """
mouse : int32
---
name = "" : varchar(20)
tag = null : uuid
weight = null : float32
index (name)
"""
NEW = """
animal : int32  # {mouse}
---
born = null : date
name = "" : varchar(40)
tag = null : varchar(36)
mass = null : float64  # {weight}
unique index (tag)
"""
CHILD = "-> Mouse\nsession : int16"
TAG = UUID("00000000-0000-4000-8000-00000000000a")
PROGRAM = """
import os, signal, sys, warnings
import djupyter as dj
from djupyter.sql.connection import Connection

url, name, definition, stop = sys.argv[1:]
schema = dj.Schema(name, connection=Connection(url))
warnings.simplefilter("ignore")

@schema
class Mouse(dj.Manual):
    pass

Mouse.definition = definition
execute, done = Connection.execute, 0

def execute_and_die(self, sql, params=()):
    global done
    result = execute(self, sql, params)
    done += 1
    if done == int(stop):
        os.kill(os.getpid(), signal.SIGKILL)
    return result

Connection.execute = execute_and_die
Mouse.alter(prompt=False)
"""


def declare(schema: dj.Schema) -> tuple[Any, Any]:
    @schema
    class Mouse(dj.Manual):
        definition = OLD

    @schema
    class Session(dj.Manual):
        definition = CHILD

    Mouse.insert([(1, "Minnie", TAG, 20.5), (2, "Max", None, None)])
    Session.insert([(1, 1), (2, 1)])
    return Mouse, Session


def check(Mouse: Any, Session: Any, old: set[str]) -> None:
    """Check that nothing is lost and each table is of one piece, then alter to the end."""
    Mouse().connection.catalog.forget()
    Mouse.definition = NEW
    assert len(Mouse()) == len(Session()) == 2
    names = [set(table.heading.names) for table in (Mouse, Session)]
    states = [old, {"animal", "born", "name", "tag", "mass"}]
    if not Mouse().connection.backend.defines_in_transactions:
        # Attributes of foreign keys are renamed there in a statement of their own.
        states.append({*old, "animal"} - {"mouse"})
    assert names[0] in states
    assert names[1] in ({"mouse", "session"}, {"animal", "session"})
    Mouse.alter(prompt=False)
    rows = Mouse.to_dicts(order_by="name")
    assert rows[1] == {
        "animal": 1,
        "born": None,
        "name": "Minnie",
        "tag": str(TAG),
        "mass": 20.5,
    }
    assert len(Session * Mouse) == 2
    assert Session.heading.names == ["animal", "session"]
    assert not any(a.name.startswith("_") for a in Mouse().structure.attributes)
    Mouse.alter(prompt=False, dry_run=True)


Interrupted = Callable[[dj.Schema, int], bool]


def each_stop(db: Database, interrupted: Interrupted, capsys: pytest.CaptureFixture[str]) -> None:
    # Every stop where there are few statements, and some where a transaction holds many.
    for stop in (1, 2, 3, 4, 6, 9, 14, 99):
        schema = dj.Schema(db.schema_name(f"crash{stop}"), connection=db.connection)
        Mouse, Session = declare(schema)
        done = interrupted(schema, stop)
        check(Mouse, Session, {"mouse", "name", "tag", "weight"})
        assert capsys.readouterr().out.split()[-1] == "unchanged"
        schema.drop(prompt=False)
        if done:
            assert stop > 2
            return


def test_an_alteration_interrupted_after_any_statement_can_go_on(
    db: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    execute = Connection.execute

    def interrupted(schema: dj.Schema, stop: int) -> bool:
        done = 0

        def execute_and_stop(self: Any, sql: str, params: Any = ()) -> int:
            nonlocal done
            result = execute(self, sql, params)
            done += 1
            if done == stop:
                raise KeyboardInterrupt
            return result

        Mouse: Any = type("Mouse", (dj.Manual,), {"definition": OLD})
        schema(Mouse)
        Mouse.definition = NEW
        with monkeypatch.context() as patch:
            patch.setattr(Connection, "execute", execute_and_stop)
            try:
                Mouse.alter(prompt=False)
            except KeyboardInterrupt:
                return False
        return True

    each_stop(db, interrupted, capsys)


@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_an_alteration_that_is_killed_can_be_made_again(
    db: Database, capsys: pytest.CaptureFixture[str], stop: int
) -> None:
    schema = dj.Schema(db.schema_name("killed"), connection=db.connection)
    Mouse, Session = declare(schema)
    arguments = [db.url, schema.name, NEW, str(stop)]
    program = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False
    )
    assert program.returncode == -signal.SIGKILL, program.stderr
    check(Mouse, Session, {"mouse", "name", "tag", "weight"})
    schema.drop(prompt=False)

"""Who makes the keys: this process, processes of its own, or an executor of the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from djupyter.populate.making.performing import perform
from djupyter.populate.outcome import Key, Outcome
from djupyter.populate.running.stages import Stage


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Some keys of a table, made one after the other.

    Parameters
    ----------
    stage
        Whose keys.
    keys
        Primary-key values.
    """

    stage: Stage
    keys: list[Key]


class Runner(Protocol):
    """Makes the keys of tasks."""

    workers: int

    @property
    def has_room(self) -> bool:
        """Whether it can begin another task now."""

    @property
    def is_idle(self) -> bool:
        """Whether it works on nothing."""

    def begin(self, task: Task) -> None:
        """Begin a task."""

    def wait(self) -> None:
        """Wait until something has ended, and tell what became of its keys; may return before, to be given more."""

    def close(self, *, now: bool) -> None:
        """End, at once or when what is begun has ended."""


class InProcess:
    """Makes keys in this process, one at a time.

    Parameters
    ----------
    stopped
        Asked before each key.
    begins, fails, told
        Called before each key, when it has failed, and after it.
    """

    workers = 1

    def __init__(
        self,
        stopped: Callable[[], bool],
        begins: Callable[[Stage, Key], None],
        fails: Callable[[], None],
        told: Callable[[Stage, Outcome], None],
    ) -> None:
        self._stopped, self._begins, self._fails, self._told = stopped, begins, fails, told
        self._task: Task | None = None

    @property
    def has_room(self) -> bool:
        """Whether nothing is to be done."""
        return self._task is None

    is_idle = has_room

    def begin(self, task: Task) -> None:
        """Note what is to be done; `wait` does it."""
        self._task = task

    def wait(self) -> None:
        """Make the keys."""
        __tracebackhide__ = True  # IPython then shows the user's frames only
        task, self._task = self._task, None
        assert task is not None, "something was begun"
        stage = task.stage
        perform(
            stage.table,
            task.keys,
            stage.orders,
            stopped=self._stopped,
            begins=lambda key: self._begins(stage, key),
            fails=self._fails,
            told=lambda outcome: self._told(stage, outcome),
        )

    def close(self, *, now: bool) -> None:
        """Do nothing: it never works unasked."""

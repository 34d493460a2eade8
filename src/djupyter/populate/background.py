"""A populate that runs beside the caller, in a thread of its own, with a handle to stop it, wait for it and try again.

```
begin(tables, ...) -> Populating --thread--> run.populate -> events -> Watch -> display
```
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from djupyter.errors import DataJointError, nearest
from djupyter.frontend import in_notebook
from djupyter.populate.interrupting import interrupt
from djupyter.populate.jobs.job import Job
from djupyter.populate.progress import Display, Form, all_of, display_of
from djupyter.populate.running.run import Options, Summary, check, names_of, populate
from djupyter.populate.watching import Watch
from djupyter.render.progress import Failure, Progress
from djupyter.render.progress_panel import progress_summary

if TYPE_CHECKING:
    from djupyter.populate.tiers import AutoPopulate

R = TypeVar("R")

# Seconds that a key in work is given when the program ends, and to leave its place when it is interrupted. A kernel
# that has not ended after two and a half is killed.
_AT_EXIT, _LEAVING = 1.0, 2.0
# Between two looks, so that Ctrl-C is heard also where waiting for a thread cannot be interrupted.
_LOOK = 0.2
# Beyond, a retry looks at all that is missing rather than name each failed key in a query.
_NAMED = 1000
_OURS = {"patience", "health_file"}


def options_of(given: dict[str, Any]) -> Options:
    """Return the options of a populate.

    Raises
    ------
    TypeError
        There is no such option.
    """
    known = {field.name for field in fields(Options)} - _OURS
    for name in given:
        if name not in known:
            raise TypeError(f"populate() has no option `{name}`. {nearest(name, known)}".strip())
    if given.get("make_kwargs") is None:
        given = {name: value for name, value in given.items() if name != "make_kwargs"}
    return Options(**given)


class Populating(Generic[R]):
    """A populate that runs in a thread of its own; `populate(background=True)` returns one.

    In a notebook it shows itself as a panel with a Stop button, as the last line of any cell. `await` it to wait for
    its result in a cell that leaves the kernel free. When the program ends, it is stopped.

    Examples
    --------
    >>> import djupyter as dj
    >>> schema = dj.Schema("lab", connection=dj.Connection("sqlite://"))
    >>> @schema
    ... class Mouse(dj.Lookup):
    ...     definition = "mouse : int32"
    ...     contents = [(1,), (2,)]
    >>> @schema
    ... class Weight(dj.Computed):
    ...     definition = "-> Mouse"
    ...     def make(self, key):
    ...         self.insert1(key)
    >>> run = Weight.populate(background=True)
    >>> run.result()
    {'success_count': 2, 'error_list': []}
    >>> run.done, run.progress.done, run.errors
    (True, 2, ())
    """

    def __init__(
        self,
        tables: Sequence[AutoPopulate],
        restrictions: Sequence[object],
        options: Options,
        *,
        form: Form,
        of: Callable[[list[Summary]], R],
    ) -> None:
        self._tables, self._restrictions = tables, restrictions
        self._names = names_of(tables)
        self._options, self._form, self._of = options, form, of
        self._watch = Watch(
            [(name, table.name.tier) for name, table in zip(self._names, tables, strict=True)]
        )
        self._display: Display | None = None
        self._stop, self._ended = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], None]] = []
        self._failed: list[tuple[AutoPopulate, Any]] = []
        self._summaries: list[Summary] = []
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    # -- what is known ------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    @property
    def progress(self) -> Progress:
        """How far it is: for each of its `tables` what is planned, done, failed and remaining."""
        return self._watch.progress

    @property
    def errors(self) -> tuple[Failure, ...]:
        """The first hundred keys that failed: table, key, error and traceback of each."""
        return self.progress.failures

    def __repr__(self) -> str:
        return progress_summary(self.progress, self._watch.now())

    def _ipython_display_(self) -> None:
        if in_notebook():
            self.show()
        else:
            print(repr(self))

    def show(self) -> None:
        """Show the panel below the running cell; the bars, in a terminal, appear by themselves."""
        with self._lock:
            is_new = self._display is None
            self._display = self._display or self._new_display()
            self._display.show()
            if is_new and not self.done:
                self._display.begin()

    # -- what may be done ---------------------------------------------------------------------------

    def stop(self) -> None:
        """Begin no more keys; what is in work is ended, and the rest stays to be made."""
        if not self.done:
            self._stop.set()
            self._watch.stops()

    def interrupt(self) -> None:
        """Stop at once: the key in work is undone, as by Ctrl-C."""
        self.stop()
        with self._lock:
            thread = self._thread
        if thread is not None and not self.done:
            interrupt(thread)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended, and return whether it has.

        Parameters
        ----------
        timeout
            Most seconds to wait.
        """
        while timeout is None or timeout > _LOOK:
            if self._ended.wait(_LOOK):
                return True
            timeout = None if timeout is None else timeout - _LOOK
        return self._ended.wait(timeout)

    def result(self, timeout: float | None = None) -> R:
        """Wait for what `populate` would have returned, also after a stop.

        Parameters
        ----------
        timeout
            Most seconds to wait.

        Raises
        ------
        TimeoutError
            It has not ended by then.
        Exception
            What `populate` would have raised: the first error of a make, unless errors are suppressed.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"The populate has not ended after {timeout:g} s; it goes on.")
        if self._error is not None:
            raise self._error
        return self._of(self._summaries)

    def __await__(self) -> Generator[Any, None, R]:
        return self._awaited().__await__()

    async def _awaited(self) -> R:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop was closed
                loop.call_soon_threadsafe(ended.set)

        with self._lock:
            if self.done:
                ended.set()
            self._waiting.append(wake)
        waiting = asyncio.ensure_future(ended.wait())
        try:
            # The main thread hears a signal when it does something: a loop that only waited would be deaf to Ctrl-C.
            while not waiting.done():
                await asyncio.wait([waiting], timeout=_LOOK)
        except asyncio.CancelledError:  # which is also what the kernel's interrupt becomes
            self.interrupt()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([waiting], timeout=_LEAVING)
            raise
        finally:
            waiting.cancel()
        return self.result()

    def retry(self) -> None:
        """Try again what is missing: the keys that failed, and those that a stop has left. Returns at once.

        Counts, errors and the result are then those of the new attempt, beside the keys that were made before.

        Raises
        ------
        DataJointError
            It runs still.
        """
        with self._lock:
            if not self.done:
                raise DataJointError("The populate runs still. Wait for its end, or stop it first.")
            self._ended.clear()
        was_whole = self.progress.phase == "done"
        self._watch.begins_again()
        failed, self._failed = self._failed, []
        keys = [key for _, key in failed]
        by_name = was_whole and len(keys) <= _NAMED
        self._form = "background"
        self._start(failed, [*self._restrictions, keys] if by_name else self._restrictions)

    def _retry_unasked(self) -> None:
        with suppress(DataJointError):  # a second click
            self.retry()

    # -- inside -------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the work."""
        if self._options.display_progress:
            self._display = self._new_display()
            self._display.show()
        self._start([], self._restrictions)

    def _new_display(self) -> Display:
        return display_of(self._watch, self._form, self.stop, self._retry_unasked)

    def _start(self, again: list[tuple[AutoPopulate, Any]], restrictions: Sequence[object]) -> None:
        """Let a thread do it that sees the context of the caller, such as the cell to print to."""
        self._stop.clear()
        self._error, self._summaries = None, []
        asked = self._options.stop
        options = replace(
            self._options,
            display_progress=False,
            listener=all_of(
                [
                    *(self._display.listeners if self._display is not None else (self._watch,)),
                    *([self._options.listener] if self._options.listener is not None else ()),
                ]
            ),
            stop=lambda: self._stop.is_set() or asked(),
        )
        if self._display is not None:
            self._display.begin()
        run = contextvars.copy_context().run
        self._thread = threading.Thread(
            target=run,
            args=(self._work, again, restrictions, options),
            name="populate",
            daemon=True,
        )
        atexit.register(self._at_exit)
        self._thread.start()

    def _work(
        self,
        again: list[tuple[AutoPopulate, Any]],
        restrictions: Sequence[object],
        options: Options,
    ) -> None:
        summaries: list[Summary] = []
        error: BaseException | None = None
        try:
            if options.reserve_jobs:
                for table, key in again:
                    Job(table).retry(key)
            summaries = populate(self._tables, restrictions, options)
            if options.stop():
                self._watch.stops()
        except BaseException as caught:  # raised again by `result`
            error = caught
        while not self._ended.is_set():
            with suppress(KeyboardInterrupt):  # which came when all was over
                self._end(summaries, error)

    def _end(self, summaries: list[Summary], error: BaseException | None) -> None:
        self._summaries, self._error = summaries, error
        by_name = dict(zip(self._names, self._tables, strict=True))
        self._failed = [(by_name[each.table], each.key) for each in self._failures_of(summaries)]
        atexit.unregister(self._at_exit)
        with self._lock:
            try:
                self._watch.ends(error)
                if self._display is not None:
                    self._display.end()
            finally:  # nobody shall wait for ever because a display fails
                self._ended.set()
            waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def _failures_of(self, summaries: list[Summary]) -> list[Failure]:
        if not summaries:
            return list(self.progress.failures)
        return [
            Failure(name, key, "")
            for name, summary in zip(self._names, summaries, strict=True)
            for key, _ in summary["error_list"]
        ]

    def _at_exit(self) -> None:
        """Stop, as the program ends: what is in work has a moment, then it is undone."""
        self.stop()
        if not self.wait(_AT_EXIT):
            self.interrupt()
            self.wait(_LEAVING)
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(_LEAVING)  # it gives its database session back as its very last act


def begin(
    tables: Sequence[AutoPopulate],
    restrictions: Sequence[object],
    options: Options,
    form: Form,
    of: Callable[[list[Summary]], R],
) -> Populating[R]:
    """Start a populate in the background and return its handle.

    Parameters
    ----------
    tables
        Parents first.
    restrictions
        Only keys that meet all of them.
    options
        As of `populate`.
    form
        Whether the caller waits for it, and how.
    of
        Makes the result of the summaries of the tables.

    Raises
    ------
    DataJointError
        What `populate` would refuse.
    """
    check(tables, options)
    if options.time_limit is not None and options.is_alone:
        raise DataJointError(
            "A key that is made in a thread cannot be ended when its time is over. With a time limit in the background "
            "let other processes make the keys: processes=2, a memory_limit, or an executor."
        )
    run = Populating(tables, restrictions, options, form=form, of=of)
    run.begin()
    return run

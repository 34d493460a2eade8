"""A file that appears under its name when it is closed, whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from types import TracebackType
from typing import IO, Any, Self, cast

Ending = Callable[[], None]


class Writing(io.BufferedIOBase):
    """A file being written: `close` publishes it, an error inside its `with` block discards it.

    A file that nobody closed is discarded too.

    Parameters
    ----------
    file
        Where the bytes go meanwhile.
    publish, discard
        What makes them appear, or go away; one of the two is called, once.
    """

    def __init__(self, file: IO[bytes], publish: Ending, discard: Ending) -> None:
        self._file, self._publish, self._discard = file, publish, discard
        self._guard: Callable[[], AbstractContextManager[None]] = nullcontext

    def guarded(self, guard: Callable[[], AbstractContextManager[None]]) -> Self:
        """Return this file, with what goes wrong from now on raised as the guard does."""
        self._guard = guard
        return self

    def write(self, data: Any) -> int:
        """Write bytes-like data; return how many bytes that were."""
        with self._guard():
            return self._file.write(data)

    def flush(self) -> None:
        """Hand what is buffered to the system; nothing appears by that."""
        if not self.closed:
            with self._guard():
                self._file.flush()

    def writable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return False: what is not published cannot be read."""
        return False

    def seekable(self) -> bool:
        """Whether what is written can be gone back to; not while it streams to a server."""
        return self._file.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to another place, where the file can."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place where writing goes on."""
        return self._file.tell()

    def close(self) -> None:
        """Publish the file."""
        if self.closed:
            return
        super().close()
        try:
            with self._guard():
                self._publish()
        except BaseException:
            self._give_up()
            raise

    def discard(self) -> None:
        """Close the file as if it had never been written."""
        if not self.closed:
            super().close()
            self._discard()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._give_up()

    def __del__(self) -> None:
        if "_discard" in self.__dict__ and not self.closed:
            self._give_up()

    def _give_up(self) -> None:
        with suppress(Exception):  # the error that led here matters more
            super().close()
            self._discard()


class WritingText(io.TextIOWrapper):
    """The same for text."""

    def __init__(self, writing: Writing, encoding: str = "utf-8") -> None:
        super().__init__(cast(IO[bytes], writing), encoding=encoding, newline="")
        self._writing = writing

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._writing.__exit__(kind, error, trace)
        self.close()

    def __del__(self) -> None:
        self._writing.__del__()

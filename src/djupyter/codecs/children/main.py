"""The process that reads a file for a preview. The parent serves the bytes, so that only it knows the store.

The first line that comes in says which reader is wanted. A request is a line `{"read": [start, stop]}`, answered by
eight bytes of length, negative for none, and as many bytes. The result is a line `{"found": ...}` or `{"error": ...}`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import struct
import sys
from typing import Any, BinaryIO

_MEMORY = 4 << 30
# No plugins of HDF5, no threads that would each take memory.
_ENVIRONMENT = {
    "HDF5_PLUGIN_PRELOAD": "::",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


class Served(io.RawIOBase):
    """The file, which the parent reads.

    Parameters
    ----------
    requests, answers
        The pipes to and from it.
    size
        Bytes of the file.
    """

    def __init__(self, requests: BinaryIO, answers: BinaryIO, size: int) -> None:
        self._requests, self._answers, self.size, self._place = requests, answers, size, 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be read at any place."""
        return True

    def tell(self) -> int:
        """Return the place at which it is read next."""
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._place = max(0, (0, self._place, self.size)[whence] + offset)
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        """Return the bytes that follow; fewer at the end.

        Raises
        ------
        OSError
            The parent may not, or could not, read them.
        """
        rest = max(0, self.size - self._place)
        count = rest if size is None or size < 0 else min(size, rest)
        if not count:
            return b""
        _send(self._requests, {"read": [self._place, self._place + count]})
        (length,) = struct.unpack("<q", self._answers.read(8))
        if length < 0:
            raise OSError("it may not be read further")
        data = self._answers.read(length)
        self._place += len(data)
        return data

    def readall(self) -> bytes:
        """Return all that follows."""
        return self.read()

    def readinto(self, target: Any) -> int:
        """Fill a buffer."""
        view = memoryview(target).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)


def _send(target: BinaryIO, message: dict[str, Any]) -> None:
    target.write(json.dumps(message).encode() + b"\n")
    target.flush()


def _limit(seconds: float) -> None:
    """End this process in time, and before it takes all memory, whatever the library does."""
    import signal

    with contextlib.suppress(ImportError, ValueError, OSError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01))


def _reader(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("reader", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["reader"] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Answer the one question of the parent."""
    requests, answers = sys.stdout.buffer, sys.stdin.buffer
    given = json.loads(answers.readline())
    _limit(given["seconds"])
    os.environ |= _ENVIRONMENT
    sys.path[:] = given["path"]
    try:
        file = Served(requests, answers, given["size"])
        found = _reader(given["reader"]).read(file, **given["options"])
        _send(requests, {"found": found})
    except Exception as error:  # the parent shows it
        _send(requests, {"error": (str(error) or type(error).__name__)[:1000]})


if __name__ == "__main__":
    main()

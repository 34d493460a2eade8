"""Ctrl-C for a thread that is not the main one."""

from __future__ import annotations

import ctypes
import threading


def interrupt(thread: threading.Thread) -> None:
    """Raise KeyboardInterrupt in a thread, at its next step of Python; what waits in the system is not woken."""
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt)
        )

"""Signals of a process that executes another program."""

from __future__ import annotations

import signal


def restore_signals() -> None:
    """Python ignores SIGPIPE and SIGXFSZ, and exec would keep that."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())

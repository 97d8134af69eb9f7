"""StartDisplay port: a copy of this process stays when the process becomes the system's init.

The copy waits until the file systems of the kernel are below the new root, and makes it its own root: a display can be
found there, also if it is plugged in later. It has closed all files of the original, which held the display, and uses
no object of it that has any: what is logged goes to the kernel's log.
"""

from __future__ import annotations

import codecs
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

from typing_extensions import override

from gprov.adapters.linux.events.kmsg import log_line
from gprov.adapters.linux.filesystem.switch_root import MOVED_MOUNTS
from gprov.adapters.linux.ioctl import libc
from gprov.adapters.linux.system.forks import start_copy
from gprov.domain.boot.start_texts import START_SECONDS, StartTexts
from gprov.domain.display.views import MessageView
from gprov.ports.clock import Clock, Deadline
from gprov.ports.display import Display
from gprov.ports.start_display import StartDisplay

PID_FILE = "/run/gprov-display.pid"
# Name of the process. Who ends it by the number in the file compares the name: after a crash the number may belong to
# another program (gprov-boot-good).
PROCESS_NAME = "gprov-display"
# Imported only when a port of a display is opened. Then the files of the initramfs are gone.
_NEEDED = ("serial", "gprov.adapters.linux.lcd.conversation")
_CODECS = ("ascii", "latin-1", "utf-8")
_SWITCH_SECONDS = 5.0
_POLL_SECONDS = 0.02
# The display is found and shows the last text within this time.
_LAST_SECONDS = 1.0


class LcdStartDisplay(StartDisplay):
    """``make_display`` is called in the copy, with a log of sentences; what it needs must be imported before.
    ``new_root``: where the new root is mounted now."""

    def __init__(self, make_display: Callable[[Callable[[str], None]], Display], clock: Clock, new_root: str) -> None:
        self._make_display = make_display
        self._clock = clock
        self._new_root = new_root

    @override
    def keep_showing(self, texts: StartTexts) -> None:
        try:
            for name in _NEEDED:
                import_module(name)
            for codec in _CODECS:
                codecs.lookup(codec)
            # Before the copy is made: the original may leave before the copy runs.
            root = os.open(self._new_root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                start_copy(lambda: self._work(root, texts), keep=root)
            finally:
                os.close(root)
        except (ImportError, LookupError, OSError) as exc:
            log_line(f"no display shows that the system starts: {exc}")

    def _work(self, root: int, texts: StartTexts) -> None:
        ended: list[object] = []
        signal.signal(signal.SIGTERM, lambda *reason: ended.append(reason[0]))
        if not self._wait_for(lambda: _has_moved(root), _SWITCH_SECONDS):
            return
        os.fchdir(root)
        os.chroot(".")
        libc.set_process_name(PROCESS_NAME)
        with open(PID_FILE, "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
        try:
            display = self._make_display(log_line)
            display.show(MessageView(texts.starting, busy=True))
            was_ended = self._wait_for(lambda: bool(ended), START_SECONDS)
            display.show(MessageView(texts.up if was_ended else texts.silent))
        finally:
            with suppress(OSError):
                os.unlink(PID_FILE)
        self._wait_for(lambda: False, _LAST_SECONDS)
        display.close()

    def _wait_for(self, holds: Callable[[], bool], seconds: float) -> bool:
        deadline = Deadline(self._clock, seconds)
        while not deadline.passed:
            if holds():
                return True
            self._clock.sleep(min(_POLL_SECONDS if seconds < START_SECONDS else _LAST_SECONDS, deadline.remaining))
        return False


def _has_moved(root: int) -> bool:
    """Whether all of the kernel's file systems are mounted in the folder."""
    try:
        own = os.fstat(root).st_dev
        return all(os.stat(path[1:], dir_fd=root).st_dev != own for path in MOVED_MOUNTS)
    except OSError:
        return False

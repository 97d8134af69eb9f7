"""Background port: threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

from typing_extensions import override

from gprov.ports.background import Background, Task


class _ThreadTask(Task):
    def __init__(self, thread: threading.Thread) -> None:
        self._thread = thread

    @override
    def wait(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()


class _DoneTask(Task):
    @override
    def wait(self, seconds: float) -> bool:
        return True


class ThreadBackground(Background):
    """If no thread can be created, ``start`` does the work itself: a slow flow is better than a failed one."""

    @override
    def start(self, name: str, work: Callable[[], None]) -> Task:
        thread = threading.Thread(target=work, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine has no room for one more
            work()
            return _DoneTask()
        return _ThreadTask(thread)

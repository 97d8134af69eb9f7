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
    """Where no thread can be had, the work is done at once: a flow that is slow is better than one that ends."""

    @override
    def start(self, name: str, work: Callable[[], None]) -> Task:
        thread = threading.Thread(target=work, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine has no room for one more
            work()
            return _DoneTask()
        return _ThreadTask(thread)

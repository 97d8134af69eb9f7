"""Block-device events directly from the kernel: the initramfs has no udevd."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from typing_extensions import override

from gprov.domain.errors import DeviceFault
from gprov.ports.block import DeviceChanges


class _Monitor(Protocol):
    """The used part of pyudev.Monitor, which has no type hints."""

    def poll(self, timeout: float | None = None) -> object | None: ...


class _KernelChanges(DeviceChanges):
    def __init__(self, monitor: _Monitor) -> None:
        self._monitor = monitor

    @override
    def wait(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while True:
            remaining = max(0.0, end - time.monotonic())
            # None: timeout, or an event of another subsystem.
            if self._monitor.poll(remaining) is not None:
                while self._monitor.poll(0) is not None:
                    pass  # events arrive in bursts (a disk and its partitions): one scan of sysfs covers all of them
                return True
            if time.monotonic() >= end:
                return False


@contextmanager
def subscribe() -> Iterator[DeviceChanges]:
    """Context with an open subscription. The kernel drops events if they are not read for long: callers must also poll
    now and then."""
    try:
        import pyudev

        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="kernel")
        monitor.filter_by("block")
        monitor.start()
    except (ImportError, OSError) as exc:
        raise DeviceFault("device events", f"cannot subscribe: {exc}") from exc
    yield _KernelChanges(monitor)

"""Block-device events straight from the kernel: no udevd runs in the initramfs to pass them on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from typing_extensions import override

from gprov.domain.errors import DeviceFault
from gprov.ports.block import DeviceChanges


class _Monitor(Protocol):
    """What is used of pyudev.Monitor, which has no type hints."""

    def poll(self, timeout: float | None = None) -> object | None: ...


class _KernelChanges(DeviceChanges):
    def __init__(self, monitor: _Monitor) -> None:
        self._monitor = monitor

    @override
    def wait(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while True:
            remaining = max(0.0, end - time.monotonic())
            # None means that time is up, or that an event of something else than a block device woke us.
            if self._monitor.poll(remaining) is not None:
                while self._monitor.poll(0) is not None:
                    pass  # they come in bursts (a disk and its partitions): one look at sysfs answers them all
                return True
            if time.monotonic() >= end:
                return False


@contextmanager
def subscribed() -> Iterator[DeviceChanges]:
    """The subscription is open before the first line of the ``with`` block runs. Should the kernel lose events because
    nobody reads them for long, a caller that looks again now and then misses nothing."""
    try:
        import pyudev

        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="kernel")
        monitor.filter_by("block")
        monitor.start()
    except (ImportError, OSError) as exc:
        raise DeviceFault("device events", f"cannot subscribe: {exc}") from exc
    yield _KernelChanges(monitor)

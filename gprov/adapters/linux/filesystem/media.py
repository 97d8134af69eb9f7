"""MediaSearch port: each volume is searched by a child process in a mount namespace of its own.

The mount vanishes with the child, also if the child is killed, and no other process sees it. A device or file system
on which the kernel hangs keeps only the child.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from typing_extensions import override

from gprov.ports.media import MediaSearch, MediaTask

if TYPE_CHECKING:  # most boots search no volume
    from gprov.adapters.linux.system.forked_child import ForkedChild
    from gprov.domain.emergency.media import MediaContents

_USB_DEVICES = "/sys/bus/usb/devices"
_MASS_STORAGE = "08"


class LinuxMediaSearch(MediaSearch):
    """``target``: folder in the initramfs at which children mount. ``hidden``: mount points of this process that a
    child's namespace must not keep in use."""

    def __init__(self, target: str, hidden: Iterable[str] = (), devices: str = _USB_DEVICES) -> None:
        self._target = target
        self._hidden = tuple(hidden)
        self._devices = devices

    @override
    def start(self, node: str, kind: str, prefix: str) -> MediaTask:
        from gprov.adapters.linux.filesystem.media_child import start_search

        return _SearchTask(start_search(node, kind, prefix, self._target, self._hidden))

    @override
    def pending(self) -> tuple[str, ...]:
        try:
            names = sorted(name for name in os.listdir(self._devices) if ":" in name)
        except OSError:  # a machine without USB
            return ()
        found = []
        for name in names:
            folder = f"{self._devices}/{name}"
            if _text(f"{folder}/bInterfaceClass") == _MASS_STORAGE and not any(_block_folders(folder)):
                found.append(os.path.realpath(folder).removeprefix("/sys"))
        return tuple(found)


class _SearchTask(MediaTask):
    def __init__(self, child: ForkedChild) -> None:
        self._child = child

    @override
    def poll(self) -> MediaContents | None:
        from gprov.adapters.linux.filesystem.media_child import decoded

        data = self._child.poll()
        return None if data is None else decoded(data)

    @override
    def stop(self) -> None:
        self._child.stop()


def _block_folders(interface: str) -> Iterator[str]:
    """The ``block`` folders of the SCSI devices of a USB interface: a device without medium has one too."""
    for host in _names(interface, "host"):
        for target in _names(f"{interface}/{host}", "target"):
            for unit in _names(f"{interface}/{host}/{target}", ""):
                path = f"{interface}/{host}/{target}/{unit}/block"
                if os.path.isdir(path):
                    yield path


def _names(folder: str, prefix: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.startswith(prefix)]
    except OSError:  # removed, or a file
        return []


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:  # removed since it was listed
        return ""

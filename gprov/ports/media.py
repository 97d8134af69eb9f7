"""Searching removable volumes for files, beside the boot. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.domain.emergency.media import MediaContents


class MediaTask(Protocol):
    """The search of one volume, under way."""

    def poll(self) -> MediaContents | None:
        """The result, None while the search goes on. Never blocks, never raises."""

    def stop(self) -> None:
        """End the search, if it is not over. Never blocks: a device that does not answer cannot be waited for."""


class MediaSearch(Protocol):
    def start(self, node: str, kind: str, prefix: str) -> MediaTask:
        """Begin to search the root folder of a volume for names that begin with ``prefix``, in any case. ``kind``: one
        of ``MEDIA_MOUNTS``. The volume is mounted read-only for this alone, and nowhere in sight of other programs:
        when the search is over, it is not mounted. Raises DeviceFault if the search cannot begin."""

    def pending(self) -> tuple[str, ...]:
        """USB storage that was detected and is no disk yet: the interface's path in sysfs, as the beginning of
        ``Disk.path``."""

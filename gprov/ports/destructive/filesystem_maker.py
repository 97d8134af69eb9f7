"""Making file systems."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.disk.model import FileSystemSpec


class FileSystemMaker(Protocol):
    def make(self, node: str, spec: FileSystemSpec) -> None:
        """Make a new, empty file system and flush it. Raises DeviceFault, ToolFailed."""

"""Unpacking images."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.image.contents import VerifiedImage
from gprov.ports.archive import ProgressReport


class ImageUnpacker(Protocol):
    def extract(self, image: VerifiedImage, target: str, progress: ProgressReport) -> None:
        """Unpack into the empty folder ``target`` with owners (numeric), modes, times, links, devices, sparse
        files, ACLs and extended attributes of all namespaces. Not flushed: the caller syncs the volume.

        What is decoded is compared with the verification: unpacked data after ``verify``, the compressed data before
        they are decoded after ``verify_stored``. Raises IntegrityFault, ToolFailed, DeviceFault.
        """

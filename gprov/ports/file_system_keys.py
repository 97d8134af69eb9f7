"""Keys of encrypted file systems, loaded before the system is started."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.disk.model import Volume


class FileSystemKeys(Protocol):
    def load(self, volume: Volume, root: str) -> None:
        """Called at each start of the system, before secrets can no longer be unsealed. ``volume`` is mounted read-only
        at ``root``, as it must be afterwards. Raises GprovError, which is shown and logged; the system is started
        without the keys."""


class FolderEncryption(Protocol):
    """Encrypted folders on a volume (fscrypt). A key of 64 bytes stays in the kernel until the volume is unmounted."""

    def add_key(self, mounted: str, key: bytes) -> bytes:
        """Give the kernel a key for the volume that is mounted there. Returns the identifier of the key, 16 bytes.
        Raises DeviceFault."""

    def identifier_of(self, folder: str) -> bytes | None:
        """Identifier of the key that a folder is encrypted with, None if it is not. Raises DeviceFault."""

    def encrypt(self, folder: str, identifier: bytes) -> None:
        """Encrypt what is created in the folder from now on. It is empty, and its volume is writable. The key should
        have been added: root may also name one that never is. Raises DeviceFault."""

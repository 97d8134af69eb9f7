"""A folder on PRIMARY whose content only this unit can read: its key is sealed to the TPM.

The first start after a restore makes the key and the folder; each start gives the key to the kernel, which keeps it.
The running system uses the folder, and does not get the key.
"""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from gprov.domain.disk.model import Volume
from gprov.domain.errors import DeviceFault
from gprov.domain.unit.sealed_file import MAX_BYTES
from gprov.ports.clock import Randomness
from gprov.ports.file_system_keys import FileSystemKeys, FolderEncryption
from gprov.ports.files import Files
from gprov.ports.filesystem import Mounts
from gprov.ports.sealing import SecretSealing

KEY_BYTES = 64


@dataclass(frozen=True, kw_only=True)
class EncryptedFolder(FileSystemKeys):
    """``folder`` and ``key_file``: absolute paths in the system, outside of each other."""

    folder: str
    key_file: str
    sealing: SecretSealing
    encryption: FolderEncryption
    files: Files
    mounts: Mounts
    randomness: Randomness

    @override
    def load(self, volume: Volume, root: str) -> None:
        path, folder = f"{root}{self.key_file}", f"{root}{self.folder}"
        if self.files.status(path) is None:
            self._begin(volume, root)
            return
        key = self.sealing.unseal(path, self.files.read(path, MAX_BYTES + 1))
        identifier = self.encryption.add_key(root, key)
        # A power cut may have come between the key and the folder.
        if self.files.status(folder) is None or self.encryption.identifier_of(folder) is None:
            self._writable(volume, root, identifier=identifier)
        elif self.encryption.identifier_of(folder) != identifier:
            raise DeviceFault(folder, "is encrypted with another key than the unit's")

    def _begin(self, volume: Volume, root: str) -> None:
        folder = f"{root}{self.folder}"
        if self.files.status(folder) is not None and self.encryption.identifier_of(folder) is not None:
            raise DeviceFault(folder, f"is encrypted, and its key is gone: there is no {self.key_file}")
        key = self.randomness.token(KEY_BYTES)
        sealed = self.sealing.seal(key)
        self._writable(volume, root, sealed=sealed, identifier=self.encryption.add_key(root, key))

    def _writable(self, volume: Volume, root: str, *, identifier: bytes, sealed: bytes = b"") -> None:
        """Store the sealed key, if any, and make the folder, on the root made writable for that."""
        self.mounts.mount(volume.node, root, volume.contents.kind, ("remount", "rw"))
        try:
            if sealed:
                self.files.replace(f"{root}{self.key_file}", sealed, mode=0o600)
            self.files.make_folder(f"{root}{self.folder}", mode=0o700)
            self.encryption.encrypt(f"{root}{self.folder}", identifier)
            self.files.sync(root)
        finally:
            self.mounts.mount(volume.node, root, volume.contents.kind, ("remount", "ro"))

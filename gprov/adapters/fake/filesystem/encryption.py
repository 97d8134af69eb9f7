"""Encrypted folders of the simulated machine."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from errno import EROFS

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.paths import ResolvedPath, locate, require_attached
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.files import FileType
from gprov.ports.file_system_keys import FolderEncryption

_KEY_BYTES = 64


class FakeFolderEncryption(FolderEncryption):
    """The content of a folder is the identifier of its key. Files in it are not encrypted."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def add_key(self, mounted: str, key: bytes) -> bytes:
        self._folder(mounted)
        if len(key) != _KEY_BYTES:
            raise DeviceFault(mounted, f"a key has {len(key)} bytes")
        identifier = hashlib.sha256(key).digest()[:16]
        self._machine.kernel_keys.add(identifier)
        return identifier

    @override
    def identifier_of(self, folder: str) -> bytes | None:
        node = self._folder(folder).node
        return node.content or None if node is not None else None

    @override
    def encrypt(self, folder: str, identifier: bytes) -> None:
        self._machine.begin_write(f"encrypt {folder}")
        place = self._folder(folder)
        if place.mount is not None and place.mount.read_only:
            raise DeviceFault(folder, "read-only file system", errno=EROFS)
        if any(path != place.inner for path in place.volume.current.below(place.inner)):
            raise DeviceFault(folder, "is not empty")
        if place.node is not None:
            place.volume.write(place.inner, replace(place.node, content=identifier))

    def _folder(self, path: str) -> ResolvedPath:
        place = locate(self._machine, path)
        require_attached(self._machine, place)
        if place.node is None:
            raise DeviceMissing(path, "does not exist")
        if place.node.type is not FileType.FOLDER:
            raise DeviceFault(path, "is not a folder")
        return place

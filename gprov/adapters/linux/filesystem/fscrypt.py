"""Encrypted folders through ioctls of the kernel (Linux Documentation/filesystems/fscrypt.rst, uapi/linux/fscrypt.h):
policies of version 2, AES-256-XTS for contents, AES-256-CTS for names."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import DeviceFault
from gprov.ports.file_system_keys import FolderEncryption

_SET_POLICY = 0x800C6613
_GET_POLICY = 0xC0096616
_ADD_KEY = 0xC0506617
# Type of a key that is named by an identifier, which the kernel computes from it.
_BY_IDENTIFIER = 2
_IDENTIFIER_AT, _IDENTIFIER_BYTES = 8, 16
# version, AES-256-XTS, AES-256-CTS, names padded to 32 bytes, reserved, identifier
_POLICY = struct.Struct("BBBB4s16s")
_VERSION, _CONTENTS, _NAMES, _PADDING = 2, 1, 4, 3


class FscryptFolders(FolderEncryption):
    @override
    def add_key(self, mounted: str, key: bytes) -> bytes:
        # type and reserved, the kernel's place for the identifier, size, id of a keyring, reserved; the key
        request = bytearray(struct.pack("=II32sII32s", _BY_IDENTIFIER, 0, b"", len(key), 0, b"") + key)
        try:
            self._ioctl(mounted, _ADD_KEY, request, "cannot take a key for encrypted folders")
            return bytes(request[_IDENTIFIER_AT : _IDENTIFIER_AT + _IDENTIFIER_BYTES])
        finally:
            request[:] = bytes(len(request))

    @override
    def identifier_of(self, folder: str) -> bytes | None:
        request = bytearray(struct.pack("=Q", _POLICY.size) + bytes(_POLICY.size))
        try:
            self._ioctl(folder, _GET_POLICY, request, "cannot read whether it is encrypted")
        except DeviceFault as fault:
            if fault.errno == errno.ENODATA:
                return None
            raise
        version, *_, identifier = _POLICY.unpack_from(request, 8)
        if version != _VERSION:
            raise DeviceFault(folder, f"is encrypted with a policy of version {version}")
        return bytes(identifier)

    @override
    def encrypt(self, folder: str, identifier: bytes) -> None:
        policy = bytearray(_POLICY.pack(_VERSION, _CONTENTS, _NAMES, _PADDING, b"", identifier))
        self._ioctl(folder, _SET_POLICY, policy, "cannot be encrypted")

    def _ioctl(self, path: str, number: int, argument: bytearray, action: str) -> None:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.ioctl(fd, number, argument)
            finally:
                os.close(fd)
        except OSError as exc:
            raise fault_from_oserror(path, action, exc) from exc

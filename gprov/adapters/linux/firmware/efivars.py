"""Firmware port on efivarfs (Linux Documentation/filesystems/efivarfs.rst).

A variable is the file ``<name>-<vendor GUID>``: attributes (u32, little-endian), then the data. Each write(2) is one
SetVariable call of the firmware, so a variable must be written with one call. The kernel sets the immutable flag on
variables that are not on its list of safe ones.
"""

from __future__ import annotations

import errno
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from typing_extensions import override

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.ports.destructive.variable_writer import VariableWriter
from gprov.ports.firmware import Firmware

_FILE = re.compile(r"(.+)-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.ASCII | re.DOTALL)
_ATTRIBUTES = struct.Struct("<I")

# linux/fs.h; the argument is an int, whatever the size in the number says. Setting needs CAP_LINUX_IMMUTABLE.
_FS_IOC_GETFLAGS = 0x80086601
_FS_IOC_SETFLAGS = 0x40086602
_FS_IMMUTABLE_FL = 0x10
_FLAGS = struct.Struct("@i4x")

_REASONS = {
    errno.EINVAL: "the firmware refuses the value",
    errno.ENOSPC: "the NVRAM is full",
    errno.EROFS: "the NVRAM is write-protected",
    errno.EACCES: "the variable is protected by its authentication",
    errno.EPERM: "the variable is write-protected",
    errno.EIO: "the firmware reports a device error",
}


class EfivarsFirmware(Firmware, VariableWriter):
    def __init__(self, root: str = "/sys/firmware/efi") -> None:
        """``root`` exists if the machine was started by UEFI; efivarfs is mounted below it."""
        self._root = root
        self._folder = f"{root}/efivars"

    @override
    def kind(self) -> FirmwareKind:
        return FirmwareKind.UEFI if os.path.isdir(self._root) else FirmwareKind.BIOS

    @override
    def variables(self) -> tuple[VariableName, ...]:
        """Raises DeviceMissing on UEFI if there are no variables: efivarfs is not mounted, or not usable."""
        if self.kind() is FirmwareKind.BIOS:
            return ()
        try:
            files = os.listdir(self._folder)
        except OSError as exc:
            raise fault_from_oserror(self._folder, "cannot list variables", exc) from exc
        matches = [match for match in map(_FILE.fullmatch, files) if match]
        if not matches:
            raise DeviceMissing(self._folder, "efivarfs is not mounted")
        return tuple(sorted((VariableName(match[1], match[2]) for match in matches), key=_by_name))

    @override
    def read(self, name: VariableName) -> Variable | None:
        path = self._path(name)
        try:
            data = _content(path)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise _make_fault(path, "cannot read", exc) from exc
        if not data:  # opened for writing by somebody, never written
            return None
        if len(data) < _ATTRIBUTES.size:
            raise DeviceFault(path, f"cannot read: {len(data)} bytes are no variable")
        return Variable(_ATTRIBUTES.unpack_from(data)[0], data[_ATTRIBUTES.size :])

    @override
    def write(self, name: VariableName, variable: Variable) -> None:
        path = self._path(name)
        if not variable.data:
            raise DeviceFault(path, "cannot write: UEFI has no empty variables")
        try:
            with _without_immutable_flag(path):
                _replace(path, _ATTRIBUTES.pack(variable.attributes) + variable.data)
        except OSError as exc:
            raise _make_fault(path, "cannot write", exc) from exc

    @override
    def delete(self, name: VariableName) -> None:
        path = self._path(name)
        try:
            with _without_immutable_flag(path), suppress(FileNotFoundError):
                os.unlink(path)
        except OSError as exc:
            raise _make_fault(path, "cannot delete", exc) from exc

    def _path(self, name: VariableName) -> str:
        if "/" in name.name or "\0" in name.name or not name.name:
            raise DeviceFault(self._folder, f"{name.name!r} cannot be the name of a file")
        return f"{self._folder}/{name.name}-{name.vendor.lower()}"


def _by_name(name: VariableName) -> tuple[str, str]:
    return name.vendor, name.name


def _make_fault(path: str, action: str, exc: OSError) -> DeviceFault:
    """DeviceFault with the meaning of the firmware status that the kernel translated to an errno."""
    reason = _REASONS.get(exc.errno or 0)
    return (
        DeviceFault(path, f"{action}: {reason}", errno=exc.errno) if reason else fault_from_oserror(path, action, exc)
    )


def _content(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        chunks = iter(lambda: os.read(fd, 1 << 16), b"")
        return b"".join(chunks)
    finally:
        os.close(fd)


def _replace(path: str, data: bytes) -> None:
    """Write with one write(2). If the firmware rejects the value, a newly created file is removed."""
    new = not os.path.lexists(path)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        written = os.write(fd, data)
    except OSError:
        if new:
            with suppress(OSError), _without_immutable_flag(path):  # the kernel has protected it already
                os.unlink(path)
        raise
    finally:
        os.close(fd)
    if written != len(data):
        raise OSError(errno.EIO, f"{written} of {len(data)} bytes were taken", path)


@contextmanager
def _without_immutable_flag(path: str) -> Iterator[None]:
    """Context without the immutable flag. The flag is set again afterwards if the variable exists."""
    flags = _flags(path)
    if flags & _FS_IMMUTABLE_FL:
        _set_flags(path, flags & ~_FS_IMMUTABLE_FL)
    try:
        yield
    finally:
        if flags & _FS_IMMUTABLE_FL:
            with suppress(FileNotFoundError):
                _set_flags(path, flags)


def _flags(path: str) -> int:
    """Inode flags; 0 for what does not exist or has none."""
    import fcntl

    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        raw = fcntl.ioctl(fd, _FS_IOC_GETFLAGS, bytes(_FLAGS.size))
    except OSError as exc:
        if exc.errno in (errno.ENOTTY, errno.EOPNOTSUPP):
            return 0
        raise
    finally:
        os.close(fd)
    return int(_FLAGS.unpack(raw)[0])


def _set_flags(path: str, flags: int) -> None:
    import fcntl

    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, _FS_IOC_SETFLAGS, _FLAGS.pack(flags))
    finally:
        os.close(fd)

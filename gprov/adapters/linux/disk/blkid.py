"""Contents of a device, by libblkid (util-linux) through ctypes.

The safe probe reads all signatures and reports ambiguity if there are several. The device is opened read-only and
nothing is cached.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.disk.model import Contents
from gprov.domain.errors import DeviceFault, ToolMissing

_LIBRARY = "libblkid.so.1"
# libblkid/src/blkid.h.in
_SUBLKS_LABEL = 1 << 1
_SUBLKS_UUID = 1 << 3
_SUBLKS_TYPE = 1 << 5
_FOUND, _NOTHING, _AMBIVALENT = 0, 1, -2
_PROBED_START = 4096


@cache
def _library() -> ctypes.CDLL:
    try:
        lib = ctypes.CDLL(_LIBRARY, use_errno=True)
    except OSError as exc:
        raise ToolMissing(_LIBRARY, "install util-linux") from exc
    probe = ctypes.c_void_p
    lib.blkid_new_probe.argtypes = []
    lib.blkid_new_probe.restype = probe
    lib.blkid_free_probe.argtypes = [probe]
    lib.blkid_free_probe.restype = None
    lib.blkid_probe_set_device.argtypes = [probe, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    lib.blkid_probe_set_device.restype = ctypes.c_int
    lib.blkid_probe_enable_superblocks.argtypes = [probe, ctypes.c_int]
    lib.blkid_probe_enable_superblocks.restype = ctypes.c_int
    lib.blkid_probe_set_superblocks_flags.argtypes = [probe, ctypes.c_int]
    lib.blkid_probe_set_superblocks_flags.restype = ctypes.c_int
    lib.blkid_do_safeprobe.argtypes = [probe]
    lib.blkid_do_safeprobe.restype = ctypes.c_int
    lib.blkid_probe_lookup_value.argtypes = [
        probe,
        ctypes.c_char_p,
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.POINTER(ctypes.c_size_t),
    ]
    lib.blkid_probe_lookup_value.restype = ctypes.c_int
    return lib


def probe(node: str) -> Contents:
    """Raises DeviceMissing, DeviceFault (no medium, unreadable), ToolMissing (no libblkid)."""
    lib = _library()
    try:
        fd = os.open(node, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as exc:
        raise fault_from_oserror(node, "cannot open", exc) from exc
    try:
        # libblkid treats an unreadable sector as one without signature. An unreadable device must not count as blank.
        if not os.pread(fd, _PROBED_START, 0):
            raise DeviceFault(node, "cannot probe: the device has no bytes")
        return _probe(lib, node, fd)
    except OSError as exc:
        raise fault_from_oserror(node, "cannot read", exc) from exc
    finally:
        os.close(fd)


def _probe(lib: ctypes.CDLL, node: str, fd: int) -> Contents:
    handle = lib.blkid_new_probe()
    if not handle:
        raise DeviceFault(node, "cannot probe: out of memory")
    try:
        wanted = _SUBLKS_LABEL | _SUBLKS_UUID | _SUBLKS_TYPE
        if (
            lib.blkid_probe_set_device(handle, fd, 0, 0)
            or lib.blkid_probe_enable_superblocks(handle, 1)
            or lib.blkid_probe_set_superblocks_flags(handle, wanted)
        ):
            raise DeviceFault(node, "cannot probe", errno=ctypes.get_errno() or None)
        result = lib.blkid_do_safeprobe(handle)
        if result == _FOUND:
            kind, label, uuid = (_value(lib, handle, name) for name in (b"TYPE", b"LABEL", b"UUID"))
            return Contents(kind, label, uuid)
        if result == _NOTHING:
            return Contents()
        if result == _AMBIVALENT:
            return Contents(ambivalent=True)
        code = ctypes.get_errno()
        raise DeviceFault(node, f"cannot probe: {os.strerror(code)}", errno=code or None)
    finally:
        lib.blkid_free_probe(handle)


def _value(lib: ctypes.CDLL, handle: int, name: bytes) -> str:
    data, size = ctypes.c_char_p(), ctypes.c_size_t()
    if lib.blkid_probe_lookup_value(handle, name, ctypes.byref(data), ctypes.byref(size)) or data.value is None:
        return ""
    return data.value.decode(errors="replace")

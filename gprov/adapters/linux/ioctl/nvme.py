"""NVMe admin commands through the kernel (``linux/nvme_ioctl.h``)."""

from __future__ import annotations

import ctypes
import fcntl

from gprov.domain.erase.drive_io import NvmeCommand, NvmeReply
from gprov.domain.formats.nvme.status import STATUS_MASK

_MAX_MILLISECONDS = (1 << 32) - 1


class PassthruCommand(ctypes.Structure):
    """``struct nvme_passthru_cmd``, also named ``nvme_admin_cmd``."""

    _fields_ = (
        ("opcode", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
        ("rsvd1", ctypes.c_uint16),
        ("nsid", ctypes.c_uint32),
        ("cdw2", ctypes.c_uint32),
        ("cdw3", ctypes.c_uint32),
        ("metadata", ctypes.c_uint64),
        ("addr", ctypes.c_uint64),
        ("metadata_len", ctypes.c_uint32),
        ("data_len", ctypes.c_uint32),
        ("cdw10", ctypes.c_uint32),
        ("cdw11", ctypes.c_uint32),
        ("cdw12", ctypes.c_uint32),
        ("cdw13", ctypes.c_uint32),
        ("cdw14", ctypes.c_uint32),
        ("cdw15", ctypes.c_uint32),
        ("timeout_ms", ctypes.c_uint32),
        ("result", ctypes.c_uint32),
    )


# _IOWR('N', 0x41, struct nvme_admin_cmd)
ADMIN_COMMAND = 3 << 30 | ctypes.sizeof(PassthruCommand) << 16 | ord("N") << 8 | 0x41


def admin(fd: int, command: NvmeCommand) -> NvmeReply:
    """Send an admin command and wait for its completion. ``fd``: a controller (/dev/nvme0) or one of its namespaces
    (/dev/nvme0n1, any namespace number in the command). CAP_SYS_ADMIN.

    Raises OSError, for example ENODEV (the controller is gone) or ENOTTY (no NVMe device); then it is not known whether
    the controller carried out the command. A time limit that expires is a status of the kernel (0x371).
    """
    buffer = ctypes.create_string_buffer(command.data_in) if command.data_in else None
    passthru = packed(command, ctypes.addressof(buffer) if buffer is not None else 0)
    status = fcntl.ioctl(fd, ADMIN_COMMAND, passthru, True)
    data = buffer.raw if buffer is not None and not status else b""
    # The flags above the code ("do not retry") are dropped, but never turn an error into success.
    return NvmeReply(status & STATUS_MASK or status, int(passthru.result), data)


def packed(command: NvmeCommand, address: int) -> PassthruCommand:
    """``address``: of a buffer of ``command.data_in`` bytes."""
    passthru = PassthruCommand(
        opcode=command.opcode,
        nsid=command.namespace,
        addr=address,
        data_len=command.data_in,
        timeout_ms=min(max(1, round(command.seconds * 1000)), _MAX_MILLISECONDS),
    )
    for number, dword in enumerate(command.dwords, 10):
        setattr(passthru, f"cdw{number}", dword)
    return passthru

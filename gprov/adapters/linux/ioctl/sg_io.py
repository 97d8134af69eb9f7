"""SCSI commands through the kernel (SG_IO, ``scsi/sg.h``), sent to the device file of a disk."""

from __future__ import annotations

import ctypes
import fcntl

from gprov.domain.erase.drive_io import NoReply, ScsiCommand, ScsiReply

SG_IO = 0x2285
_INTERFACE = ord("S")
_NONE, _TO_DRIVE, _FROM_DRIVE = -1, -2, -3
# SCSI_SENSE_BUFFERSIZE
_SENSE_SIZE = 96
_MAX_MILLISECONDS = (1 << 32) - 2  # all ones: no time limit
# DRIVER_SENSE: only says that there are sense data.
_DRIVER_ERRORS = 0x07
# DID_* of the kernel (scsi/scsi_host.h).
_HOST_STATUS = {
    0x01: "no connection",
    0x02: "bus busy",
    0x03: "time limit",
    0x04: "bad target",
    0x05: "aborted",
    0x06: "parity error",
    0x07: "error",
    0x08: "reset",
    0x0B: "try again",
    0x0C: "requeued",
    0x0E: "transport disrupted",
    0x0F: "transport failed",
}


class SgIoHeader(ctypes.Structure):
    """``struct sg_io_hdr``."""

    _fields_ = (
        ("interface_id", ctypes.c_int),
        ("dxfer_direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte),
        ("mx_sb_len", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort),
        ("dxfer_len", ctypes.c_uint),
        ("dxferp", ctypes.c_void_p),
        ("cmdp", ctypes.c_void_p),
        ("sbp", ctypes.c_void_p),
        ("timeout", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("pack_id", ctypes.c_int),
        ("usr_ptr", ctypes.c_void_p),
        ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte),
        ("msg_status", ctypes.c_ubyte),
        ("sb_len_wr", ctypes.c_ubyte),
        ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort),
        ("resid", ctypes.c_int),
        ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    )


def sg_io(fd: int, command: ScsiCommand) -> ScsiReply | NoReply:
    """Send a command and wait for its end. CAP_SYS_RAWIO.

    Raises OSError if the kernel did not send it (ENOTTY and EINVAL: no SCSI device; ENODEV: detached)."""
    cdb = ctypes.create_string_buffer(command.cdb, len(command.cdb))
    sense = ctypes.create_string_buffer(_SENSE_SIZE)
    content = command.data_out or bytes(command.data_in)
    data = ctypes.create_string_buffer(content, len(content)) if content else None
    header = sg_header(command)
    header.cmdp, header.sbp = ctypes.addressof(cdb), ctypes.addressof(sense)
    header.dxferp = ctypes.addressof(data) if data is not None else None
    fcntl.ioctl(fd, SG_IO, header, True)
    return sg_reply(header, sense.raw, data.raw if data is not None and not command.data_out else b"")


def sg_header(command: ScsiCommand) -> SgIoHeader:
    """The request, without the addresses of its buffers."""
    size = len(command.data_out) or command.data_in
    direction = _TO_DRIVE if command.data_out else _FROM_DRIVE if command.data_in else _NONE
    return SgIoHeader(
        interface_id=_INTERFACE,
        dxfer_direction=direction,
        cmd_len=len(command.cdb),
        mx_sb_len=_SENSE_SIZE,
        dxfer_len=size,
        timeout=min(max(1, round(command.seconds * 1000)), _MAX_MILLISECONDS),
    )


def sg_reply(header: SgIoHeader, sense: bytes, data: bytes) -> ScsiReply | NoReply:
    """``sense``, ``data``: the buffers; only what the kernel states as written is used."""
    if host := int(header.host_status):
        return NoReply(f"host adapter: {_HOST_STATUS.get(host, f'status {host:02X}h')}")
    if driver := int(header.driver_status) & _DRIVER_ERRORS:
        return NoReply(f"driver: status {driver:02X}h")
    missing = min(max(0, int(header.resid)), len(data))
    return ScsiReply(int(header.status), sense[: int(header.sb_len_wr)], data[: len(data) - missing])

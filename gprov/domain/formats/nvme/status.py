"""Status of a completed NVMe command: status code type (bits 8 to 10) and status code (bits 0 to 7).

NVM Express Base Specification 2.0, "Status Field"; names as in Linux' include/linux/nvme.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

STATUS_MASK = 0x7FF
_PATH_RELATED = 3


class Status(IntEnum):
    """Those that gprov acts on."""

    SUCCESS = 0x000
    INVALID_OPCODE = 0x001
    INVALID_FIELD = 0x002
    INVALID_NAMESPACE = 0x00B
    SEQUENCE_ERROR = 0x00C
    OPERATION_DENIED = 0x015
    SANITIZE_FAILED = 0x01C
    SANITIZE_IN_PROGRESS = 0x01D
    WRITE_PROTECTED = 0x020
    LOCKED_DOWN = 0x023
    NOT_READY = 0x082
    RESERVATION_CONFLICT = 0x083
    FORMAT_IN_PROGRESS = 0x084
    INVALID_LOG_PAGE = 0x109
    INVALID_FORMAT = 0x10A
    RESET_NEEDED = 0x10B
    PERSISTENT_MEMORY_ENABLED = 0x123


_TEXTS: Mapping[int, str] = {
    Status.SUCCESS: "Successful Completion",
    Status.INVALID_OPCODE: "Invalid Command Opcode",
    Status.INVALID_FIELD: "Invalid Field in Command",
    0x004: "Data Transfer Error",
    0x005: "Aborted due to Power Loss Notification",
    0x006: "Internal Error",
    0x007: "Command Abort Requested",
    Status.INVALID_NAMESPACE: "Invalid Namespace or Format",
    Status.SEQUENCE_ERROR: "Command Sequence Error",
    Status.OPERATION_DENIED: "Operation Denied",
    Status.SANITIZE_FAILED: "Sanitize Failed",
    Status.SANITIZE_IN_PROGRESS: "Sanitize In Progress",
    0x01F: "Command Not Supported for Queue in CMB",
    Status.WRITE_PROTECTED: "Namespace is Write Protected",
    0x021: "Command Interrupted",
    0x022: "Transient Transport Error",
    Status.LOCKED_DOWN: "Command Prohibited by Command and Feature Lockdown",
    0x024: "Admin Command Media Not Ready",
    Status.NOT_READY: "Namespace Not Ready",
    Status.RESERVATION_CONFLICT: "Reservation Conflict",
    Status.FORMAT_IN_PROGRESS: "Format In Progress",
    Status.INVALID_LOG_PAGE: "Invalid Log Page",
    Status.INVALID_FORMAT: "Invalid Format",
    Status.RESET_NEEDED: "Firmware Activation Requires Conventional Reset",
    0x110: "Firmware Activation Requires NVM Subsystem Reset",
    0x111: "Firmware Activation Requires Controller Level Reset",
    0x11D: "Device Self-test In Progress",
    Status.PERSISTENT_MEMORY_ENABLED: "Sanitize Prohibited While Persistent Memory Region is Enabled",
    0x280: "Write Fault",
    0x281: "Unrecovered Read Error",
    0x286: "Access Denied",
    0x300: "Internal Path Error",
    0x302: "Asymmetric Access Inaccessible",
    0x360: "Controller Pathing Error",
    0x370: "Host Pathing Error",
    0x371: "Command Aborted By Host",
}


def describe_status(status: int) -> str:
    """For messages, as in "Invalid Field in Command (status 0x002)"."""
    code = status & STATUS_MASK
    return f"{_TEXTS.get(code, 'unknown error')} (status 0x{code:03X})"


def is_host_made(status: int) -> bool:
    """Path related status (code type 3): the host may have made it, and the drive may have begun the command."""
    return (status & STATUS_MASK) >> 8 == _PATH_RELATED

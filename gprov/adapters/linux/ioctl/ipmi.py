"""Requests to the OpenIPMI device (``linux/ipmi.h``, ``linux/ipmi_msgdefs.h``). Each raises OSError with the errno of
the call."""

from __future__ import annotations

import ctypes
import fcntl

_SEND_COMMAND = 0x8028690D  # _IOR('i', 13, struct ipmi_req)
_RECEIVE_TRUNCATED = 0xC030690B  # _IOWR('i', 11, struct ipmi_recv)
_SYSTEM_INTERFACE = 0x0C
_BMC_CHANNEL = 0x0F
_RESPONSE = 1
_LONGEST = 1024


class _Address(ctypes.Structure):
    """struct ipmi_system_interface_addr"""

    _fields_ = (("type", ctypes.c_int), ("channel", ctypes.c_short), ("lun", ctypes.c_ubyte))


class _Message(ctypes.Structure):
    """struct ipmi_msg"""

    _fields_ = (
        ("netfn", ctypes.c_ubyte),
        ("cmd", ctypes.c_ubyte),
        ("data_len", ctypes.c_ushort),
        ("data", ctypes.c_void_p),
    )


class _Request(ctypes.Structure):
    """struct ipmi_req"""

    _fields_ = (
        ("addr", ctypes.c_void_p),
        ("addr_len", ctypes.c_uint),
        ("msgid", ctypes.c_long),
        ("msg", _Message),
    )


class _Received(ctypes.Structure):
    """struct ipmi_recv"""

    _fields_ = (
        ("recv_type", ctypes.c_int),
        ("addr", ctypes.c_void_p),
        ("addr_len", ctypes.c_uint),
        ("msgid", ctypes.c_long),
        ("msg", _Message),
    )


def send_request(fd: int, number: int, function: int, command: int, data: bytes) -> None:
    """Send to the BMC over the system interface. ``number`` comes back with the response."""
    address = _Address(_SYSTEM_INTERFACE, _BMC_CHANNEL, 0)
    content = ctypes.create_string_buffer(data, max(1, len(data)))
    message = _Message(function, command, len(data), ctypes.addressof(content))
    request = _Request(ctypes.addressof(address), ctypes.sizeof(address), number, message)
    fcntl.ioctl(fd, _SEND_COMMAND, bytes(request))


def receive(fd: int) -> tuple[int, bytes] | None:
    """The next message that has come: its number, and completion code with data; None if it is no response. EAGAIN:
    none has come."""
    address = ctypes.create_string_buffer(64)
    content = ctypes.create_string_buffer(_LONGEST)
    received = _Received(
        addr=ctypes.addressof(address),
        addr_len=len(address),
        msg=_Message(data_len=_LONGEST, data=ctypes.addressof(content)),
    )
    buffer = bytearray(received)
    fcntl.ioctl(fd, _RECEIVE_TRUNCATED, buffer)
    received = _Received.from_buffer(buffer)
    if received.recv_type != _RESPONSE:
        return None
    return received.msgid, content.raw[: received.msg.data_len]

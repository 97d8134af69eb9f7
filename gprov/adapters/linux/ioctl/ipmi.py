"""Requests to the OpenIPMI device (``linux/ipmi.h``, ``linux/ipmi_msgdefs.h``). Each raises OSError with the errno of
the call."""

from __future__ import annotations

import ctypes
import fcntl

from gprov.domain.formats.ipmi.message import IpmbAddress, Request

_SEND_COMMAND = 0x80306915  # _IOR('i', 21, struct ipmi_req_settime)
_RECEIVE_TRUNCATED = 0xC030690B  # _IOWR('i', 11, struct ipmi_recv)
_SYSTEM_INTERFACE = 0x0C
_IPMB = 0x01
_BMC_CHANNEL = 0x0F
# What a controller on a bus does not answer is sent so many times more, after so many milliseconds. The driver's own
# values make an absent controller take ten seconds. Of messages to the BMC itself the driver takes no note of them.
_RETRIES, _RETRY_MS = 1, 1000
_RESPONSE = 1
_LONGEST = 1024


class _Address(ctypes.Structure):
    """struct ipmi_system_interface_addr"""

    _fields_ = (("type", ctypes.c_int), ("channel", ctypes.c_short), ("lun", ctypes.c_ubyte))


class _IpmbAddress(ctypes.Structure):
    """struct ipmi_ipmb_addr"""

    _fields_ = (
        ("type", ctypes.c_int),
        ("channel", ctypes.c_short),
        ("slave", ctypes.c_ubyte),
        ("lun", ctypes.c_ubyte),
    )


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


class _TimedRequest(ctypes.Structure):
    """struct ipmi_req_settime"""

    _fields_ = (("request", _Request), ("retries", ctypes.c_int), ("retry_time_ms", ctypes.c_uint))


class _Received(ctypes.Structure):
    """struct ipmi_recv"""

    _fields_ = (
        ("recv_type", ctypes.c_int),
        ("addr", ctypes.c_void_p),
        ("addr_len", ctypes.c_uint),
        ("msgid", ctypes.c_long),
        ("msg", _Message),
    )


def send_request(fd: int, number: int, request: Request, to: IpmbAddress | None) -> None:
    """Send to the BMC over the system interface, or through it to another controller. ``number`` comes back with the
    response."""
    address: ctypes.Structure
    if to is None:
        address = _Address(_SYSTEM_INTERFACE, _BMC_CHANNEL, 0)
    else:
        address = _IpmbAddress(_IPMB, to.channel, to.slave, 0)
    content = ctypes.create_string_buffer(request.data, max(1, len(request.data)))
    message = _Message(request.function, request.command, len(request.data), ctypes.addressof(content))
    inner = _Request(ctypes.addressof(address), ctypes.sizeof(address), number, message)
    fcntl.ioctl(fd, _SEND_COMMAND, bytes(_TimedRequest(inner, _RETRIES, _RETRY_MS)))


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

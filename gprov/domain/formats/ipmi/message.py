"""Requests to a management controller (BMC) and its responses. Source: IPMI specification 2.0, revision 1.1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from gprov.domain.errors import BadInput, Problem


class NetworkFunction(IntEnum):
    """Table 5-1; a response has the number of its request plus one."""

    CHASSIS = 0x00
    BRIDGE = 0x02
    SENSOR = 0x04
    APPLICATION = 0x06
    STORAGE = 0x0A
    TRANSPORT = 0x0C


# Table 5-2: completion codes of all commands.
COMPLETED = 0x00
_CODES = {
    0xC0: "the controller is busy",
    0xC1: "the command is unknown",
    0xC2: "the command is not valid for this LUN",
    0xC3: "the controller timed out",
    0xC4: "the controller is out of space",
    0xC5: "the reservation was cancelled",
    0xC6: "the request is truncated",
    0xC7: "the length of the request is wrong",
    0xC8: "a field of the request is too long",
    0xC9: "a parameter is out of range",
    0xCA: "the response would be too long",
    0xCB: "what was asked for is not there",
    0xCC: "a field of the request is invalid",
    0xCD: "the command is not allowed for this",
    0xCE: "the response cannot be given",
    0xCF: "the request was repeated",
    0xD0: "the controller's data is being updated",
    0xD1: "the controller's firmware is being updated",
    0xD2: "the controller is starting",
    0xD3: "the destination is not available",
    0xD4: "the privilege is too low",
    0xD5: "the command cannot be carried out in the present state",
    0xD6: "the command is disabled",
    0xFF: "unspecified error",
}


@dataclass(frozen=True, slots=True)
class Request:
    """``data``: what follows the command byte. It may be a password, and is not shown."""

    function: NetworkFunction
    command: int
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """``code``: completion code; ``data``: what follows it."""

    code: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class IpmbAddress:
    """Another controller, which the BMC passes messages to (chapter 6, channels; chapter 7). ``slave``: its 8-bit
    address on the bus of the channel."""

    channel: int
    slave: int


def parse_response(content: bytes) -> Response:
    """``content``: completion code and data. Raises BadInput if it is empty."""
    if not content:
        raise BadInput("IPMI response", [Problem("", "is empty")])
    return Response(content[0], content[1:])


def completion_text(code: int, of_command: Mapping[int, str] | None = None) -> str:
    """What a completion code means. ``of_command``: meanings that a command gives to codes 80h to BEh."""
    known = (of_command or {}).get(code) or _CODES.get(code, "unknown completion code")
    return f"{known} ({code:#04x})"


def check_size(what: str, data: bytes, least: int, most: int | None = None) -> None:
    """Raises BadInput if the data of a response has fewer or more bytes than its specification allows. ``most`` None:
    any number, since later revisions may append fields."""
    size = len(data)
    if size < least or (most is not None and size > most):
        span = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
        raise BadInput(what, [Problem("length", f"the response has {size} bytes of data, specified are {span}")])

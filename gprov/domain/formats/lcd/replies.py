"""Data of responses. Parsers raise BadInput."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import Kind, Packet

# As in "CFA635:h1.4,k1.7". XES635 is a CFA-635 in a housing.
_VERSION = re.compile(r"(?:CFA|XES)-?(631|635)(?:[^0-9]|\Z)", re.IGNORECASE)
_STATUS_BYTES = 15
_POLLED_BYTES = 3


def is_response(reply: Packet, command: Packet) -> bool:
    """Whether ``reply`` answers ``command``: with success, or with an error."""
    return reply.kind in (Kind.RESPONSE, Kind.ERROR) and reply.code == command.code


def parse_version(reply: Packet) -> tuple[Model, str]:
    """Return model and text: model, hardware and firmware version. Only models with packets of this form and one of
    the two character sizes are accepted."""
    text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in reply.data.rstrip(b"\0 "))
    found = _VERSION.match(text)
    if found is None:
        raise BadInput("display", [Problem("version", f"{text!r} is neither a CFA-631 nor a CFA-635")])
    return Model(int(found[1])), text


def version_reply(model: Model, hardware: str = "1.0", firmware: str = "1.0") -> bytes:
    return f"CFA{model.value}:h{hardware},k{firmware}".encode("ascii")


@dataclass(frozen=True, slots=True)
class PolledKeys:
    """Key masks. ``pressed`` and ``released``: at least once since the last poll."""

    held: int
    pressed: int
    released: int


def parse_polled_keys(reply: Packet) -> PolledKeys:
    _check_length("polled keys", reply.data, _POLLED_BYTES)
    return PolledKeys(*reply.data)


def polled_keys_reply(keys: PolledKeys) -> bytes:
    return bytes((keys.held, keys.pressed, keys.released))


@dataclass(frozen=True, slots=True)
class Status:
    """What is set: ``presses`` and ``releases`` are key masks of command 23; ``contrast`` 0 to 255; ``backlight``
    percent. (The rest of the response concerns fans and temperatures.)"""

    presses: int
    releases: int
    contrast: int
    backlight: int


def parse_status(reply: Packet) -> Status:
    _check_length("status", reply.data, _STATUS_BYTES)
    return Status(reply.data[5], reply.data[6], reply.data[13], reply.data[14])


def status_reply(status: Status) -> bytes:
    return bytes((0,) * 5 + (status.presses, status.releases) + (0,) * 6 + (status.contrast, status.backlight))


def _check_length(place: str, data: bytes, expected: int) -> None:
    if len(data) != expected:
        raise BadInput("display", [Problem(place, f"{len(data)} bytes instead of {expected}")])

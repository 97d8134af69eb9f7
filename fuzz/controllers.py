"""Targets: responses of a management controller, and the inventory that it holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fuzz.harness import Target, expect
from gprov.domain.errors import GprovError
from gprov.domain.formats.ipmi.channels import parse_channel_info
from gprov.domain.formats.ipmi.device import parse_device_id
from gprov.domain.formats.ipmi.event_log import parse_sel_entry, parse_sel_info
from gprov.domain.formats.ipmi.fru import HEADER, fru_file_id
from gprov.domain.formats.ipmi.inventory import parse_fru_area_info, parse_fru_data
from gprov.domain.formats.ipmi.lan import LanParameter, parse_lan_parameter
from gprov.domain.formats.ipmi.message import parse_response
from gprov.domain.formats.ipmi.users import NAME_BYTES, parse_user_access, parse_user_name

_PARSERS: tuple[Callable[[bytes], object], ...] = (
    parse_device_id,
    parse_user_access,
    parse_sel_info,
    parse_fru_area_info,
)


def response(data: bytes) -> None:
    """Every command may get any response."""
    content = parse_response(data).data
    parsers: tuple[Callable[[bytes], object], ...] = (
        *_PARSERS,
        _channel,
        _inventory_data,
        *(partial(_lan, one) for one in LanParameter),
    )
    for parse in parsers:
        try:
            parse(content)
        except GprovError:
            continue
    _name(content)
    _entry(content)


def _channel(content: bytes) -> None:
    parse_channel_info(content, 1)


def _inventory_data(content: bytes) -> None:
    expect(1 <= len(parse_fru_data(content, 16)) <= 16, "more or less than was asked for")


def _lan(parameter: LanParameter, content: bytes) -> None:
    parse_lan_parameter(content, parameter)


def _name(content: bytes) -> None:
    try:
        name = parse_user_name(content)
    except GprovError:
        return
    expect(len(name) <= NAME_BYTES and "\0" not in name, "a name that no account can have")


def _entry(content: bytes) -> None:
    try:
        entry = parse_sel_entry(content)
    except GprovError:
        return
    expect("\n" not in entry.describe(), "a line break in an entry of the log")


def inventory(data: bytes) -> None:
    fru_file_id(data)


def _summed(data: bytes) -> bytes:
    """With the checksum of the header right."""
    return data[: HEADER - 1] + bytes((-sum(data[: HEADER - 1]) & 0xFF,)) + data[HEADER:]


def _responses() -> list[bytes]:
    return [
        bytes.fromhex("00 20 01 02 05 02 bf f2 1b 00 01 00 00 00 00 00"),
        bytes.fromhex("00 0a 42 01 14"),
        bytes.fromhex("00 01 04 01 80 f2 1b 00 00 00"),
        b"\0" + b"ADMIN".ljust(NAME_BYTES, b"\0"),
        bytes.fromhex("00 ff ff 01 00 02 00 00 00 00 20 00 04 0c 21 6f a1 ff 03"),
        bytes.fromhex("00 11 56 78 90 00 ff 01"),
        b"\xc0",
    ]


def _inventories() -> list[bytes]:
    area = bytes.fromhex("01 04 19 00 00 00 c4 41434d45 c1 42 c1 53 c1 50 c3 312e30 c1".replace(" ", ""))
    area = area.ljust(31, b"\0")
    return [bytes((1, 0, 0, 1, 0, 0, 0, 0xFE)) + area + bytes((-sum(area) & 0xFF,))]


TARGETS = (
    Target("ipmi-response", "responses of a BMC", response, _responses),
    Target("ipmi-fru", "inventory of a board", inventory, _inventories, fix_checksums=_summed),
)

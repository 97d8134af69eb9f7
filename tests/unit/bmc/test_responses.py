"""Responses of a management controller mean what python-ipmi reads in them; what violates the specification is
refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.ipmi.channels import parse_channel_info
from gprov.domain.formats.ipmi.device import parse_device_id
from gprov.domain.formats.ipmi.event_log import parse_sel_entry, parse_sel_info
from gprov.domain.formats.ipmi.inventory import parse_fru_area_info, parse_fru_data
from gprov.domain.formats.ipmi.lan import LanParameter, parse_lan_parameter
from gprov.domain.formats.ipmi.users import EnableStatus, Privilege, parse_user_access, parse_user_name
from tests.unit.bmc import oracle

# Sizes of the data of each response (chapters 20 to 34), and its parser.
SIZES: list[tuple[Callable[[bytes], object], frozenset[int]]] = [
    (parse_device_id, frozenset({11, *range(15, 40)})),
    (lambda data: parse_channel_info(data, 1), frozenset(range(9, 40))),
    (parse_user_access, frozenset(range(4, 40))),
    (parse_user_name, frozenset({16})),
    (parse_sel_info, frozenset(range(14, 40))),
    (parse_sel_entry, frozenset({18})),
    (parse_fru_area_info, frozenset(range(3, 40))),
    *(
        (lambda data, one=parameter: parse_lan_parameter(data, one), frozenset({size}))
        for parameter, size in zip(LanParameter, (5, 2, 7, 5, 5), strict=True)
    ),
]
BYTES = st.integers(0, 255)


@given(st.binary(min_size=11, max_size=11), st.sampled_from([b"", b"abcd"]), st.sampled_from([0x51, 0x02, 0x01]))
def test_device_id(data: bytes, auxiliary: bytes, version: int) -> None:
    data = data[:4] + bytes((version,)) + data[5:] + auxiliary
    found, told = parse_device_id(data), oracle.decoded("GetDeviceId", data)
    assert found.device == told.device_id
    assert found.revision == told.device_revision.device_revision
    assert (found.major, found.minor) == (told.firmware_revision.major, told.firmware_revision.minor)
    assert found.updating == bool(told.firmware_revision.device_available)
    assert found.product == told.product_id
    # The upper four bits are reserved.
    assert found.manufacturer == told.manufacturer_id & 0xFFFFF
    assert found.auxiliary == bytes(told.auxiliary or b"")
    assert found.ipmi == {0x51: "1.5", 0x02: "2.0", 0x01: "1.0"}[version]


@pytest.mark.parametrize(("bytes_", "text"), [((1, 0x25), "1.25"), ((2, 0x05), "2.05"), ((0x81, 0), "1.00")])
def test_the_firmware_version_as_ipmitool_prints_it(bytes_: tuple[int, int], text: str) -> None:
    data = bytes((0x20, 1, *bytes_, 2, 0, 0, 0, 0, 0, 0))
    assert parse_device_id(data).firmware == text


@given(st.binary(min_size=9, max_size=9))
def test_channels(data: bytes) -> None:
    told = oracle.decoded("GetChannelInfo", data)
    found = parse_channel_info(data, told.channel.number)
    assert (found.medium, found.protocol) == (told.medium.type, told.protocol.type)
    assert found.is_lan == (told.medium.type == 4)
    with pytest.raises(BadInput, match="was asked for"):
        parse_channel_info(data, (told.channel.number + 1) % 16)


@given(st.binary(min_size=4, max_size=4))
def test_user_access(data: bytes) -> None:
    told = oracle.decoded("GetUserAccess", data)
    privilege, status = told.channel_access.privilege, told.enabled_user.status
    if status == 3 or 5 < privilege < 15 or not told.max_user.max_user:
        with pytest.raises(BadInput):
            parse_user_access(data)
        return
    found = parse_user_access(data)
    assert (found.users, found.fixed_names) == (told.max_user.max_user, told.fixed_names.count)
    assert found.status is [EnableStatus.UNSPECIFIED, EnableStatus.ENABLED, EnableStatus.DISABLED][status]
    assert (found.privilege, found.messaging) == (Privilege(privilege), bool(told.channel_access.ipmi_msg))


def test_all_problems_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        parse_user_access(bytes((0, 0xC0, 0, 7)))
    assert [problem.place for problem in caught.value.problems] == [
        "enable status",
        "privilege limit",
        "number of users",
    ]


@given(st.binary(min_size=16, max_size=16))
def test_user_names(data: bytes) -> None:
    told = oracle.decoded("GetUserName", data)
    assert parse_user_name(data) == bytes(told.user_name).split(b"\0")[0].decode("latin-1")


@given(st.binary(min_size=14, max_size=14))
def test_event_log(data: bytes) -> None:
    told = oracle.decoded("GetSelInfo", data)
    found = parse_sel_info(data)
    assert (found.entries, found.added) == (told.entries, told.most_recent_addition)
    assert found.overflow == bool(told.operation_support.overflow_flag)


@given(st.integers(0, 0xFFFF), st.binary(min_size=16, max_size=16))
def test_entries_of_the_event_log(following: int, record: bytes) -> None:
    data = following.to_bytes(2, "little") + record
    told = oracle.decoded("GetSelEntry", data)
    if record[:2] == data[:2]:
        with pytest.raises(BadInput, match="the record itself"):
            parse_sel_entry(data)
        return
    found = parse_sel_entry(data)
    assert (found.next, found.record) == (told.next_record_id, bytes(told.record_data))
    assert f"{int.from_bytes(record[:2], 'little'):#06x}" in found.describe()


def test_an_event_in_words() -> None:
    """A memory error: sensor type 0Ch, sensor 0x21, offset 1 (uncorrectable)."""
    record = bytes.fromhex("0100 02 00000000 2000 04 0c 21 6f a1ff03")
    found = parse_sel_entry(b"\xff\xff" + record)
    assert found.describe() == "record 0x0001: sensor type 0x0c, sensor 0x21, event data a1 ff 03"
    ended = parse_sel_entry(b"\xff\xff" + record[:12] + b"\xef" + record[13:])
    assert ended.describe().endswith("(ended)")
    other = parse_sel_entry(b"\xff\xff" + record[:2] + b"\xc0" + record[3:])
    assert other.describe().startswith("record 0x0001 of type 0xc0: 00 00")


@given(st.integers(0, 0xFFFF), BYTES)
def test_inventory_areas(size: int, access: int) -> None:
    data = oracle.response("GetFruInventoryAreaInfo", {"area_size": size, "area_info.access": access & 1})
    found = parse_fru_area_info(data)
    assert (found.size, found.by_words) == (size, bool(access & 1))


@given(st.binary(min_size=1, max_size=32), st.integers(1, 32))
def test_inventory_data(content: bytes, asked: int) -> None:
    data = oracle.response("ReadFruData", {"count": len(content), "data": content})
    if len(content) > asked:
        with pytest.raises(BadInput, match="were asked for"):
            parse_fru_data(data, asked)
    else:
        assert parse_fru_data(data, asked) == content


@given(st.binary(min_size=6, max_size=6))
def test_macs(mac: bytes) -> None:
    data = oracle.response("GetLanConfigurationParameters", {"parameter_revision": 0x11, "data": mac})
    if mac[0] & 1 or not any(mac):
        with pytest.raises(BadInput, match="is not the MAC of a station"):
            parse_lan_parameter(data, LanParameter.MAC_ADDRESS)
    else:
        assert parse_lan_parameter(data, LanParameter.MAC_ADDRESS) == mac.hex(":")


@pytest.mark.parametrize("mac", ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"])
def test_macs_that_no_station_has(mac: str) -> None:
    with pytest.raises(BadInput, match=mac):
        parse_lan_parameter(b"\x11" + bytes.fromhex(mac.replace(":", "")), LanParameter.MAC_ADDRESS)


@pytest.mark.parametrize("parameter", [LanParameter.IP_ADDRESS, LanParameter.SUBNET_MASK, LanParameter.GATEWAY])
def test_addresses(parameter: LanParameter) -> None:
    assert parse_lan_parameter(bytes((0x11, 192, 0, 2, 255)), parameter) == "192.0.2.255"


@pytest.mark.parametrize(("value", "text"), [(1, "static"), (2, "DHCP"), (0xF2, "DHCP"), (9, "source 9")])
def test_address_sources(value: int, text: str) -> None:
    assert parse_lan_parameter(bytes((0x11, value)), LanParameter.ADDRESS_SOURCE) == text


@pytest.mark.parametrize(("parse", "sizes"), SIZES)
def test_a_response_of_another_length_is_refused(parse: Callable[[bytes], object], sizes: frozenset[int]) -> None:
    for size in range(40):
        if size in sizes:
            continue
        with pytest.raises(BadInput):
            parse(b"\x02" * size)


@given(st.sampled_from([parse for parse, _sizes in SIZES]), st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(parse: Callable[[bytes], object], data: bytes) -> None:
    try:
        parse(data)
    except BadInput as error:
        problems = error.problems
    else:
        return
    assert problems

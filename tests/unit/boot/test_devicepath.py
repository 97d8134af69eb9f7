"""Device paths: round trips, damage, and virt-firmware as the second reader and writer."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virt.firmware.efi import devpath

from gprov.domain.errors import BadInput
from gprov.domain.formats.efi.device_nodes import (
    Acpi,
    DevicePath,
    FilePath,
    HardDrive,
    InstanceEnd,
    Mac,
    Node,
    Nvme,
    Pci,
    Sata,
    SignatureKind,
    Unknown,
    Usb,
    gpt_partition,
    is_network_path,
)
from gprov.domain.formats.efi.device_path import parse_device_path, serialise_device_path
from gprov.domain.formats.efi.device_text import describe_device_path

GUID = "0b7c6cda-a5a2-4f6b-9a4f-5a2f38c7d1ee"

u8 = st.integers(0, 0xFF)
u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFF_FFFF)
u64 = st.integers(0, 0xFFFF_FFFF_FFFF_FFFF)
sixteen = st.binary(min_size=16, max_size=16)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)

nodes: st.SearchStrategy[Node] = st.one_of(
    st.builds(Pci, u8, u8),
    st.builds(Acpi, u32, u32),
    st.builds(Usb, u8, u8),
    st.builds(Mac, st.binary(min_size=32, max_size=32), u8),
    st.builds(Sata, u16, u16, u16),
    st.builds(Nvme, u32, st.binary(min_size=8, max_size=8)),
    st.builds(
        HardDrive,
        number=u32,
        start=u64,
        size=u64,
        signature=sixteen,
        table=u8,
        signature_kind=st.sampled_from(SignatureKind),
    ),
    st.builds(FilePath, words),
    st.just(InstanceEnd()),
    # types and sub-types that no class of ours claims
    st.builds(Unknown, st.sampled_from([1, 2, 3, 4, 5, 0x42]), st.integers(0x60, 0xFF), st.binary(max_size=40)),
)
paths = st.lists(nodes, max_size=6).map(tuple)


@given(paths)
def test_what_was_written_is_read_back(path: DevicePath) -> None:
    assert parse_device_path(serialise_device_path(path)) == path


raw_nodes = st.builds(
    lambda kind, subtype, body: struct.pack("<BBH", kind, subtype, 4 + len(body)) + body,
    st.sampled_from([1, 2, 3, 4, 5, 0x7F, 0x80]),
    st.sampled_from([1, 2, 3, 4, 5, 11, 18, 23, 24]),
    st.one_of(
        st.binary(max_size=50),
        *(st.binary(min_size=size, max_size=size) for size in (0, 2, 6, 8, 12, 33, 38)),
        words.map(lambda text: text.encode("utf-16-le") + b"\0\0"),
    ),
)


@given(st.lists(raw_nodes, max_size=6))
def test_every_well_formed_path_is_written_as_it_was_read(raw: list[bytes]) -> None:
    data = b"".join(raw) + b"\x7f\xff\x04\x00"
    assert serialise_device_path(parse_device_path(data)) == data


@given(st.binary(max_size=120))
def test_any_bytes_are_a_path_or_bad_input(data: bytes) -> None:
    try:
        path = parse_device_path(data)
    except BadInput:
        return
    assert serialise_device_path(path) == data


@given(paths, st.data())
def test_damaged_paths_are_a_path_or_bad_input(path: DevicePath, data: st.DataObject) -> None:
    raw = bytearray(serialise_device_path(path))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(u8)
    try:
        read = parse_device_path(bytes(raw))
    except BadInput:
        return
    assert serialise_device_path(read) == bytes(raw)


@given(paths.filter(bool), st.data())
def test_a_path_that_is_cut_off_is_refused(path: DevicePath, data: st.DataObject) -> None:
    raw = serialise_device_path(path)
    with pytest.raises(BadInput):
        parse_device_path(raw[: data.draw(st.integers(0, len(raw) - 1))])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "byte 0: ends without an End node"),
        ("7fff", "byte 0: node header is cut off"),
        ("04010300", "byte 0: node length 3 is shorter than its header"),
        ("040400010000", "byte 0: node of 256 bytes reaches over the end, 6 bytes are left"),
        ("7fff0400ff", "byte 0: End node is not the end"),
        ("01010600001f" + "7fff0500aa", "byte 6: End node is not the end"),
        ("01010600001f", "byte 6: ends without an End node"),
    ],
)
def test_says_what_is_wrong_and_where(data: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_device_path(bytes.fromhex(data))
    assert str(caught.value.problems[0]) == message


@pytest.mark.parametrize(
    "node",
    [
        Pci(256, 0),
        Acpi(-1, 0),
        HardDrive(number=1, start=2**64, size=1, signature=bytes(16), table=2, signature_kind=SignatureKind.GPT),
        HardDrive(number=1, start=1, size=1, signature=b"short", table=2, signature_kind=SignatureKind.GPT),
        Mac(b"\x56\x78\x90", 1),
        Nvme(1, b"longer than eight"),
        FilePath("\ud800"),
        FilePath("x" * 40000),
        Unknown(256, 1, b""),
    ],
)
def test_refuses_values_that_do_not_fit(node: Node) -> None:
    with pytest.raises(BadInput, match="node 1"):
        serialise_device_path((Pci(1, 0), node))


@pytest.mark.parametrize(
    "body",
    [
        b"",  # no text at all
        b"a\0b\0",  # does not end
        b"a\0\0",  # half a character
        b"\x00\xd8\x00\x00",  # half a surrogate pair
    ],
)
def test_a_file_path_that_is_none_is_kept_raw(body: bytes) -> None:
    raw = struct.pack("<BBH", 4, 4, 4 + len(body)) + body + b"\x7f\xff\x04\x00"
    assert parse_device_path(raw) == (Unknown(4, 4, body),)


def test_a_hard_drive_with_an_unknown_signature_kind_is_kept_raw() -> None:
    body = struct.pack("<IQQ16sBB", 1, 2048, 4096, bytes(16), 2, 7)
    raw = struct.pack("<BBH", 4, 1, 4 + len(body)) + body + b"\x7f\xff\x04\x00"
    assert parse_device_path(raw) == (Unknown(4, 1, body),)


@given(st.integers(1, 128), u64, u64, st.uuids().map(str))
def test_virt_firmware_writes_the_same_partition_node(number: int, start: int, size: int, guid: str) -> None:
    element = devpath.DevicePathElem()
    element.set_gpt(number, start, size, guid)
    theirs = devpath.DevicePath()
    theirs.append(element)
    ours = gpt_partition(number, start, size, guid)
    assert serialise_device_path((ours,)) == bytes(theirs)
    assert parse_device_path(bytes(theirs)) == (ours,)
    assert ours.guid == guid
    assert str(theirs[0].get_partuuid()) == guid


@given(words.filter(lambda text: "\0" not in text))
def test_virt_firmware_reads_the_same_file_path(path: str) -> None:
    theirs = devpath.DevicePath(serialise_device_path((FilePath(path),)))
    assert str(theirs[0].get_filepath()) == path


@settings(max_examples=50)
@given(paths.filter(lambda path: InstanceEnd() not in path))
def test_virt_firmware_sees_the_same_nodes(path: DevicePath) -> None:
    raw = serialise_device_path(path)
    theirs = devpath.DevicePath(raw)
    assert len(theirs) == len(path)
    assert bytes(theirs) == raw


def test_texts_follow_the_notation_of_the_specification() -> None:
    path = (
        Acpi(0x0A0341D0, 0),
        Pci(0x1F, 2),
        Sata(3, 0xFFFF, 0),
        gpt_partition(1, 0x800, 0x64000, GUID),
        FilePath("\\norm_boot"),
    )
    text = f"PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0x3,0xffff,0x0)/HD(1,GPT,{GUID},0x800,0x64000)/\\norm_boot"
    assert describe_device_path(path) == text


def test_texts_of_rarer_nodes() -> None:
    disk = struct.pack("<I12x", 0x1234ABCD)
    path = (
        Acpi(0x0A0841D0, 1),
        Usb(2, 0),
        InstanceEnd(),
        Mac(bytes.fromhex("567890010203") + bytes(26), 1),
        Mac(bytes(range(32)), 32),
        Nvme(1, bytes.fromhex("0102030405060708")),
        HardDrive(number=2, start=63, size=100, signature=disk, table=1, signature_kind=SignatureKind.MBR),
        HardDrive(number=3, start=0, size=0, signature=bytes(16), table=1, signature_kind=SignatureKind.NONE),
        Unknown(3, 24, b"\xab"),
    )
    assert describe_device_path(path).split("/") == [
        "Acpi(0xa0841d0,0x1)",
        "USB(0x2,0x0)",
        ",",
        "MAC(567890010203,0x1)",
        f"MAC({bytes(range(32)).hex()},0x20)",
        "NVMe(0x1,08-07-06-05-04-03-02-01)",
        "HD(2,MBR,0x1234abcd,0x3f,0x64)",
        "HD(3,1,0,0x0,0x0)",
        "Path(3,24,ab)",
    ]


@given(paths)
def test_every_path_has_a_text(path: DevicePath) -> None:
    assert isinstance(describe_device_path(path), str)


def test_only_a_gpt_signature_is_a_guid() -> None:
    assert (
        HardDrive(number=2, start=63, size=100, signature=bytes(16), table=1, signature_kind=SignatureKind.MBR).guid
        == ""
    )


@pytest.mark.parametrize(
    ("node", "network"),
    [
        (Mac(bytes(32), 1), True),
        (Unknown(3, 12, bytes(23)), True),
        (Unknown(3, 13, bytes(56)), True),
        (Unknown(3, 24, b"http://factory/norm_boot"), True),
        (Unknown(4, 12, b""), False),
        (Usb(1, 0), False),
        (FilePath("\\norm_boot"), False),
    ],
)
def test_network_paths_are_recognised(node: Node, network: bool) -> None:
    assert is_network_path((Pci(3, 0), node)) is network

"""Load options: round trips, damage, what the kernel reads, and virt-firmware as the second reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virt.firmware.efi import bootentry

from gprov.domain.errors import BadInput
from gprov.domain.formats.efi.device_nodes import DevicePath, FilePath, Pci, gpt_partition
from gprov.domain.formats.efi.load_option import (
    MAX_ARGUMENTS,
    LoadOption,
    decode_arguments,
    describe_load_option,
    encode_arguments,
    parse_load_option,
    read_description,
    serialise_load_option,
)

PATH: DevicePath = (gpt_partition(1, 2048, 409600, "0b7c6cda-a5a2-4f6b-9a4f-5a2f38c7d1ee"), FilePath("\\norm_boot"))
NORMAL = LoadOption("Normal Boot", PATH, encode_arguments("quiet real_root=LABEL=PRIMARY"))

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
options = st.builds(
    LoadOption,
    text,
    st.sampled_from([(), PATH, (Pci(1, 2), *PATH)]),
    st.binary(max_size=60),
    st.integers(0, 0xFFFF_FFFF),
)


@given(options)
def test_what_was_written_is_read_back(option: LoadOption) -> None:
    assert parse_load_option(serialise_load_option(option)) == option


@given(options)
def test_virt_firmware_reads_the_same(option: LoadOption) -> None:
    raw = serialise_load_option(option)
    theirs = bootentry.BootEntry(data=raw)
    assert theirs.attr == option.attributes
    assert str(theirs.title) == option.description
    assert (theirs.optdata or b"") == option.data
    assert len(theirs.devicepath) == len(option.path)
    assert bytes(theirs) == raw


@given(st.binary(max_size=120))
def test_any_bytes_are_an_option_or_bad_input(data: bytes) -> None:
    assert describe_load_option(data)
    read_description(data)
    try:
        option = parse_load_option(data)
    except BadInput:
        return
    assert serialise_load_option(option) == data


@given(options, st.data())
def test_damaged_options_are_an_option_or_bad_input(option: LoadOption, data: st.DataObject) -> None:
    raw = bytearray(serialise_load_option(option))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert describe_load_option(bytes(raw))
    try:
        read = parse_load_option(bytes(raw))
    except BadInput:
        return
    assert serialise_load_option(read) == bytes(raw)


@given(st.data())
def test_an_option_that_is_cut_off_before_its_data_is_refused(data: st.DataObject) -> None:
    raw = serialise_load_option(LoadOption(NORMAL.description, PATH))
    with pytest.raises(BadInput):
        parse_load_option(raw[: data.draw(st.integers(0, len(raw) - 1))])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x01\0\0", "byte 0: 6 bytes expected, 3 found"),
        (b"\x01\0\0\0\x04\0A\0B\0", "byte 6: description does not end"),
        (b"\x01\0\0\0\x04\0A\0\0\xd8B\0\0\0\x7f\xff\x04\0", "byte 8: description is no UTF-16"),
        (b"\x01\0\0\0\x05\0A\0\0\0\x7f\xff\x04\0", "byte 4: file path list of 5 bytes, only 4 are left"),
    ],
)
def test_says_what_is_wrong_and_where(data: bytes, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_load_option(data)
    assert str(caught.value.problems[0]) == message


def test_the_description_can_be_read_where_the_rest_is_damaged() -> None:
    raw = serialise_load_option(NORMAL)
    assert read_description(raw[:40]) == "Normal Boot"
    assert read_description(raw[:20]) is None
    assert read_description(b"\x01\0\0\0\x00\0\0\xd8\0\0") is None
    assert read_description(b"") is None


@pytest.mark.parametrize(
    "option",
    [
        LoadOption("with\0NUL", PATH),
        LoadOption("half \udc00 pair", PATH),
        LoadOption("attributes", PATH, attributes=1 << 32),
        LoadOption("long path", (FilePath("x" * 32000), FilePath("y" * 32000))),
    ],
)
def test_refuses_what_does_not_fit(option: LoadOption) -> None:
    with pytest.raises(BadInput):
        serialise_load_option(option)


def test_arguments_are_utf_16_with_a_nul() -> None:
    assert encode_arguments("DATA_ERASE=1") == b"D\0A\0T\0A\0_\0E\0R\0A\0S\0E\0=\x001\0\0\0"


def test_no_arguments_are_no_data() -> None:
    assert encode_arguments("") == b""
    assert decode_arguments(b"") == ""


@given(text.filter(lambda value: "\n" not in value))
def test_arguments_survive(arguments: str) -> None:
    assert decode_arguments(encode_arguments(arguments)) == arguments


@pytest.mark.parametrize(
    ("data", "arguments"),
    [
        ("quiet".encode("utf-16-le"), "quiet"),  # as gprovision wrote them: no NUL
        ("quiet\0junk".encode("utf-16-le"), "quiet"),
        ("quiet\nmore".encode("utf-16-le"), "quiet"),
        ("quiet\0".encode("utf-16-le") + b"\xff", "quiet"),
    ],
)
def test_arguments_are_read_as_the_kernel_reads_them(data: bytes, arguments: str) -> None:
    assert decode_arguments(data) == arguments


@pytest.mark.parametrize("data", [b"q\0u", b"\x00\xd8"])
def test_data_that_are_no_text(data: bytes) -> None:
    with pytest.raises(BadInput):
        decode_arguments(data)


def test_refuses_arguments_that_the_kernel_would_not_read_whole() -> None:
    assert encode_arguments("x" * MAX_ARGUMENTS)
    for bad in ("a\0b", "a\nb", "x" * (MAX_ARGUMENTS + 1), "é" * (MAX_ARGUMENTS // 2 + 1), "\udc00"):
        with pytest.raises(BadInput):
            encode_arguments(bad)


def test_collects_all_problems_of_arguments() -> None:
    with pytest.raises(BadInput) as caught:
        encode_arguments("\n\ud800" + "x" * MAX_ARGUMENTS)
    assert len(caught.value.problems) == 3


def test_an_option_describes_itself() -> None:
    place = "HD(1,GPT,0b7c6cda-a5a2-4f6b-9a4f-5a2f38c7d1ee,0x800,0x64000)/\\norm_boot"
    assert NORMAL.describe() == f"'Normal Boot': {place} 'quiet real_root=LABEL=PRIMARY'"
    assert LoadOption("Disk", PATH[:1], b"\x01").describe().endswith(" and 1 bytes of data")
    assert "are no load option" in describe_load_option(b"\x01")

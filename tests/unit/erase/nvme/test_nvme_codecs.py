"""Codecs of NVMe structures: what is built is read back, and any bytes become a value or BadInput."""

from __future__ import annotations

import contextlib
import string
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.nvme.commands import (
    FormatParameters,
    SanitizeAction,
    SanitizeParameters,
    SecureErase,
    format_dword10,
    log_page_dwords,
    parse_format_dword10,
    parse_sanitize_dword10,
    sanitize_dword10,
    secure_erase_setting,
)
from gprov.domain.formats.nvme.controller import Controller, parse_controller, serialise_controller
from gprov.domain.formats.nvme.namespace import (
    LbaFormat,
    Namespace,
    parse_namespace,
    parse_namespace_list,
    serialise_namespace,
    serialise_namespace_list,
)
from gprov.domain.formats.nvme.sanitize_log import (
    SanitizeLog,
    SanitizeState,
    parse_sanitize_log,
    serialise_sanitize_log,
)
from gprov.domain.formats.nvme.status import describe_status, is_host_made

BYTE, WORD, DWORD = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
LETTERS = string.ascii_letters + string.digits


def names(size: int) -> st.SearchStrategy[str]:
    return st.text(LETTERS, min_size=1, max_size=size)


CONTROLLERS = st.builds(
    Controller,
    serial=names(20),
    model=names(40),
    firmware=names(8),
    oacs=WORD,
    fna=BYTE,
    sanicap=DWORD,
    cmic=BYTE,
    rpmbs=DWORD,
    namespaces=DWORD,
    unallocated=st.integers(0, (1 << 128) - 1),
)
LOGS = st.builds(
    SanitizeLog,
    state=st.sampled_from(SanitizeState),
    sprog=WORD,
    passes=st.integers(0, 31),
    data_erased=st.booleans(),
    scdw10=DWORD,
    estimates=st.tuples(*[DWORD] * 6),
)
FORMATS = st.builds(LbaFormat, WORD, st.integers(9, 31), BYTE)


@st.composite
def namespaces(draw: st.DrawFn) -> Namespace:
    formats = tuple(draw(st.lists(FORMATS, min_size=1, max_size=64)))
    index = draw(st.integers(0, len(formats) - 1))
    blocks = draw(st.integers(1, (1 << 64) - 1))
    return Namespace(
        blocks=blocks,
        capacity=draw(st.integers(0, blocks)),
        used=draw(st.integers(0, (1 << 64) - 1)),
        flbas=index & 0xF | draw(st.sampled_from((0, 0x10))) | (index >> 4) << 5,
        dps=draw(BYTE),
        fpi=draw(BYTE),
        dlfeat=draw(BYTE),
        nsattr=draw(BYTE),
        formats=formats,
        unique_formats=draw(st.integers(0, len(formats) - 1)),
    )


@given(CONTROLLERS)
def test_a_controller_is_read_back(controller: Controller) -> None:
    assert parse_controller(serialise_controller(controller)) == controller


@given(st.binary(min_size=68, max_size=68))
def test_names_of_a_controller_are_printable(names: bytes) -> None:
    """Found by fuzzing: a tab was kept."""
    raw = bytearray(serialise_controller(Controller(serial="S", model="M", firmware="F")))
    raw[4:72] = names[:20] + b"M\t" + names[22:]
    made = parse_controller(bytes(raw))
    assert all(name.isprintable() for name in (made.serial, made.model, made.firmware))


@given(namespaces())
def test_a_namespace_is_read_back(namespace: Namespace) -> None:
    assert parse_namespace(serialise_namespace(namespace)) == namespace


@given(LOGS)
def test_a_sanitize_log_is_read_back(log: SanitizeLog) -> None:
    assert parse_sanitize_log(serialise_sanitize_log(log)) == log
    assert 0 <= log.progress <= 1


@given(st.sets(st.integers(1, 0xFFFFFFFD), max_size=1024))
def test_a_namespace_list_is_read_back(numbers: set[int]) -> None:
    assert parse_namespace_list(serialise_namespace_list(numbers)) == tuple(sorted(numbers))


@given(st.builds(SanitizeParameters, st.sampled_from(SanitizeAction), st.booleans(), st.booleans(), st.integers(0, 15)))
def test_sanitize_parameters_are_read_back(parameters: SanitizeParameters) -> None:
    assert parse_sanitize_dword10(sanitize_dword10(parameters)) == parameters


@given(
    st.builds(
        FormatParameters,
        erase=st.sampled_from(SecureErase),
        format_index=st.integers(0, 15),
        metadata_extended=st.booleans(),
        protection=st.integers(0, 7),
        protection_first=st.booleans(),
    )
)
def test_format_parameters_are_read_back_and_always_erase(parameters: FormatParameters) -> None:
    dword = format_dword10(parameters)
    assert parse_format_dword10(dword) == parameters
    assert secure_erase_setting(dword) in (1, 2)


PARSERS: tuple[tuple[Callable[[bytes], object], int], ...] = (
    (parse_controller, 4096),
    (parse_namespace, 4096),
    (parse_namespace_list, 4096),
    (parse_sanitize_log, 512),
)
BY_PARSER = pytest.mark.parametrize(("parse", "size"), PARSERS, ids=lambda value: getattr(value, "__name__", ""))


@BY_PARSER
@given(data=st.data())
def test_any_bytes_are_a_value_or_bad_input(parse: Callable[[bytes], object], size: int, data: st.DataObject) -> None:
    raw = bytearray(size)
    for at, piece in data.draw(st.lists(st.tuples(st.integers(0, size - 1), st.binary(max_size=64)), max_size=8)):
        raw[at : at + len(piece)] = piece
    for content in (bytes(raw[:size]), data.draw(st.binary(max_size=size + 4))):
        with contextlib.suppress(BadInput):
            parse(content)


@BY_PARSER
@pytest.mark.parametrize("fill", [0x00, 0xFF])
def test_pages_of_one_value_are_no_answer(parse: Callable[[bytes], object], size: int, fill: int) -> None:
    """Bridges and dead controllers return such pages. A log or a list of zeros is valid: nothing ever happened."""
    raw = bytes([fill]) * size
    if fill == 0 and parse in (parse_sanitize_log, parse_namespace_list):
        parse(raw)
        return
    with pytest.raises(BadInput):
        parse(raw)


def test_all_problems_of_a_namespace_are_reported() -> None:
    raw = bytearray(4096)
    struct.pack_into("<QQ", raw, 0, 0, 5)
    raw[26] = 7
    with pytest.raises(BadInput) as caught:
        parse_namespace(bytes(raw))
    assert [problem.place for problem in caught.value.problems] == ["NSZE", "NCAP", "FLBAS"]


def test_the_upper_bits_of_the_format_index_count_only_with_more_than_16_formats() -> None:
    few = Namespace(blocks=8, capacity=8, flbas=0x21, formats=(LbaFormat(0, 12), LbaFormat(0, 9)))
    many = Namespace(blocks=8, capacity=8, flbas=0x21, formats=(LbaFormat(0, 12),) * 17 + (LbaFormat(0, 9),))
    assert (few.format_index, few.block_size) == (1, 512)
    assert (many.format_index, many.block_size) == (17, 512)


def test_dwords_of_the_sanitize_log() -> None:
    """As nvme-cli sends them: 128 dwords of log page 81h."""
    assert log_page_dwords(0x81, 512) == (0x007F0081, 0)


@given(DWORD)
def test_every_status_has_a_text(status: int) -> None:
    assert f"0x{status & 0x7FF:03X}" in describe_status(status)


def test_a_command_aborted_by_the_host_may_have_begun() -> None:
    assert is_host_made(0x371)
    assert not is_host_made(0x002)

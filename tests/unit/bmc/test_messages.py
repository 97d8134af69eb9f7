"""Messages to a management controller: bytes of the specification, and structures of the kernel's interface."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.linux.ioctl import ipmi
from gprov.domain.errors import BadInput
from gprov.domain.formats.ipmi.chassis import identify
from gprov.domain.formats.ipmi.message import Response, completion_text, parse_response


def test_identify_for_a_time() -> None:
    request = identify(15)
    assert (request.function, request.command, request.data) == (0, 4, b"\x0f")
    assert identify(0).data == b"\x00"


@pytest.mark.parametrize("seconds", [-1, 256])
def test_a_time_that_no_byte_holds(seconds: int) -> None:
    with pytest.raises(BadInput):
        identify(seconds)


@given(st.binary(min_size=1, max_size=64))
def test_a_response_is_a_code_and_data(content: bytes) -> None:
    assert parse_response(content) == Response(content[0], content[1:])
    assert f"{content[0]:#04x}" in completion_text(content[0])


def test_an_empty_response() -> None:
    with pytest.raises(BadInput):
        parse_response(b"")


def test_the_structures_have_the_sizes_that_the_ioctl_numbers_hold() -> None:
    """linux/ipmi.h on x86-64; the size is in bits 16 to 29 of a number."""
    assert ctypes.sizeof(ipmi._TimedRequest) == ipmi._SEND_COMMAND >> 16 & 0x3FFF == 48
    assert ctypes.sizeof(ipmi._Received) == ipmi._RECEIVE_TRUNCATED >> 16 & 0x3FFF == 48

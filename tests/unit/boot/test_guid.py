"""GUIDs against the standard library's uuid module."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.efi.guid import guid_from_bytes, guid_to_bytes


def test_the_global_vendor_guid_begins_with_its_first_field_reversed() -> None:
    data = guid_to_bytes("8BE4DF61-93CA-11d2-AA0D-00E098032B8C")
    assert data == bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")
    assert guid_from_bytes(data) == "8be4df61-93ca-11d2-aa0d-00e098032b8c"


@given(st.uuids())
def test_agrees_with_the_uuid_module(value: uuid.UUID) -> None:
    assert guid_to_bytes(str(value)) == value.bytes_le
    assert guid_from_bytes(value.bytes_le) == str(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8be4df6193ca11d2aa0d00e098032b8c",
        "{8be4df61-93ca-11d2-aa0d-00e098032b8c}",
        "8be4df61-93ca-11d2-aa0d-00e098032b8",
        "8be4df61-93ca-11d2-aa0d-00e098032b8c ",
        "8be4df61-93ca-11d2-aa0d-00e098032b8c\n",
        "8be4df6g-93ca-11d2-aa0d-00e098032b8c",
        "٨be4df61-93ca-11d2-aa0d-00e098032b8c",
    ],
)
def test_refuses_what_is_no_guid(text: str) -> None:
    with pytest.raises(BadInput):
        guid_to_bytes(text)


@given(st.binary(max_size=40).filter(lambda data: len(data) != 16))
def test_refuses_other_sizes(data: bytes) -> None:
    with pytest.raises(BadInput):
        guid_from_bytes(data)

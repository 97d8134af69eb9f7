"""Commands to a TPM as bytes, and what is read from its replies."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.tpm.nv import NvPublic, nv_define, nv_read, parse_nv_data, parse_nv_public
from gprov.domain.formats.tpm.objects import (
    MAX_PART,
    SealedObject,
    create_sealed,
    create_storage_root_key,
    load,
    parse_created,
    parse_handle,
    parse_unsealed,
)
from gprov.domain.formats.tpm.policy import parse_pcrs, parse_session, pcr_extend, pcr_policy, pcr_read, policy_pcr
from gprov.domain.formats.tpm.structures import PCR_COUNT
from gprov.domain.unit.cap import CAP_COMMAND, CAP_DIGEST, CAP_PCR
from gprov.domain.unit.sealed_file import MAX_BYTES, MAX_PARTS, SealedSecret, parse_sealed, serialise_sealed

EMPTY_PASSWORD = "00000009" + "40000009" + "0000" + "00" + "0000"
PCRS = st.frozensets(st.integers(0, PCR_COUNT - 1), min_size=1, max_size=8)
# What each parser is given, and an example of what it must be able to read.
PARSERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "created": (parse_created, struct.pack(">IH3sH4s", 11, 3, b"abc", 4, b"wxyz")),
    "handle": (parse_handle, struct.pack(">II", 0x80000001, 0)),
    "unsealed": (parse_unsealed, struct.pack(">IH3s", 5, 3, b"abc")),
    "session": (parse_session, struct.pack(">IH16s", 0x03000000, 16, bytes(16))),
    "pcrs": (
        lambda content: parse_pcrs(content, frozenset((13,))),
        struct.pack(">IIHBBBBIH32s", 5, 1, 0x0B, 3, 0, 0x20, 0, 1, 32, bytes(32)),
    ),
    "public": (
        parse_nv_public,
        struct.pack(">HIHIH4sHH", 18, 0x01800001, 0x0B, 0x22060008, 4, b"pppp", 8, 0),
    ),
    "data": (parse_nv_data, struct.pack(">IH8s", 10, 8, b"\0" * 8)),
}


def test_the_commands_are_those_of_the_library_specification() -> None:
    """As tpm2-tools 5.4 sends them."""
    selection = "00000001" + "000b" + "03" + "002000"
    assert pcr_read(frozenset((13,))).hex() == "8001" + "00000014" + "0000017e" + selection
    assert (
        policy_pcr(0x03000000, frozenset((13,))).hex()
        == "8001" + "0000001a" + "0000017f" + "03000000" + "0000" + selection
    )
    extended = pcr_extend(13, bytes(range(32))).hex()
    assert extended == (
        "8002" + "00000041" + "00000182" + "0000000d" + EMPTY_PASSWORD + "00000001" + "000b" + bytes(range(32)).hex()
    )
    assert pcr_extend(CAP_PCR, CAP_DIGEST) == CAP_COMMAND
    assert nv_read(0x01806770, 8).hex() == (
        "8002" + "00000023" + "0000014e" + "01806770" * 2 + EMPTY_PASSWORD + "0008" + "0000"
    )
    key = create_storage_root_key().hex()
    assert key.endswith("0023000b000304720000000600800043001000030010" + ("0020" + "00" * 32) * 2 + "0000" + "00000000")


def test_several_pcrs_are_in_one_selection() -> None:
    assert pcr_read(frozenset((0, 7, 8, 23))).hex().endswith("00000001" + "000b" + "03" + "810180")


@pytest.mark.parametrize("name", PARSERS)
def test_a_whole_reply_is_read_and_no_shorter_one(name: str) -> None:
    parse, example = PARSERS[name]
    parse(example)
    for length in range(len(example)):
        with pytest.raises(BadInput):
            parse(example[:length])


@pytest.mark.parametrize("name", ["unsealed", "session", "pcrs", "public", "data"])
def test_a_reply_with_more_than_it_must_have_is_refused(name: str) -> None:
    parse, example = PARSERS[name]
    sized = name in ("unsealed", "data")
    longer = (int.from_bytes(example[:4], "big") + 1).to_bytes(4, "big") + example[4:] if sized else example
    with pytest.raises(BadInput, match="left over"):
        parse(longer + b"\0")


@given(st.sampled_from(sorted(PARSERS)), st.binary(max_size=120))
def test_any_reply_is_read_or_refused(name: str, content: bytes) -> None:
    try:
        PARSERS[name][0](content)
    except BadInput:
        return


@given(st.integers(0, 2**32 - 1), st.binary(max_size=40), st.integers(0, 2**16 - 1))
def test_a_public_area_that_is_defined_is_read_back(index: int, policy: bytes, size: int) -> None:
    public = NvPublic(index=index, policy=policy, size=size)
    command = nv_define(public)
    area = command[command.index(EMPTY_PASSWORD_BYTES) + len(EMPTY_PASSWORD_BYTES) + 2 :]
    assert parse_nv_public(area + b"\0\0") == public


EMPTY_PASSWORD_BYTES = bytes.fromhex(EMPTY_PASSWORD)


@given(st.binary(max_size=128), st.binary(min_size=32, max_size=32))
def test_sealed_data_is_in_its_command_once(data: bytes, policy: bytes) -> None:
    command = create_sealed(0x81000001, data, policy)
    size, code, parent = struct.unpack_from(">III", command, 2)
    assert (size, code, parent) == (len(command), 0x153, 0x81000001)
    sensitive = struct.pack(">HHH", len(data) + 4, 0, len(data)) + data
    assert sensitive in command
    assert load(1, SealedObject(b"pub", b"priv")).endswith(b"\0\4priv\0\3pub")


@given(st.dictionaries(st.integers(0, PCR_COUNT - 1), st.binary(min_size=32, max_size=32), min_size=1, max_size=8))
def test_a_policy_depends_on_each_value(values: dict[int, bytes]) -> None:
    policies = {pcr_policy(values)}
    for pcr, value in values.items():
        policies.add(pcr_policy({**values, pcr: bytes([value[0] ^ 1]) + value[1:]}))
    assert len(policies) == len(values) + 1
    assert pcr_policy(dict(reversed(values.items()))) == pcr_policy(values)


AREAS = st.binary(min_size=1, max_size=MAX_PART)
SECRETS = st.builds(
    SealedSecret, PCRS, st.lists(st.builds(SealedObject, AREAS, AREAS), min_size=1, max_size=MAX_PARTS).map(tuple)
)


@given(SECRETS)
def test_a_sealed_file_is_read_as_it_was_written(secret: SealedSecret) -> None:
    content = serialise_sealed(secret)
    assert len(content) <= MAX_BYTES
    assert parse_sealed("file", content) == secret


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not JSON"),
        (b"[]", "must be an object"),
        (b"{}", "Format"),
        (b'{"Format":2,"Pcrs":[13],"Parts":[{"Public":"AA==","Private":"AA=="}]}', "newer version"),
        (b'{"Format":1,"Pcrs":[24],"Parts":[{"Public":"AA==","Private":"AA=="}]}', "from 0 to 23"),
        (b'{"Format":1,"Pcrs":[],"Parts":[{"Public":"AA==","Private":"AA=="}]}', "from 0 to 23"),
        (b'{"Format":1,"Pcrs":[13],"Parts":[]}', "must not be empty"),
        (b'{"Format":1,"Pcrs":[13],"Parts":[{"Public":"!","Private":"AA=="}]}', "is not base64"),
        (b'{"Format":1,"Pcrs":[13],"Parts":[{"Public":"","Private":"AA=="}]}', "Public: must not be empty"),
        (b'{"Format":1,"Pcrs":[13],"Parts":[' + b",".join([b"{}"] * 9) + b"]}", "Parts"),
        (b" " * (MAX_BYTES + 1), "more than"),
        (
            b'{"Format":1,"Pcrs":[13],"Parts":[{"Private":"AA==","Public":"' + b"AAAA" * (MAX_PART // 3 + 1) + b'"}]}',
            "Public: has 51",
        ),
    ],
)
def test_a_file_that_is_not_as_it_must_be_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        parse_sealed("file", content)


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    try:
        parse_sealed("file", content)
    except BadInput:
        return

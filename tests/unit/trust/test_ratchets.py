"""Numbers that never go down, and what a kernel says about its own trust."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.domain.errors import BadInput
from gprov.domain.image.manifest import MAX_SECURITY_VERSION
from gprov.domain.trust.built_in import (
    CHAIN_PATH,
    POLICY_FILE,
    SECURITY_VERSION_FILE,
    BuiltInTrust,
    default_policy,
    parse_policy,
    parse_security_version,
    serialise_policy,
    serialise_security_version,
)
from gprov.domain.trust.chain import check_chain, serialise_chain
from gprov.domain.trust.policy import TrustPolicy
from gprov.domain.trust.ratchets import RatchetValues, parse_ratchets, serialise_ratchets
from tests.unit.trust.owner import first_chain

CHAIN = check_chain("c", first_chain(), PythonVerifier())
VALUES = st.builds(RatchetValues, st.integers(0, 2**31), st.integers(0, 2**31))


@given(VALUES)
def test_ratchets_are_read_as_written(values: RatchetValues) -> None:
    assert parse_ratchets("r", serialise_ratchets(values)) == values


@given(VALUES, VALUES)
def test_ratchets_never_go_down(one: RatchetValues, other: RatchetValues) -> None:
    raised = one.raised_to(other)
    assert raised.security_floor == max(one.security_floor, other.security_floor)
    assert raised.trust_version == max(one.trust_version, other.trust_version)


def test_the_form_of_the_record() -> None:
    data = b'{\n "Format": 1,\n "SecurityFloor": 3,\n "TrustVersion": 4\n}\n'
    assert serialise_ratchets(RatchetValues(3, 4)) == data


def test_damaged_ratchets() -> None:
    with pytest.raises(BadInput) as caught:
        parse_ratchets("r", b'{"Format": 1, "SecurityFloor": -1}')
    assert [str(one) for one in caught.value.problems] == [
        "$.SecurityFloor: must be at least 0, is -1",
        "$.TrustVersion: is missing",
    ]


@pytest.mark.parametrize("policy", TrustPolicy)
def test_a_policy_is_read_as_written(policy: TrustPolicy) -> None:
    assert parse_policy("p", serialise_policy(policy)) is policy


def test_a_policy_that_is_unknown() -> None:
    with pytest.raises(BadInput, match="must be one of off, warn, enforce, enforce-always, is 'Enforce'"):
        parse_policy("p", b"Enforce\n")


def test_keys_are_enforced_unless_said_otherwise() -> None:
    assert default_policy(has_keys=True) is TrustPolicy.ENFORCE
    assert default_policy(has_keys=False) is TrustPolicy.WARN


@given(st.integers(0, MAX_SECURITY_VERSION))
def test_a_security_version_is_read_as_written(version: int) -> None:
    assert parse_security_version("v", serialise_security_version(version)) == version


@pytest.mark.parametrize("content", [b"", b"-1", b"1.0", b"2147483648", b"9" * 40, b"1 2", "٣".encode()])
def test_a_security_version_that_is_none(content: bytes) -> None:
    with pytest.raises(BadInput, match="must be a number from 0 to"):
        parse_security_version("v", content)


def test_files_of_a_kernel_with_keys() -> None:
    assert BuiltInTrust(CHAIN, None, 7).files() == {
        CHAIN_PATH: serialise_chain(CHAIN),
        POLICY_FILE: b"enforce\n",
        SECURITY_VERSION_FILE: b"7\n",
    }
    assert BuiltInTrust(CHAIN, TrustPolicy.WARN).files()[POLICY_FILE] == b"warn\n"


def test_files_of_a_kernel_without_keys() -> None:
    assert BuiltInTrust().files() == {}
    assert BuiltInTrust(None, TrustPolicy.OFF).files() == {POLICY_FILE: b"off\n", SECURITY_VERSION_FILE: b"0\n"}
    assert BuiltInTrust(security_version=3).files() == {POLICY_FILE: b"warn\n", SECURITY_VERSION_FILE: b"3\n"}


@pytest.mark.parametrize("policy", [TrustPolicy.ENFORCE, TrustPolicy.ENFORCE_ALWAYS])
def test_a_kernel_that_would_refuse_every_image(policy: TrustPolicy) -> None:
    with pytest.raises(BadInput, match="without a trust chain refuses every image"):
        BuiltInTrust(None, policy).files()

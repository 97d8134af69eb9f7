"""Host identity: valid for every serial number, the same for the same one."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.branding import Branding
from gprov.domain.unit.hostid import host_identity

BRANDING = Branding()
# RFC 1123, section 2.1: letters, digits and hyphens, neither first nor last a hyphen.
VALID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@pytest.mark.parametrize(
    ("serial", "hostname"),
    [
        ("QEMU01234", "gp-qemu01234"),
        ("AB/12 c.d", "gp-ab-12-c-d"),
        ("x_", "gp-x0"),
        ("x--", "gp-x-0"),
        ("é1", "gp--1"),
        ("\u212a1", "gp--1"),
        ("", "gp0"),
        # values of the earlier Go system's tests (pkg/recovery)
        ("sadfl.", "gp-sadfl0"),
        ("AFDS", "gp-afds"),
        ("#$%@%%", "gp------0"),
    ],
)
def test_host_names(serial: str, hostname: str) -> None:
    assert host_identity(serial, BRANDING).hostname == hostname


def test_the_machine_id_of_a_known_serial_number() -> None:
    # printf %s QEMU01234QEMU01234 | sha1sum | cut -c 1-32
    assert host_identity("QEMU01234", BRANDING).machine_id == "35ca4f778a09240cebe214f1ee5a03e9"


def test_two_long_serial_numbers_stay_apart() -> None:
    first, second = (host_identity("S" * 80 + last, BRANDING).hostname for last in "12")
    assert first != second
    assert len(first) == len(second) == 63


def test_the_longest_name_is_not_shortened() -> None:
    assert host_identity("A" * 60, BRANDING).hostname == "gp-" + "a" * 60


@settings(max_examples=200)
@given(st.text(max_size=90), st.sampled_from(("gp-", "", "-", "Unit_", "X" * 70, "é")))
def test_any_serial_number_and_prefix(serial: str, prefix: str) -> None:
    identity = host_identity(serial, replace(BRANDING, hostname_prefix=prefix))
    assert VALID.fullmatch(identity.hostname)
    assert re.fullmatch(r"[0-9a-f]{32}", identity.machine_id)
    assert identity.serial == serial
    assert identity.machine_id == host_identity(serial, BRANDING).machine_id

"""Interfaces: ours, in order, with their labels."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.unit.netconfig import default_files
from gprov.domain.unit.nics import (
    Nic,
    NicInfo,
    mac_prefix,
    macs_consecutive,
    own_nics,
    sharing,
    sorted_by_mac,
    usable_nics,
)

OWN = "56:78:90"
A, B, C = (
    Nic(name=name, mac=f"56:78:90:00:00:{last}") for name, last in (("eth2", "09"), ("eth0", "0a"), ("eth1", "0b"))
)
FOREIGN = Nic(name="usb0", mac="02:00:00:00:00:01")


def test_order_is_by_mac_whatever_the_names() -> None:
    assert sorted_by_mac([C, A, B]) == (A, B, C)
    assert (
        sorted_by_mac([Nic(name="b", mac="00:ff:00:00:00:00"), Nic(name="a", mac="01:00:00:00:00:00")])[0].name == "b"
    )


def test_equal_macs_are_both_kept() -> None:
    twin = Nic(name="eth9", mac=A.mac)
    assert sorted_by_mac([twin, A]) == (A, twin)


def test_ports_with_one_mac_are_ordered_by_place_then_by_name() -> None:
    lans = [Nic(name=f"lan{number}", mac=A.mac) for number in (10, 2, 1)]
    assert [nic.name for nic in sorted_by_mac(lans)] == ["lan1", "lan2", "lan10"]
    slots = [Nic(name="eth0", mac=A.mac, path="pci-0000:10:00.0"), Nic(name="eth1", mac=A.mac, path="pci-0000:03:00.1")]
    assert [nic.name for nic in sorted_by_mac(slots)] == ["eth1", "eth0"]


def test_who_shares_a_mac() -> None:
    twin = Nic(name="eth9", mac=A.mac.upper())
    assert sharing([A, B, C, twin]) == ((A, twin),)
    assert sharing([A, B, C]) == ()


@settings(max_examples=100)
@given(st.lists(st.binary(min_size=6, max_size=6), unique=True, max_size=8), st.integers())
def test_order_is_that_of_the_numbers_and_does_not_depend_on_the_input(macs: list[bytes], seed: int) -> None:
    nics = [Nic(name=f"e{index}", mac=mac.hex(":")) for index, mac in enumerate(macs)]
    shuffled = random.Random(seed).sample(nics, len(nics))
    assert sorted_by_mac(shuffled) == sorted_by_mac(nics)
    assert [bytes.fromhex(nic.mac.replace(":", "")) for nic in sorted_by_mac(nics)] == sorted(macs)


@pytest.mark.parametrize(
    ("prefixes", "found"),
    [
        ((OWN,), (A, B, C)),
        (("56:78:90:",), (A, B, C)),
        (("02",), (FOREIGN,)),
        (("02", OWN), (FOREIGN, A, B, C)),
        (("*",), (FOREIGN, A, B, C)),
        ((), ()),
        (("5",), ()),
        (("56:78:9",), ()),
        (("56:78:90:00:00:0a",), (B,)),
    ],
)
def test_own(prefixes: tuple[str, ...], found: tuple[Nic, ...]) -> None:
    assert own_nics([C, FOREIGN, A, B], prefixes) == found


def test_usable_ones_are_own_by_the_brand_or_by_the_platform() -> None:
    nics = [C, FOREIGN, A, B]
    assert usable_nics(nics, NicInfo(), OWN) == (A, B, C)
    assert usable_nics(nics, NicInfo(mac_prefixes=("02",)), OWN) == (FOREIGN,)
    assert usable_nics(nics, NicInfo(mac_prefixes=("*",)), OWN) == (FOREIGN, A, B, C)


def test_shared_diagnostic_ports_are_counted_among_the_own_and_skipped() -> None:
    assert usable_nics([FOREIGN, C, A, B], NicInfo(diag_ports=(0, 2)), OWN) == (B,)
    assert usable_nics([A], NicInfo(diag_ports=(5,)), OWN) == (A,)


@pytest.mark.parametrize(
    ("macs", "result"),
    [
        ((), True),
        (("56:78:90:00:00:01",), True),
        (("56:78:90:00:00:02", "56:78:90:00:00:01"), True),
        (("56:78:90:00:00:ff", "56:78:90:00:01:00"), True),
        (("56:78:90:00:00:09", "56:78:90:00:00:10"), False),
        (("56:78:90:00:00:01", "56:78:90:00:00:03"), False),
        (("56:78:90:00:00:01", "56:78:90:00:00:01"), False),
        (("", "56:78:90:00:00:01"), False),
    ],
)
def test_sequential(macs: tuple[str, ...], result: bool) -> None:
    assert macs_consecutive(Nic(name=f"e{index}", mac=mac) for index, mac in enumerate(macs)) is result


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("56:78:90", "56:78:90"),
        ("A0:B1", "a0:b1"),
        ("a0:b1:", "a0:b1"),
        ("a:1", "0a:01"),
        ("00:11:22:33:44:55", "00:11:22:33:44:55"),
        ("", None),
        ("*", None),
        ("56:78:90:1:2:3:4", None),
        ("567", None),
        ("56-78-90", None),
        ("g0", None),
        ("56::78", None),
    ],
)
def test_mac_prefix(text: str, prefix: str | None) -> None:
    assert mac_prefix(text) == prefix


@pytest.mark.parametrize(
    ("macs", "consecutive"),
    [
        (["00:26:FD:A0:34:A1", "00:26:FD:A0:34:A0"], True),
        (["0c:c4:7a:6b:96:cc", "0c:c4:7a:6b:96:cd", "0c:c4:7a:6b:96:ce", "0c:c4:7a:6b:96:cf"], True),
        (["00:26:FD:A0:34:A1", "00:26:FD:A0:34:A0", "00:26:FD:A0:34:A3"], False),
        (["00:26:FD:A0:34:A1", "00:26:FD:A0:34:A0", "00:26:FD:A0:34:A0"], False),
        (["00:26:FD:A0:34:A1"], True),
    ],
)
def test_consecutive_macs_in_the_field(macs: list[str], consecutive: bool) -> None:
    """Values of the earlier Go system's tests (pkg/hw/nic)."""
    assert macs_consecutive([Nic(name=f"e{at}", mac=mac) for at, mac in enumerate(macs)]) is consecutive


def test_the_order_of_ports_of_several_makers() -> None:
    """Values of the earlier Go system's tests (pkg/hw/nic)."""
    macs = [
        "0c:c4:7a:6b:96:cc",
        "0c:c4:7a:6b:96:cd",
        "00:26:FD:A0:34:A1",
        "0c:c4:7a:6a:96:cd",
        "0d:c4:7a:6b:96:cd",
        "00:26:FD:A0:34:A0",
        "0c:c4:7a:6b:96:ce",
        "0c:c4:7a:6b:96:cf",
    ]
    nics = [Nic(name=f"e{at}", mac=mac) for at, mac in enumerate(macs)]
    assert [nic.name for nic in sorted_by_mac(nics)] == ["e5", "e2", "e3", "e0", "e1", "e6", "e7", "e4"]


def test_ports_of_a_unit_with_a_port_for_diagnosis() -> None:
    """Values of the earlier Go system's tests (pkg/systemd/networkd): the foreign port is left out."""
    macs = ["00:1b:21:c6:d0:10", "d4:3d:7e:2d:25:05", "ba:fa:1f:78:e6:3d", "d4:3d:7e:77:88:99"]
    nics = [Nic(name=f"e{at}", mac=mac) for at, mac in enumerate(macs)]
    info = NicInfo(diag_ports=(0,), wan_index=0, names=("p0", "p1"), mac_prefixes=("00:1b:21", "d4:3d:7e"))
    assert [nic.name for nic in usable_nics(nics, info, OWN)] == ["e1", "e3"]
    files = default_files(own_nics(nics, info.mac_prefixes), diagnostic=info.diag_ports, names=info.names)
    networks = [files[f"{macs[at].replace(':', '')}.network"].decode() for at in (0, 1, 3)]
    assert len(files) == 6
    assert ["DHCP=yes" in text for text in networks] == [False, True, True]
    for name, at in (("DIAG", 0), ("p0", 1), ("p1", 3)):
        assert name in files[f"{macs[at].replace(':', '')}.link"].decode()

"""Default network files, read back by the standard library's INI parser (which accepts what they use of the format)."""

from __future__ import annotations

import configparser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.unit.netconfig import default_files
from gprov.domain.unit.nics import Nic

NICS = tuple(Nic(f"eth{index}", f"00:1b:21:c6:d0:1{index}") for index in range(4))


def parsed(content: bytes) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep the case of keys
    parser.read_string(content.decode("ascii"))
    return parser


def test_ports_of_a_platform() -> None:
    files = default_files(NICS, diagnostic=[0], wan=1, names=["Port 1", "Port 2 (WAN)"])
    aliases = {}
    for nic in NICS:
        stem = nic.mac.replace(":", "")
        link, network = parsed(files.pop(f"{stem}.link")), parsed(files.pop(f"{stem}.network"))
        assert link["Match"]["MACAddress"] == network["Match"]["MACAddress"] == nic.mac.upper()
        aliases[link["Link"]["Alias"]] = network
    assert files == {}
    assert list(aliases) == ["DIAG", "Port 1", "Port 2 (WAN)", "Port 3"]
    assert [network["Network"]["DHCP"] for network in aliases.values()] == ["no", "yes", "yes", "yes"]
    # A port without a cable must not hold up the boot; the WAN port's route must win over the others'.
    required = [network.get("Link", "RequiredForOnline", fallback="yes") for network in aliases.values()]
    assert required == ["no", "no", "yes", "no"]
    metrics = [network.get("DHCPv4", "RouteMetric", fallback="1024") for network in aliases.values()]
    assert metrics == ["1024", "2048", "1024", "2048"]


def test_several_diagnostic_ports_are_told_apart() -> None:
    files = default_files(NICS, diagnostic=[1, 3])
    aliases = [parsed(content)["Link"]["Alias"] for name, content in files.items() if name.endswith(".link")]
    assert aliases == ["Port 1", "DIAG1", "Port 2", "DIAG3"]


@pytest.mark.parametrize("name", ["a\n[Network]\nAddress=6.6.6.6/8", "ümlaut", "x" * 400, "% {alias} %%"])
def test_a_name_stays_on_its_line(name: str) -> None:
    files = default_files(NICS[:1], names=[name])
    for content in files.values():
        parser = parsed(content)
        assert set(parser.sections()) <= {"Match", "Link", "Network"}
        assert not [line for line in content.splitlines() if line.startswith(b"Address")]
        assert max(len(line) for line in content.splitlines()) < 300


@settings(max_examples=100)
@given(st.integers(0, 4), st.sets(st.integers(0, 5)), st.integers(0, 5), st.lists(st.text(max_size=20), max_size=5))
def test_any_platform_gives_two_valid_files_per_port(
    count: int, diagnostic: set[int], wan: int, names: list[str]
) -> None:
    files = default_files(NICS[:count], diagnostic=diagnostic, wan=wan, names=names)
    assert len(files) == 2 * count
    for content in files.values():
        assert "Match" in parsed(content)

"""Default network files, read back by the standard library's INI parser (which accepts what they use of the format)."""

from __future__ import annotations

import configparser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.unit.netconfig import default_files
from gprov.domain.unit.nics import Nic

NICS = tuple(Nic(name=f"eth{index}", mac=f"00:1b:21:c6:d0:1{index}") for index in range(4))


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


MAC = "56:78:90:00:00:01"


def matches(files: dict[str, bytes], kind: str) -> list[dict[str, str]]:
    return [dict(parsed(content)["Match"]) for name, content in files.items() if name.endswith(kind)]


def test_ports_with_one_mac_in_several_slots_are_told_apart_by_place() -> None:
    files = default_files([Nic(name=f"eth{slot}", mac=MAC, path=f"pci-0000:0{slot}:00.0") for slot in (3, 4)])
    wanted = [{"MACAddress": MAC, "Path": "pci-0000:03:00.0"}, {"MACAddress": MAC, "Path": "pci-0000:04:00.0"}]
    assert matches(files, ".link") == matches(files, ".network") == wanted
    assert sorted(files) == [f"567890000001-{n}.{kind}" for n in (1, 2) for kind in ("link", "network")]
    assert [parsed(content)["Network"]["DHCP"] for name, content in files.items() if ".n" in name] == ["yes", "yes"]
    assert b"RouteMetric" not in files["567890000001-1.network"]
    assert b"RouteMetric" in files["567890000001-2.network"]


def test_ports_of_one_switch_chip_are_told_apart_by_name_and_keep_it() -> None:
    files = default_files(
        [Nic(name="lan1", mac=MAC), Nic(name="lan2", mac=MAC), Nic(name="eth0", mac="56:78:90:00:00:02")]
    )
    assert matches(files, ".network") == [
        {"MACAddress": MAC, "Name": "lan1"},
        {"MACAddress": MAC, "Name": "lan2"},
        {"MACAddress": "56:78:90:00:00:02"},
    ]
    assert [match.get("OriginalName") for match in matches(files, ".link")] == ["lan1", "lan2", None]
    links = [parsed(content)["Link"] for name, content in files.items() if name.endswith(".link")]
    assert [(link.get("Name"), link.get("NamePolicy") is not None) for link in links] == [
        ("lan1", False), ("lan2", False), (None, True),
    ]  # fmt: skip


some_nics = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["", "pci-0000:03:00.0", "pci-0000:03:00.1"])), max_size=6
).map(
    lambda facts: [Nic(name=f"eth{n}", mac=f"56:78:90:00:00:0{mac}", path=path) for n, (mac, path) in enumerate(facts)]
)


@settings(max_examples=200)
@given(some_nics)
def test_every_port_is_matched_by_its_own_files_and_by_no_others(nics: list[Nic]) -> None:
    files = default_files(nics)
    assert len(files) == 2 * len(nics)
    for kind in (".link", ".network"):
        found = matches(files, kind)
        for position, nic in enumerate(nics):
            facts = {"MACAddress": nic.mac.upper(), "Path": nic.path, "Name": nic.name, "OriginalName": nic.name}
            fitting = [place for place, match in enumerate(found) if match.items() <= facts.items()]
            assert fitting == [position]

"""The configuration that is printed for dnsmasq. Its effect in the real dnsmasq: tests/integ/net."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from gprov.apps.host.cli.main import main
from gprov.domain.errors import BadInput
from gprov.domain.factory.dnsmasq import AddressRange, NetbootService, dnsmasq_configuration

SERVER = "http://10.1.0.1:8901"
FIRST, LAST, MASK = IPv4Address("10.1.0.100"), IPv4Address("10.1.0.200"), IPv4Address("255.255.255.0")


def settings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_only_server(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["server", "dnsmasq", "--interface", "eth1", "--server", SERVER, "--range", f"{FIRST},{LAST},{MASK}"]
    assert main(words) == 0
    lines = settings(capsys.readouterr().out)
    assert {"port=0", "interface=eth1", "dhcp-authoritative", "tftp-root=/usr/lib/ipxe"} < set(lines)
    assert "dhcp-range=10.1.0.100,10.1.0.200,255.255.255.0,1h" in lines
    assert f"dhcp-boot=tag:ipxe,{SERVER}/boot.ipxe" in lines


def test_a_router_is_announced_if_there_is_one() -> None:
    def options(router: IPv4Address | None) -> list[str]:
        service = NetbootService("eth1", SERVER, AddressRange(FIRST, LAST, MASK, router))
        return [line for line in settings(dnsmasq_configuration(service)) if line.startswith("dhcp-option")]

    assert options(None) == ["dhcp-option=option:router"]
    assert options(IPv4Address("10.1.0.254")) == ["dhcp-option=option:router,10.1.0.254"]


def test_beside_another_server_no_address_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["server", "dnsmasq", "--interface", "eth1", "--server", SERVER, "--proxy", "10.1.0.0/24"]) == 0
    lines = settings(capsys.readouterr().out)
    assert [line for line in lines if line.startswith("dhcp-range")] == ["dhcp-range=10.1.0.0,proxy,255.255.255.0"]
    assert "dhcp-authoritative" not in lines


@pytest.mark.parametrize(
    ("interface", "server", "addresses", "tftp"),
    [
        ("eth1\nport=53", SERVER, IPv4Network("10.1.0.0/24"), "/x"),
        ("", SERVER, IPv4Network("10.1.0.0/24"), "/x"),
        ("eth1", "http://a,b/", IPv4Network("10.1.0.0/24"), "/x"),
        ("eth1", f"{SERVER}/path", IPv4Network("10.1.0.0/24"), "/x"),
        ("eth1", "http://factory:8901", IPv4Network("10.1.0.0/24"), "/x"),
        ("eth1", SERVER, IPv4Network("10.1.0.0/24"), "relative"),
        ("eth1", SERVER, IPv4Network("10.1.0.0/24"), "/x,eth0"),
        ("eth1", SERVER, AddressRange(LAST, FIRST), "/x"),
        ("eth1", SERVER, AddressRange(FIRST, IPv4Address("10.2.0.1"), MASK), "/x"),
        ("eth1", SERVER, AddressRange(FIRST, LAST, MASK, IPv4Address("10.2.0.1")), "/x"),
    ],
)
def test_invalid_values_are_refused(
    interface: str, server: str, addresses: AddressRange | IPv4Network, tftp: str
) -> None:
    with pytest.raises(BadInput):
        dnsmasq_configuration(NetbootService(interface, server, addresses, tftp))


@pytest.mark.parametrize(
    "words",
    [
        ["server"],
        ["server", "dnsmasq", "--interface", "e", "--server", SERVER],
        ["server", "dnsmasq", "--interface", "e", "--server", SERVER, "--range", "1,2"],
        ["server", "dnsmasq", "--interface", "e", "--server", SERVER, "--range", "10.0.0.1,10.0.0.2,255.0.255.0"],
        ["server", "dnsmasq", "--interface", "e", "--server", SERVER, "--proxy", "10.0.0.0/24", "--router", "10.0.0.1"],
        ["server", "--data", "/nonexistent", "--public-url", "http://a/b"],
    ],
)
def test_usage(words: list[str]) -> None:
    try:
        status = main(words)
    except SystemExit as exc:
        status = int(str(exc.code))
    assert status == 2


@pytest.mark.parametrize(
    "addresses", [AddressRange(FIRST, LAST, MASK), IPv4Network("10.1.0.0/24")], ids=["range", "proxy"]
)
def test_an_ipxe_that_has_its_script_inside_is_sent_to_all(addresses: AddressRange | IPv4Network) -> None:
    """To other ones as well, such as those in option ROMs: they must not get a script from a server that they cannot
    verify."""
    text = dnsmasq_configuration(NetbootService("eth1", "https://10.1.0.1:8900", addresses, "/srv/tftp"))
    assert "boot.ipxe" not in text
    assert "tag:ipxe," not in text.replace("set:ipxe,", "")
    assert "undionly.kpxe" in text
    assert "snponly.efi" in text


def test_https_with_debians_ipxe_is_refused() -> None:
    with pytest.raises(BadInput, match="Debian's iPXE has no TLS"):
        dnsmasq_configuration(NetbootService("eth1", "https://10.1.0.1:8900", AddressRange(FIRST, LAST, MASK)))

"""A configuration of dnsmasq that starts machines over the network: DHCP and TFTP, or TFTP beside a DHCP server that is
there already (proxyDHCP). Pure.

Firmware is distinguished by DHCP option 93, the client's architecture (RFC 4578, section 2.1), and gets iPXE for it
over TFTP. iPXE asks again, as user class "iPXE" and with its own option 175, and gets the script over HTTP: without
that distinction it would load itself for ever. An iPXE that has its script inside needs no such answer. Options:
dnsmasq(8), version 2.80 or later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from urllib.parse import urlsplit

from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory.netboot import SCRIPT, base_problem
from gprov.domain.unit.trust import is_encrypted

# Where Debian's package ipxe puts its programs.
TFTP_ROOT = "/usr/lib/ipxe"
BIOS_LOADER = "undionly.kpxe"
UEFI_LOADER = "snponly.efi"
# Option 93. Firmware for x86-64 sends 7, after RFC 4578, or 9, after its erratum and IANA's registry.
_BIOS = (0,)
_UEFI = (7, 9)

_INTERFACE = re.compile(r"[A-Za-z0-9_.:-]{1,15}")
# No character that ends a value in dnsmasq's file or that it reads as an escape.
_PATH = re.compile(r"/[A-Za-z0-9_.+/@:-]*")


@dataclass(frozen=True, slots=True)
class AddressRange:
    """Addresses that are leased. ``router``: None on a network without one."""

    first: IPv4Address
    last: IPv4Address
    netmask: IPv4Address | None = None
    router: IPv4Address | None = None


@dataclass(frozen=True, slots=True)
class NetbootService:
    """``interface``: of the network with the machines. ``server``: URL at which they reach the factory server.
    ``addresses``: a range to lease from, or the network of another DHCP server that leases them; ``server`` must hold
    an IPv4 address then. An https URL needs iPXE of ``gprov build ipxe`` in ``tftp_root``."""

    interface: str
    server: str
    addresses: AddressRange | IPv4Network
    tftp_root: str = TFTP_ROOT


def dnsmasq_configuration(service: NetbootService) -> str:
    """Content of a configuration file. Raises BadInput with every problem."""
    problems = list(_problems(service))
    if problems:
        raise BadInput("dnsmasq configuration", problems)
    script = f"{service.server.rstrip('/')}/{SCRIPT}"
    return "\n".join([*_common(service), *_clients(), *_answers(service, script), ""])


def _problems(service: NetbootService) -> list[Problem]:
    found = []
    if not _INTERFACE.fullmatch(service.interface):
        found.append(Problem("interface", f"{service.interface!r} is not an interface name"))
    problem = base_problem(service.server)
    if problem:
        found.append(Problem("server", problem))
    if not problem and is_encrypted(service.server) and service.tftp_root == TFTP_ROOT:
        how = "name the http port for iPXE, or a TFTP folder with iPXE of `gprov build ipxe`"
        found.append(Problem("server", f"Debian's iPXE has no TLS: {how}"))
    if not _PATH.fullmatch(service.tftp_root):
        wrong = f"{service.tftp_root!r} must be an absolute path of letters, digits and _ . + @ : -"
        found.append(Problem("TFTP folder", wrong))
    addresses = service.addresses
    if isinstance(addresses, AddressRange):
        if addresses.last < addresses.first:
            found.append(Problem("range", f"{addresses.last} comes before {addresses.first}"))
        elif addresses.netmask is not None:
            network = IPv4Network(f"{addresses.first}/{addresses.netmask}", strict=False)
            outside = [each for each in (addresses.last, addresses.router) if each is not None and each not in network]
            found += [Problem("range", f"{each} is not in {network}") for each in outside]
    elif not problem and _address(service.server) is None:
        found.append(Problem("server", "must hold an IPv4 address, not a name, for iPXE beside another DHCP server"))
    return found


def _address(server: str) -> IPv4Address | None:
    try:
        return IPv4Address(urlsplit(server).hostname or "")
    except ValueError:
        return None


def _common(service: NetbootService) -> list[str]:
    return [
        "# Made by `gprov server dnsmasq`: machines start provisioning over the network.",
        "",
        "# No DNS, and nothing on any other interface.",
        "port=0",
        f"interface={service.interface}",
        "except-interface=lo",
        "bind-dynamic",
        "log-dhcp",
        "",
        "# iPXE, for machines whose firmware has no HTTP; the folder holds nothing else.",
        "enable-tftp",
        f"tftp-root={service.tftp_root}",
        "",
    ]


def _clients() -> list[str]:
    return [
        "# Clients: iPXE (by user class, or by its own option), else firmware by its architecture.",
        "dhcp-userclass=set:ipxe,iPXE",
        "dhcp-match=set:ipxe,175",
        *(f"dhcp-match=set:bios,option:client-arch,{number}" for number in _BIOS),
        *(f"dhcp-match=set:uefi,option:client-arch,{number}" for number in _UEFI),
        "",
    ]


def _answers(service: NetbootService, script: str) -> list[str]:
    addresses, own = service.addresses, is_encrypted(service.server)
    if isinstance(addresses, AddressRange):
        return [*_lease(addresses), *_boot(script, own=own)]
    others = "" if own else "tag:!ipxe,"
    return [
        f"# Another DHCP server leases the addresses of {addresses}; this one announces what to start.",
        f"dhcp-range={addresses.network_address},proxy,{addresses.netmask}",
        "",
        *([] if own else _script_of_proxy(script, service.server)),
        *(f'pxe-service={others}{number},"gprov",{BIOS_LOADER}' for number in _BIOS),
        *(f'pxe-service={others}{number},"gprov",{UEFI_LOADER}' for number in _UEFI),
    ]


def _lease(addresses: AddressRange) -> list[str]:
    mask = f",{addresses.netmask}" if addresses.netmask is not None else ""
    router = f",{addresses.router}" if addresses.router is not None else ""  # without a value: none is announced
    return [
        "# The only DHCP server of this network.",
        f"dhcp-range={addresses.first},{addresses.last}{mask},1h",
        "dhcp-authoritative",
        f"dhcp-option=option:router{router}",
        "",
    ]


def _script_of_proxy(script: str, server: str) -> list[str]:
    return [
        "# iPXE ignores an offer without the address of a server.",
        f"dhcp-boot=tag:ipxe,{script},,{_address(server)}",
    ]


def _boot(script: str, *, own: bool) -> list[str]:
    """``own``: for an iPXE of ``gprov build ipxe``, which has its script inside; other ones load it."""
    if own:
        return [f"dhcp-boot=tag:bios,{BIOS_LOADER}", f"dhcp-boot=tag:uefi,{UEFI_LOADER}"]
    return [
        f"dhcp-boot=tag:ipxe,{script}",
        f"dhcp-boot=tag:!ipxe,tag:bios,{BIOS_LOADER}",
        f"dhcp-boot=tag:!ipxe,tag:uefi,{UEFI_LOADER}",
    ]

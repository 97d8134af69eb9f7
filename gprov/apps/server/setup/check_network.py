"""Checks of the network of the machines: dnsmasq, the interface, other DHCP servers, files on other servers."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from gprov.adapters.linux.net.dhcp_probe import offers
from gprov.adapters.linux.net.file_check import network_problems
from gprov.apps.server.setup.reading import read_small
from gprov.domain.errors import DeviceFault, DeviceMissing, ToolFailed, ToolMissing
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.setup.finding import Finding, problem, warning
from gprov.domain.factory.setup.new_folder import DNSMASQ
from gprov.domain.mfg.files import RemoteFile
from gprov.ports.clock import Clock
from gprov.ports.network import Http
from gprov.ports.process import Processes

_INTERFACE = re.compile(r"^interface=(\S+)$", re.MULTILINE)
_TFTP = re.compile(r"^tftp-root=(\S+)$", re.MULTILINE)
_PROXY = re.compile(r"^dhcp-range=[^\n]*,proxy\b", re.MULTILINE)
_LOADER = re.compile(r"^(?:dhcp-boot=[^\n]*|pxe-service=[^\n]*),([A-Za-z0-9_.-]+\.(?:kpxe|efi|0))$", re.MULTILINE)
_TEST_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCheck:
    """``probe_seconds``: in which other DHCP servers can answer."""

    folder: str
    settings: ServerSettings
    processes: Processes
    http: Http
    clock: Clock
    probe_seconds: float = 3.0

    def findings(self, foreign: Iterable[RemoteFile]) -> Iterator[Finding]:
        """``foreign``: files that units fetch from other servers."""
        yield from self._dhcp()
        for found, certain in network_problems(self.http, foreign):
            yield (problem if certain else warning)(found.place, found.message)

    def _dhcp(self) -> Iterator[Finding]:
        path = os.path.join(self.folder, DNSMASQ)
        try:
            text = read_small(path).decode(errors="replace")
        except DeviceMissing:
            return  # DHCP and TFTP come from somewhere else
        except DeviceFault as fault:
            yield problem(fault.subject, fault.reason)
            return
        yield from self._syntax(path)
        yield from _loaders(path, text)
        named = _INTERFACE.search(text)
        if named is None:
            yield warning(path, "names no interface: dnsmasq would answer on all of them")
        else:
            yield from self._interface(path, named[1], proxy=_PROXY.search(text) is not None)

    def _syntax(self, path: str) -> Iterator[Finding]:
        try:
            self.processes.run(("dnsmasq", "--test", f"--conf-file={path}"), timeout=_TEST_SECONDS)
        except ToolMissing:
            yield warning(path, "was not checked: dnsmasq is not installed", "install the package dnsmasq")
        except ToolFailed as error:
            yield problem(path, f"dnsmasq refuses it: {' '.join(error.output.split())}")

    def _interface(self, path: str, name: str, *, proxy: bool) -> Iterator[Finding]:
        interfaces = [each for _, each in socket.if_nameindex()]
        if name not in interfaces:
            there = ", ".join(sorted(interfaces))
            yield problem(path, f"this host has no interface {name}", f"it has {there}")
            return
        addresses = self._addresses(name)
        own = _ipv4(self.settings.listen.host)
        if own is not None and not own.is_unspecified and own not in addresses:
            shown = ", ".join(map(str, addresses)) or "none"
            yield problem(name, f"does not have the server's address {own}, but {shown}", "ip address add")
        try:
            found = offers(name, self.clock, self.probe_seconds)
        except DeviceFault as fault:
            yield warning(name, f"other DHCP servers were not looked for: {fault.reason}", "run the check as root")
            return
        others = [offer for offer in found if offer.server not in addresses and not offer.address.is_unspecified]
        if proxy and not others:
            yield problem(
                name, "no DHCP server answers, and dnsmasq.conf expects one (proxy)", "start it, or use a range"
            )
        for offer in () if proxy else others:
            remedy = "stop one of the two, or make dnsmasq.conf with --proxy"
            yield problem(name, f"another DHCP server answers: {offer.server} offers {offer.address}", remedy)

    def _addresses(self, interface: str) -> list[IPv4Address]:
        try:
            done = self.processes.run(("ip", "-json", "-4", "address", "show", "dev", interface), timeout=_TEST_SECONDS)
            entries = json.loads(done.output)
        except (ToolFailed, ToolMissing, ValueError):
            return []
        return [IPv4Address(each["local"]) for entry in entries for each in entry.get("addr_info", ())]


def _loaders(path: str, text: str) -> Iterator[Finding]:
    root = _TFTP.search(text)
    for name in dict.fromkeys(_LOADER.findall(text)) if root else ():
        program = os.path.join(root[1] if root else "", name)
        if not os.path.isfile(program):
            yield problem(path, f"{program} is missing: machines cannot load it", "the package ipxe has it")


def _ipv4(host: str) -> IPv4Address | None:
    try:
        return IPv4Address(host)
    except ValueError:
        return None

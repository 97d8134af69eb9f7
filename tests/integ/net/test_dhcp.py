"""DHCP for real: udhcpc in one network namespace, dnsmasq in another, virtual cables between them.

What came of it is asked of iproute2 and of dnsmasq's log.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CLIENT = Path(__file__).with_name("dhcp_client.py")


def capable() -> bool:
    tools = all(shutil.which(tool) for tool in ("ip", "busybox", "dnsmasq"))
    return (
        tools
        and os.geteuid() == 0
        and not subprocess.run(["unshare", "-n", "true"], check=False, timeout=20).returncode
    )


pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(not capable(), reason="needs root, network namespaces, iproute2, busybox, dnsmasq"),
]


def ip(*words: str) -> Any:
    done = subprocess.run(["ip", "-j", *words], check=True, capture_output=True, timeout=20)
    return json.loads(done.stdout or b"[]")


@dataclass
class Lan:
    """Two cables: ``a0`` and ``b0`` end in the client's namespace, ``a1`` and ``b1`` in the servers'."""

    client: str
    server: str
    folder: Path
    programs: Path
    stack: ExitStack
    servers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def resolv_conf(self) -> Path:
        return self.folder / "resolv.conf"

    @property
    def reports(self) -> str:
        """What the client said beside its outcome."""
        return (self.folder / "reports").read_text()

    def serve(self, interface: str, *options: str, first: int = 10) -> Path:
        """A DHCP server on one cable, from now on the only one there; returns its log."""
        log = self.folder / f"{interface}.log"
        self.end(interface)
        subnet = {"a1": "10.66.0", "b1": "10.77.0"}[interface]
        argv = ["ip", "netns", "exec", self.server, "dnsmasq", "--no-daemon", "--port=0", "--conf-file=/dev/null"]
        argv += [f"--interface={interface}", "--bind-dynamic", "--dhcp-authoritative", "--no-ping", "--log-dhcp"]
        argv += [f"--dhcp-range={subnet}.{first},{subnet}.{first + 10},255.255.255.0,2m", "--user=root"]
        argv += [f"--dhcp-leasefile={self.folder}/{interface}.leases"]
        with log.open("wb") as output:
            server = self.stack.enter_context(subprocess.Popen([*argv, *options], stdout=output, stderr=output))
        self.stack.callback(server.kill)
        self.servers[interface] = server
        return log

    def serve_briefly(self, seconds: int) -> None:
        """Leases that are over soon: dnsmasq gives none for less than two minutes, busybox' server does."""
        configuration = self.folder / "udhcpd.conf"
        lines = ["start 10.77.0.10", "end 10.77.0.20", "interface b1", "min_lease 5", f"lease_file {self.folder}/u"]
        lines += [f"pidfile {self.folder}/udhcpd.pid", f"option lease {seconds}", "option subnet 255.255.255.0"]
        configuration.write_text("\n".join([*lines, "option router 10.77.0.1", "option dns 10.77.0.53", ""]))
        (self.folder / "u").touch()
        argv = ["ip", "netns", "exec", self.server, "busybox", "udhcpd", "-f", str(configuration)]
        server = self.stack.enter_context(subprocess.Popen(argv, stderr=subprocess.DEVNULL))
        self.stack.callback(server.kill)
        self.servers["b1"] = server

    def end(self, interface: str) -> None:
        """Stop the server and delete its leases."""
        server = self.servers.pop(interface, None)
        if server is not None:
            server.kill()
            server.wait(20)
            (self.folder / f"{interface}.leases").unlink(missing_ok=True)

    def renew(self) -> None:
        """As if it were time: udhcpc does on SIGUSR1."""
        assert until(lambda: len(self.dhcp_clients()) == 1)
        os.kill(self.dhcp_clients()[0], signal.SIGUSR1)

    @contextmanager
    def connect(self, seconds: float, *names: str) -> Iterator[dict[str, Any]]:
        argv = ["ip", "netns", "exec", self.client, sys.executable, str(CLIENT), str(self.programs)]
        argv += [str(self.resolv_conf), str(seconds), *names]
        with (
            (self.folder / "reports").open("wb") as reports,
            subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=reports) as child,
        ):
            assert child.stdout is not None
            try:
                yield json.loads(child.stdout.readline())
            finally:
                child.communicate(timeout=20)
        assert child.returncode == 0

    def addresses(self, name: str) -> list[tuple[str, int]]:
        links = ip("-n", self.client, "-4", "addr", "show", "dev", name)
        return [(one["local"], one["prefixlen"]) for link in links for one in link.get("addr_info", [])]

    def routes(self) -> set[tuple[str, str, str]]:
        shown = ip("-n", self.client, "-4", "route")
        return {(route["dst"], route.get("gateway", ""), route["dev"]) for route in shown}

    def dhcp_clients(self) -> list[int]:
        """For an instant a client may be two: it forks to run its script."""
        argv = ["ip", "netns", "pids", self.client]
        found = []
        for pid in subprocess.run(argv, check=True, capture_output=True, timeout=20).stdout.split():
            with suppress(FileNotFoundError, ProcessLookupError):  # ended since it was listed
                if b"udhcpc" in Path(f"/proc/{int(pid)}/cmdline").read_bytes():
                    found.append(int(pid))
        return found


IN_INITRAMFS = "as in the initramfs"
OTHERS = ("busybox alone", "iproute2")


@pytest.fixture(params=[IN_INITRAMFS, *OTHERS])
def lan(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lan]:
    programs = tmp_path / "bin"
    programs.mkdir()
    busybox = shutil.which("busybox") or ""
    links = {
        IN_INITRAMFS: ("ip", "udhcpc", "sh"),
        "busybox alone": ("busybox",),
        "iproute2": ("busybox", "sh"),
    }
    for name in links[request.param]:
        (programs / name).symlink_to(busybox)
    if request.param == "iproute2":
        (programs / "ip").symlink_to(shutil.which("ip") or "")
    client, server = (f"gprov-test-{os.getpid()}-{end}" for end in ("client", "server"))
    with ExitStack() as stack:
        for namespace in (client, server):
            ip("netns", "add", namespace)
            stack.callback(ip, "netns", "del", namespace)
        for cable, subnet in (("a", "10.66.0"), ("b", "10.77.0")):
            ip("-n", client, "link", "add", f"{cable}0", "type", "veth", "peer", "name", f"{cable}1", "netns", server)
            ip("-n", server, "addr", "add", f"{subnet}.1/24", "dev", f"{cable}1")
            ip("-n", server, "link", "set", f"{cable}1", "up")
        yield Lan(client, server, tmp_path, programs, stack)


def until(condition: Any, seconds: float = 10) -> bool:
    """Whether it comes true within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_the_interface_with_a_server_wins(lan: Lan) -> None:
    log = lan.serve("b1", "--dhcp-option=option:dns-server,10.77.0.53,10.77.0.54")
    # Left over, as from the network boot: it must not stay beside the new one.
    ip("-n", lan.client, "addr", "add", "192.0.2.9/24", "dev", "a0")
    ip("-n", lan.client, "addr", "add", "192.0.2.10/24", "dev", "b0")
    with lan.connect(20, "a0", "b0") as lease:
        (address, prefix) = lan.addresses("b0")[0]
        assert lease == {
            "interface": "b0",
            "address": address,
            "prefix": prefix,
            "routes": [{"destination": "0.0.0.0/0", "gateway": "10.77.0.1"}],
            "bad_gateways": [],
            "gateway": "10.77.0.1",
            "name_servers": ["10.77.0.53", "10.77.0.54"],
        }
        assert address.startswith("10.77.0.")
        assert prefix == 24
        assert (len(lan.addresses("b0")), lan.addresses("a0")) == (1, [])
        assert lan.routes() == {("10.77.0.0/24", "", "b0"), ("default", "10.77.0.1", "b0")}
        assert lan.resolv_conf.read_text().split("\n")[:2] == ["nameserver 10.77.0.53", "nameserver 10.77.0.54"]
        # The winner's client stays, and renews when it is time: here, when it is told to.
        assert until(lambda: len(lan.dhcp_clients()) == 1)
        (pid,) = lan.dhcp_clients()
        requests = log.read_text().count("DHCPREQUEST")
        os.kill(pid, signal.SIGUSR1)
        assert until(lambda: log.read_text().count("DHCPREQUEST") > requests)
        assert lan.addresses("b0") == [(address, 24)]
    assert until(lambda: not lan.dhcp_clients())
    assert lan.addresses("b0") == [(address, 24)]


def test_of_two_servers_only_one_counts(lan: Lan) -> None:
    lan.serve("a1")
    lan.serve("b1")
    with lan.connect(20, "a0", "b0") as lease:
        loser = {"a0": "b0", "b0": "a0"}[lease["interface"]]
        assert lan.addresses(loser) == []
        assert [address for address, _ in lan.addresses(lease["interface"])] == [lease["address"]]
        assert {device for _, _, device in lan.routes()} == {lease["interface"]}
        assert until(lambda: len(lan.dhcp_clients()) == 1)


def test_a_gateway_outside_the_subnet_is_reachable(lan: Lan) -> None:
    lan.serve("b1", "--dhcp-option=option:router,172.16.0.1")
    with lan.connect(20, "b0") as lease:
        assert lease["gateway"] == "172.16.0.1"
        assert {("172.16.0.1", "", "b0"), ("default", "172.16.0.1", "b0")} < lan.routes()


def reachable(lan: Lan, address: str) -> bool:
    argv = ["ip", "netns", "exec", lan.client, "busybox", "ping", "-c1", "-W2", address]
    return not subprocess.run(argv, check=False, capture_output=True, timeout=20).returncode


def test_a_factory_server_in_another_subnet_is_reached_by_option_121_alone(lan: Lan) -> None:
    ip("-n", lan.server, "addr", "add", "10.99.0.1/32", "dev", "lo")
    ip("-n", lan.server, "link", "set", "lo", "up")
    # The router option leads nowhere: it must be ignored (RFC 3442).
    lan.serve(
        "b1",
        "--dhcp-option=option:router,10.77.0.250",
        "--dhcp-option=option:classless-static-route,10.99.0.0/16,10.77.0.1,10.98.0.0/16,0.0.0.0",
    )
    with lan.connect(20, "b0") as lease:
        assert lan.routes() == {
            ("10.77.0.0/24", "", "b0"),
            ("10.99.0.0/16", "10.77.0.1", "b0"),
            ("10.98.0.0/16", "", "b0"),
        }
        assert lease["gateway"] == ""
        assert reachable(lan, "10.99.0.1")


def test_routes_of_a_microsoft_server(lan: Lan) -> None:
    lan.serve("b1", "--dhcp-option=249,10.99.0.0/16,10.77.0.1")
    with lan.connect(20, "b0"):
        assert lan.routes() == {("10.77.0.0/24", "", "b0"), ("10.99.0.0/16", "10.77.0.1", "b0")}


def test_a_renewal_brings_other_routes_and_servers(lan: Lan) -> None:
    lan.serve("b1", "--dhcp-option=option:classless-static-route,10.99.0.0/16,10.77.0.1")
    with lan.connect(20, "b0") as lease:
        lan.serve("b1", "--dhcp-option=option:router,172.16.0.1", "--dhcp-option=option:dns-server,10.77.0.99")
        lan.renew()
        changed = {("10.77.0.0/24", "", "b0"), ("172.16.0.1", "", "b0"), ("default", "172.16.0.1", "b0")}
        assert until(lambda: lan.routes() == changed)
        assert lan.addresses("b0") == [(lease["address"], 24)]
        assert until(lambda: "nameserver 10.77.0.99\n" in lan.resolv_conf.read_text())
    assert lan.reports == ""


def test_a_refused_renewal_takes_the_address_away(lan: Lan) -> None:
    log = lan.serve("b1", "--dhcp-option=option:dns-server,10.77.0.53")
    with lan.connect(20, "b0") as lease:
        # Another server took over, with another range: it refuses the address (--dhcp-authoritative), and gives one of
        # its own.
        log = lan.serve("b1", first=40)
        lan.renew()
        assert until(lambda: "DHCPNAK" in log.read_text())
        assert until(lambda: lan.addresses("b0") == [])
        assert lan.routes() == set()
        assert "nameserver" not in lan.resolv_conf.read_text()
        assert until(lambda: len(lan.addresses("b0")) == 1)
        assert lan.addresses("b0") != [(lease["address"], 24)]
        assert until(lambda: ("default", "10.77.0.1", "b0") in lan.routes())
    assert lan.reports.split("\n")[:-1] == [
        f"b0: the address {lease['address']} is given up: the server refused to renew it"
    ]


@pytest.mark.parametrize(
    "lan", [IN_INITRAMFS, *(pytest.param(name, marks=pytest.mark.nightly) for name in OTHERS)], indirect=True
)
def test_a_lease_that_is_not_renewed_ends(lan: Lan) -> None:
    """And one that is renewed does not, however long the work takes."""
    lan.serve_briefly(20)
    with lan.connect(20, "b0") as lease:
        began = time.monotonic()
        here = [(lease["address"], 24)]
        assert not until(lambda: lan.addresses("b0") != here, 25)
        lan.end("b1")
        assert until(lambda: lan.addresses("b0") == [], 40)
        assert time.monotonic() - began > 30
        assert until(lambda: "nameserver" not in lan.resolv_conf.read_text())
        lan.serve("b1")
        assert until(lambda: len(lan.addresses("b0")) == 1, 20)
        assert until(lambda: lan.routes() == {("10.77.0.0/24", "", "b0"), ("default", "10.77.0.1", "b0")})


def test_a_closed_network_needs_no_gateway(lan: Lan) -> None:
    lan.serve("b1", "--dhcp-option=option:router", "--dhcp-option=option:dns-server")
    with lan.connect(20, "b0") as lease:
        assert (lease["gateway"], lease["name_servers"]) == ("", [])
        assert lan.routes() == {("10.77.0.0/24", "", "b0")}


def test_no_server(lan: Lan) -> None:
    began = time.monotonic()
    with lan.connect(3, "a0", "b0") as outcome:
        assert outcome == {"peer": "a0, b0", "reason": "no DHCP lease within 3 s"}
        assert time.monotonic() - began < 10
        assert until(lambda: not lan.dhcp_clients())
    assert not lan.resolv_conf.exists()


def test_an_interface_that_cannot_be_used_does_not_stop_the_others(lan: Lan) -> None:
    lan.serve("b1")
    with lan.connect(20, "nosuch0", "b0") as lease:
        assert lease["interface"] == "b0"
    with lan.connect(20, "nosuch0") as outcome:
        assert outcome["reason"] == "nosuch0: cannot be switched on: No such device"


def test_without_an_interface(lan: Lan) -> None:
    with lan.connect(20) as outcome:
        assert outcome["reason"] == "there is no interface to use"

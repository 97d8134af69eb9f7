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
from dataclasses import dataclass
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

    @property
    def resolv_conf(self) -> Path:
        return self.folder / "resolv.conf"

    def serve(self, interface: str, *options: str) -> Path:
        """A DHCP server on one cable; returns its log."""
        log = self.folder / f"{interface}.log"
        subnet = {"a1": "10.66.0", "b1": "10.77.0"}[interface]
        argv = ["ip", "netns", "exec", self.server, "dnsmasq", "--no-daemon", "--port=0", "--conf-file=/dev/null"]
        argv += [f"--interface={interface}", "--bind-dynamic", "--dhcp-authoritative", "--no-ping", "--log-dhcp"]
        argv += [f"--dhcp-range={subnet}.10,{subnet}.20,255.255.255.0,2m", "--user=root"]
        argv += [f"--dhcp-leasefile={self.folder}/{interface}.leases"]
        with log.open("wb") as output:
            server = self.stack.enter_context(subprocess.Popen([*argv, *options], stdout=output, stderr=output))
        self.stack.callback(server.kill)
        return log

    @contextmanager
    def connect(self, seconds: float, *names: str) -> Iterator[dict[str, Any]]:
        argv = ["ip", "netns", "exec", self.client, sys.executable, str(CLIENT), str(self.programs)]
        argv += [str(self.resolv_conf), str(seconds), *names]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
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


@pytest.fixture(params=["as in the initramfs", "busybox alone", "iproute2"])
def lan(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lan]:
    programs = tmp_path / "bin"
    programs.mkdir()
    busybox = shutil.which("busybox") or ""
    links = {
        "as in the initramfs": ("ip", "udhcpc", "sh"),
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


def until(condition: Any) -> bool:
    """Whether it comes true within ten seconds."""
    end = time.monotonic() + 10
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

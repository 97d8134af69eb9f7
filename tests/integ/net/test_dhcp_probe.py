"""Looking for DHCP servers, under the real dnsmasq in a network namespace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROBE = """
import json, sys
from gprov.adapters.linux.net.dhcp_probe import offers
from gprov.adapters.linux.system.clock import SystemClock
found = offers(sys.argv[1], SystemClock(), float(sys.argv[2]))
print(json.dumps([[str(each.server), str(each.address)] for each in found]))
"""
CHECK = """
import json, sys
from gprov.adapters.linux.net.http import RequestsHttp
from gprov.adapters.linux.system.clock import SystemClock
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.server.setup.check_network import NetworkCheck
from gprov.domain.factory.server_settings import ServerSettings
from gprov.domain.factory.settings.listen import Listen

clock = SystemClock()
check = NetworkCheck(
    folder=sys.argv[1], settings=ServerSettings(listen=Listen(host=sys.argv[2])), processes=SystemProcesses(),
    http=RequestsHttp(clock), clock=clock, probe_seconds=0.7,
)
print(json.dumps([each.describe() for each in check.findings(())]))
"""
TOOLS = ("ip", "dnsmasq", "unshare", "nsenter")


def capable() -> bool:
    return (
        os.geteuid() == 0
        and all(map(shutil.which, TOOLS))
        and not subprocess.run(["unshare", "-n", "true"], check=False, timeout=20).returncode
    )


pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(not capable(), reason="needs root, network namespaces, iproute2, dnsmasq"),
]


class Segment:
    """A host with interface a1 (10.77.0.1), and another one with b1 (10.77.0.2) on the same cable."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self.host, self.other = (self._namespace(), self._namespace())
        for words in (
            f"ip link add a1 type veth peer name b1 netns {self.other}",
            "ip address add 10.77.0.1/24 dev a1",
            "ip link set a1 up",
        ):
            self.run(self.host, *words.split())
        for words in ("ip address add 10.77.0.2/24 dev b1", "ip link set b1 up", "ip link set lo up"):
            self.run(self.other, *words.split())

    def _namespace(self) -> int:
        process = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
        self._running.append(process)
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{process.pid}/ns/net") == own:
            time.sleep(0.01)
        return process.pid

    def run(self, namespace: int, *words: str) -> str:
        command = ["nsenter", "-t", str(namespace), "-n", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def serve(self, namespace: int, interface: str) -> None:
        """A DHCP server with dnsmasq, which has answered when this returns."""
        name = self.folder / f"{interface}.leases"
        words = ["dnsmasq", "-k", "-p", "0", "-i", interface, "--bind-dynamic", f"--dhcp-leasefile={name}"]
        words += [
            "--dhcp-range=10.77.0.100,10.77.0.200",
            "--dhcp-authoritative",
            "--no-ping",
            "--user=root",
            "-C",
            "/dev/null",
        ]
        self._running.append(subprocess.Popen(["nsenter", "-t", str(namespace), "-n", *words]))

    def offers(self, seconds: float = 3.0) -> list[list[str]]:
        found: list[list[str]] = json.loads(self.run(self.host, sys.executable, "-c", PROBE, "a1", str(seconds)))
        return found

    def check(self, host: str, configuration: str) -> list[str]:
        (self.folder / "dnsmasq.conf").write_text(configuration)
        found: list[str] = json.loads(self.run(self.host, sys.executable, "-c", CHECK, str(self.folder), host))
        return found

    def close(self) -> None:
        for process in reversed(self._running):
            process.kill()
            process.wait()


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[Segment]:
    made = Segment(tmp_path)
    try:
        yield made
    finally:
        made.close()


OWN = "port=0\ninterface=a1\ndhcp-range=10.77.0.50,10.77.0.60\n"
PROXY = "port=0\ninterface=a1\ndhcp-range=10.77.0.0,proxy\n"


def test_servers_of_a_network(segment: Segment) -> None:
    assert segment.offers(0.5) == []
    assert segment.check("10.77.0.1", OWN) == []
    assert segment.check("10.77.0.9", OWN) == [
        "a1: does not have the server's address 10.77.0.9, but 10.77.0.1 (ip address add)"
    ]
    (missing,) = segment.check("10.77.0.1", PROXY)
    assert missing.startswith("a1: no DHCP server answers, and dnsmasq.conf expects one")
    segment.serve(segment.other, "b1")
    until = time.monotonic() + 20
    while not (found := segment.offers(0.7)) and time.monotonic() < until:
        pass
    ((server, address),) = found
    assert server == "10.77.0.2"
    assert address.startswith("10.77.0.1")
    assert not (segment.folder / "b1.leases").read_text().strip(), "no lease was taken"
    (other,) = segment.check("10.77.0.1", OWN)
    assert other.startswith("a1: another DHCP server answers: 10.77.0.2 offers 10.77.0.1")
    assert segment.check("10.77.0.1", PROXY) == []


def test_the_own_server_is_no_other_one(segment: Segment) -> None:
    segment.serve(segment.host, "a1")
    assert segment.check("10.77.0.1", OWN) == []

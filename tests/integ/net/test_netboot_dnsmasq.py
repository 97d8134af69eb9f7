"""The configuration that `gprov server dnsmasq` prints, under the real dnsmasq: what each kind of machine is told, and
that TFTP has what they are told to load. Machines are played by pxe_client.py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CLIENT = Path(__file__).with_name("pxe_client.py")
SERVER = "http://10.88.0.1:8901"
SCRIPT = f"{SERVER}/boot.ipxe"
IPXE = Path("/usr/lib/ipxe")


def capable() -> bool:
    tools = all(shutil.which(tool) for tool in ("ip", "dnsmasq", "curl")) and IPXE.is_dir()
    return (
        tools
        and os.geteuid() == 0
        and not subprocess.run(["unshare", "-n", "true"], check=False, timeout=20).returncode
    )


pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(not capable(), reason="needs root, network namespaces, iproute2, dnsmasq, ipxe, curl"),
]


@dataclass
class Lan:
    folder: Path
    machine: str
    servers: str
    others: str
    stack: ExitStack

    def serve(self, *words: str) -> None:
        """dnsmasq with the printed configuration, and nothing else that changes what it answers."""
        gprov = [sys.executable, "-m", "gprov.apps.host.cli.main", "server", "dnsmasq", "--interface", "a1"]
        printed = subprocess.run([*gprov, "--server", SERVER, *words], check=True, capture_output=True, timeout=60)
        self.run(self.servers, printed.stdout, "dnsmasq")

    def serve_addresses_only(self) -> None:
        """Another DHCP server, without options for network boot."""
        self.run(self.others, b"port=0\ninterface=b1\nbind-dynamic\ndhcp-range=10.88.0.100,10.88.0.200\n", "other")

    def run(self, namespace: str, configuration: bytes, name: str) -> None:
        (self.folder / f"{name}.conf").write_bytes(configuration)
        log = self.folder / f"{name}.log"
        argv = ["ip", "netns", "exec", namespace, "dnsmasq", "--keep-in-foreground", "--user=root", "--no-ping"]
        argv += [f"--conf-file={self.folder}/{name}.conf", "--log-facility=-"]
        argv += [f"--dhcp-leasefile={self.folder}/{name}.leases", f"--pid-file={self.folder}/{name}.pid"]
        with log.open("wb") as output:
            server = self.stack.enter_context(subprocess.Popen(argv, stdout=output, stderr=output))
        self.stack.callback(server.kill)
        end = time.monotonic() + 20
        while b"started" not in log.read_bytes():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)

    def ask(self, architecture: int, *words: str) -> list[dict[str, Any]]:
        argv = ["ip", "netns", "exec", self.machine, sys.executable, str(CLIENT), "m1", str(architecture), *words]
        done = subprocess.run(argv, check=True, capture_output=True, timeout=60)
        replies: list[dict[str, Any]] = json.loads(done.stdout)
        assert replies, "no DHCP reply"
        return replies


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[Lan]:
    """One segment, a bridge, with three stations: a machine, gprov's server, and another DHCP server."""
    machine, servers, others, segment = (f"gprov-pxe-{os.getpid()}-{end}" for end in ("m", "a", "b", "segment"))

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)

    with ExitStack() as stack:
        for namespace in (machine, servers, others, segment):
            ip("netns", "add", namespace)
            stack.callback(ip, "netns", "del", namespace)
        ip("-n", segment, "link", "add", "bridge", "type", "bridge", "forward_delay", "0")
        ip("-n", segment, "link", "set", "bridge", "up")
        for name, namespace, address in (("m", machine, ""), ("a", servers, "10.88.0.1"), ("b", others, "10.88.0.2")):
            ip("-n", segment, "link", "add", f"{name}0", "type", "veth", "peer", "name", f"{name}1", "netns", namespace)
            ip("-n", segment, "link", "set", f"{name}0", "master", "bridge", "up")
            if address:
                ip("-n", namespace, "addr", "add", f"{address}/24", "dev", f"{name}1")
            ip("-n", namespace, "link", "set", f"{name}1", "up")
        yield Lan(tmp_path, machine, servers, others, stack)


KINDS = [
    pytest.param(0, (), "undionly.kpxe", id="BIOS"),
    pytest.param(7, (), "snponly.efi", id="UEFI-7"),
    pytest.param(9, (), "snponly.efi", id="UEFI-9"),
    pytest.param(0, ("iPXE",), SCRIPT, id="iPXE-on-BIOS"),
    pytest.param(7, ("iPXE",), SCRIPT, id="iPXE-on-UEFI"),
    pytest.param(7, ("--option-175",), SCRIPT, id="iPXE-by-its-option"),
    pytest.param(6, (), "", id="UEFI-of-32-bits"),
    pytest.param(11, (), "", id="ARM"),
]


@pytest.mark.parametrize(("architecture", "words", "file"), KINDS)
def test_the_only_server(lan: Lan, architecture: int, words: tuple[str, ...], file: str) -> None:
    lan.serve("--range", "10.88.0.100,10.88.0.200,255.255.255.0")
    (offer,) = lan.ask(architecture, *words)
    assert offer["file"] == file
    assert offer["address"].startswith("10.88.0.1")
    assert (offer["server"], offer["router"]) == ("10.88.0.1", False)
    if file and file != SCRIPT:
        assert offer["next"] == "10.88.0.1"


def test_a_router_is_announced(lan: Lan) -> None:
    lan.serve("--range", "10.88.0.100,10.88.0.200,255.255.255.0", "--router", "10.88.0.254")
    assert lan.ask(7)[0]["router"]


@pytest.mark.parametrize(("architecture", "words", "file"), KINDS)
def test_proxy_mode_with_another_dhcp_server(lan: Lan, architecture: int, words: tuple[str, ...], file: str) -> None:
    lan.serve_addresses_only()
    lan.serve("--proxy", "10.88.0.0/24")
    replies = lan.ask(architecture, *words)
    addresses = [reply for reply in replies if reply["offer"] and reply["address"] != "0.0.0.0"]
    assert {reply["server"] for reply in addresses} == {"10.88.0.2"}  # only the other one gives addresses
    ours = [reply for reply in replies if reply["server"] == "10.88.0.1"]
    assert {reply["file"] for reply in ours} - {""} == ({file} if file else set())
    if file == SCRIPT:  # iPXE passes over an offer without the address of a server
        assert {reply["next"] for reply in ours} == {"10.88.0.1"}


def fetched(lan: Lan, path: str) -> subprocess.CompletedProcess[bytes]:
    subprocess.run(["ip", "-n", lan.machine, "addr", "add", "10.88.0.50/24", "dev", "m1"], check=True, timeout=20)
    argv = ["ip", "netns", "exec", lan.machine, "curl", "-s", "--path-as-is", "--max-time", "60"]
    return subprocess.run([*argv, f"tftp://10.88.0.1/{path}"], check=False, capture_output=True, timeout=90)


@pytest.mark.parametrize("name", ["undionly.kpxe", "snponly.efi"])
def test_named_files_can_be_fetched(lan: Lan, name: str) -> None:
    lan.serve("--range", "10.88.0.100,10.88.0.200,255.255.255.0")
    assert fetched(lan, name).stdout == (IPXE / name).read_bytes()


def test_nothing_else_can_be_fetched(lan: Lan) -> None:
    lan.serve("--range", "10.88.0.100,10.88.0.200,255.255.255.0")
    done = fetched(lan, "../../../etc/passwd")
    assert done.returncode == 69  # CURLE_TFTP_PERM
    assert not done.stdout

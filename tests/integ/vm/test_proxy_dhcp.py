"""Firmware that starts over the network of another DHCP server, which gives the address. The real dnsmasq, with
the configuration that is printed for this case, says what to start."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.namespace import ADDRESS, BRIDGE, FactoryNetwork, factory_network
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.factory.dnsmasq import NetbootService, dnsmasq_configuration

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

RunStage = Callable[..., StageResult]
OTHER = "10.77.0.2"
OTHER_CONFIGURATION = "port=0\ninterface=eth0\nbind-dynamic\nlog-dhcp\ndhcp-range=10.77.0.100,10.77.0.200\n"
PORT = 8901
# What shows that the script was run: the machine resets.
SCRIPT_RUN = Expectation(Ending.RESET, (), 240.0)


class Segment:
    """The lab's network with a foreign station on it."""

    def __init__(self, network: FactoryNetwork, folder: Path, stack: ExitStack) -> None:
        self.network, self.folder, self.stack = network, folder, stack
        self.other = f"{network.name}-other"
        self.ip("netns", "add", self.other)
        stack.callback(self.ip, "netns", "del", self.other)
        wire = ("link", "add", "other", "type", "veth", "peer", "name", "eth0", "netns", self.other)
        self.ip("-n", network.name, *wire)
        self.ip("-n", network.name, "link", "set", "other", "master", BRIDGE, "up")
        self.ip("-n", self.other, "addr", "add", f"{OTHER}/24", "dev", "eth0")
        self.ip("-n", self.other, "link", "set", "eth0", "up")

    @staticmethod
    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)

    def dnsmasq(self, name: str, namespace: str, configuration: str) -> None:
        file = self.folder / f"{name}.conf"
        file.write_text(configuration)
        argv = ["dnsmasq", "--keep-in-foreground", f"--conf-file={file}", "--user=root", "--no-ping"]
        argv += ["--log-facility=-", f"--dhcp-leasefile={self.folder}/{name}.leases"]
        self.start(name, namespace, [*argv, f"--pid-file={self.folder}/{name}.pid"], "started")

    def web(self) -> None:
        (self.folder / "www").mkdir()
        (self.folder / "www" / "boot.ipxe").write_text("#!ipxe\nreboot\n")
        argv = [sys.executable, "-u", "-m", "http.server", "--bind", ADDRESS, "--directory", f"{self.folder}/www"]
        self.start("web", self.network.name, [*argv, str(PORT)], "Serving HTTP")

    def start(self, name: str, namespace: str, argv: list[str], ready: str) -> None:
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            running = self.stack.enter_context(
                subprocess.Popen(["ip", "netns", "exec", namespace, *argv], stdout=output, stderr=output)
            )
        self.stack.callback(running.kill)
        end = time.monotonic() + 20
        while ready not in log.read_text():
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[Segment]:
    missing = [tool for tool in ("dnsmasq", "ip") if shutil.which(tool) is None]
    assert not missing
    with ExitStack() as stack:
        network = stack.enter_context(factory_network(SystemProcesses(), 1))
        yield Segment(network, tmp_path, stack)


@pytest.mark.parametrize("firmware", list(FirmwareKind), ids=lambda kind: kind.value)
def test_the_firmware_gets_its_address_there_and_the_script_here(
    segment: Segment, run_stage: RunStage, tmp_path: Path, firmware: FirmwareKind
) -> None:
    segment.dnsmasq("other", segment.other, OTHER_CONFIGURATION)
    service = NetbootService(BRIDGE, f"http://{ADDRESS}:{PORT}", IPv4Network("10.77.0.0/24"))
    segment.dnsmasq("ours", segment.network.name, dnsmasq_configuration(service))
    segment.web()
    unit = VirtualUnit.create(
        str(tmp_path / "unit"), VirtualUnitSpec(firmware=firmware, netboot=True), SystemProcesses()
    )

    run_stage("proxy", unit, SCRIPT_RUN, segment.network.attach(unit.machine()))
    shutil.rmtree(unit.folder)

    assert '"GET /boot.ipxe HTTP/1.1" 200' in segment.said("web")
    assert "DHCPACK" in segment.said("other")
    assert "DHCPACK(factory) 10.77" not in segment.said("ours")
    fetched = "sent /usr/lib/ipxe/snponly.efi" in segment.said("ours")
    # The option ROM that QEMU's BIOS starts is iPXE already.
    assert fetched is (firmware is FirmwareKind.UEFI)

"""Firmware that starts over the network of another DHCP server, which gives the address. The real dnsmasq, with
the configuration that is printed for this case, says what to start."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.namespace import ADDRESS, BRIDGE
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.factory.dnsmasq import NetbootService, dnsmasq_configuration
from tests.integ.vm.segment import Segment, new_segment

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

RunStage = Callable[..., StageResult]
OTHER = "10.77.0.2"
OTHER_CONFIGURATION = "port=0\ninterface=eth0\nbind-dynamic\nlog-dhcp\ndhcp-range=10.77.0.100,10.77.0.200\n"
PORT = 8901
# What shows that the script was run: the machine resets.
SCRIPT_RUN = Expectation(Ending.RESET, (), 240.0)


def web(segment: Segment) -> None:
    (segment.folder / "www").mkdir()
    (segment.folder / "www" / "boot.ipxe").write_text("#!ipxe\nreboot\n")
    argv = [sys.executable, "-u", "-m", "http.server", "--bind", ADDRESS, "--directory", f"{segment.folder}/www"]
    segment.start("web", segment.network.name, [*argv, str(PORT)], "Serving HTTP")


@pytest.fixture
def segment(tmp_path: Path) -> Iterator[Segment]:
    missing = [tool for tool in ("dnsmasq", "ip") if shutil.which(tool) is None]
    assert not missing
    with new_segment(tmp_path) as segment:
        yield segment


@pytest.mark.parametrize("firmware", list(FirmwareKind), ids=lambda kind: kind.value)
def test_the_firmware_gets_its_address_there_and_the_script_here(
    segment: Segment, run_stage: RunStage, tmp_path: Path, firmware: FirmwareKind
) -> None:
    segment.dnsmasq("other", segment.station("other", OTHER), OTHER_CONFIGURATION)
    service = NetbootService(BRIDGE, f"http://{ADDRESS}:{PORT}", IPv4Network("10.77.0.0/24"))
    segment.dnsmasq("ours", segment.network.name, dnsmasq_configuration(service))
    web(segment)
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

"""Units whose firmware really started provisioning over the network: the real dnsmasq, with the configuration that is
printed for factories, iPXE of the distribution, and our server."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from virt.firmware.efi.bootentry import BootEntry
from virt.firmware.varstore.edk2 import Edk2VarStore

from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.domain.boot.firmware import FirmwareKind

pytestmark = pytest.mark.vm

UEFI, BIOS = FirmwareKind.UEFI, FirmwareKind.BIOS


# Units that test_shapes.py looks at, too: each life takes minutes.
@pytest.fixture(scope="module", params=[("nvme", UEFI), ("huge", BIOS)], ids=["UEFI", "BIOS"])
def unit(prepared_as: Callable[..., VirtualUnit], request: pytest.FixtureRequest) -> VirtualUnit:
    profile, firmware = request.param
    return prepared_as(replace(unit_spec(profile, firmware), netboot=True))


def text(unit: VirtualUnit, name: str) -> str:
    return Path(unit.path(name)).read_text(errors="replace")


def requests(unit: VirtualUnit) -> list[str]:
    return re.findall(r'"(GET [^" ]+) HTTP', text(unit, "server.log"))


def test_the_firmware_fetched_the_script_and_the_kernel(unit: VirtualUnit) -> None:
    asked = requests(unit)
    assert asked[0] == "GET /boot.ipxe"
    assert asked[1].startswith("GET /boot.ipxe?mac=56%3A78%3A90%3A00%3A00%3A01&serial=LAB0001&board=")
    assert asked[2:4] == ["GET /files/provision.pxe", "GET /files/manufData.json"]


def test_ipxe_did_not_load_itself_again(unit: VirtualUnit) -> None:
    log = text(unit, "dnsmasq.log")
    sent = re.findall(r"sent /usr/lib/ipxe/(\S+) to", log)
    # OVMF has PXE of its own; the option ROM that QEMU's BIOS starts is iPXE already.
    assert set(sent) == ({"snponly.efi"} if unit.spec.firmware is UEFI else set())
    assert re.search(r"bootfile.name:? +http://10\.77\.0\.1:\d+/boot\.ipxe", log)
    architecture = "00007" if unit.spec.firmware is UEFI else "00000"
    assert f"PXEClient:Arch:{architecture}" in log


def test_the_kernel_got_its_arguments(unit: VirtualUnit) -> None:
    (line,) = re.findall(r"Command line: (.*)", text(unit, "serial-provision.log"))
    words = line.replace("provision.pxe ", "").split()
    assert re.fullmatch(r"mfgurl=http://10\.77\.0\.1:\d+/files/manufData\.json", words[0])
    assert 'PROVISION_BOOT_ARGS="panic=5 oops=panic no_timer_check"' in line


def test_every_later_start_came_from_the_disks(unit: VirtualUnit) -> None:
    """The network was there all the time, with a server that would have answered."""
    assert [each for each in requests(unit) if "boot.ipxe" in each] == requests(unit)[:2]
    for stage in ("restore", "boot"):
        assert "mfgurl=" not in text(unit, f"serial-{stage}.log")


def test_the_network_stays_in_the_boot_order_behind_our_entry(unit: VirtualUnit) -> None:
    if unit.spec.firmware is BIOS:
        return  # its order is QEMU's: disks, then network; it did not change on the way
    variables = dict(Edk2VarStore(unit.variables).get_varlist().items())
    data = variables["BootOrder"].data
    numbers = [int.from_bytes(data[index : index + 2], "little") for index in range(0, len(data), 2)]
    titles = [str(BootEntry(data=variables[f"Boot{number:04X}"].data).title) for number in numbers]
    assert titles[0] == "Normal Boot"
    assert any("PXEv4" in title for title in titles[1:])

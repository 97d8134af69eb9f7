"""Units whose firmware really started provisioning over the network: the real dnsmasq, with the configuration that is
printed for factories, iPXE of the distribution, and our server with TLS."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from virt.firmware.efi.bootentry import BootEntry
from virt.firmware.varstore.edk2 import Edk2VarStore

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ext_volume
from gprov.domain.boot.firmware import FirmwareKind
from tests.integ.vm.netbooted import NETBOOTED

pytestmark = pytest.mark.vm

UEFI, BIOS = FirmwareKind.UEFI, FirmwareKind.BIOS


@pytest.fixture(scope="module", params=NETBOOTED.values(), ids=["UEFI", "BIOS"])
def unit(small_prepared_as: Callable[..., VirtualUnit], request: pytest.FixtureRequest) -> VirtualUnit:
    return small_prepared_as(request.param)


def text(unit: VirtualUnit, name: str) -> str:
    return Path(unit.path(name)).read_text(errors="replace")


def requests(unit: VirtualUnit) -> list[str]:
    return re.findall(r'"(GET [^" ]+) HTTP', text(unit, "server.log"))


def test_the_firmware_fetched_the_script_and_the_kernel(unit: VirtualUnit) -> None:
    asked = requests(unit)
    assert asked[0] == "GET /boot.ipxe"
    assert asked[1].startswith("GET /boot.ipxe?mac=56%3A78%3A90%3A00%3A00%3A01&serial=LAB0001&board=")
    assert asked[2:5] == ["GET /files/provision.pxe", "GET /ca.pem", "GET /files/manufData.json"]


def fingerprint(unit: VirtualUnit) -> str:
    """SHA-256 of the CA's certificate, by openssl."""
    words = ("openssl", "x509", "-in", unit.path("server/tls/ca.pem"), "-noout", "-fingerprint", "-sha256")
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout.rpartition("=")[2].strip().replace(":", "").lower()


def test_the_unit_remembers_the_ca_and_reported_its_restore_over_tls(unit: VirtualUnit) -> None:
    """The server's port has nothing but TLS; its QA document is there since the restore was reported."""
    number = 2 if unit.spec.firmware is UEFI else 1  # behind the ESP
    with ext_volume(SystemProcesses(), unit.recovery, number) as volume:
        stored = volume.read("/factory_ca.pem")
    assert stored == Path(unit.path("server/tls/ca.pem")).read_bytes()
    assert list(Path(unit.path("server/documents")).rglob("*.htm"))


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
    assert re.fullmatch(r"mfgurl=https://10\.77\.0\.1:\d+/files/manufData\.json", words[0])
    assert re.fullmatch(r"PROVISION_TOKEN=\S{20,}", words[1])
    assert words[2] == f"mfgca=sha256:{fingerprint(unit)}"
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

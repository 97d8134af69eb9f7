"""Units that start over the network: what their machines are made of, and what dnsmasq is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from gprov.apps.host.lab.argv import Accelerator, HostEndpoints, qemu_arguments
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.machine import E1000E, VIRTIO, Machine, VirtualNic
from gprov.apps.host.lab.manufdata import manuf_data
from gprov.apps.host.lab.namespace import FactoryNetwork, inside
from gprov.apps.host.lab.netboot import configuration
from gprov.apps.host.lab.unitspec import read_spec, spec_text
from gprov.domain.boot.firmware import FirmwareKind

UEFI, BIOS = FirmwareKind.UEFI, FirmwareKind.BIOS
ENDPOINTS = HostEndpoints(
    accelerator=Accelerator.TCG,
    qmp="/s/qmp",
    console="/s/console",
    lcd="/s/lcd",
    serial_log="/log",
    report="/s/report",
    firmware_code="/ovmf/code.fd",
)
NETWORK = FactoryNetwork("gprov-lab-1-0")


def machine(firmware: FirmwareKind) -> Machine:
    return NETWORK.attach(replace(unit_spec("sata", firmware), netboot=True).machine("/unit"))


def objects(machine: Machine, option: str) -> list[Mapping[str, Any]]:
    arguments = qemu_arguments(machine, ENDPOINTS)
    return [json.loads(value) for name, value in pairwise(arguments) if name == option and value.startswith("{")]


def nic(machine: Machine) -> Mapping[str, Any]:
    (found,) = [each for each in objects(machine, "-device") if "netdev" in each]
    return found


def test_uefi_brings_its_own_driver_and_its_own_order() -> None:
    assert nic(machine(UEFI)) == {
        "driver": VIRTIO, "netdev": "net0", "mac": "56:78:90:00:00:01", "romfile": ""
    }  # fmt: skip


def test_bios_needs_an_option_rom_and_tries_the_network_after_all_disks() -> None:
    made = machine(BIOS)
    found = nic(made)
    assert (found["driver"], found["romfile"]) == (E1000E, "/usr/lib/ipxe/qemu/pxe-e1000e.rom")
    disks = [each["bootindex"] for each in objects(made, "-device") if "drive" in each]
    assert len(disks) == len(made.disks)
    assert found["bootindex"] > max(disks)


def test_another_interface_on_uefi_has_a_rom_as_well() -> None:
    plain = unit_spec("sata", UEFI).machine("/unit")
    attached = NETWORK.attach(replace(plain, nics=(VirtualNic("56:78:90:00:00:01", E1000E),)))
    assert attached.nics[0].rom == "/usr/lib/ipxe/qemu/efi-e1000e.rom"


def test_every_interface_has_a_wire_of_its_own_in_the_namespace() -> None:
    plain = unit_spec("sata", UEFI).machine("/unit")
    two = NETWORK.attach(replace(plain, nics=(*plain.nics, VirtualNic("56:78:90:00:00:02"))))
    assert [each["ifname"] for each in objects(two, "-netdev")] == ["tap0", "tap1"]
    assert two.namespace == NETWORK.name
    assert inside(two.namespace) == ("ip", "netns", "exec", "gprov-lab-1-0")
    assert inside(plain.namespace) == ()
    assert [each["type"] for each in objects(plain, "-netdev")] == ["user"]


@pytest.mark.parametrize("netboot", [True, False])
@pytest.mark.parametrize("firmware", list(FirmwareKind))
def test_a_unit_remembers_how_it_was_made_and_asks_for_the_interface_that_it_has(
    firmware: FirmwareKind, netboot: bool
) -> None:
    spec = replace(unit_spec("sata", firmware), netboot=netboot)
    assert read_spec("unit.json", spec_text(spec)) == spec
    text = json.dumps(manuf_data([], "http://10.77.0.1:80", spec))
    assert ("0x1af4" in text) == (spec.machine("").nics[0].model == VIRTIO) == (netboot and firmware is UEFI)


def test_dnsmasq_serves_the_bridge_and_names_the_script_of_this_server() -> None:
    lines = configuration("http://10.77.0.1:4711").splitlines()
    assert "interface=factory" in lines
    assert "dhcp-range=10.77.0.100,10.77.0.200,255.255.255.0,1h" in lines
    assert "dhcp-boot=tag:ipxe,http://10.77.0.1:4711/boot.ipxe" in lines

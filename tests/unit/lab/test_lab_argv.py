"""From machine to command line: what QEMU is told, read back from the JSON that it is told it in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.apps.host.lab.argv import CPU_NAME, QEMU, Accelerator, HostEndpoints, qemu_arguments
from gprov.apps.host.lab.controllers import CONTROLLERS
from gprov.apps.host.lab.disk_argv import disk_device
from gprov.apps.host.lab.disk_shapes import SHAPES, unit_spec, with_bmc, with_controllers, with_nic
from gprov.apps.host.lab.machine import (
    REPORT_PORT,
    DirectKernel,
    DiskBus,
    Durability,
    Machine,
    Smbios,
    VirtualDisk,
    VirtualNic,
)
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB
from gprov.domain.errors import BadInput
from gprov.domain.formats.lcd.models import Model

ENDPOINTS = HostEndpoints(
    accelerator=Accelerator.TCG,
    qmp="/s/qmp",
    console="/s/console",
    lcd="/s/lcd",
    serial_log="/logs/a,b.log",
    report="/s/report",
    firmware_code="/ovmf/code.fd",
)


BIOS_MACHINE = replace(VirtualUnitSpec().machine("/unit"), firmware=FirmwareKind.BIOS, variables="")


def options(arguments: tuple[str, ...], name: str) -> list[str]:
    return [value for option, value in pairwise(arguments) if option == name]


def objects(arguments: tuple[str, ...], name: str) -> list[Mapping[str, Any]]:
    return [json.loads(text) for text in options(arguments, name) if text.startswith("{")]


def device(arguments: tuple[str, ...], driver: str) -> Mapping[str, Any]:
    (found,) = [each for each in objects(arguments, "-device") if each["driver"] == driver]
    return found


def block(arguments: tuple[str, ...], name: str) -> Mapping[str, Any]:
    (found,) = [each for each in objects(arguments, "-blockdev") if each["node-name"] == name]
    return found


def unit_arguments() -> tuple[str, ...]:
    return qemu_arguments(VirtualUnitSpec().machine("/unit"), ENDPOINTS)


def test_the_default_unit_matches_the_default_platform_table() -> None:
    arguments = unit_arguments()
    assert arguments[0] == QEMU
    assert options(arguments, "-machine") == ["q35,smm=off,pflash0=code,pflash1=variables"]
    assert options(arguments, "-accel") == ["tcg,thread=multi"]
    assert options(arguments, "-m") == ["2048"]
    assert options(arguments, "-smbios") == [
        "type=1,manufacturer=GPROV_QEMU,product=mfg_test,serial=LAB0001",
        "type=2,manufacturer=GPROV_QEMU,product=mfg_test,serial=LAB0001",
    ]
    assert device(arguments, "ide-hd") == {
        "driver": "ide-hd",
        "bus": "ide.0",
        "id": "primary0-device",
        "drive": "primary0",
        "serial": "LABDISK0000",
    }
    stick = device(arguments, "usb-storage")
    assert (stick["bus"], stick["drive"], stick["removable"]) == ("usb0.0", "recovery", True)
    assert device(arguments, "e1000e")["mac"] == "56:78:90:00:00:01"
    assert objects(arguments, "-netdev") == [{"type": "user", "id": "net0"}]
    assert block(arguments, "primary0")["file"]["filename"] == "/unit/primary0.qcow2"
    assert block(arguments, "recovery")["file"]["filename"] == "/unit/recovery.qcow2"


def test_the_firmware_code_is_shared_and_its_variables_belong_to_the_unit() -> None:
    arguments = unit_arguments()
    code, variables = block(arguments, "code"), block(arguments, "variables")
    assert (code["file"]["filename"], code["read-only"]) == ("/ovmf/code.fd", True)
    assert (variables["file"]["filename"], variables["read-only"]) == ("/unit/efivars.fd", False)


def test_bios_machines_have_no_flash() -> None:
    arguments = qemu_arguments(BIOS_MACHINE, ENDPOINTS)
    assert options(arguments, "-machine") == ["q35,smm=off"]
    assert {each["node-name"] for each in objects(arguments, "-blockdev")} == {"primary0", "recovery"}


def test_bios_starts_from_recovery_and_uefi_by_its_variables() -> None:
    spec = unit_spec("raid1", FirmwareKind.BIOS)
    devices = objects(qemu_arguments(spec.machine("/unit"), ENDPOINTS), "-device")
    assert {each["drive"]: each["bootindex"] for each in devices if "drive" in each} == {
        "recovery": 1,
        "primary0": 2,
        "primary1": 3,
    }
    assert not [each for each in objects(unit_arguments(), "-device") if "bootindex" in each]


@pytest.mark.parametrize("firmware", FirmwareKind)
@pytest.mark.parametrize("name", SHAPES)
def test_each_row_of_the_matrix_is_a_machine_with_its_disks(name: str, firmware: FirmwareKind) -> None:
    profile = SHAPES[name]
    arguments = qemu_arguments(unit_spec(name, firmware).machine("/unit"), ENDPOINTS)
    buses = (*profile.primaries, profile.recovery)
    drivers = {
        DiskBus.AHCI: "ide-hd",
        DiskBus.NVME: "nvme",
        DiskBus.VIRTIO: "virtio-blk-pci",
        DiskBus.USB: "usb-storage",
    }
    devices = [each["driver"] for each in objects(arguments, "-device") if "drive" in each]
    assert devices == [drivers[bus] for bus in buses]


def test_an_emulated_processor_lacks_avx_and_what_builds_on_it_only() -> None:
    (emulated,) = options(unit_arguments(), "-cpu")
    real = qemu_arguments(VirtualUnitSpec().machine("/unit"), replace(ENDPOINTS, accelerator=Accelerator.KVM))
    assert emulated == f"max,avx=off,avx2=off,model-id={CPU_NAME}"
    assert options(real, "-cpu") == [f"max,model-id={CPU_NAME}"]


def test_with_the_clock_of_instructions_the_machine_is_emulated_by_one_thread() -> None:
    machine = replace(VirtualUnitSpec().machine("/unit"), instruction_clock=1, cpus=1)
    arguments = qemu_arguments(machine, replace(ENDPOINTS, accelerator=Accelerator.KVM))
    assert options(arguments, "-accel") == ["tcg,thread=single"]
    assert options(arguments, "-icount") == ["shift=1"]
    assert options(arguments, "-cpu") == options(unit_arguments(), "-cpu")
    assert not options(unit_arguments(), "-icount")
    with pytest.raises(BadInput, match="one processor only"):
        qemu_arguments(replace(machine, cpus=2), ENDPOINTS)


def test_a_guest_that_resets_or_powers_off_stops_the_machine() -> None:
    assert {"-no-reboot", "-no-shutdown"} <= set(unit_arguments())


def test_a_direct_kernel_is_one_append_argument() -> None:
    kernel = DirectKernel("/k/provision.pxe", ("mfgurl=http://10.0.2.2:1/x", 'PROVISION_BOOT_ARGS="a b"'), "/k/initrd")
    arguments = qemu_arguments(VirtualUnitSpec().machine("/unit").booting(kernel), ENDPOINTS)
    assert options(arguments, "-kernel") == ["/k/provision.pxe"]
    assert options(arguments, "-append") == ['mfgurl=http://10.0.2.2:1/x PROVISION_BOOT_ARGS="a b" no_timer_check']
    assert options(arguments, "-initrd") == ["/k/initrd"]
    assert "-kernel" not in unit_arguments()


def test_the_report_port_is_there_only_if_the_system_is_to_report() -> None:
    assert device(unit_arguments(), "virtserialport")["name"] == REPORT_PORT
    silent = qemu_arguments(replace(VirtualUnitSpec().machine("/unit"), reports=False), ENDPOINTS)
    assert not [each for each in objects(silent, "-device") if each["driver"] == "virtserialport"]


def test_commas_in_paths_and_names_are_escaped_where_qemu_splits_at_them() -> None:
    machine = replace(VirtualUnitSpec().machine("/unit"), smbios=Smbios("A,B", "p", "s", sku="k,1"))
    arguments = qemu_arguments(machine, ENDPOINTS)
    assert any("logfile=/logs/a,,b.log" in text for text in options(arguments, "-chardev"))
    assert options(arguments, "-smbios")[0] == "type=1,manufacturer=A,,B,product=p,serial=s,sku=k,,1"


@pytest.mark.parametrize(
    ("bus", "driver", "where"),
    [
        (DiskBus.AHCI, "ide-hd", "ide.3"),
        (DiskBus.NVME, "nvme", None),
        (DiskBus.VIRTIO, "virtio-blk-pci", None),
        (DiskBus.SCSI, "scsi-hd", "d-adapter.0"),
        (DiskBus.MEGASAS, "scsi-hd", "megasas-adapter.0"),
        (DiskBus.UAS, "scsi-hd", "d-bridge.0"),
        (DiskBus.USB, "usb-storage", "usb0.0"),
    ],
)
def test_each_bus_has_its_device(bus: DiskBus, driver: str, where: str | None) -> None:
    found = disk_device(VirtualDisk(name="d", file="/d.qcow2", bus=bus, serial="S1"), port=3)
    assert found["driver"] == driver
    assert found.get("bus") == where
    assert found["serial"] == "S1"


def test_an_sd_card_has_a_slot_of_its_own_and_neither_serial_nor_boot_index() -> None:
    """QEMU 7.2 knows no such properties, and ends with an error."""
    disks = tuple(VirtualDisk(name=name, file=f"/{name}", bus=DiskBus.SDHCI, serial="S") for name in ("a", "b"))
    arguments = qemu_arguments(replace(BIOS_MACHINE, disks=disks), ENDPOINTS)
    slots = [each["id"] for each in objects(arguments, "-device") if each["driver"] == "sdhci-pci"]
    cards = [each for each in objects(arguments, "-device") if each["driver"] == "sd-card"]
    assert slots == ["a-slot", "b-slot"]
    assert [card["bus"] for card in cards] == ["pcie.0/a-slot/sd-bus", "pcie.0/b-slot/sd-bus"]
    assert not {"serial", "bootindex"} & {key for card in cards for key in card}


def test_beside_a_card_to_start_from_no_disk_has_a_boot_index() -> None:
    spec = with_controllers(unit_spec("sata", FirmwareKind.BIOS), DiskBus.NVME, DiskBus.SDHCI)
    devices = objects(qemu_arguments(spec.machine("/unit"), ENDPOINTS), "-device")
    assert not [each for each in devices if "bootindex" in each]


@pytest.mark.parametrize("bus", [bus for bus in CONTROLLERS if CONTROLLERS[bus].adapter and not CONTROLLERS[bus].each])
def test_disks_of_one_kind_share_a_host_adapter(bus: DiskBus) -> None:
    disks = tuple(VirtualDisk(name=name, file=f"/{name}", bus=bus) for name in ("a", "b"))
    arguments = qemu_arguments(replace(BIOS_MACHINE, disks=disks), ENDPOINTS)
    adapter = device(arguments, CONTROLLERS[bus].adapter)
    found = [each for each in objects(arguments, "-device") if each["driver"] == "scsi-hd"]
    assert [each["bus"] for each in found] == [f"{adapter['id']}.0"] * 2
    assert [each["bootindex"] for each in found] == [1, 2]


def test_disks_that_ovmf_would_not_find_behind_one_adapter_have_one_each() -> None:
    disks = tuple(VirtualDisk(name=name, file=f"/{name}", bus=DiskBus.SCSI) for name in ("a", "b"))
    devices = objects(qemu_arguments(replace(BIOS_MACHINE, disks=disks), ENDPOINTS), "-device")
    assert [each["id"] for each in devices if each["driver"] == "virtio-scsi-pci"] == ["a-adapter", "b-adapter"]
    assert [each["bus"] for each in devices if each["driver"] == "scsi-hd"] == ["a-adapter.0", "b-adapter.0"]


def test_disks_of_a_sas_controller_have_different_addresses() -> None:
    """Linux does not find a disk whose address is 0."""
    disks = tuple(VirtualDisk(name=name, file=f"/{name}", bus=DiskBus.MPTSAS) for name in ("a", "b"))
    devices = objects(qemu_arguments(replace(BIOS_MACHINE, disks=disks), ENDPOINTS), "-device")
    addresses = {each["wwn"] for each in devices if each["driver"] == "scsi-hd"}
    assert len(addresses) == 2
    assert all(address >> 60 == 5 for address in addresses)


def test_a_unit_with_other_models_has_these_and_no_others() -> None:
    spec = with_nic(with_controllers(unit_spec("sata", FirmwareKind.BIOS), DiskBus.PVSCSI, DiskBus.MEGASAS), "vmxnet3")
    drivers = {each["driver"] for each in objects(qemu_arguments(spec.machine("/unit"), ENDPOINTS), "-device")}
    assert {"pvscsi", "megasas", "scsi-hd", "vmxnet3"} <= drivers
    assert not drivers & {"ide-hd", "usb-storage", "qemu-xhci", "e1000e"}


def test_nvme_always_has_a_serial_as_required_by_qemu() -> None:
    assert disk_device(VirtualDisk(name="d", file="/d.qcow2", bus=DiskBus.NVME))["serial"] == "d"


def test_flushes_are_ignored_or_honoured_by_durability() -> None:
    for durability, ignored in ((Durability.IGNORE_FLUSH, True), (Durability.HONOUR_FLUSH, False)):
        node = block(qemu_arguments(VirtualUnitSpec().machine("/u", durability), ENDPOINTS), "primary0")
        assert node["cache"] == {"no-flush": ignored}
        assert node["file"]["cache"] == {"no-flush": ignored}


def test_a_hotplugged_disk_has_controller_and_file_but_no_device() -> None:
    hotplugged = VirtualDisk(name="late", file="/late.qcow2", bus=DiskBus.SCSI, hotplugged=True)
    arguments = qemu_arguments(replace(VirtualUnitSpec().machine("/unit"), disks=(hotplugged,)), ENDPOINTS)
    assert block(arguments, "late")
    drivers = [each["driver"] for each in objects(arguments, "-device")]
    assert "virtio-scsi-pci" in drivers
    assert "scsi-hd" not in drivers


def test_an_invalid_machine_is_refused_with_every_reason() -> None:
    disks = (
        VirtualDisk(name="a", file="/a", bus=DiskBus.AHCI, hotplugged=True),
        VirtualDisk(name="b", file="/b", bus=DiskBus.VIRTIO),
        VirtualDisk(name="b", file="/c", bus=DiskBus.VIRTIO),
    )
    with pytest.raises(BadInput) as caught:
        qemu_arguments(replace(VirtualUnitSpec().machine("/unit"), disks=disks, variables=""), ENDPOINTS)
    assert {problem.place for problem in caught.value.problems} == {"disk a", "disk b", "variables"}
    many = tuple(VirtualDisk(name=f"d{index}", file=f"/{index}", bus=DiskBus.AHCI) for index in range(8))
    with pytest.raises(BadInput) as crowded:
        qemu_arguments(replace(VirtualUnitSpec().machine("/unit"), disks=many), ENDPOINTS)
    assert {problem.place for problem in crowded.value.problems} == {"disk d6", "disk d7"}


disks = st.lists(
    st.builds(
        VirtualDisk,
        name=st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        file=st.text(min_size=1, max_size=20),
        bus=st.sampled_from(DiskBus),
        serial=st.from_regex(r"[A-Z0-9]{0,8}", fullmatch=True),
        durability=st.sampled_from(Durability),
    ),
    max_size=6,
    unique_by=lambda disk: disk.name,
).map(tuple)


@settings(max_examples=100)
@given(disks, st.integers(1, 8), st.integers(1, 64))
def test_every_disk_is_attached_once_and_ahci_ports_are_not_shared(
    chosen: tuple[VirtualDisk, ...], cpus: int, memory: int
) -> None:
    machine = Machine(
        firmware=FirmwareKind.UEFI,
        variables="/v",
        smbios=Smbios("m", "p", "s"),
        disks=chosen,
        nics=(VirtualNic("56:78:90:00:00:01"),),
        memory=memory * GIB,
        cpus=cpus,
    )
    arguments = qemu_arguments(machine, ENDPOINTS)
    attached = [each["drive"] for each in objects(arguments, "-device") if "drive" in each]
    assert attached == [disk.name for disk in chosen]
    ports = [each["bus"] for each in objects(arguments, "-device") if each["driver"] == "ide-hd"]
    assert len(set(ports)) == len(ports)
    assert options(arguments, "-m") == [str(memory * 1024)]
    assert [block(arguments, disk.name)["file"]["filename"] for disk in chosen] == [disk.file for disk in chosen]


@pytest.mark.parametrize("shape", ["sata", "dom"])
def test_a_display_is_a_serial_adapter_on_a_usb_controller(shape: str) -> None:
    """With a stick, and without any other USB device."""
    spec = replace(unit_spec(shape), lcd=Model.CFA_631)
    arguments = qemu_arguments(spec.machine("/unit"), ENDPOINTS)
    assert "socket,id=lcd,path=/s/lcd,server=on,wait=off" in options(arguments, "-chardev")
    assert device(arguments, "qemu-xhci")["id"] == "usb0"
    adapter = device(arguments, "usb-serial")
    assert (adapter["bus"], adapter["chardev"]) == ("usb0.0", "lcd")
    assert "lcd" not in " ".join(unit_arguments())


def test_a_management_controller_is_outside_of_qemu_behind_a_kcs_interface() -> None:
    spec = with_bmc(unit_spec("sata"))
    assert (spec.code_name, spec.product) == ("QEMU-mfg-test-ipmi", "mfg_test_ipmi")
    machine = spec.machine("/unit")
    assert machine.bmc == "/unit/bmc"
    arguments = qemu_arguments(machine, replace(ENDPOINTS, bmc_port=4711))
    assert "socket,id=bmc,host=127.0.0.1,port=4711,reconnect=1" in options(arguments, "-chardev")
    assert device(arguments, "ipmi-bmc-extern")["chardev"] == "bmc"
    assert device(arguments, "isa-ipmi-kcs")["bmc"] == device(arguments, "ipmi-bmc-extern")["id"]
    assert "ipmi" not in " ".join(unit_arguments())


def test_a_tpm_is_outside_of_qemu_behind_its_register_interface() -> None:
    machine = replace(unit_spec("sata"), tpm=True).machine("/unit")
    assert machine.tpm == "/unit/tpm"
    arguments = qemu_arguments(machine, replace(ENDPOINTS, tpm="/s/tpm"))
    assert "socket,id=tpm,path=/s/tpm" in options(arguments, "-chardev")
    assert options(arguments, "-tpmdev") == ["emulator,id=tpm0,chardev=tpm"]
    assert device(arguments, "tpm-tis")["tpmdev"] == "tpm0"
    assert "tpm" not in " ".join(unit_arguments())


def test_a_management_controller_is_for_platforms_that_have_one() -> None:
    with pytest.raises(BadInput, match="no platform like QEMU-mfg-test-raid1 has one"):
        with_bmc(unit_spec("raid1"))


def test_a_management_controller_in_a_network_namespace() -> None:
    machine = replace(with_bmc(unit_spec("sata")).machine("/unit"), namespace="gprov-lab")
    with pytest.raises(BadInput, match="not reachable from a network namespace"):
        qemu_arguments(machine, ENDPOINTS)

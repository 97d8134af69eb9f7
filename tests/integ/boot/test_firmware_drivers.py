"""Which controllers the firmware of lab units has drivers for, as the installed files show, is what the lab says."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from gprov.apps.host.lab.argv import Accelerator, HostEndpoints, qemu_arguments
from gprov.apps.host.lab.controllers import CONTROLLERS
from gprov.apps.host.lab.machine import DiskBus, Machine, Smbios, VirtualDisk
from gprov.apps.host.lab.runner import FIRMWARE_CODE
from gprov.domain.boot.firmware import FirmwareKind

SEABIOS = Path("/usr/share/seabios/bios-256k.bin")

# EDK2's driver of each, None if EDK2 has none (OvmfPkg, MdeModulePkg).
MODULES = {
    DiskBus.AHCI: "AtaAtapiPassThruDxe",
    DiskBus.NVME: "NvmExpressDxe",
    DiskBus.VIRTIO: "VirtioBlkDxe",
    DiskBus.SCSI: "VirtioScsiDxe",
    DiskBus.MEGASAS: None,
    DiskBus.MEGASAS_GEN2: None,
    DiskBus.MPTSAS: "MptScsiDxe",
    DiskBus.PVSCSI: "PvScsiDxe",
    DiskBus.LSI_895A: "LsiScsiDxe",
    DiskBus.LSI_810: None,
    DiskBus.ESP: None,
    DiskBus.SDHCI: "SdMmcPciHcDxe",
    DiskBus.USB: "UsbMassStorageDxe",
    DiskBus.UAS: None,
}
# Name of a function of each of SeaBIOS' drivers, which are in its messages about a lack of memory.
FUNCTIONS = {
    DiskBus.AHCI: "ahci_controller_setup",
    DiskBus.NVME: "nvme_controller_setup",
    DiskBus.VIRTIO: "init_virtio_blk",
    DiskBus.SCSI: "virtio_scsi_add_lun",
    DiskBus.MEGASAS: "megasas_add_lun",
    DiskBus.MEGASAS_GEN2: "megasas_add_lun",
    DiskBus.MPTSAS: "mpt_scsi_add_lun",
    DiskBus.PVSCSI: "pvscsi_add_lun",
    DiskBus.LSI_895A: "lsi_scsi_add_lun",
    # The same driver refuses the 53C810.
    DiskBus.LSI_810: None,
    DiskBus.ESP: "esp_scsi_add_lun",
    DiskBus.SDHCI: "sdcard_controller_setup",
    DiskBus.USB: "usb_msc_lun_setup",
    DiskBus.UAS: "uas_add_lun",
}


@pytest.mark.skipif(not Path(FIRMWARE_CODE).exists(), reason="needs ovmf")
def test_ovmf() -> None:
    dump = (str(Path(sys.executable).with_name("virt-fw-dump")), "--modules", "-i", FIRMWARE_CODE)
    found = set(re.findall(r"name=(\w+)", subprocess.run(dump, check=True, capture_output=True, text=True).stdout))
    assert "BdsDxe" in found
    for bus, module in MODULES.items():
        assert (FirmwareKind.UEFI in CONTROLLERS[bus].starts) == (module in found), bus


@pytest.mark.skipif(not SEABIOS.exists(), reason="needs seabios")
def test_seabios() -> None:
    found = set(re.findall(rb"[a-z_]{8,}", SEABIOS.read_bytes()))
    for bus, function in FUNCTIONS.items():
        has_driver = function is not None and function.encode() in found
        assert (FirmwareKind.BIOS in CONTROLLERS[bus].starts) == has_driver, bus


def test_each_controller_is_looked_at() -> None:
    assert set(MODULES) == set(FUNCTIONS) == set(CONTROLLERS) == set(DiskBus)


# Writes a line on the serial port, then stops: mov dx, 0x3f8; for each letter mov al, …; out dx, al; hlt.
SECTOR = (
    b"\xba\xf8\x03" + b"".join(b"\xb0" + bytes([letter]) + b"\xee" for letter in b"<started here>") + b"\xf4\xeb\xfd"
).ljust(510, b"\0") + b"\x55\xaa"


@pytest.mark.vm
@pytest.mark.nightly
@pytest.mark.parametrize("bus", DiskBus)
def test_seabios_starts_from_disks_of_controllers_that_it_has_drivers_for(bus: DiskBus, tmp_path: Path) -> None:
    """The boot sector of RECOVERY's disk, beside a data disk that has another."""
    data, recovery, serial = tmp_path / "data", tmp_path / "recovery", tmp_path / "serial"
    for file, sector in ((data, SECTOR.replace(b"\xb0h\xee", b"\xb0-\xee")), (recovery, SECTOR)):
        raw = tmp_path / "raw"
        with raw.open("wb") as out:
            out.write(sector)
            out.truncate(1 << 30)
        subprocess.run(("qemu-img", "convert", "-O", "qcow2", raw, file), check=True)
    beside = DiskBus.NVME if bus is DiskBus.SDHCI else DiskBus.AHCI
    machine = Machine(
        firmware=FirmwareKind.BIOS,
        variables="",
        smbios=Smbios("m", "p", "s"),
        disks=(
            VirtualDisk(name="data", file=str(data), bus=beside),
            VirtualDisk(name="recovery", file=str(recovery), bus=bus, bios_bootable=True),
        ),
        reports=False,
    )
    endpoints = HostEndpoints(
        accelerator=Accelerator.TCG,
        qmp=str(tmp_path / "qmp"),
        console=str(tmp_path / "console"),
        lcd=str(tmp_path / "lcd"),
        serial_log=str(serial),
        report="",
        firmware_code="",
    )
    said = b""
    with subprocess.Popen(qemu_arguments(machine, endpoints)) as running:
        try:
            for _ in range(300):
                said = serial.read_bytes() if serial.exists() else b""
                if said.endswith(b">"):
                    break
                with suppress(subprocess.TimeoutExpired):
                    running.wait(0.1)
        finally:
            running.kill()
    wanted = b"<started here>" if FirmwareKind.BIOS in CONTROLLERS[bus].starts else b"<started -ere>"
    assert said == wanted

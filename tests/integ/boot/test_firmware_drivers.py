"""Which controllers the firmware of lab units has drivers for, as the installed files show, is what the lab says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gprov.apps.host.lab.controllers import CONTROLLERS
from gprov.apps.host.lab.machine import DiskBus
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

"""Builds manufData.json for a virtual unit: files to provision it from, and its hardware specification. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gprov.apps.host.lab.argv import CPU_NAME
from gprov.apps.host.lab.bmc_config import ENGINE_FIRMWARE, FIRMWARE
from gprov.apps.host.lab.machine import DiskBus
from gprov.apps.host.lab.nics import NICS
from gprov.apps.host.lab.stepfiles import steps_document
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.disk.layout import MIB


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a unit downloads. ``sha256``: 64 hexadecimal digits."""

    url: str
    sha256: str


@dataclass(frozen=True, slots=True)
class StepArtifacts:
    """The files of ``stepfiles``."""

    script: Artifact
    program: Artifact
    stash: Artifact


def manuf_data(
    artifacts: Iterable[Artifact], endpoint: str, spec: VirtualUnitSpec, steps: StepArtifacts | None = None
) -> Mapping[str, object]:
    """Return the JSON document. ``endpoint``: URL of the factory server from the units. ``steps``: None for a document
    without steps and stash archives."""
    data: dict[str, object] = {
        "Files": [_file(artifact) for artifact in artifacts],
        "LogEndpoint": endpoint,
        "ValidationData": [_validation(spec)],
    }
    if steps is not None:
        data.update(steps_document(spec.code_name, (_file(steps.script), _file(steps.program)), _file(steps.stash)))
    return data


def _file(artifact: Artifact) -> Mapping[str, str]:
    return {"Src": artifact.url, "Sha256": artifact.sha256}


def _interface(model: str, quantity: int) -> Mapping[str, object]:
    """``model``: QEMU's name."""
    known = NICS[model]
    return {
        "HumanDescription": f"network interface, {known.description}",
        "Vendor": f"0x{known.vendor:04x}",
        "Device": f"0x{known.device:04x}",
        "Class": "0x0200",
        "Quantity": quantity,
    }


def _disk_names(bus: DiskBus) -> Mapping[str, str]:
    """Vendor and model of QEMU's disks as gprov detects them."""
    match bus:
        case DiskBus.AHCI:
            return {"Vendor": "ATA", "Model": "QEMU HARDDISK"}
        case DiskBus.NVME:
            return {"Model": "QEMU NVMe Ctrl"}
        case DiskBus.VIRTIO:
            return {}
        case DiskBus.SDHCI:
            return {"Model": "QEMU!"}
        case _:  # SCSI, and USB in the form of SCSI
            return {"Vendor": "QEMU", "Model": "QEMU HARDDISK"}


def _validation(spec: VirtualUnitSpec) -> Mapping[str, object]:
    """Return an entry of ValidationData with every supported property."""
    machine = spec.machine("")
    models = [nic.model for nic in machine.nics]
    return {
        "DevCodeName": spec.code_name,
        "CPUInfo": {"Model": CPU_NAME, "Cores": machine.cpus, "Sockets": 1},
        "RamMegs": machine.memory // MIB,
        **({"FirmwareVer": {"IPMI": FIRMWARE, "ME": ENGINE_FIRMWARE}} if spec.bmc else {}),
        "Recovery": {"Size": spec.recovery_size, **_disk_names(spec.recovery_bus), "Quantity": 1},
        "MainDiskConfigs": [
            [
                {"Size": spec.primary_size, **_disk_names(bus), "Quantity": quantity}
                for bus, quantity in Counter(spec.primaries).items()
            ]
        ],
        "NumOUINics": len(machine.nics),
        "OUINicsSequential": True,
        "TotalNics": len(machine.nics),
        "Devices": {
            "PCI": [
                *(_interface(model, models.count(model)) for model in sorted(set(models))),
                {"HumanDescription": "display (units have none)", "Class": "0x0300", "Quantity": 0},
            ]
        },
        "SerNumRegex": f"^{re.escape(spec.serial)}$",
        "DmiMatches": {"system-manufacturer": spec.manufacturer, "baseboard-product-name": spec.product},
    }

"""Builds manufData.json for a virtual unit: files to provision it from, and its hardware specification. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gprov.apps.host.lab.argv import CPU_NAME
from gprov.apps.host.lab.bmc_config import ENGINE_FIRMWARE, FIRMWARE
from gprov.apps.host.lab.machine import E1000E, VIRTIO, DiskBus
from gprov.apps.host.lab.stepfiles import steps_document
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.disk.layout import MIB

# Vendor and model of QEMU's disks as gprov detects them.
_NAMES: Mapping[DiskBus, Mapping[str, str]] = {
    DiskBus.AHCI: {"Vendor": "ATA", "Model": "QEMU HARDDISK"},
    DiskBus.NVME: {"Model": "QEMU NVMe Ctrl"},
    DiskBus.VIRTIO: {},
    DiskBus.SCSI: {"Vendor": "QEMU", "Model": "QEMU HARDDISK"},
    DiskBus.USB: {"Vendor": "QEMU", "Model": "QEMU HARDDISK"},
}
# Network interfaces on PCI, by QEMU's name of the model. The second is a transitional virtio device.
_ETHERNET = {
    E1000E: {"Vendor": "0x8086", "Device": "0x10d3", "Class": "0x0200"},
    VIRTIO: {"Vendor": "0x1af4", "Device": "0x1000", "Class": "0x0200"},
}


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


def _validation(spec: VirtualUnitSpec) -> Mapping[str, object]:
    """Return an entry of ValidationData with every supported property."""
    machine = spec.machine("")
    models = [nic.model for nic in machine.nics]
    return {
        "DevCodeName": spec.code_name,
        "CPUInfo": {"Model": CPU_NAME, "Cores": machine.cpus, "Sockets": 1},
        "RamMegs": machine.memory // MIB,
        **({"FirmwareVer": {"IPMI": FIRMWARE, "ME": ENGINE_FIRMWARE}} if spec.bmc else {}),
        "Recovery": {"Size": spec.recovery_size, **_NAMES[spec.recovery_bus], "Quantity": 1},
        "MainDiskConfigs": [
            [
                {"Size": spec.primary_size, **_NAMES[bus], "Quantity": quantity}
                for bus, quantity in Counter(spec.primaries).items()
            ]
        ],
        "NumOUINics": len(machine.nics),
        "OUINicsSequential": True,
        "TotalNics": len(machine.nics),
        "Devices": {
            "PCI": [
                *(
                    {"HumanDescription": "network interface", **_ETHERNET[model], "Quantity": models.count(model)}
                    for model in sorted(set(models))
                ),
                {"HumanDescription": "display (units have none)", "Class": "0x0300", "Quantity": 0},
            ]
        },
        "SerNumRegex": f"^{re.escape(spec.serial)}$",
        "DmiMatches": {"system-manufacturer": spec.manufacturer, "baseboard-product-name": spec.product},
    }

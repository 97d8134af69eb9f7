"""A unit's work folder: its disks, its firmware variables, and what it was made as.

unit.json  primary0.qcow2  recovery.qcow2  efivars.fd  serial-<stage>.log
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace

from gprov.apps.build.hostfiles import read_file, translated, write_file
from gprov.apps.lab.machine import GIB, DiskBus, Durability, Machine, Smbios, VirtualDisk, VirtualNic
from gprov.apps.lab.runner import FIRMWARE_VARIABLES
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.errors import DeviceMissing
from gprov.domain.jsonread import JsonObject, finish, read_object
from gprov.ports.process import Processes

_FACTS = "unit.json"
_VARIABLES = "efivars.fd"
_PRIVATE = 0o600  # disks hold secrets of the unit
_PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """What a unit is made as. The defaults are what the default platform table calls QEMU-mfg-test."""

    serial: str = "LAB0001"
    mac: str = f"{Branding().mac_prefix}:00:00:01"
    firmware: FirmwareKind = FirmwareKind.UEFI
    manufacturer: str = "GPROV_QEMU"
    product: str = "mfg_test"
    primaries: tuple[DiskBus, ...] = (DiskBus.AHCI,)
    primary_size: int = 20 * GIB
    recovery_size: int = 4 * GIB


class Unit:
    """One unit in its folder."""

    def __init__(self, folder: str, spec: UnitSpec) -> None:
        self.folder = os.path.abspath(folder)
        self.spec = spec

    @classmethod
    def open(cls, folder: str) -> Unit:
        """Raises DeviceMissing if no unit is there, BadInput."""
        path = os.path.join(folder, _FACTS)
        try:
            raw = read_file(path)
        except DeviceMissing as exc:
            raise DeviceMissing(folder, "holds no unit; `gprov lab provision` makes one") from exc
        return cls(folder, _read(path, raw))

    @classmethod
    def create(cls, folder: str, spec: UnitSpec, processes: Processes) -> Unit:
        """A unit fresh from the assembly line: empty disks, firmware defaults. Replaces what is in the folder."""
        unit = cls(folder, spec)
        unit._prepare_folder()
        for index in range(len(spec.primaries)):
            unit._make_disk(processes, unit.primary(index), str(spec.primary_size))
        unit._make_disk(processes, unit.recovery, str(spec.recovery_size))
        unit._take_variables(FIRMWARE_VARIABLES)
        unit._write_facts()
        return unit

    def overlay(self, folder: str, processes: Processes) -> Unit:
        """The same unit in another folder: what happens to it there leaves this one as it is, and costs no copy.
        This one must not be started as long as the other is used."""
        other = Unit(folder, self.spec)
        other._prepare_folder()
        for mine, its in zip(self.disk_files(), other.disk_files(), strict=True):
            other._make_disk(processes, its, "", backing=mine)
        other._take_variables(self.variables)
        other._write_facts()
        return other

    def primary(self, index: int = 0) -> str:
        return self.path(f"primary{index}.qcow2")

    @property
    def recovery(self) -> str:
        return self.path("recovery.qcow2")

    @property
    def variables(self) -> str:
        return self.path(_VARIABLES)

    def disk_files(self) -> tuple[str, ...]:
        return (*(self.primary(index) for index in range(len(self.spec.primaries))), self.recovery)

    def serial_log(self, stage: str) -> str:
        return self.path(f"serial-{stage}.log")

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def machine(self, durability: Durability = Durability.FAST) -> Machine:
        """As it stands there, about to be switched on."""
        primaries = [
            VirtualDisk(f"primary{index}", self.primary(index), bus, f"LABDISK{index:04}", durability)
            for index, bus in enumerate(self.spec.primaries)
        ]
        recovery = VirtualDisk("recovery", self.recovery, DiskBus.USB, "LABSTICK0001", durability)
        uefi = self.spec.firmware is FirmwareKind.UEFI
        return Machine(
            firmware=self.spec.firmware,
            variables=self.variables if uefi else "",
            smbios=Smbios(self.spec.manufacturer, self.spec.product, self.spec.serial),
            disks=(*primaries, recovery),
            nics=(VirtualNic(self.spec.mac),),
        )

    def machine_with_late_primary(self) -> Machine:
        """As ``machine``, with the first primary disk on a bus where it can be plugged later."""
        machine = self.machine()
        late = replace(machine.disks[0], bus=DiskBus.SCSI, late=True)
        return replace(machine, disks=(late, *machine.disks[1:]))

    def _prepare_folder(self) -> None:
        with translated(self.folder):
            os.makedirs(self.folder, mode=_PRIVATE_FOLDER, exist_ok=True)
            os.chmod(self.folder, _PRIVATE_FOLDER)
            for name in os.listdir(self.folder):
                if name.endswith((".qcow2", ".fd", ".log")) or name == _FACTS:
                    os.unlink(self.path(name))

    def _make_disk(self, processes: Processes, file: str, size: str, backing: str = "") -> None:
        base = ("-b", backing, "-F", "qcow2") if backing else ()
        processes.run(("qemu-img", "create", "-q", "-f", "qcow2", *base, file, *([size] if size else [])))
        with translated(file):
            os.chmod(file, _PRIVATE)

    def _take_variables(self, source: str) -> None:
        with translated(source):
            shutil.copyfile(source, self.variables)
            os.chmod(self.variables, _PRIVATE)

    def _write_facts(self) -> None:
        spec = self.spec
        facts = {
            "serial": spec.serial,
            "mac": spec.mac,
            "firmware": spec.firmware.value,
            "manufacturer": spec.manufacturer,
            "product": spec.product,
            "primaries": [bus.value for bus in spec.primaries],
            "primary_size": spec.primary_size,
            "recovery_size": spec.recovery_size,
        }
        write_file(self.path(_FACTS), json.dumps(facts, indent=2).encode() + b"\n")


def _read(path: str, raw: bytes) -> UnitSpec:
    root = read_object(path, raw)
    spec = UnitSpec(
        serial=root.text("serial", required=True),
        mac=root.text("mac", required=True),
        firmware=root.one_of("firmware", {kind.value: kind for kind in FirmwareKind}, FirmwareKind.UEFI, required=True),
        manufacturer=root.text("manufacturer", required=True),
        product=root.text("product", required=True),
        primaries=_buses(root),
        primary_size=root.integer("primary_size", required=True, least=1),
        recovery_size=root.integer("recovery_size", required=True, least=1),
    )
    return finish(path, root, spec)


def _buses(root: JsonObject) -> tuple[DiskBus, ...]:
    known = {bus.value: bus for bus in DiskBus}
    names = root.texts("primaries", required=True)
    for name in names:
        if name not in known:
            root.problem("primaries", f"unknown bus {name!r}; known: {', '.join(known)}")
    return tuple(known[name] for name in names if name in known)

"""A virtual unit in its work folder: disks, firmware variables, specification.

unit.json  primary0.qcow2 …  recovery.qcow2  efivars.fd (UEFI)  tpm/ (--tpm)  serial-<stage>.log
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file, write_file
from gprov.apps.host.lab.machine import DiskBus, Durability, Machine
from gprov.apps.host.lab.runner import FIRMWARE_VARIABLES
from gprov.apps.host.lab.secure_boot import enrolled_variables
from gprov.apps.host.lab.unitspec import (
    BMC,
    RECOVERY,
    TPM,
    VARIABLES,
    VirtualUnitSpec,
    primary_name,
    read_spec,
    spec_text,
)
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceMissing
from gprov.ports.process import Processes

_FACTS = "unit.json"
SERVER = "server"
_PRIVATE = 0o600  # disks hold secrets of the unit
_PRIVATE_FOLDER = 0o700


class VirtualUnit:
    """A virtual unit in its folder."""

    def __init__(self, folder: str, spec: VirtualUnitSpec) -> None:
        self.folder = os.path.abspath(folder)
        self.spec = spec

    @classmethod
    def open(cls, folder: str) -> VirtualUnit:
        """Open the unit in a folder. Raises DeviceMissing if the folder holds no unit, BadInput."""
        path = os.path.join(folder, _FACTS)
        try:
            raw = read_file(path)
        except DeviceMissing as exc:
            raise DeviceMissing(folder, "holds no unit; `gprov lab provision` makes one") from exc
        return cls(folder, read_spec(path, raw))

    @classmethod
    def create(cls, folder: str, spec: VirtualUnitSpec, processes: Processes, certificate: str = "") -> VirtualUnit:
        """Create a unit with empty disks and firmware defaults. Replaces an existing unit in the folder.
        ``certificate``: path of the PEM file that is enrolled if the unit has Secure Boot."""
        unit = cls(folder, spec)
        unit._prepare_folder()
        for index in range(len(spec.primaries)):
            unit._make_disk(processes, unit.primary(index), str(spec.primary_size))
        unit._make_disk(processes, unit.recovery, str(spec.recovery_size))
        enrolled = enrolled_variables(FIRMWARE_VARIABLES, certificate) if spec.secure_boot else b""
        unit._complete(enrolled or read_file(FIRMWARE_VARIABLES))
        return unit

    def overlay(self, folder: str, processes: Processes) -> VirtualUnit:
        """Return the same unit in another folder, on qcow2 overlays of these disks and a copy of the variables. Its
        changes do not affect this unit, which must not be started while the overlay is used."""
        other = VirtualUnit(folder, self.spec)
        other._prepare_folder()
        for base, file in zip(self.disk_files(), other.disk_files(), strict=True):
            other._make_disk(processes, file, "", backing=base)
        for own, copy in ((self.bmc, other.bmc), (self.tpm, other.tpm)):
            if os.path.isdir(own):
                with os_errors_translated(copy):
                    shutil.copytree(own, copy)
        other._complete(read_file(self.variables) if self.spec.firmware is FirmwareKind.UEFI else b"")
        return other

    def detach(self, processes: Processes) -> None:
        """Make the disks of an overlay independent of the unit below it."""
        for file in self.disk_files():
            processes.run(("qemu-img", "rebase", "-f", "qcow2", "-b", "", file))

    def primary(self, index: int = 0) -> str:
        return self.path(primary_name(index))

    @property
    def recovery(self) -> str:
        return self.path(RECOVERY)

    @property
    def bmc(self) -> str:
        """Folder of the simulated management controller."""
        return self.path(BMC)

    @property
    def tpm(self) -> str:
        """Folder with the memory of the simulated TPM."""
        return self.path(TPM)

    @property
    def variables(self) -> str:
        return self.path(VARIABLES)

    def disk_files(self) -> tuple[str, ...]:
        return (*(self.primary(index) for index in range(len(self.spec.primaries))), self.recovery)

    def serial_log(self, stage: str) -> str:
        return self.path(f"serial-{stage}.log")

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def machine(self, durability: Durability = Durability.IGNORE_FLUSH) -> Machine:
        """Return the machine with all disks of the unit."""
        return self.spec.machine(self.folder, durability)

    def machine_with_hotplugged_primary(self) -> Machine:
        """Return the machine with its first data disk on SCSI, to be hot-plugged."""
        machine = self.machine()
        hotplugged = replace(machine.disks[0], bus=DiskBus.SCSI, hotplugged=True)
        return replace(machine, disks=(hotplugged, *machine.disks[1:]))

    def _prepare_folder(self) -> None:
        with os_errors_translated(self.folder):
            os.makedirs(self.folder, mode=_PRIVATE_FOLDER, exist_ok=True)
            os.chmod(self.folder, _PRIVATE_FOLDER)
            for name in os.listdir(self.folder):
                if name == _FACTS or name.endswith((".qcow2", ".fd", ".key")) or name.startswith(("serial-", "lcd-")):
                    os.unlink(self.path(name))
            # A factory server that has sealed this serial would not provision it again.
            # A controller with accounts, or a TPM with keys, of an earlier unit would not be one as delivered.
            for name in (SERVER, BMC, TPM):
                if os.path.isdir(self.path(name)):
                    shutil.rmtree(self.path(name))

    def _make_disk(self, processes: Processes, file: str, size: str, backing: str = "") -> None:
        base = ("-b", backing, "-F", "qcow2") if backing else ()
        processes.run(("qemu-img", "create", "-q", "-f", "qcow2", *base, file, *([size] if size else [])))
        with os_errors_translated(file):
            os.chmod(file, _PRIVATE)

    def _complete(self, variables: bytes) -> None:
        """Write the variables, then unit.json, which marks the unit as complete."""
        if self.spec.firmware is FirmwareKind.UEFI:
            write_file(self.variables, variables)
            with os_errors_translated(self.variables):
                os.chmod(self.variables, _PRIVATE)
        write_file(self.path(_FACTS), spec_text(self.spec))

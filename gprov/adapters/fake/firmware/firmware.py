"""Firmware, tables and inventory of the simulated machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.boot.entries import DeleteVariable, SetVariable, VariableChange
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceMissing
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.platform.inventory import Inventory
from gprov.ports.destructive.variable_writer import VariableWriter
from gprov.ports.firmware import Firmware, SmbiosTable
from gprov.ports.hardware import HardwareInventory


class FakeFirmware(Firmware, VariableWriter):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def kind(self) -> FirmwareKind:
        return self._machine.firmware

    @override
    def variables(self) -> tuple[VariableName, ...]:
        return tuple(sorted(self._machine.nvram, key=lambda name: (name.vendor, name.name)))

    @override
    def read(self, name: VariableName) -> Variable | None:
        return self._machine.nvram.get(name)

    @override
    def write(self, name: VariableName, variable: Variable) -> None:
        self._machine.begin_write(f"nvram {name.name}")
        self._change(name, variable)

    @override
    def delete(self, name: VariableName) -> None:
        self._machine.begin_write(f"nvram delete {name.name}")
        if name in self._machine.nvram:
            self._change(name, None)

    def _change(self, name: VariableName, variable: Variable | None) -> None:
        """A power cut during the write leaves the old value or the new one: firmware stores variables
        fault-tolerantly."""
        machine = self._machine
        machine.nvram_before[name] = machine.nvram.get(name)
        if variable is None:
            machine.nvram.pop(name)
        else:
            machine.nvram[name] = variable
        machine.begin_write(f"nvram {name.name}: under way")
        machine.nvram_before.pop(name)
        machine.nvram_writes += 1


class FakeSmbios(SmbiosTable):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def structures(self) -> bytes:
        if not self._machine.smbios:
            raise DeviceMissing("SMBIOS", "this machine has no SMBIOS table")
        return self._machine.smbios


class FakeInventory(HardwareInventory):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def read(self) -> Inventory:
        return self._machine.inventory


def apply_changes(variables: Mapping[str, Variable], changes: Iterable[VariableChange]) -> dict[str, Variable]:
    """Return the variables after the changes."""
    result = dict(variables)
    for change in changes:
        match change:
            case SetVariable(name, variable):
                result[name] = variable
            case DeleteVariable(name):
                result.pop(name, None)
    return result

"""Removes firmware variables, and makes sure that they are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gprov.domain.boot.entries import DeleteVariable, SetVariable, VariableChange
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.erase.owner_variables import Removal, RemovalPlan, plan_removals
from gprov.domain.erase.report import OptionResult, OptionStatus
from gprov.domain.erase.variable_choice import VariableChoice
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.ports.destructive.variable_writer import VariableWriter
from gprov.ports.firmware import Firmware

OPTION = "UEFI variables"
_VARIABLE = "UEFI variable"
_EARLIER = "removed before a restart of this erase"


class VariableRemoval:
    """``own_entries``: descriptions of the boot entries that stay."""

    def __init__(self, firmware: Firmware, writer: VariableWriter, own_entries: Iterable[str]) -> None:
        self._firmware = firmware
        self._writer = writer
        self._own_entries = frozenset(own_entries)

    def run(
        self,
        choices: Sequence[VariableChoice],
        partitions: Iterable[str],
        planned_before: Sequence[VariableName],
        planned: Callable[[tuple[VariableName, ...]], None],
    ) -> tuple[OptionResult, ...]:
        """``partitions``: UUIDs of those that exist. ``planned_before``: variables that an interrupted erase was about
        to remove; ``planned`` is called with all of them before the first one is. Never raises DeviceFault: the first
        result is the overall one."""
        if self._firmware.kind() is FirmwareKind.BIOS:
            why = "not applicable: this machine was started by a BIOS, which has none"
            return (OptionResult(OPTION, OptionStatus.NOT_PRESENT, why),)
        try:
            variables = {name: self._read(name) for name in self._firmware.variables()}
            plan = plan_removals(variables, choices, self._own_entries, partitions)
            found = {removal.name for removal in plan.removals}
            gone = tuple(name for name in planned_before if name not in found)
            planned((*gone, *(removal.name for removal in plan.removals)))
            results = (*map(self._earlier, gone), *self._remove(plan))
        except DeviceFault as fault:
            return (OptionResult(OPTION, OptionStatus.FAILED, str(fault)),)
        return (_overall(results, plan.note), *results)

    def _read(self, name: VariableName) -> Variable:
        """One that cannot be read has no data: it is removed if its name is that of an owner's."""
        try:
            return self._firmware.read(name) or Variable(0, b"")
        except DeviceFault:
            return Variable(0, b"")

    def _remove(self, plan: RemovalPlan) -> tuple[OptionResult, ...]:
        """Raises DeviceFault if BootOrder or BootNext cannot be changed; the entries that they name then stay."""
        for change in plan.lists:
            self._change(change)
        return tuple(map(self._remove_one, plan.removals))

    def _change(self, change: VariableChange) -> None:
        match change:
            case SetVariable():
                self._writer.write(VariableName(change.name), change.variable)
            case DeleteVariable():
                self._writer.delete(VariableName(change.name))

    def _remove_one(self, removal: Removal) -> OptionResult:
        what = f"{_text(removal.name)} ({removal.why})"
        try:
            self._writer.delete(removal.name)
            left = self._firmware.read(removal.name) is not None
        except DeviceFault as fault:
            return OptionResult(_VARIABLE, OptionStatus.FAILED, f"{what}: {fault.reason}")
        if left:
            return OptionResult(_VARIABLE, OptionStatus.FAILED, f"{what}: the firmware reports no error, but keeps it")
        return OptionResult(_VARIABLE, OptionStatus.DONE, f"{what}: removed")

    def _earlier(self, name: VariableName) -> OptionResult:
        """Raises DeviceFault."""
        if self._firmware.read(name) is not None:
            return OptionResult(_VARIABLE, OptionStatus.FAILED, f"{_text(name)}: was to be removed and is still there")
        return OptionResult(_VARIABLE, OptionStatus.DONE, f"{_text(name)}: {_EARLIER}")


def _overall(results: Sequence[OptionResult], note: str) -> OptionResult:
    failed = sum(one.status is OptionStatus.FAILED for one in results)
    note = f"; {note}" if note else ""
    if failed:
        return OptionResult(OPTION, OptionStatus.FAILED, f"{failed} of {len(results)} could not be removed{note}")
    if not results:
        return OptionResult(OPTION, OptionStatus.NOT_PRESENT, f"none of those that are to be removed exists{note}")
    stay = "those of the firmware and of gprov stay"
    return OptionResult(OPTION, OptionStatus.DONE, f"{len(results)} removed; {stay}{note}")


def _text(name: VariableName) -> str:
    return f"{name.name}-{name.vendor}"

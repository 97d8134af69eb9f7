"""Writing boot entries to the firmware."""

from __future__ import annotations

from typing import assert_never

from gprov.apps.unit.boot.boot_entries import boot_variables
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.entries import DeleteVariable, EspLocation, SetVariable, planned_entries, reconcile
from gprov.domain.disk.model import Partition
from gprov.domain.formats.efi.variables import VariableName
from gprov.domain.plan.disk_operations import UpdateBootEntries
from gprov.ports.destructive.variable_writer import VariableWriter
from gprov.ports.firmware import Firmware


def update_boot_entries(
    firmware: Firmware, writer: VariableWriter, esp: Partition, operation: UpdateBootEntries, bus: EventBus
) -> None:
    """Write only what differs, in an order that keeps the unit bootable after each write. Raises DeviceFault."""
    sector = operation.esp.disk.sector_size
    location = EspLocation(esp.number, esp.start // sector, esp.size // sector, esp.uuid)
    expected = planned_entries(operation.branding, location, operation.extra_arguments)
    changes = reconcile(boot_variables(firmware, bus), expected)
    if not changes:
        bus.log("boot entries are right already")
    for change in changes:
        bus.log(change.describe())
        match change:
            case SetVariable():
                writer.write(VariableName(change.name), change.variable)
            case DeleteVariable():
                writer.delete(VariableName(change.name))
            case _:
                assert_never(change)

"""Comparing the hardware with its specification. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.mfg.ports import MfgPorts
from gprov.apps.mfg.reports import MachineReports, read_hardware
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.devices.excluded_disks import current_excluded_disks
from gprov.apps.unit.devices.targets import target_spec
from gprov.apps.unit.devices.volumes import volumes_of, wait_for
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk
from gprov.domain.disk.recovery import attachment_rule, check_single_recovery, choose_recovery_disk
from gprov.domain.disk.targets import choose_targets
from gprov.domain.errors import HardwareMismatch
from gprov.domain.formats.smbios.table import SmbiosTable as Table
from gprov.domain.mfg.compare import Hardware, compare
from gprov.domain.mfg.difference import Difference, difference_text
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mfg.spec import HardwareSpec
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.inventory import Inventory
from gprov.domain.unit.nics import Nic

# Disks behind slow controllers and USB hubs appear late.
DISK_SECONDS = 30.0


@dataclass(frozen=True)
class Inspection:
    """Hardware that fits, and the specification with which it was compared."""

    spec: HardwareSpec
    inventory: Inventory
    disks: tuple[Disk, ...]
    nics: tuple[Nic, ...]


def inspect(
    ports: MfgPorts, unit: Unit, table: Table, data: ManufData, context: UnitContext, reports: MachineReports
) -> Inspection:
    """Compare again after each device change, until everything fits or DISK_SECONDS have passed. Raises
    HardwareMismatch with all differences, after these and the detected hardware were reported."""
    volumes, prefix = ports.volumes, context.branding.mac_prefix
    code_name = unit.platform.code_name
    # Serial numbers of prototypes follow no rule.
    serial = None if unit.by_fallback else unit.serial
    spec = data.spec_for(code_name)
    hardware: Hardware | None = None

    def read() -> Hardware:
        return hardware or read_hardware(ports, table)

    if spec is None:
        known = ", ".join(spec.code_name for spec in data.validation)
        reports.hardware(code_name, read, None, prefix)
        raise HardwareMismatch(f"no specification for {code_name}; there are: {known}")
    differences: tuple[Difference, ...] = ()

    def ready() -> bool:
        nonlocal differences, hardware
        hardware = read_hardware(ports, table)
        differences = compare(spec, hardware, serial=serial, mac_prefix=prefix)
        return not differences

    if not wait_for(volumes.blocks, volumes.clock, DISK_SECONDS, ready):
        for difference in differences:
            context.bus.warning(difference_text(difference))
        reports.differences(code_name, differences)
        reports.hardware(code_name, read, spec.recovery, prefix)
        raise HardwareMismatch(
            f"{unit.serial} is not as specified for {code_name} ({len(differences)} difference(s))", differences
        )
    context.bus.message("Hardware is as specified")
    found = read()
    return Inspection(spec, found.inventory, tuple(found.disks), tuple(found.nics))


def recovery_disk(ports: MfgPorts, found: Inspection, unit: Unit, context: UnitContext) -> Disk:
    """The disk that becomes RECOVERY. Raises HardwareMismatch if there is none, more than one, or if another disk holds
    a volume that a boot would take for RECOVERY."""
    volumes, bus = ports.volumes, context.bus
    rule = attachment_rule(unit.platform)
    excluded = current_excluded_disks(volumes, found.disks, None, bus)
    disk = choose_recovery_disk(found.disks, found.spec.recovery, excluded, rule)
    check_single_recovery(volumes_of(volumes.blocks, found.disks, bus), context.branding.recovery_label, disk, rule)
    bus.log(f"RECOVERY becomes {disk.describe()}, identity {disk.identity}")
    return disk


def target_disks(ports: MfgPorts, found: Inspection, recovery: Disk, unit: Unit, bus: EventBus) -> tuple[Disk, ...]:
    """The platform's data disks. They are cleared, so that their old contents do not affect the first boot."""
    excluded = {
        **current_excluded_disks(ports.volumes, found.disks, None, bus),
        recovery.device: "becomes RECOVERY",
    }
    chosen = choose_targets(found.disks, excluded, target_spec(unit.platform)).chosen
    for disk in chosen:
        bus.log(f"PRIMARY goes onto {disk.describe()}, identity {disk.identity}")
    return chosen

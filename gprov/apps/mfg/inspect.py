"""Is this machine what its specification says? Reads everything, writes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.unit.devices.excluded import untouchable
from gprov.apps.unit.devices.targets import target_spec
from gprov.apps.unit.devices.volumes import volumes_of, wait_for
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Disk
from gprov.domain.disk.recovery import attachment_rule, choose_recovery_disk, refuse_rivals
from gprov.domain.disk.targets import choose_targets
from gprov.domain.errors import HardwareMismatch, Problem
from gprov.domain.formats.smbios.table import SmbiosTable as Table
from gprov.domain.mfg.compare import compare
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mfg.spec import HardwareSpec
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.inventory import Inventory
from gprov.domain.unit.nics import Nic
from gprov.ports.block import BlockDevices
from gprov.ports.clock import Clock
from gprov.ports.filesystem import Mounts
from gprov.ports.firmware import Firmware, SmbiosTable
from gprov.ports.hardware import HardwareInventory
from gprov.ports.network import Network

# Disks behind slow controllers and USB hubs show up late.
DISK_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class InspectPorts:
    smbios: SmbiosTable
    inventory: HardwareInventory
    blocks: BlockDevices
    mounts: Mounts
    network: Network
    clock: Clock
    firmware: Firmware


@dataclass(frozen=True)
class Inspection:
    """What was found right: the specification that it was compared with, and the facts."""

    spec: HardwareSpec
    inventory: Inventory
    disks: tuple[Disk, ...]
    nics: tuple[Nic, ...]


def inspect(
    ports: InspectPorts, unit: Unit, table: Table, data: ManufData, branding: Branding, bus: EventBus
) -> Inspection:
    """Compare until everything is right, for as long as devices may still appear. Raises HardwareMismatch with all
    differences at once."""
    spec = data.spec_for(unit.platform.code_name)
    if spec is None:
        known = ", ".join(one.code_name for one in data.validation)
        raise HardwareMismatch(f"no specification for {unit.platform.code_name}; there are: {known}")
    differences: tuple[Problem, ...] = ()
    found: Inspection | None = None

    def ready() -> bool:
        nonlocal differences, found
        found = Inspection(spec, ports.inventory.read(), ports.blocks.disks(), ports.network.nics())
        seen = (found.inventory, found.disks, found.nics)
        differences = compare(spec, unit, *seen, table, mac_prefix=branding.mac_prefix)
        return not differences

    if not wait_for(ports.blocks, ports.clock, DISK_SECONDS, ready) or found is None:
        for difference in differences:
            bus.warning(str(difference))
        raise HardwareMismatch(f"{unit.serial} is not as specified for {spec.code_name}", differences)
    bus.message("Hardware is as specified")
    return found


def recovery_disk(ports: InspectPorts, found: Inspection, unit: Unit, branding: Branding, bus: EventBus) -> Disk:
    """The one disk that becomes RECOVERY. Raises HardwareMismatch if there is none, more than one, or if another
    disk holds a volume that would be taken for RECOVERY."""
    rule = attachment_rule(unit.platform)
    excluded = untouchable(found.disks, ports.mounts, ports.firmware, None, bus)
    disk = choose_recovery_disk(found.disks, found.spec.recovery, excluded, rule)
    refuse_rivals(volumes_of(ports.blocks, found.disks, bus), branding.recovery_label, disk, rule)
    bus.log(f"RECOVERY becomes {disk.describe()}, identity {disk.identity}")
    return disk


def target_disks(ports: InspectPorts, found: Inspection, recovery: Disk, unit: Unit, bus: EventBus) -> tuple[Disk, ...]:
    """The platform's data disks, whose old contents must not confuse the first start."""
    excluded = {
        **untouchable(found.disks, ports.mounts, ports.firmware, None, bus),
        recovery.device: "becomes RECOVERY",
    }
    chosen = choose_targets(found.disks, excluded, target_spec(unit.platform)).chosen
    for disk in chosen:
        bus.log(f"PRIMARY goes onto {disk.describe()}, identity {disk.identity}")
    return chosen

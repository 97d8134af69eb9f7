"""The hardware of the running machine as a specification, or against one: for people and for steps. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gprov.domain.branding import Branding
from gprov.domain.disk.model import Disk
from gprov.domain.errors import BadInput, DeviceFault, HardwareMismatch, Problem
from gprov.domain.formats.smbios.table import SmbiosTable as Table
from gprov.domain.formats.smbios.table import parse_table
from gprov.domain.mfg.compare import Hardware, compare
from gprov.domain.mfg.detected import UNIDENTIFIED, detected_entry, disk_kind, entry_text
from gprov.domain.mfg.difference import Difference
from gprov.domain.mfg.diskmatch import fits
from gprov.domain.mfg.spec import DiskSpec, FirmwareVersions, HardwareSpec
from gprov.domain.mfg.specread import MIN_RECOVERY
from gprov.domain.platform.identify import Unit, identify
from gprov.domain.platform.model import Platform
from gprov.ports.block import BlockDevices
from gprov.ports.firmware import SmbiosTable
from gprov.ports.hardware import HardwareInventory
from gprov.ports.network import Network


@dataclass(frozen=True, kw_only=True)
class HardwarePorts:
    """``bmc_versions`` takes what gets warnings; the result is None without a BMC that answers."""

    inventory: HardwareInventory
    blocks: BlockDevices
    network: Network
    smbios: SmbiosTable
    bmc_versions: Callable[[Callable[[str], None]], FirmwareVersions | None]


class HardwareTool:
    """``platforms``: the platform table; ``warn`` gets what cannot be read."""

    def __init__(
        self, ports: HardwarePorts, platforms: Sequence[Platform], branding: Branding, warn: Callable[[str], None]
    ) -> None:
        self._ports = ports
        self._platforms = tuple(platforms)
        self._branding = branding
        self._warn = warn

    def dump(self, code_name: str = "", recovery: str = "") -> str:
        """An entry of ``ValidationData`` as JSON. ``code_name``: "" for that of the platform that matches.
        ``recovery``: name or device file of the disk that is RECOVERY, "" for the one with the volume of that label, or
        else for the rule of ``detected_entry``.

        Raises DeviceFault, and BadInput if no entry can tell that disk from others."""
        hardware = self._hardware()
        wanted = _recovery(hardware.disks, recovery) if recovery else self._labelled(hardware.disks)
        name = code_name or self._code_name(hardware.smbios) or UNIDENTIFIED
        return entry_text(detected_entry(name, hardware, wanted, self._branding.mac_prefix))

    def compare(self, specs: Sequence[HardwareSpec], code_name: str = "") -> tuple[Difference, ...]:
        """All differences from the specification of this machine's platform, or of the one with this code name. Raises
        DeviceFault, HardwareMismatch if there is none."""
        hardware = self._hardware()
        unit = self._unit(hardware.smbios)
        name = code_name or (unit.platform.code_name if unit else "")
        spec = next((spec for spec in specs if spec.code_name == name), None)
        if spec is None:
            known = ", ".join(spec.code_name for spec in specs)
            raise HardwareMismatch(f"no specification for {name or 'a machine that is not identified'}; known: {known}")
        if unit is None and spec.serial_regex:
            self._warn("SerNumRegex not compared: the machine is not identified")
        return compare(spec, hardware, serial=unit.serial if unit else None, mac_prefix=self._branding.mac_prefix)

    def _hardware(self) -> Hardware:
        ports = self._ports
        return Hardware(
            inventory=ports.inventory.read(),
            disks=ports.blocks.disks(),
            nics=ports.network.nics(),
            smbios=self._smbios(),
            bmc=ports.bmc_versions(self._warn),
        )

    def _smbios(self) -> Table:
        """Only root may read it: without it, versions of the firmware and memory modules are missing."""
        try:
            table = parse_table(self._ports.smbios.structures())
        except (DeviceFault, BadInput) as error:
            self._warn(f"SMBIOS not read: {error}")
            return Table(())
        for problem in table.problems:
            self._warn(f"SMBIOS: {problem}")
        return table

    def _labelled(self, disks: Sequence[Disk]) -> DiskSpec | None:
        """The disk that is RECOVERY of a provisioned unit. None if there is none, or more than one; or if this user may
        not read the disks."""
        found = [disk for disk in disks if any(self._is_recovery(part.node) for part in disk.partitions)]
        return disk_kind(found[0]) if len(found) == 1 else None

    def _is_recovery(self, node: str) -> bool:
        try:
            return self._ports.blocks.contents(node).label == self._branding.recovery_label
        except DeviceFault as fault:
            self._warn(f"cannot see what {node} holds: {fault}")
            return False

    def _unit(self, table: Table) -> Unit | None:
        if not table.structures:
            return None
        try:
            return identify(table, self._platforms)
        except HardwareMismatch as mismatch:
            self._warn(str(mismatch))
            return None

    def _code_name(self, table: Table) -> str:
        unit = self._unit(table)
        return unit.platform.code_name if unit else ""


def _recovery(disks: Sequence[Disk], name: str) -> DiskSpec:
    disk = next((disk for disk in disks if name in (disk.name, disk.node)), None)
    if disk is None:
        known = ", ".join(disk.name for disk in disks) or "none"
        raise BadInput("RECOVERY", [Problem(name, f"is not a disk of this machine; there are: {known}")])
    kind = disk_kind(disk)
    alike = [other.name for other in disks if other is not disk and fits(kind, other)]
    problems = []
    if alike:
        problems.append(
            Problem(name, f"has the size, vendor and model of {', '.join(alike)}: no entry can tell them apart")
        )
    if disk.size < MIN_RECOVERY:
        problems.append(Problem(name, f"has {disk.size} bytes; RECOVERY needs {MIN_RECOVERY}"))
    if problems:
        raise BadInput("RECOVERY", problems)
    return kind

"""Looking at the disks that PRIMARY belongs on, when the root does not simply appear. Reads only."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection
from dataclasses import dataclass

from gprov.apps.unit.devices.arrays import array_volumes, arrays_told_of
from gprov.apps.unit.devices.excluded import untouchable
from gprov.apps.unit.devices.identity import identify_unit, known_rule, read_smbios, stored_fallback
from gprov.apps.unit.devices.targets import target_spec
from gprov.apps.unit.devices.volumes import volumes_of
from gprov.apps.unit.recovery.volume import RecoveryPorts, find_recovery
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.args import BootArguments
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.menus import NORMAL_MENU
from gprov.domain.boot.survey import TargetSurvey, survey_targets
from gprov.domain.branding import Branding
from gprov.domain.disk.arrays import ArrayState
from gprov.domain.disk.arrayspec import array_host, array_name
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.disk.rootspec import RAID_MEMBER
from gprov.domain.disk.targets import unfit
from gprov.domain.errors import BadInput, DeviceFault, GprovError
from gprov.domain.formats.bzimage import check_length, parse_bzimage
from gprov.domain.formats.image.capture import KERNEL_START
from gprov.domain.mountpoints import Places
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.model import ValidateMethod
from gprov.domain.platform.table import Platform
from gprov.domain.unit.hostid import host_identity
from gprov.ports.arrays import Arrays
from gprov.ports.firmware import SmbiosTable

# RECOVERY only helps to judge: a missing one must not hold up the search for the root for long.
RECOVERY_SECONDS = 15.0
_EDGE = 1 * MIB
# What mounting says of a damaged superblock, and ext of damage behind it.
_NO_FILE_SYSTEM = (errno.EINVAL, errno.EUCLEAN)


@dataclass(frozen=True)
class _Note:
    """What RECOVERY tells: where it is, and the platform's code name."""

    volume: Volume | None = None
    code_name: str = ""


@dataclass(frozen=True, kw_only=True)
class SurveyPorts:
    """``arrays`` is made only if there is a member of one."""

    recovery: RecoveryPorts
    arrays: Callable[[], Arrays]
    smbios: SmbiosTable


class Surveyor:
    """Each look reads everything anew."""

    def __init__(
        self,
        ports: SurveyPorts,
        *,
        bus: EventBus,
        branding: Branding,
        platforms: tuple[Platform, ...],
        places: Places,
        arguments: BootArguments,
    ) -> None:
        self._ports = ports.recovery
        self._arrays = ports.arrays
        self._smbios = ports.smbios
        self._platforms = platforms
        self._arguments = arguments
        self._branding = branding
        self._places = places
        self._bus = bus

    def look(self) -> TargetSurvey:
        """An unknown platform or a missing RECOVERY is an answer, not an error."""
        try:
            note = self._peek(known_rule(self._smbios, self._platforms, self._arguments.proto_ident, self._bus))
            fallback = self._arguments.proto_ident or note.code_name
            unit = identify_unit(read_smbios(self._smbios, self._bus), self._platforms, fallback, self._bus)
        except GprovError as error:
            self._bus.warning(str(error))
            return TargetSurvey(None)
        blocks = self._ports.blocks
        disks = blocks.disks()
        excluded = untouchable(disks, self._ports.mounts, self._ports.firmware, note.volume, self._bus)
        spec = target_spec(unit.platform)
        targets = tuple(disk for disk in disks if not unfit(disk, excluded, spec))
        own = self._own_array(unit) if unit.platform.raid_level is not None else ""
        volumes = volumes_of(blocks, disks, self._bus)  # an array may have members on disks of another size, too
        lost: list[str] = []
        if any(volume.contents.kind == RAID_MEMBER for volume in volumes):
            arrays = self._arrays()
            told = arrays_told_of(arrays, volumes, self._bus)
            lost = [array.uuid for array in told if array.name == own and array.state is ArrayState.FAILED]
            volumes = (*volumes, *array_volumes(arrays, blocks, disks, self._bus))
        return survey_targets(
            unit.platform.data_disks,
            targets,
            volumes,
            self._branding.primary_label,
            zeroed=[disk.node for disk in targets if self._zeroed(disk)],
            boot_label=self._branding.boot_label,
            array=own,
            lost_arrays=lost,
            startable=self._startable(targets, volumes) if self._started_by_our_loader() else None,
        )

    def _started_by_our_loader(self) -> bool:
        """There is none on UEFI, nor what it would look for."""
        return self._arguments.loader_fallback and self._ports.firmware.kind() is FirmwareKind.BIOS

    def _startable(self, targets: Collection[Disk], volumes: Collection[Volume]) -> bool | None:
        """Is there a menu with a kernel on any boot partition of these disks? A boot loader claims that there is not,
        perhaps since it could not read them: None if we cannot either, for that is no evidence."""
        devices = {disk.device for disk in targets}
        label = self._branding.boot_label
        found = [volume for volume in volumes if volume.disk.device in devices and volume.contents.label == label]
        answers = [self._starts(volume) for volume in found]
        probed = {volume.device for volume in volumes}
        if any(part.device not in probed for disk in targets for part in disk.partitions):
            answers.append(None)
        return True if True in answers else None if None in answers else False

    def _starts(self, volume: Volume) -> bool | None:
        mounts, target = self._ports.mounts, self._places.boot
        try:
            mounts.mount(volume.node, target, volume.contents.kind, ("ro",))
            try:
                return self._holds_start(target)
            finally:
                mounts.unmount(target)
        except BadInput as error:
            self._bus.warning(f"{volume.node} starts nothing: {error}")
            return False
        except DeviceFault as fault:
            self._bus.warning(f"{volume.node} cannot be read: {fault}")
            return False if fault.errno in _NO_FILE_SYSTEM else None

    def _holds_start(self, target: str) -> bool:
        """Raises DeviceFault, BadInput (the kernel is damaged)."""
        files, kernel = self._ports.files, f"{target}/{self._branding.boot_kernel}"
        if files.status(kernel) is None or files.status(f"{target}/{NORMAL_MENU}") is None:
            return False
        head = files.read_start(kernel, KERNEL_START)
        parse_bzimage(head)
        check_length(head, files.digests(kernel).size)
        return True

    def _own_array(self, unit: Unit) -> str:
        label = self._branding.primary_label
        return array_name(array_host(host_identity(unit.serial, self._branding).hostname, label), label)

    def _zeroed(self, disk: Disk) -> bool:
        try:
            edges = (self._ports.blocks.read(disk.node, offset, _EDGE) for offset in (0, disk.size - _EDGE))
            return all(edge == bytes(len(edge)) for edge in edges)
        except DeviceFault as fault:
            self._bus.warning(str(fault))
            return False

    def _peek(self, rule: ValidateMethod) -> _Note:
        files, mounts, target = self._ports.files, self._ports.mounts, self._places.recovery
        try:
            volume, _ = find_recovery(self._ports, self._branding, rule, self._bus, RECOVERY_SECONDS)
            mounts.mount(volume.node, target, volume.contents.kind, ("ro",))
            try:
                return _Note(volume, stored_fallback(files, target, self._bus))
            finally:
                mounts.unmount(target)
        except GprovError as error:
            self._bus.warning(f"RECOVERY does not tell anything: {error}")
            return _Note()

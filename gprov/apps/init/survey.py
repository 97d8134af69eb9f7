"""The target survey: what is on the data disks when the root is missing or unusable. Reads only."""

from __future__ import annotations

import errno
from collections.abc import Collection
from dataclasses import dataclass

from gprov.apps.unit.boot.kernel_file import read_kernel
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.arrays import array_volumes, find_inactive_arrays
from gprov.apps.unit.devices.excluded_disks import current_excluded_disks
from gprov.apps.unit.devices.identity import identify_unit, read_smbios, recovery_attachment_rule, stored_code_name
from gprov.apps.unit.devices.targets import target_spec
from gprov.apps.unit.devices.volumes import volumes_of
from gprov.apps.unit.recovery.erase_ends import read_ends
from gprov.apps.unit.recovery.erase_record import EraseRecordFile
from gprov.apps.unit.recovery.volume import find_recovery
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.menus import NORMAL_MENU
from gprov.domain.boot.survey import SurveyFacts, TargetSurvey, survey_targets
from gprov.domain.disk.arrays import ArrayState
from gprov.domain.disk.arrayspec import array_host, array_name
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.disk.rootspec import RAID_MEMBER
from gprov.domain.disk.targets import rejection_reason
from gprov.domain.erase.left_ends import DiskEnds, disk_ends, is_as_left
from gprov.domain.erase.record import EraseRecord
from gprov.domain.erase.resume import leaves_no_root
from gprov.domain.errors import BadInput, DeviceFault, GprovError
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.model import ValidateMethod
from gprov.domain.unit.hostid import host_identity
from gprov.ports.firmware import SmbiosTable

# RECOVERY is optional for a survey: a missing one must not delay the search for the root for long.
RECOVERY_SECONDS = 15.0
# Errors of mount(2) for a damaged superblock, and of ext4 for other damaged metadata.
_NO_FILE_SYSTEM = (errno.EINVAL, errno.EUCLEAN)


@dataclass(frozen=True)
class _RecoveryInfo:
    """RECOVERY, None if it was not found, and what is stored there: the code name of the platform, "" if there is none,
    what an erase left on the disks, and the record of one that is not complete."""

    volume: Volume | None = None
    code_name: str = ""
    erased: tuple[DiskEnds, ...] = ()
    erase: EraseRecord | None = None


class Surveyor:
    """Makes target surveys. Each one reads everything again."""

    def __init__(self, ports: VolumePorts, smbios: SmbiosTable, context: UnitContext) -> None:
        self._ports = ports
        self._smbios = smbios
        self._context = context
        self._bus = context.bus

    def survey_targets(self) -> TargetSurvey:
        """An unknown platform or a missing RECOVERY is a result of the survey, not an error."""
        context, arguments = self._context, self._context.arguments
        try:
            recovery = self._read_recovery(recovery_attachment_rule(self._smbios, context))
            fallback = arguments.proto_ident or recovery.code_name
            unit = identify_unit(read_smbios(self._smbios, self._bus), context.platforms, fallback, self._bus)
        except GprovError as error:
            self._bus.warning(str(error))
            return TargetSurvey(expected=None)
        blocks = self._ports.blocks
        disks = blocks.disks()
        excluded = current_excluded_disks(self._ports, disks, recovery.volume, self._bus)
        spec = target_spec(unit.platform)
        targets = tuple(disk for disk in disks if not rejection_reason(disk, excluded, spec))
        own_array = self._own_array(unit) if unit.platform.raid_level is not None else ""
        volumes = volumes_of(blocks, disks, self._bus)  # of all disks: an array may have members on unfit disks
        ends = {disk.node: content for disk in targets if (content := self._ends(disk))}
        known = [disk for disk in targets if disk.node in ends]
        lost: list[str] = []
        if any(volume.contents.kind == RAID_MEMBER for volume in volumes):
            arrays = self._ports.arrays()
            inactive = find_inactive_arrays(arrays, volumes, self._bus)
            lost = [array.uuid for array in inactive if array.name == own_array and array.state is ArrayState.FAILED]
            volumes = (*volumes, *array_volumes(arrays, blocks, disks, self._bus))
        return survey_targets(
            SurveyFacts(
                expected=unit.platform.data_disks,
                targets=targets,
                volumes=volumes,
                primary_label=context.branding.primary_label,
                zeroed=[disk.node for disk in known if ends[disk.node] == bytes(len(ends[disk.node]))],
                as_erased=[disk.node for disk in known if is_as_left(disk, ends[disk.node], recovery.erased)],
                boot_label=context.branding.boot_label,
                array=own_array,
                lost_arrays=lost,
                boot_files_present=self._startable(targets, volumes) if self._booted_by_own_loader() else None,
                serial=unit.serial,
                without_root=recovery.erase is not None and leaves_no_root(recovery.erase, unit.serial, targets),
            )
        )

    def _booted_by_own_loader(self) -> bool:
        """Only on BIOS: UEFI starts kernels without a loader, and there are no boot partitions."""
        return self._context.arguments.loader_fallback and self._ports.firmware().kind() is FirmwareKind.BIOS

    def _startable(self, targets: Collection[Disk], volumes: Collection[Volume]) -> bool | None:
        """Is there a menu with a kernel on any boot partition of these disks? The boot loader found none, perhaps since
        it could not read them. None if they cannot be read here either: an I/O error is not evidence."""
        devices = {disk.device for disk in targets}
        label = self._context.branding.boot_label
        found = [volume for volume in volumes if volume.disk.device in devices and volume.contents.label == label]
        results = [self._has_boot_files(volume) for volume in found]
        probed = {volume.device for volume in volumes}
        if any(part.device not in probed for disk in targets for part in disk.partitions):
            results.append(None)
        return True if True in results else None if None in results else False

    def _has_boot_files(self, volume: Volume) -> bool | None:
        mounts, target = self._ports.mounts, self._context.mount_points.boot
        try:
            mounts.mount(volume.node, target, volume.contents.kind, ("ro",))
            try:
                return self._has_menu_and_kernel(target)
            finally:
                mounts.unmount(target)
        except BadInput as error:
            self._bus.warning(f"{volume.node} has no usable kernel: {error}")
            return False
        except DeviceFault as fault:
            self._bus.warning(f"{volume.node} cannot be read: {fault}")
            return False if fault.errno in _NO_FILE_SYSTEM else None

    def _has_menu_and_kernel(self, target: str) -> bool:
        """Raises DeviceFault, BadInput (the kernel is damaged)."""
        files, kernel = self._ports.files, f"{target}/{self._context.branding.boot_kernel}"
        if files.status(kernel) is None or files.status(f"{target}/{NORMAL_MENU}") is None:
            return False
        read_kernel(files, kernel)
        return True

    def _own_array(self, unit: Unit) -> str:
        label = self._context.branding.primary_label
        hostname = host_identity(unit.serial, self._context.branding).hostname
        return array_name(array_host(hostname, label), label)

    def _ends(self, disk: Disk) -> bytes:
        """The content of both ends, b"" if it cannot be read."""
        try:
            return b"".join(self._ports.blocks.read(disk.node, one.start, one.size) for one in disk_ends(disk.size))
        except DeviceFault as fault:
            self._bus.warning(str(fault))
            return b""

    def _read_recovery(self, rule: ValidateMethod) -> _RecoveryInfo:
        mounts, target = self._ports.mounts, self._context.mount_points.recovery
        try:
            volume = find_recovery(self._ports, rule, self._context, RECOVERY_SECONDS).volume
            mounts.mount(volume.node, target, volume.contents.kind, ("ro",))
            try:
                files = self._ports.files
                erased = read_ends(files, self._context.log_folder, self._bus)
                record = EraseRecordFile(files, self._context.log_folder, self._bus).read()
                return _RecoveryInfo(volume, stored_code_name(files, self._context), erased, record)
            finally:
                mounts.unmount(target)
        except GprovError as error:
            self._bus.warning(f"RECOVERY cannot be read for the target survey: {error}")
            return _RecoveryInfo()

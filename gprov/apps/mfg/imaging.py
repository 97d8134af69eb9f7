"""Files from the factory: copying them to RECOVERY, and verifying them there."""

from __future__ import annotations

from gprov.apps.mfg.job import ProvisioningJob
from gprov.apps.mfg.ports import MfgPorts
from gprov.apps.unit.boot.kernel_file import read_kernel
from gprov.apps.unit.boot.secure_boot import startable_kernels
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.recovery.image_check import ImageCheck
from gprov.apps.unit.recovery.image_trust import ImageTrust
from gprov.apps.unit.recovery.retention import prune_images
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.ext4_room import Room
from gprov.domain.errors import BadInput, RefusedByPolicy
from gprov.domain.formats.bzimage import KernelFacts, newest
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.history import History
from gprov.domain.image.name import parse_image_name
from gprov.domain.mfg.files import PlacementKind, destination
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.plan.file_operations import MakeFolder, fetch_of
from gprov.domain.plan.kernels import image_kernel, kernel_paths
from gprov.domain.plan.operations import Operation


def fetch_files(data: ManufData, ports: MfgPorts, context: UnitContext) -> None:
    """Fetch every file of the list to its path on RECOVERY. Raises the error of the first file that cannot be fetched
    or has a wrong hash."""
    uefi = ports.volumes.firmware().kind() is FirmwareKind.UEFI
    plan: list[Operation] = []
    for file in data.files:
        path = f"{context.mount_points.recovery}/{destination(file, context.branding, uefi).path}"
        plan += [MakeFolder(path.rpartition("/")[0]), fetch_of(file, path)]
    ports.executor.run(tuple(plan))


def free_space_for_files(data: ManufData, ports: MfgPorts, context: UnitContext) -> None:
    """On a RECOVERY that existed before: remove old images that are not in the list."""
    listed = [destination(file, context.branding, True).path.rpartition("/")[2] for file in data.files]
    prune_images(ports.executor, ports.volumes.files, History(), listed, context)


def verify_kernel(ports: VolumePorts, context: UnitContext) -> KernelFacts:
    """Verify the kernel that the boot entries will start. Raises DeviceMissing, BadInput; RefusedByPolicy for one that
    the firmware would not start: Secure Boot."""
    path = kernel_paths(ports.firmware().kind(), context.mount_points, context.branding).main
    try:
        kernel = read_kernel(ports.files, path)
    except BadInput as error:
        raise BadInput(path, error.problems) from error
    startable = startable_kernels(ports, context.bus)
    if startable is not None:
        context.bus.log("Secure Boot is on")
    reason = startable.refusal(ports.files, path) if startable is not None else ""
    if reason:
        raise RefusedByPolicy(f"{path}: Secure Boot is on, and the firmware would not start it: {reason}")
    context.bus.log(f"{path} is Linux {kernel.release} {kernel.version}")
    return kernel


def verify_images(
    job: ProvisioningJob, kernel: KernelFacts, room: Room, ports: MfgPorts, context: UnitContext
) -> tuple[VerifiedImage, ...]:
    """Verify every fetched image as a restore does, including the comparison of its kernel with ``kernel``.
    ``room``: on PRIMARY. Raises ImageRefused, IntegrityFault, BadInput."""
    bus, branding = context.bus, context.branding
    uefi = ports.volumes.firmware().kind() is FirmwareKind.UEFI
    placements = [destination(file, branding, uefi) for file in job.data.files]
    recovery = context.mount_points.recovery
    paths = tuple(f"{recovery}/{place.path}" for place in placements if place.kind is PlacementKind.IMAGE)
    trust = ImageTrust(ports.image_trust, context)
    trust.code_name = job.unit.platform.code_name
    check = ImageCheck(archives=ports.archives, trust=trust, context=context)
    images: list[VerifiedImage] = []
    for path in paths:
        name = parse_image_name(path.rpartition("/")[2], branding.image_prefix)
        image = check.check(path, name, room).verified
        newest(image_kernel(image), kernel)
        bus.log(f"{path} is good: {image.entries} members, SHA-256 {image.digest}")
        images.append(image)
    return tuple(images)

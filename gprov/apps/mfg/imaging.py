"""Files from the factory onto RECOVERY, and the proof that they are there."""

from __future__ import annotations

from functools import partial

from gprov.apps.restore.choose import report_notes
from gprov.apps.restore.facts import KERNEL_START
from gprov.apps.unit.execution.executor import Executor, Tools
from gprov.apps.unit.recovery.retention import prune_images
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.ext4_room import Room
from gprov.domain.errors import BadInput
from gprov.domain.formats.bzimage import KernelFacts, check_length, newest, parse_bzimage
from gprov.domain.image.history import History
from gprov.domain.mfg.files import PlacementKind, destination
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.mountpoints import Places
from gprov.domain.plan.file_operations import FetchFile, MakeFolder
from gprov.domain.plan.kernels import kernel_places
from gprov.domain.plan.operations import Operation
from gprov.domain.plan.restorable import image_problems


def fetch_files(executor: Executor, data: ManufData, tools: Tools, branding: Branding, places: Places) -> None:
    """Every file of the list to its place. Raises at the first that does not come or is not what it should be."""
    uefi = tools.firmware.kind() is FirmwareKind.UEFI
    plan: list[Operation] = []
    for file in data.files:
        path = f"{places.recovery}/{destination(file, branding, uefi).path}"
        plan += [MakeFolder(path.rpartition("/")[0]), FetchFile(file.url, path, file.sha1, file.sha256)]
    executor.run(tuple(plan))


def make_room(data: ManufData, folder: str, tools: Tools, branding: Branding, bus: EventBus) -> None:
    """Before files come to a RECOVERY that is not new: old images leave ``folder``, but for those of the list."""
    listed = [destination(file, branding, True).path.rpartition("/")[2] for file in data.files]
    prune_images(tools, folder, History(), listed, branding, bus)


def verify_kernel(tools: Tools, branding: Branding, places: Places, bus: EventBus) -> KernelFacts:
    """The kernel that firmware or boot loader are about to be told of. Raises DeviceMissing, BadInput."""
    path = kernel_places(tools.firmware.kind(), places, branding).main
    try:
        head = tools.files.read_start(path, KERNEL_START)
        kernel = parse_bzimage(head)
        check_length(head, tools.files.digests(path).size)
    except BadInput as error:
        raise BadInput(path, error.problems) from error
    bus.log(f"{path} is Linux {kernel.release} {kernel.version}")
    return kernel


def verify_images(
    data: ManufData,
    kernel: KernelFacts,
    room: Room,
    tools: Tools,
    branding: Branding,
    places: Places,
    bus: EventBus,
) -> tuple[str, ...]:
    """Read every fetched image as a restore will, which also compares its kernel with ``kernel`` and needs ``room`` on
    PRIMARY. Returns their paths. Raises IntegrityFault, BadInput."""
    uefi = tools.firmware.kind() is FirmwareKind.UEFI
    placed = [destination(file, branding, uefi) for file in data.files]
    paths = tuple(f"{places.recovery}/{one.path}" for one in placed if one.kind is PlacementKind.IMAGE)
    for path in paths:
        image = tools.archives.verify(path, partial(bus.progress, f"verify {path}"), room.largest_archive)
        problems = image_problems(image, branding, room)
        if problems:
            raise BadInput(path, problems)
        newest(parse_bzimage(image.files.kernel_start or b""), kernel)
        report_notes(image, bus)
        bus.log(f"{path} is good: {image.entries} members, SHA-256 {image.digest}")
    return paths

"""Collects what the QA document of a unit states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gprov import __version__
from gprov.apps.mfg.job import ProvisioningJob
from gprov.apps.mfg.ports import MfgPorts
from gprov.apps.unit.composition.context import UnitContext
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.bzimage import KernelFacts
from gprov.domain.formats.smbios.dmidecode_keywords import keyword
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.name import parse_image_name
from gprov.domain.mfg.command import TemplateValue
from gprov.domain.mfg.compare import bios_version
from gprov.domain.mfg.files import PlacementKind, destination
from gprov.domain.mfg.qa.kernel import VERSION_BYTES, VERSION_FILE, kernel_text
from gprov.domain.mfg.qa.record import FileRecord, HardwareRecord, Pair, QaRecord, RunRecord
from gprov.domain.mfg.spec import FirmwareVersions
from gprov.ports.files import Files

# Fields of SMBIOS on the document, by dmidecode's keywords.
_KEYWORDS = (
    "bios-vendor",
    "bios-release-date",
    "system-version",
    "system-serial-number",
    "system-uuid",
    "baseboard-manufacturer",
    "baseboard-product-name",
    "baseboard-version",
    "baseboard-serial-number",
    "baseboard-asset-tag",
    "chassis-type",
    "chassis-serial-number",
)


def qa_record(
    job: ProvisioningJob, images: tuple[VerifiedImage, ...], kernel: KernelFacts, ports: MfgPorts, context: UnitContext
) -> QaRecord:
    """RECOVERY is mounted. ``images``: the verified ones; ``kernel``: the unit's boot kernel. Raises DeviceFault."""
    clock = ports.volumes.clock
    ended_ns = clock.now_ns()
    # The clock was set on the way: the start is the end without the time that passed.
    started_ns = ended_ns - int((clock.monotonic() - job.begun) * 1e9)
    return QaRecord(
        unit=job.unit,
        run=RunRecord(
            started_ns=started_ns,
            ended_ns=ended_ns,
            version=__version__,
            kernel=_running_kernel(ports.volumes.files),
        ),
        hardware=_hardware(job, ports),
        spec=job.inspection.spec,
        steps=tuple(job.steps.log.records),
        files=tuple(_files(job, images, kernel, ports, context)),
        credentials=tuple(_credentials(job)),
        burn_in=job.burn_in,
    )


def _hardware(job: ProvisioningJob, ports: MfgPorts) -> HardwareRecord:
    found, facts = job.inspection, job.facts
    targets = {disk.device for disk in facts.targets}

    def use(device: object) -> str:
        if device == facts.recovery.device:
            return "RECOVERY"
        return "PRIMARY" if device in targets else "not used"

    smbios = ((name, ", ".join(dict.fromkeys(map(str.strip, keyword(job.smbios, name))))) for name in _KEYWORDS)
    return HardwareRecord(
        inventory=found.inventory,
        smbios=tuple((name, value) for name, value in smbios if value),
        firmware=replace(ports.bmc_versions() or FirmwareVersions(), bios=bios_version(job.smbios)),
        disks=tuple((use(disk.device), disk) for disk in found.disks),
        nics=found.nics,
        bmc_macs=job.bmc.macs if job.bmc else (),
    )


def _files(
    job: ProvisioningJob, images: tuple[VerifiedImage, ...], kernel: KernelFacts, ports: MfgPorts, context: UnitContext
) -> Iterator[FileRecord]:
    """All files of the list, as they are on RECOVERY. Images were read while they were verified."""
    verified = {image.path: image for image in images}
    branding, recovery = context.branding, context.mount_points.recovery
    uefi = ports.volumes.firmware().kind() is FirmwareKind.UEFI
    for file in job.data.files:
        place = destination(file, branding, uefi)
        path = f"{recovery}/{place.path}"
        image = verified.get(path)
        if image is not None:
            name = parse_image_name(path.rpartition("/")[2], branding.image_prefix)
            note = f"image of {name.date.isoformat()}, build {name.build_text}; {image.entries} members, verified"
            yield FileRecord(path=place.path, size=image.size, sha256=image.digest, note=note)
            continue
        digests = ports.volumes.files.digests(path)
        is_kernel = place.kind is PlacementKind.KERNEL
        note = f"boot kernel: Linux {kernel.release} {kernel.version}" if is_kernel else ""
        yield FileRecord(path=place.path, size=digests.size, sha256=digests.sha256, note=note)


def _credentials(job: ProvisioningJob) -> Iterator[Pair]:
    """What gprov set itself, and to which steps each password was handed."""
    yield from job.steps.log.passwords
    steps = job.data.steps_for(job.unit.platform.code_name).steps
    for name, wanted in (("System", TemplateValue.OS), ("BIOS", TemplateValue.BIOS), ("BMC", TemplateValue.IPMI)):
        users = [
            step.name
            for step in steps
            if any(wanted in word.values for command in step.commands for word in command.words)
        ]
        if users:
            yield f"{name}, handed to steps", ", ".join(dict.fromkeys(users))


def _running_kernel(files: Files) -> str:
    """Empty if it is not known."""
    try:
        return kernel_text(files.read_start(VERSION_FILE, VERSION_BYTES))
    except DeviceFault:
        return ""

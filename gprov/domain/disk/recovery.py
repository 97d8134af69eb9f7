"""Selects the RECOVERY volume of a provisioned unit, and the disk for RECOVERY on a new unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gprov.domain.disk.model import Bus, Disk, Volume
from gprov.domain.disk.recovery_label import RECOVERY_KINDS, could_be_recovery
from gprov.domain.disk.targets import within_tolerance
from gprov.domain.errors import HardwareMismatch, Problem
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.mfg.spec import DiskSpec
from gprov.domain.platform.model import LocateMethod, Platform, ValidateMethod

# Kinds that RECOVERY of the earlier system may have.
_CONVERTIBLE = ("ntfs", "vfat")


def attachment_rule(platform: Platform) -> ValidateMethod:
    """Return how the RECOVERY disk must be attached. Raises HardwareMismatch for platforms with RECOVERY in a shared
    folder (9p): such a unit has no boot entries, loader and log of its own."""
    media = platform.recovery_media
    if media.locate is LocateMethod.P9 or media.validate is ValidateMethod.P9:
        raise HardwareMismatch(
            f"{platform.code_name}: RECOVERY in a shared folder of a host (9p) is not supported: give the machine a "
            f"disk for RECOVERY, and write LocateRDMethod {LocateMethod.BY_LABEL.value} and ValidateRDMethod none, usb "
            "or sata in appliance.json"
        )
    return media.validate


def attachment_problem(disk: Disk, rule: ValidateMethod) -> str:
    """Return why the disk violates the attachment rule; "" if it does not."""
    match rule:
        case ValidateMethod.NONE:
            return ""
        case ValidateMethod.USB:
            return "" if disk.bus is Bus.USB else f"is attached by {disk.bus.value}, must be usb"
        case ValidateMethod.SATA:
            return "" if disk.bus is Bus.ATA else f"is attached by {disk.bus.value}, must be sata"
        case ValidateMethod.P9:
            return "is a disk, but RECOVERY must be a shared folder of the host (9p)"


def why_not_recovery(volume: Volume, rule: ValidateMethod = ValidateMethod.NONE) -> str:
    """Why a volume with RECOVERY's label is not RECOVERY; empty if it could be it."""
    if volume.contents.kind not in RECOVERY_KINDS:
        return f"holds {volume.contents.kind or 'nothing that is known'}, must be {' or '.join(sorted(RECOVERY_KINDS))}"
    return attachment_problem(volume.disk, rule)


def conversion_hint(volumes: Iterable[Volume]) -> str:
    """What to do with volumes labelled RECOVERY if none of them could be it: "" unless one may be that of a unit of
    gprovision."""
    nodes = [volume.node for volume in volumes if volume.contents.kind in _CONVERTIBLE]
    if not nodes:
        return ""
    return f". If {' or '.join(nodes)} is that of gprovision: copy its files, make it ext3 and copy them back"


def find_recovery(volumes: Iterable[Volume], label: str, rule: ValidateMethod = ValidateMethod.NONE) -> Volume | None:
    """The ext volume with this label on a disk that is attached as it must be; None if there is no such volume.

    Raises HardwareMismatch if several such disks have the label, or only disks that violate the rule.
    """
    labelled = [volume for volume in volumes if could_be_recovery(volume, label)]
    if not labelled:
        return None
    problems = {volume.node: attachment_problem(volume.disk, rule) for volume in labelled}
    right = [volume for volume in labelled if not problems[volume.node]]
    if len(right) == 1:
        return right[0]
    differences = [
        Problem(volume.node, f"on {volume.disk.describe()}: {problems[volume.node] or 'could be it'}")
        for volume in labelled
    ]
    nodes = ", ".join(volume.node for volume in right or labelled)
    if right:
        raise HardwareMismatch(f"{len(right)} volumes are labelled {label}: {nodes}", differences)
    raise HardwareMismatch(f"{label} is on {nodes}, which {problems[labelled[0].node]}", differences)


def check_single_recovery(
    volumes: Iterable[Volume], label: str, chosen: Disk, rule: ValidateMethod = ValidateMethod.NONE
) -> None:
    """Raise HardwareMismatch if a disk other than ``chosen`` has a volume labelled RECOVERY: later boots could mount
    the wrong one. The error names all these volumes."""
    conflicting = [
        volume
        for volume in volumes
        if could_be_recovery(volume, label)
        and volume.disk.device != chosen.device
        and not attachment_problem(volume.disk, rule)
    ]
    if conflicting:
        nodes = ", ".join(volume.node for volume in conflicting)
        raise HardwareMismatch(
            f"RECOVERY is to be made on {chosen.node}, but another volume is labelled {label}: {nodes}",
            [
                Problem(volume.node, f"on {volume.disk.describe()}: would be a second RECOVERY")
                for volume in conflicting
            ],
        )


def choose_recovery_disk(
    disks: Sequence[Disk],
    spec: DiskSpec,
    excluded: Mapping[DeviceNumber, str],
    rule: ValidateMethod = ValidateMethod.NONE,
) -> Disk:
    """Return the only disk that matches the specification. Raises HardwareMismatch with a reason for each disk.

    Vendor and model are compared without case and surrounding blanks: USB bridges differ in padding them.
    """
    results = [(disk, _mismatch(disk, spec, excluded, rule)) for disk in disks]
    fitting = [disk for disk, mismatch in results if not mismatch]
    if len(fitting) == 1:
        return fitting[0]
    report = [Problem(disk.describe(), mismatch or "matches") for disk, mismatch in results]
    requirement = f"RECOVERY must be one disk of {spec.describe()}"
    if fitting:
        nodes = ", ".join(disk.node for disk in fitting)
        raise HardwareMismatch(f"{requirement}, but {len(fitting)} candidates match: {nodes}", report)
    nearest = _nearest(results, spec, excluded)
    if nearest is None:
        raise HardwareMismatch(f"{requirement}, but there is no disk to choose from", report)
    raise HardwareMismatch(f"{requirement}, none matches; nearest is {nearest[0].describe()}: {nearest[1]}", report)


def _mismatch(disk: Disk, spec: DiskSpec, excluded: Mapping[DeviceNumber, str], rule: ValidateMethod) -> str:
    if disk.device in excluded:
        return f"excluded: {excluded[disk.device]}"
    if disk.read_only:
        return "excluded: is read-only"
    reasons = [attachment_problem(disk, rule)]
    if not within_tolerance(disk.size, spec.size, spec.tolerance_percent):
        reasons.append(f"size is {disk.size} bytes")
    if spec.vendor and _plain(disk.vendor) != _plain(spec.vendor):
        reasons.append(f"vendor is {disk.vendor!r}")
    if spec.model and _plain(disk.model) != _plain(spec.model):
        reasons.append(f"model is {disk.model!r}")
    return ", ".join(reason for reason in reasons if reason)


def _nearest(
    results: Sequence[tuple[Disk, str]], spec: DiskSpec, excluded: Mapping[DeviceNumber, str]
) -> tuple[Disk, str] | None:
    """The disk with the fewest differences, then the nearest size. Excluded and read-only disks are not considered."""
    candidates = [(disk, text) for disk, text in results if disk.device not in excluded and not disk.read_only]
    return min(
        candidates,
        key=lambda candidate: (candidate[1].count(", "), abs(candidate[0].size - spec.size)),
        default=None,
    )


def _plain(text: str) -> str:
    return text.strip().casefold()

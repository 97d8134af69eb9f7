"""The RECOVERY device: which volume it is on a unit that has one, and which disk becomes it on a new unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gprov.domain.disk.model import Bus, Disk, Volume
from gprov.domain.disk.targets import within_tolerance
from gprov.domain.errors import HardwareMismatch, Problem
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.mfg.spec import DiskSpec
from gprov.domain.platform.model import LocateMethod, Platform, ValidateMethod


def attachment_rule(platform: Platform) -> ValidateMethod:
    """How the device that RECOVERY is on must be attached. Raises HardwareMismatch for a platform whose RECOVERY is no
    device at all: a unit without boot entries, loader and log of its own is none that gprov could vouch for."""
    media = platform.recovery_media
    if media.locate is LocateMethod.P9 or media.validate is ValidateMethod.P9:
        raise HardwareMismatch(f"{platform.code_name}: RECOVERY in a shared folder of a host (9p) is not supported")
    return media.validate


def attachment_problem(disk: Disk, rule: ValidateMethod) -> str:
    """Why this disk cannot be RECOVERY where it must be attached so; empty if it can."""
    match rule:
        case ValidateMethod.NONE:
            return ""
        case ValidateMethod.USB:
            return "" if disk.bus is Bus.USB else f"is attached by {disk.bus.value}, must be usb"
        case ValidateMethod.SATA:
            return "" if disk.bus is Bus.ATA else f"is attached by {disk.bus.value}, must be sata"
        case ValidateMethod.P9:
            return "is a disk, but RECOVERY must be a shared folder of the host (9p)"


def find_recovery(volumes: Iterable[Volume], label: str, rule: ValidateMethod = ValidateMethod.NONE) -> Volume | None:
    """The volume with this label on a disk that is attached as it must be; None if there is no such label.

    Raises HardwareMismatch if the label is there twice, or only on disks that cannot be RECOVERY: taking the
    wrong one would mean writing to somebody's other device.
    """
    labelled = [volume for volume in volumes if volume.contents.label == label]
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
    """Before ``chosen`` is made RECOVERY: no other disk may hold a volume that every later start could take for it.
    Raises HardwareMismatch that names them all."""
    rivals = [
        volume
        for volume in volumes
        if volume.contents.label == label
        and volume.disk.device != chosen.device
        and not attachment_problem(volume.disk, rule)
    ]
    if rivals:
        nodes = ", ".join(volume.node for volume in rivals)
        raise HardwareMismatch(
            f"RECOVERY is to be made on {chosen.node}, but another volume is labelled {label}: {nodes}",
            [Problem(volume.node, f"on {volume.disk.describe()}: would be a second RECOVERY") for volume in rivals],
        )


def choose_recovery_disk(
    disks: Sequence[Disk],
    spec: DiskSpec,
    excluded: Mapping[DeviceNumber, str],
    rule: ValidateMethod = ValidateMethod.NONE,
) -> Disk:
    """The one disk that matches the specification. Raises HardwareMismatch with every disk and its verdict.

    Vendor and model are compared without regard to case and surrounding blanks: the same device tells them padded
    through one bridge and trimmed through another.
    """
    verdicts = [(disk, _unfit(disk, spec, excluded, rule)) for disk in disks]
    fitting = [disk for disk, verdict in verdicts if not verdict]
    if len(fitting) == 1:
        return fitting[0]
    report = [Problem(disk.describe(), verdict or "matches") for disk, verdict in verdicts]
    wanted = f"RECOVERY must be one disk of {spec.describe()}"
    if fitting:
        nodes = ", ".join(disk.node for disk in fitting)
        raise HardwareMismatch(f"{wanted}, but {len(fitting)} candidates match: {nodes}", report)
    nearest = _nearest(verdicts, spec, excluded)
    if nearest is None:
        raise HardwareMismatch(f"{wanted}, but there is no disk to choose from", report)
    raise HardwareMismatch(f"{wanted}, none matches; nearest is {nearest[0].describe()}: {nearest[1]}", report)


def _unfit(disk: Disk, spec: DiskSpec, excluded: Mapping[DeviceNumber, str], rule: ValidateMethod) -> str:
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
    verdicts: Sequence[tuple[Disk, str]], spec: DiskSpec, excluded: Mapping[DeviceNumber, str]
) -> tuple[Disk, str] | None:
    """The disk with the fewest differences, then the nearest size; what is excluded was never near."""
    near = [(disk, verdict) for disk, verdict in verdicts if disk.device not in excluded and not disk.read_only]
    return min(near, key=lambda one: (one[1].count(", "), abs(one[0].size - spec.size)), default=None)


def _plain(text: str) -> str:
    return text.strip().casefold()

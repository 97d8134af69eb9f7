"""Which image to restore: try candidates in order until one is good from its first to its last byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from errno import ENOSPC
from functools import partial

from gprov.apps.unit.recovery.records import HistoryFile
from gprov.apps.unit.recovery.volume import RecoveryVolume
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.args import PreferredImage
from gprov.domain.branding import Branding
from gprov.domain.disk.ext4_room import Room
from gprov.domain.errors import BadInput, ContentRefused, DeviceFault, GprovError, IntegrityFault
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.history import History
from gprov.domain.image.name import ImageName
from gprov.domain.image.select import Preference, order_with_history, rank
from gprov.domain.plan.operations import Plan
from gprov.domain.plan.restorable import image_problems
from gprov.ports.archive import Archives
from gprov.ports.files import Files
from gprov.ports.operator import Operator

CHOOSE_SECONDS = 300.0
UNENDED = "did not come to an end: power cut or crash"


@dataclass(frozen=True)
class ChosenImage:
    """``attempted``: the history with this attempt counted. What stands on RECOVERY meanwhile counts it as failed: a
    power cut or a crash does not get to say so later."""

    name: ImageName
    verified: VerifiedImage
    attempted: History


@dataclass(frozen=True)
class Wish:
    """Which images to try in which order; ``first`` goes before all others, and those in ``refused`` are not tried, for
    the reason given."""

    preference: Preference
    first: ImageName | None = None
    refused: Mapping[ImageName, str] = field(default_factory=dict)


def wish_of(
    preferred: PreferredImage, recovery: RecoveryVolume, branding: Branding, files: Files, operator: Operator
) -> Wish:
    """What was asked for; a person chooses from a menu, and who does not choose, or is not there, gets the newest."""
    match preferred:
        case PreferredImage.LATEST:
            return Wish(Preference.LATEST)
        case PreferredImage.OLDEST:
            return Wish(Preference.OLDEST)
        case PreferredImage.MENU if not operator.present:
            return Wish(Preference.LATEST)
        case PreferredImage.MENU:
            names = rank(_names(files, recovery.images), branding.image_prefix, Preference.LATEST).candidates
            index = operator.choose("Which image?", [name.stem for name in names], CHOOSE_SECONDS)
            return Wish(Preference.LATEST, names[index] if index is not None else None)


def choose_image(
    recovery: RecoveryVolume,
    wish: Wish,
    branding: Branding,
    archives: Archives,
    files: Files,
    history: HistoryFile,
    bus: EventBus,
    room: Room,
    planned: Callable[[ChosenImage], Plan],
) -> tuple[ChosenImage, Plan]:
    """The first good image in order of preference that fits into ``room`` on PRIMARY and can be planned for, with
    that plan. Raises IntegrityFault if there is none.

    Images that failed too often before are tried after all others rather than never.
    """
    ranking = rank(_names(files, recovery.images), branding.image_prefix, wish.preference)
    for rejected in ranking.rejected:
        bus.warning(f"{recovery.images}/{rejected.filename} is no image: {rejected.reason}")
    first, second = order_with_history(ranking.candidates, history.value)
    if second:
        bus.log("only if nothing else is good, for their failures: " + ", ".join(name.stem for name in second))
    reasons = list(wish.refused.values())
    wished = (wish.first,) if wish.first is not None else ()
    for name in dict.fromkeys((*wished, *first, *second)):
        if name in wish.refused:
            continue
        before = history.value
        attempted = before.attempt(name.stem)
        history.record(attempted.failed(name.stem, UNENDED))
        try:
            verified = _verified(f"{recovery.images}/{name.filename}", branding, archives, bus, room)
            chosen = ChosenImage(name, verified, attempted)
            return chosen, planned(chosen)
        except (IntegrityFault, BadInput, DeviceFault) as error:
            bus.error(error)
            reasons.append(str(error))
            history.record(attempted.failed(name.stem, str(error)))
        except GprovError:
            history.record(before)  # no fault of the image
            raise
    raise IntegrityFault(recovery.images, "no good image: " + ("; ".join(reasons) or "the folder holds none"))


def _names(files: Files, folder: str) -> tuple[str, ...]:
    return files.names(folder) if files.status(folder) is not None else ()


def _verified(path: str, branding: Branding, archives: Archives, bus: EventBus, room: Room) -> VerifiedImage:
    bus.message(f"Checking {path.rsplit('/', 1)[1]}")
    image = archives.verify(path, partial(bus.progress, f"verify {path}"), room.largest_archive)
    problems = image_problems(image, branding, room)
    if problems:
        raise BadInput(path, problems)
    report_notes(image, bus)
    bus.log(f"{path} is good: {image.entries} members, {image.unpacked} bytes, SHA-256 {image.digest}")
    return image


def report_notes(image: VerifiedImage, bus: EventBus) -> None:
    """What unpacking will leave out or change."""
    for note in image.notes:
        bus.warning(f"{image.path}: {note}")


def is_of_the_image(error: GprovError, primary: str) -> bool:
    """Did a restore fail after the wipe for something that the image brings and that cannot pass: what tar does not
    take, what was read differently the second time, or no room on ``primary``?"""
    if isinstance(error, DeviceFault) and error.errno == ENOSPC:
        return error.subject.startswith(primary)
    return isinstance(error, (ContentRefused, IntegrityFault))

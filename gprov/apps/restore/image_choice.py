"""Choosing the image to restore: candidates in order of preference, until one passes verification."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from gprov.apps.restore.emergency import EmergencyMedia
from gprov.apps.restore.insistence import ask_person
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.image_check import CheckedImage, ImageCheck
from gprov.apps.unit.recovery.image_trust import ImageTrust, Insist
from gprov.apps.unit.recovery.records import HistoryFile
from gprov.domain.boot.args import PreferredImage
from gprov.domain.disk.ext4_room import Room
from gprov.domain.display.choice import NoChoice
from gprov.domain.emergency.media import EmergencyFile, chain_on_media
from gprov.domain.errors import BadInput, DeviceFault, GprovError, ImageRefused, IntegrityFault
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.history import History
from gprov.domain.image.name import ImageName
from gprov.domain.image.select import Preference, order_with_history, rank
from gprov.domain.plan.operations import Plan
from gprov.ports.files import Files
from gprov.ports.operator import Operator

CHOOSE_SECONDS = 300.0
CONFIRM_SECONDS = 60.0
LEAVE = "Leave: restore nothing"
_TITLE = "Which image?"
# Images that were chosen and not confirmed, before the menu counts as left: noise on a line must not hold a unit.
_MOST_CHOICES = 20
INTERRUPTED = "did not come to an end: power cut or crash"


@dataclass(frozen=True)
class Candidate:
    """``emergency``: the image is on removable media; None: in RECOVERY's folder of images."""

    name: ImageName
    emergency: EmergencyFile | None = None

    @property
    def filename(self) -> str:
        return self.name.filename if self.emergency is None else self.emergency.name


@dataclass(frozen=True)
class ChosenImage:
    """``history_with_attempt``: the image history with this attempt, and no result of it. The file on RECOVERY counts
    the attempt as failed until the restore has ended, since a power cut or crash could not be recorded later. (Not an
    attempt with an image on removable media: RECOVERY's own copy of the same name may be good.)"""

    candidate: Candidate
    checked: CheckedImage
    history_with_attempt: History

    @property
    def name(self) -> ImageName:
        return self.candidate.name

    @property
    def verified(self) -> VerifiedImage:
        return self.checked.verified


@dataclass(frozen=True, kw_only=True)
class ImagePreference:
    """The order in which images are tried; ``first`` is tried before all others; those in ``refused`` are not
    tried, for the reason given.

    Images in ``emergency``, and the one that the running system has ``requested``, are tried alone. Only when one of
    them was refused after PRIMARY was overwritten, RECOVERY's images are tried after them: the unit has no system
    otherwise.
    """

    preference: Preference
    first: ImageName | None = None
    requested: ImageName | None = None
    refused: Mapping[Candidate, str] = field(default_factory=dict)
    emergency: tuple[EmergencyFile, ...] = ()

    def without(self, candidate: Candidate, reason: str) -> ImagePreference:
        return replace(self, refused={**self.refused, candidate: reason})


def image_preference(
    preferred: PreferredImage,
    trust: ImageTrust,
    files: Files,
    operator: Operator,
    context: UnitContext,
    *,
    by_person: bool,
) -> ImagePreference | None:
    """The order that was requested. With MENU a person chooses and confirms; None if that person leaves the menu. What
    ``trust`` refuses is marked there, or left out if no person can insist on it.

    Without an operator the newest image is tried first. If the time for a choice runs out: None ``by_person``, who
    asked for the menu in the boot menu and can be asked again there; else the newest image, since a unit at which no
    one stands must come back.
    """
    match preferred:
        case PreferredImage.LATEST:
            return ImagePreference(preference=Preference.LATEST)
        case PreferredImage.OLDEST:
            return ImagePreference(preference=Preference.OLDEST)
        case PreferredImage.MENU if not operator.is_present:
            return ImagePreference(preference=Preference.LATEST)
        case PreferredImage.MENU:
            try:
                found = _names(files, context)
            except DeviceFault as fault:
                context.bus.warning(f"no menu of images: {fault}")
                found = ()
            names = rank(found, context.branding.image_prefix, Preference.LATEST).candidates
            offered = _offered(names, trust, context)
            return (
                _ask(offered, operator, by_person=by_person)
                if offered
                else ImagePreference(preference=Preference.LATEST)
            )


def _offered(names: Sequence[ImageName], trust: ImageTrust, context: UnitContext) -> dict[ImageName, str]:
    """What the menu shows for each image. Those that are refused come last."""
    refused = {
        name: reason for name in names if (reason := trust.refusal(f"{context.image_folder}/{name.filename}", name))
    }
    offered = {name: name.stem for name in names if name not in refused}
    for name, reason in refused.items():
        if trust.may_be_overruled:
            offered[name] = f"{name.stem} (refused)"
        else:
            context.bus.message(f"{name.stem} is not offered: {reason}")
    return offered


def _ask(offered: Mapping[ImageName, str], operator: Operator, *, by_person: bool) -> ImagePreference | None:
    names, items = list(offered), [*offered.values(), "", LEAVE]
    for _ in range(_MOST_CHOICES):
        choice = operator.choose(_TITLE, items, CHOOSE_SECONDS)
        if choice is NoChoice.TIMEOUT:
            return None if by_person else ImagePreference(preference=Preference.LATEST)
        if choice is NoChoice.LEFT or choice >= len(names):
            return None
        if operator.confirm(f"Erase the system of this unit and restore {names[choice].stem}?", CONFIRM_SECONDS):
            return ImagePreference(preference=Preference.LATEST, first=names[choice])
    return None


@dataclass(frozen=True, kw_only=True)
class ImageChooser:
    check: ImageCheck
    files: Files
    operator: Operator
    media: EmergencyMedia
    history: HistoryFile
    context: UnitContext

    def choose(
        self, preference: ImagePreference, room: Room, make_plan: Callable[[ChosenImage], Plan]
    ) -> tuple[ChosenImage, Plan]:
        """The first good image that fits into ``room`` on PRIMARY and for which ``make_plan`` succeeds, with its
        plan. Raises IntegrityFault if there is none.

        Images that failed too often before are tried after all others, not skipped. One that the owner does not allow
        is not counted as a failure of the image.
        """
        bus, history = self.context.bus, self.history
        reasons = list(preference.refused.values())
        for candidate in self._candidates(preference):
            name, before = candidate.name, history.value
            with_attempt = before.with_attempt(name.stem)
            counted = candidate.emergency is None
            if counted:
                history.record(with_attempt.with_failure(name.stem, INTERRUPTED))
            try:
                chosen = self._checked(candidate, preference, room, with_attempt)
                return chosen, make_plan(chosen)
            except ImageRefused as refusal:
                bus.error(refusal)
                reasons.append(str(refusal))
                noted = preference.requested is not None  # the system that requested the image looks for the reason
                history.record(before.with_note(name.stem, str(refusal)) if noted else before)
            except (IntegrityFault, BadInput, DeviceFault) as error:
                bus.error(error)
                reasons.append(str(error))
                if counted:
                    history.record(with_attempt.with_failure(name.stem, str(error)))
            except GprovError:
                history.record(before)  # the image is not the cause
                raise
        where = "emergency files" if preference.emergency and not preference.refused else self.context.image_folder
        raise IntegrityFault(where, "no good image: " + ("; ".join(reasons) or "the folder holds none"))

    def _path(self, candidate: Candidate) -> str:
        if candidate.emergency is not None:
            path = self.media.path_of(candidate.emergency)
            folder = path.rpartition("/")[0]
            self.check.trust.consider_chain(f"{folder}/{chain_on_media(self.context.branding)}")
            return path
        return f"{self.context.image_folder}/{candidate.filename}"

    def _candidates(self, preference: ImagePreference) -> tuple[Candidate, ...]:
        media = tuple(Candidate(file.image, file) for file in preference.emergency if file.image is not None)
        if preference.requested is not None and not preference.refused:
            return (Candidate(preference.requested),)
        stored = () if media and not preference.refused else self._stored(preference)
        return tuple(candidate for candidate in (*media, *stored) if candidate not in preference.refused)

    def _stored(self, preference: ImagePreference) -> tuple[Candidate, ...]:
        """RECOVERY's images."""
        bus, folder = self.context.bus, self.context.image_folder
        ranking = rank(_names(self.files, self.context), self.context.branding.image_prefix, preference.preference)
        for rejected in ranking.rejected:
            bus.warning(f"{folder}/{rejected.filename} is no image: {rejected.reason}")
        first, second = order_with_history(ranking.candidates, self.history.value)
        if second:
            names = ", ".join(name.stem for name in second)
            bus.log(f"only if nothing else is good, for their failures: {names}")
        requested = (preference.first,) if preference.first is not None else ()
        return tuple(Candidate(name) for name in dict.fromkeys((*requested, *first, *second)))

    def _checked(
        self, candidate: Candidate, preference: ImagePreference, room: Room, with_attempt: History
    ) -> ChosenImage:
        bus, path = self.context.bus, self._path(candidate)
        bus.message(f"Checking {path.rsplit('/', 1)[1]}")
        checked = self.check.check(path, candidate.name, room, self._insist(candidate, preference))
        image, overruled = checked.verified, checked.admission.overruled
        bus.log(f"{path} is good: {image.entries} members, {image.unpacked} bytes, SHA-256 {image.digest}")
        if overruled:
            note = f"used since a person at the unit insisted, although refused: {overruled}"
            with_attempt = with_attempt.with_note(candidate.name.stem, note)
        return ChosenImage(candidate, checked, with_attempt)

    def _insist(self, candidate: Candidate, preference: ImagePreference) -> Insist | None:
        """Only an image that a person has chosen is worth a question: in the menu, or on a stick."""
        if candidate.emergency is not None:
            is_chosen = candidate.emergency == preference.emergency[0]
        else:
            is_chosen = candidate.name == preference.first
        if not is_chosen or not self.operator.is_present:
            return None
        return partial(ask_person, self.operator, candidate.filename)


def _names(files: Files, context: UnitContext) -> tuple[str, ...]:
    """In RECOVERY's folder of images."""
    folder = context.image_folder
    return files.names(folder) if files.status(folder) is not None else ()

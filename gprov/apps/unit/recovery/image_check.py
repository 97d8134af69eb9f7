"""The check of an image before it is used: whether the unit's owner allows it, its content, whether a unit can boot
from it, and its size. Provisioning and restores get to an image only through it, wherever the image is stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.image_trust import Admission, ImageTrust, Insist
from gprov.domain.disk.ext4_room import Room
from gprov.domain.errors import BadInput
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.name import ImageName
from gprov.domain.plan.open_accounts import accounts_to_lock
from gprov.domain.plan.preconditions import image_problems
from gprov.ports.archive import Archives


@dataclass(frozen=True, slots=True)
class CheckedImage:
    verified: VerifiedImage
    admission: Admission


@dataclass(frozen=True, kw_only=True)
class ImageCheck:
    """``locks_accounts``: accounts without a password cause warnings, since the caller locks them."""

    archives: Archives
    trust: ImageTrust
    context: UnitContext
    locks_accounts: bool = False

    def check(self, path: str, name: ImageName, room: Room, insist: Insist | None = None) -> CheckedImage:
        """Verify the image at ``path``, and that it fits into ``room`` on PRIMARY; report as warnings what unpacking
        leaves out or changes. ``insist``: asks a person about an image that the owner does not allow. Raises
        ImageRefused, IntegrityFault, BadInput, DeviceFault."""
        bus, branding = self.context.bus, self.context.branding
        admission = self.trust.admit(path, name, insist)
        image = self._verified(path, admission, room)
        problems = image_problems(image, branding, room, locks_accounts=self.locks_accounts)
        if problems:
            raise BadInput(path, problems)
        for account in accounts_to_lock(image.files, branding):
            bus.warning(f"{path}: {account!r} could log in without a password: a restore locks the account")
        for note in image.notes:
            bus.warning(f"{path}: {note}")
        return CheckedImage(image, admission)

    def _verified(self, path: str, admission: Admission, room: Room) -> VerifiedImage:
        progress = partial(self.context.bus.progress, f"verify {path}")
        if admission.manifest is None:
            return self.archives.verify(path, progress, room.largest_archive)
        signed = admission.manifest.verified_image(path)
        self.archives.verify_stored(signed, progress, room.largest_archive)
        return signed

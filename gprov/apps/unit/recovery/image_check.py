"""The check of an image on RECOVERY before it is used: its content, whether a unit can boot from it, and its size."""

from __future__ import annotations

from functools import partial

from gprov.apps.unit.composition.context import UnitContext
from gprov.domain.disk.ext4_room import Room
from gprov.domain.errors import BadInput
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.plan.open_accounts import accounts_to_lock
from gprov.domain.plan.preconditions import image_problems
from gprov.ports.archive import Archives


def check_image(
    archives: Archives, path: str, room: Room, context: UnitContext, *, locks_accounts: bool = False
) -> VerifiedImage:
    """Verify the image, and that it fits into ``room`` on PRIMARY; report as warnings what unpacking leaves out or
    changes. ``locks_accounts``: accounts without a password cause warnings, since the caller locks them.
    Raises IntegrityFault, BadInput, DeviceFault."""
    bus = context.bus
    image = archives.verify(path, partial(bus.progress, f"verify {path}"), room.largest_archive)
    problems = image_problems(image, context.branding, room, locks_accounts=locks_accounts)
    if problems:
        raise BadInput(path, problems)
    for name in accounts_to_lock(image.files, context.branding):
        bus.warning(f"{path}: {name!r} could log in without a password: a restore locks the account")
    for note in image.notes:
        bus.warning(f"{path}: {note}")
    return image

"""Preconditions of provisioning and restore, checked before anything is changed: platform, boot arguments, image."""

from __future__ import annotations

from gprov.domain.boot.entries import EspLocation, planned_entries
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.arrayspec import capacity
from gprov.domain.disk.ext4_room import Room
from gprov.domain.errors import BadInput, HardwareMismatch, Problem
from gprov.domain.formats.accounts import LOCKED, check_login, gid_of, ids_of, set_password_hash
from gprov.domain.formats.bzimage import parse_bzimage
from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.plan.bios import check_menu_arguments
from gprov.domain.plan.open_accounts import accounts_to_lock, open_account_problem, open_account_problems
from gprov.domain.platform.model import Platform


def check_platform_supported(platform: Platform) -> None:
    """Raises HardwareMismatch for a platform that this version can neither provision nor restore."""
    code_name = platform.code_name
    if platform.raid_level is not None:
        try:
            capacity(platform.raid_level, (platform.disk_size,) * platform.data_disks)
        except HardwareMismatch as mismatch:
            raise HardwareMismatch(f"{code_name}: {mismatch}") from mismatch
    elif platform.data_disks != 1:
        raise HardwareMismatch(f"{code_name}: {platform.data_disks} data disks, but no RAID level for them")


def check_boot_arguments(firmware: FirmwareKind, branding: Branding, extra_arguments: str) -> None:
    """Raises BadInput if boot entries or menus cannot hold these arguments. The check uses a dummy ESP: its location
    has the same size in every entry."""
    if firmware is FirmwareKind.BIOS:
        check_menu_arguments(branding, extra_arguments)
    else:
        planned_entries(branding, EspLocation(1, 0, 1, "00000000-0000-0000-0000-000000000000"), extra_arguments)


def lack_of_room(image: VerifiedImage, room: Room) -> str:
    """What an image needs that a disk does not have; "" if it fits."""
    if room.holds(image.needs):
        return ""
    needs = f"needs {image.needs.allocated} bytes and {image.needs.inodes} inodes"
    return f"{needs}, and the disk has room for {room.bytes} bytes and {room.inodes} inodes"


def problems_of_own_image(image: VerifiedImage, branding: Branding) -> tuple[Problem, ...]:
    """Of an image that is made or signed: also what a restore would put right."""
    return tuple(dict.fromkeys((*image_problems(image, branding), *open_account_problems(image.files))))


def image_problems(
    image: VerifiedImage, branding: Branding, room: Room | None = None, *, locks_accounts: bool = False
) -> tuple[Problem, ...]:
    """Why this image, though intact, could never boot as an appliance. ``room``: on PRIMARY, if that is known.
    ``locks_accounts``: accounts without a password are no problem, since the caller locks them."""
    problems = []
    files = image.files
    if room is not None and (lack := lack_of_room(image, room)):
        problems.append(Problem("", lack))
    if not files.has_init:
        problems.append(Problem(branding.real_init, "is not in the image"))
    for path, content in (("/etc/passwd", files.passwd), ("/etc/shadow", files.shadow), ("/etc/group", files.group)):
        if content is None:
            problems.append(Problem(path, "is not in the image"))
    if files.passwd is not None and files.shadow is not None:
        try:
            if not locks_accounts:
                check_login(files.passwd, branding.admin)
            ids_of(files.passwd, branding.admin)
            gid_of(files.group or b"", "systemd-journal")
            set_password_hash(files.shadow, branding.admin, LOCKED)
            if not locks_accounts:
                problems.extend(map(open_account_problem, accounts_to_lock(files, branding)))
        except BadInput as error:
            problems.extend(Problem(f"/etc/{error.what}", str(problem)) for problem in error.problems)
    problems += _kernel_problems(files, branding)
    return tuple(problems)


def _kernel_problems(files: CapturedFiles, branding: Branding) -> list[Problem]:
    place = f"/boot/{branding.boot_kernel}"
    if files.kernel_start is None:
        return [Problem(place, "is not in the image")]
    try:
        parse_bzimage(files.kernel_start)
    except BadInput as error:
        return [Problem(place, str(problem)) for problem in error.problems]
    return []

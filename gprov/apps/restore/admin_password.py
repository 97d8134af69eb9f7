"""The admin password of a unit, from RECOVERY: its hash, or the plain text that gprovision left there.

The plan of a restore replaces the plain text by the hash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault, GprovError, Problem
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.plan.kernels import KernelPaths
from gprov.domain.recovery_files import ADMIN_HASH, INSECURE_STORAGE, SECRETS_FOLDER
from gprov.domain.unit.insecure_storage import MAX_BYTES, parse_insecure_storage
from gprov.ports.files import Files
from gprov.ports.secrets import PasswordHasher

_CRYPT = re.compile(r"[!-9;-~]+")  # crypt(5): printable, no colon


@dataclass(frozen=True, slots=True)
class AdminPassword:
    """``value``: None if RECOVERY has no usable password; the account is then locked. ``plain_text``: RECOVERY
    has passwords in plain text, too."""

    value: PasswordHash | None
    plain_text: bool = False


def read_admin_password(
    files: Files, hasher: PasswordHasher, recovery: str, kernels: KernelPaths, bus: EventBus
) -> AdminPassword:
    """Raises DeviceFault if neither a password nor any kernel can be read: then RECOVERY with the verified image has
    failed, and the restore must not begin."""
    errors: list[GprovError] = []
    plain_text = False
    try:
        plain_text = _has_plain_text(files, recovery)
        if plain_text:
            bus.warning(f"{INSECURE_STORAGE} holds passwords of admin, BIOS and controller in plain text: change them")
        return AdminPassword(_stored_hash(files, recovery), plain_text)
    except (BadInput, DeviceFault) as error:
        errors.append(error)
    if plain_text:
        try:
            hashed = _hash_of_plain_text(files, hasher, recovery)
            bus.log(f"the admin password is taken over from {INSECURE_STORAGE}, which gprovision wrote")
            return AdminPassword(hashed, plain_text=True)
        except (BadInput, DeviceFault) as error:
            errors.append(error)
    fault = next((error for error in errors if isinstance(error, DeviceFault)), None)
    if fault is not None and not any(_readable(files, kernel) for kernel in (kernels.main, kernels.second)):
        raise fault
    # A unit whose administrator cannot log in can still be serviced; a unit that cannot be restored cannot.
    _report_locked("; ".join(str(error) for error in errors), bus)
    return AdminPassword(None)


def _stored_hash(files: Files, recovery: str) -> PasswordHash:
    """Raises BadInput (none is stored), DeviceFault (the file cannot be read)."""
    path = f"{recovery}/{SECRETS_FOLDER}/{ADMIN_HASH}"
    if files.status(path) is None:
        raise BadInput(path, [Problem("", "is not there")])
    text = files.read(path, 4096).decode("ascii", "replace").strip()
    if not _CRYPT.fullmatch(text):
        raise BadInput(path, [Problem("", "holds no password hash")])
    return PasswordHash(text)


def _has_plain_text(files: Files, recovery: str) -> bool:
    """Raises DeviceFault."""
    return files.status(f"{recovery}/{INSECURE_STORAGE}") is not None


def _hash_of_plain_text(files: Files, hasher: PasswordHasher, recovery: str) -> PasswordHash:
    """Raises BadInput, DeviceFault."""
    path = f"{recovery}/{INSECURE_STORAGE}"
    return hasher.hash(parse_insecure_storage(path, files.read(path, MAX_BYTES)).os)


def _report_locked(why: str, bus: EventBus) -> None:
    """The image's own account is not kept: its password may be empty, or the same on all units."""
    text = f"The admin account of the restored system is LOCKED: {why}; provision the unit again to set its password"
    bus.error(text)
    bus.message(text)


def _readable(files: Files, path: str) -> bool:
    """``digests`` reads from the medium, not from the page cache."""
    try:
        files.digests(path)
    except DeviceFault:
        return False
    return True

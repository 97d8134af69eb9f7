"""The admin password of a unit, from RECOVERY: its hash, or the plain text that gprovision left there.

The plan of a restore replaces the plain text by the hash.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.unit.recovery.stored_password import has_plain_text, hash_of_plain_text, stored_hash
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault, GprovError
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.plan.kernels import KernelPaths
from gprov.domain.recovery_files import INSECURE_STORAGE
from gprov.ports.files import Files
from gprov.ports.secrets import PasswordHasher


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
        plain_text = has_plain_text(files, recovery)
        if plain_text:
            bus.warning(f"{INSECURE_STORAGE} holds passwords of admin, BIOS and controller in plain text: change them")
        return AdminPassword(stored_hash(files, recovery), plain_text)
    except (BadInput, DeviceFault) as error:
        errors.append(error)
    if plain_text:
        try:
            hashed = hash_of_plain_text(files, hasher, recovery)
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

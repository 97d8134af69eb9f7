"""The secrets on RECOVERY that a restore reads or replaces: the admin password above all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gprov.apps.unit.recovery.stored_password import (
    has_plain_text,
    hash_content,
    hash_of_plain_text,
    stored_hash,
)
from gprov.apps.unit.recovery.stored_secrets import StoredSecrets
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault, GprovError
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.plan.kernels import KernelPaths
from gprov.domain.recovery_files import ADMIN_HASH, INSECURE_STORAGE, SECRETS_FOLDER, UNIT_KEY
from gprov.domain.unit.secret_file import ReplacedSecret
from gprov.ports.files import Files
from gprov.ports.secrets import PasswordHasher


@dataclass(frozen=True, slots=True)
class AdminPassword:
    """``value``: None if RECOVERY has no usable password; the account is then locked. ``plain_text``: RECOVERY
    has passwords in plain text, too."""

    value: PasswordHash | None
    plain_text: bool = False


def read_admin_password(
    secrets: StoredSecrets, hasher: PasswordHasher, kernels: KernelPaths, bus: EventBus
) -> AdminPassword:
    """Raises DeviceFault if neither a password nor any kernel can be read: then RECOVERY with the verified image has
    failed, and the restore must not begin."""
    errors: list[GprovError] = []
    plain_text = False
    try:
        plain_text = has_plain_text(secrets)
        if plain_text:
            bus.warning(f"{INSECURE_STORAGE} holds passwords of admin, BIOS and controller in plain text: change them")
        return AdminPassword(stored_hash(secrets), plain_text)
    except (BadInput, DeviceFault) as error:
        errors.append(error)
    if plain_text:
        try:
            hashed = hash_of_plain_text(secrets, hasher)
            bus.log(f"the admin password is taken over from {INSECURE_STORAGE}, which gprovision wrote")
            return AdminPassword(hashed, plain_text=True)
        except (BadInput, DeviceFault) as error:
            errors.append(error)
    fault = next((error for error in errors if isinstance(error, DeviceFault)), None)
    if fault is not None and not any(_readable(secrets.files, kernel) for kernel in (kernels.main, kernels.second)):
        raise fault
    # A unit whose administrator cannot log in can still be serviced; a unit that cannot be restored cannot.
    _report_locked("; ".join(str(error) for error in errors), bus)
    return AdminPassword(None)


def replaced_secrets(secrets: StoredSecrets, password: AdminPassword, bus: EventBus) -> tuple[ReplacedSecret, ...]:
    """What the plan replaces: the plain text that gprovision left, and, with a TPM, what is not sealed yet. A secret
    that cannot be read is reported and stays as it is."""
    try:
        return (*_replaced_password(secrets, password, bus), *_replaced_key(secrets, bus))
    except DeviceFault as fault:
        bus.warning(f"secrets on RECOVERY stay as they are: {fault}")
        return ()


def _replaced_password(secrets: StoredSecrets, password: AdminPassword, bus: EventBus) -> Iterator[ReplacedSecret]:
    readable = secrets.is_plain(ADMIN_HASH)
    if password.value is None or not (readable or password.plain_text):
        return
    file = secrets.protected(ADMIN_HASH, hash_content(password.value), bus)
    if readable and file.sealed:
        yield ReplacedSecret(file, f"{SECRETS_FOLDER}/{ADMIN_HASH}")
    if password.plain_text:
        yield ReplacedSecret(file, INSECURE_STORAGE)


def _replaced_key(secrets: StoredSecrets, bus: EventBus) -> Iterator[ReplacedSecret]:
    if not secrets.is_plain(UNIT_KEY):
        return
    file = secrets.protected(UNIT_KEY, secrets.read(UNIT_KEY) or b"", bus)
    if file.sealed:
        yield ReplacedSecret(file, f"{SECRETS_FOLDER}/{UNIT_KEY}")


def _report_locked(why: str, bus: EventBus) -> None:
    """The image's own account is not kept: its password may be empty, or the same on all units."""
    how = f"put a password hash (openssl passwd -6) into {SECRETS_FOLDER}/{ADMIN_HASH} on RECOVERY, and restore again"
    text = f"The admin account of the restored system is LOCKED: {why}; {how}"
    bus.error(text)
    bus.message(text)


def _readable(files: Files, path: str) -> bool:
    try:
        files.read_through(path)
    except DeviceFault:
        return False
    return True

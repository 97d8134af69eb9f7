"""The admin password as RECOVERY keeps it: its hash, or the plain text that gprovision left there."""

from __future__ import annotations

import re

from gprov.apps.unit.recovery.stored_secrets import StoredSecrets
from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.formats.empty_passwords import matches_empty_password
from gprov.domain.recovery_files import ADMIN_HASH, INSECURE_STORAGE
from gprov.domain.unit.insecure_storage import MAX_BYTES, parse_insecure_storage
from gprov.ports.secrets import PasswordHasher

# crypt(5): printable, no colon; all schemes but those that are known to be broken begin with their name between "$".
_CRYPT = re.compile(r"\$[!-#%-9;-~]+\$[!-9;-~]+")


def stored_hash(secrets: StoredSecrets) -> PasswordHash:
    """Raises BadInput (none is stored, or none that a password matches, or that the empty one matches), DeviceFault
    (the file cannot be read, or the TPM does not return what is sealed)."""
    content, path = secrets.read(ADMIN_HASH), secrets.path(ADMIN_HASH)
    if content is None:
        raise BadInput(path, [Problem("", "is not there")])
    text = content.decode("ascii", "replace").strip()
    if not _CRYPT.fullmatch(text):
        raise BadInput(path, [Problem("", "holds no password hash")])
    if matches_empty_password(text.encode("ascii")):
        raise BadInput(path, [Problem("", "holds the hash of the empty password")])
    return PasswordHash(text)


def hash_content(admin: PasswordHash) -> bytes:
    """The file that ``stored_hash`` reads."""
    return f"{admin}\n".encode()


def has_plain_text(secrets: StoredSecrets) -> bool:
    """Whether RECOVERY is that of a unit of gprovision, with its passwords in plain text. Raises DeviceFault."""
    return secrets.files.status(f"{secrets.recovery}/{INSECURE_STORAGE}") is not None


def hash_of_plain_text(secrets: StoredSecrets, hasher: PasswordHasher) -> PasswordHash:
    """Raises BadInput, DeviceFault."""
    path = f"{secrets.recovery}/{INSECURE_STORAGE}"
    return hasher.hash(parse_insecure_storage(path, secrets.files.read(path, MAX_BYTES)).os)

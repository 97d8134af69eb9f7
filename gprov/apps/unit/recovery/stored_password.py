"""The admin password as RECOVERY keeps it: its hash, or the plain text that gprovision left there."""

from __future__ import annotations

import re

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.recovery_files import ADMIN_HASH, INSECURE_STORAGE, SECRETS_FOLDER
from gprov.domain.unit.insecure_storage import MAX_BYTES, parse_insecure_storage
from gprov.ports.files import Files
from gprov.ports.secrets import PasswordHasher

_CRYPT = re.compile(r"[!-9;-~]+")  # crypt(5): printable, no colon


def stored_hash(files: Files, recovery: str) -> PasswordHash:
    """Raises BadInput (none is stored), DeviceFault (the file cannot be read)."""
    path = f"{recovery}/{SECRETS_FOLDER}/{ADMIN_HASH}"
    if files.status(path) is None:
        raise BadInput(path, [Problem("", "is not there")])
    text = files.read(path, 4096).decode("ascii", "replace").strip()
    if not _CRYPT.fullmatch(text):
        raise BadInput(path, [Problem("", "holds no password hash")])
    return PasswordHash(text)


def has_plain_text(files: Files, recovery: str) -> bool:
    """Whether RECOVERY is that of a unit of gprovision, with its passwords in plain text. Raises DeviceFault."""
    return files.status(f"{recovery}/{INSECURE_STORAGE}") is not None


def hash_of_plain_text(files: Files, hasher: PasswordHasher, recovery: str) -> PasswordHash:
    """Raises BadInput, DeviceFault."""
    path = f"{recovery}/{INSECURE_STORAGE}"
    return hasher.hash(parse_insecure_storage(path, files.read(path, MAX_BYTES)).os)

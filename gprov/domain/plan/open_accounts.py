"""Locks the accounts of an image that need no password. Such an image is refused when it is made, verified on a host or
signed, and when a unit is provisioned. A restore installs it, with these accounts locked: the unit may have no other
image."""

from __future__ import annotations

from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.accounts import LOCKED, open_accounts
from gprov.domain.formats.empty_passwords import matches_empty_password
from gprov.domain.formats.image.captured import CapturedFiles

_IN_SHADOW = b"x"  # in passwd: the password field of shadow counts


def accounts_to_lock(files: CapturedFiles, branding: Branding) -> tuple[str, ...]:
    """Users who can log in without a password. Raises BadInput: malformed lines."""
    return open_accounts(files.passwd or b"", files.shadow or b"", branding.admin)


def open_account_problems(files: CapturedFiles) -> tuple[Problem, ...]:
    """The users of the image as it is who can log in without a password, the admin account among them although a
    restore replaces its password. Empty for malformed files, of which ``image_problems`` tells."""
    try:
        names = open_accounts(files.passwd or b"", files.shadow or b"", "")
    except BadInput:
        return ()
    return tuple(map(open_account_problem, names))


def open_account_problem(name: str) -> Problem:
    return Problem("/etc/shadow", f"{name!r} can log in without a password: lock the account")


def locked_shadow(shadow: bytes, names: tuple[str, ...]) -> bytes:
    """The file with the password fields of these users locked, if the empty password matches them."""
    return _filled(shadow, names, LOCKED.encode("ascii"))


def locked_passwd(passwd: bytes, names: tuple[str, ...]) -> bytes:
    """The file with such password fields of these users referring to shadow: a user who is not there cannot log
    in."""
    return _filled(passwd, names, _IN_SHADOW)


def _filled(content: bytes, names: tuple[str, ...], value: bytes) -> bytes:
    lines = [line.split(b":") for line in content.split(b"\n")]
    for fields in lines:
        if len(fields) > 1 and matches_empty_password(fields[1]) and fields[0].decode(errors="replace") in names:
            fields[1] = value
    return b"\n".join(b":".join(fields) for fields in lines)

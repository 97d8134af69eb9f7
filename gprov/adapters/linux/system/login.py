"""Who runs this process, for audit trails."""

from __future__ import annotations

import os
import pwd

# proc(5), /proc/PID/loginuid: this value without a login.
_UNSET = 2**32 - 1


def current_user() -> str:
    """Name of the user, and of the one who logged in if that is another (by sudo or su); the kernel keeps the latter
    through changes of the user."""
    user = _name(os.geteuid())
    login = _login()
    return user if login in (None, user) else f"{user} (logged in as {login})"


def _login() -> str | None:
    try:
        with open("/proc/self/loginuid") as file:
            uid = int(file.read())
    except (OSError, ValueError):  # a kernel without auditing
        return None
    return None if uid == _UNSET else _name(uid)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"

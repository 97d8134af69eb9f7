"""Accounts of a controller. Source: IPMI specification 2.0, sections 22.26 (Set User Access), 22.27 (Get User Access),
22.28 (Set User Name), 22.29 (Get User Name), 22.30 (Set User Password)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ipmi.channels import channel_byte
from gprov.domain.formats.ipmi.message import NetworkFunction, Request, check_size

SET_USER_ACCESS = 0x43
GET_USER_ACCESS = 0x44
SET_USER_NAME = 0x45
GET_USER_NAME = 0x46
SET_USER_PASSWORD = 0x47

# User 1 has the empty name, for anonymous logins (6.9.1).
ANONYMOUS_USER = 1
LAST_USER = 63
NAME_BYTES = 16
# IPMI 1.5 has passwords of 16 bytes, 2.0 those of 20 as well.
SHORT_PASSWORD, LONG_PASSWORD = 16, 20

# Completion codes of Set User Password (22.30).
PASSWORD_DIFFERS = 0x80
PASSWORD_SIZE_DIFFERS = 0x81
PASSWORD_CODES = {
    PASSWORD_DIFFERS: "the controller has another password",
    PASSWORD_SIZE_DIFFERS: "the controller stores the password in the other size",
}

_SESSION_LIMIT_NONE = 0


class Privilege(IntEnum):
    """Limit of what a user may do on a channel (22.27)."""

    RESERVED = 0
    CALLBACK = 1
    USER = 2
    OPERATOR = 3
    ADMINISTRATOR = 4
    OEM = 5
    NO_ACCESS = 0x0F


class EnableStatus(Enum):
    """Whether an account is enabled, for all channels. UNSPECIFIED: controllers of IPMI 1.5 do not say."""

    UNSPECIFIED = 0
    ENABLED = 1
    DISABLED = 2


class PasswordOperation(IntEnum):
    """Operations of Set User Password."""

    DISABLE_USER = 0
    ENABLE_USER = 1
    SET_PASSWORD = 2
    TEST_PASSWORD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccess:
    """``users``: how many accounts the channel has. ``fixed_names``: how many of the first ones have names that cannot
    be set. ``messaging``: the account may send IPMI messages in a session."""

    users: int
    fixed_names: int
    status: EnableStatus
    privilege: Privilege
    messaging: bool


def get_user_access(channel: int, user: int) -> Request:
    """Raises BadInput."""
    data = bytes((channel_byte(channel), user_byte(user)))
    return Request(NetworkFunction.APPLICATION, GET_USER_ACCESS, data)


def parse_user_access(data: bytes) -> UserAccess:
    """Raises BadInput."""
    what = "Get User Access"
    check_size(what, data, 4)
    problems = []
    status, privilege = data[1] >> 6, data[3] & 0x0F
    if status == 3:
        problems.append(Problem("enable status", "3 is reserved"))
    if privilege not in set(Privilege):
        problems.append(Problem("privilege limit", f"{privilege} is reserved"))
    if not data[0] & 0x3F:
        problems.append(Problem("number of users", "is 0"))
    if problems:
        raise BadInput(what, problems)
    return UserAccess(
        users=data[0] & 0x3F,
        fixed_names=data[2] & 0x3F,
        status=EnableStatus(status),
        privilege=Privilege(privilege),
        messaging=bool(data[3] & 0x10),
    )


def set_user_access(channel: int, user: int, privilege: Privilege, *, messaging: bool) -> Request:
    """Sessions with link authentication (for serial lines) and messaging, not restricted to callbacks, without a limit
    of their number. Raises BadInput."""
    flags = 0x80 | (0x30 if messaging else 0)
    data = bytes((flags | channel_byte(channel), user_byte(user), privilege, _SESSION_LIMIT_NONE))
    return Request(NetworkFunction.APPLICATION, SET_USER_ACCESS, data)


def get_user_name(user: int) -> Request:
    """Raises BadInput."""
    return Request(NetworkFunction.APPLICATION, GET_USER_NAME, bytes((user_byte(user),)))


def parse_user_name(data: bytes) -> str:
    """Empty if the account has none. Bytes beyond ASCII are shown as Latin-1. Raises BadInput."""
    check_size("Get User Name", data, NAME_BYTES, NAME_BYTES)
    return data.split(b"\0", 1)[0].decode("latin-1")


def set_user_name(user: int, name: str) -> Request:
    """Raises BadInput."""
    return Request(
        NetworkFunction.APPLICATION,
        SET_USER_NAME,
        bytes((user_byte(user),)) + name_bytes(name).ljust(NAME_BYTES, b"\0"),
    )


def name_bytes(name: str) -> bytes:
    """A name without padding. Raises BadInput unless it is 1 to 16 printable ASCII characters."""
    if not 1 <= len(name) <= NAME_BYTES or not all("!" <= char <= "~" for char in name):
        raise BadInput("BMC user", [Problem("name", f"{name!r} is not 1 to {NAME_BYTES} printable ASCII characters")])
    return name.encode()


def enable_user(user: int, *, enabled: bool) -> Request:
    """For all channels. The request has the password field of 16 bytes, which the operation ignores: controllers that
    require it exist. Raises BadInput."""
    operation = PasswordOperation.ENABLE_USER if enabled else PasswordOperation.DISABLE_USER
    return _password_request(user, operation, b"", SHORT_PASSWORD)


def set_password(user: int, password: bytes, size: int) -> Request:
    """``size``: SHORT_PASSWORD or LONG_PASSWORD. Raises BadInput, without the password in its text."""
    return _password_request(user, PasswordOperation.SET_PASSWORD, password, size)


def compare_password(user: int, password: bytes, size: int) -> Request:
    """The controller compares the password with the stored one: PASSWORD_DIFFERS, PASSWORD_SIZE_DIFFERS. Raises
    BadInput, without the password in its text."""
    return _password_request(user, PasswordOperation.TEST_PASSWORD, password, size)


def _password_request(user: int, operation: PasswordOperation, password: bytes, size: int) -> Request:
    if size not in (SHORT_PASSWORD, LONG_PASSWORD) or len(password) > size or b"\0" in password:
        raise BadInput("BMC password", [Problem("", f"cannot be stored in {size} bytes that end with the first zero")])
    long = 0x80 if size == LONG_PASSWORD else 0
    data = bytes((user_byte(user) | long, operation)) + password.ljust(size, b"\0")
    return Request(NetworkFunction.APPLICATION, SET_USER_PASSWORD, data)


def user_byte(user: int) -> int:
    """Raises BadInput if there cannot be an account of this number."""
    if not ANONYMOUS_USER <= user <= LAST_USER:
        raise BadInput("BMC user", [Problem("number", f"{user} is not from {ANONYMOUS_USER} to {LAST_USER}")])
    return user

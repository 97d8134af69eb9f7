"""Accounts of people on the factory server: roles, names, passwords, and how long a person is signed in. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput, Problem

LONGEST_NAME = 64
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
LONGEST_REASON = 500
TOKEN_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@-]{0,62}[A-Za-z0-9])?")
_FEWEST_CHARACTERS = 5
# What the audit trail calls the server itself, and who acts on its host.
_NOT_PEOPLE = frozenset({"server", "root"})


class Role(Enum):
    """Each may do what the ones before it may. The values are stored, and are the words of command line and pages."""

    VIEW = "view"
    OPERATE = "operate"
    REVEAL = "reveal"
    MANAGE = "manage"

    def includes(self, needed: Role) -> bool:
        order = tuple(Role)
        return order.index(self) >= order.index(needed)

    @property
    def may(self) -> frozenset[str]:
        return frozenset(role.value for role in Role if self.includes(role))


class ProgramRole(Enum):
    """Of a token for programs: a program states no reasons, and manages no people."""

    VIEW = Role.VIEW.value
    OPERATE = Role.OPERATE.value

    @property
    def role(self) -> Role:
        return Role(self.value)


ROLE_WORDS = {
    Role.VIEW: "sees units, logs, documents and certificates",
    Role.OPERATE: "also reopens units, replaces passwords, issues tokens, decides on documents, reads the trail",
    Role.REVEAL: "also sees passwords of units, with a reason",
    Role.MANAGE: "also manages accounts and tokens for programs",
}


@dataclass(frozen=True, slots=True)
class Times:
    """How long a person is signed in: without doing anything, and at most; ns."""

    idle_ns: int
    most_ns: int


def is_current(times: Times, began_ns: int, seen_ns: int, now_ns: int) -> bool:
    """Whether a session of a person counts. A clock that was set back ends none."""
    return now_ns - seen_ns <= times.idle_ns and now_ns - began_ns <= times.most_ns


def checked_name(name: str) -> str:
    """Of an account. Raises BadInput."""
    if not _NAME.fullmatch(name):
        raise BadInput("name", [Problem("", f"must be 1 to {LONGEST_NAME} letters, digits and . _ @ - inside")])
    if name.lower() in _NOT_PEOPLE:
        raise BadInput("name", [Problem("", f"must not be {name!r}: the audit trail has it for what no account did")])
    return name


def check_password(name: str, password: str) -> None:
    """For the account of this name. Length counts, not kinds of characters (NIST SP 800-63B). Raises BadInput with
    every problem."""
    problems = []
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        problems.append(f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if not password.isprintable():
        problems.append("must be printable")
    if name.lower() in password.lower():
        problems.append("must not hold the name of the account")
    if len(set(password)) < _FEWEST_CHARACTERS:
        problems.append(f"must have at least {_FEWEST_CHARACTERS} different characters")
    if problems:
        raise BadInput("password", [Problem("", problem) for problem in problems])


def checked_reason(text: str) -> str:
    """For the audit trail: one line. Raises BadInput."""
    reason = text.strip()
    if not reason or not reason.isprintable() or len(reason) > LONGEST_REASON:
        raise BadInput("reason", [Problem("", f"must be one line of 1 to {LONGEST_REASON} characters")])
    return reason


def check_managed(roles: Sequence[Role]) -> None:
    """``roles``: of all accounts after a change. Raises BadInput if none could manage them any longer."""
    if Role.MANAGE not in roles:
        raise BadInput("account", [Problem("", f"at least one account must have the role {Role.MANAGE.value}")])

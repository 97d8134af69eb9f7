"""Which account of a management controller becomes the unit's, and which other ones can log in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gprov.domain.errors import DeviceFault
from gprov.domain.formats.ipmi.users import ANONYMOUS_USER, EnableStatus, Privilege, UserAccess

BMC = "management controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcUser:
    """``name``: empty for user 1 and for a free slot. ``access``: by the number of the LAN channel."""

    number: int
    name: str
    access: Mapping[int, UserAccess]

    @property
    def named(self) -> str:
        return f"user {self.number} ({self.name or 'anonymous'})"

    @property
    def may_log_in(self) -> bool:
        """Over any LAN channel. A slot without a name cannot: the empty name is that of user 1."""
        known = bool(self.name) or self.number == ANONYMOUS_USER
        return known and any(lets_in(access) for access in self.access.values())


def lets_in(access: UserAccess) -> bool:
    """A controller of IPMI 1.5 does not say whether an account is enabled: it may be."""
    powerless = access.privilege in (Privilege.NO_ACCESS, Privilege.RESERVED)
    return access.status is not EnableStatus.DISABLED and access.messaging and not powerless


def access_problem(access: UserAccess) -> str:
    """Why this is not the access of an administrator; empty if it is."""
    if access.status is EnableStatus.DISABLED:
        return "the account is still disabled"
    if access.privilege is not Privilege.ADMINISTRATOR:
        return f"its privilege limit is {access.privilege.name}, not ADMINISTRATOR"
    return "" if access.messaging else "it may not send messages"


def choose_user(users: Sequence[BmcUser], name: str, refused: frozenset[int] = frozenset()) -> BmcUser:
    """The account that has this name already, or else the first free slot; never user 1. ``refused``: numbers whose
    name the controller did not let be set. Raises DeviceFault if there is none."""
    usable = [user for user in users if user.number != ANONYMOUS_USER and user.number not in refused]
    chosen = next((user for user in usable if user.name == name), None) or next(
        (user for user in usable if not user.name), None
    )
    if chosen is None:
        taken = ", ".join(user.named for user in users if user.name) or "none"
        failed = f"; slots whose name cannot be set: {', '.join(map(str, sorted(refused)))}" if refused else ""
        raise DeviceFault(BMC, f"has no account {name!r} and no free slot for it; accounts: {taken}{failed}")
    return chosen


def others_that_may_log_in(users: Sequence[BmcUser], own: int) -> tuple[BmcUser, ...]:
    """Their passwords are not the unit's: those of the manufacturer, or any."""
    return tuple(user for user in users if user.number != own and user.may_log_in)

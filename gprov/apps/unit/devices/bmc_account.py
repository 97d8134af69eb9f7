"""The unit's account on its management controller: name, password, rights; and no other account that may log in."""

from __future__ import annotations

from gprov.apps.unit.devices.bmc import Controller
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.bmc.accounts import BMC, BmcUser, access_problem, choose_user, others_that_may_log_in
from gprov.domain.bmc.passwords import (
    SHORTER,
    SIZE_REFUSED,
    cut_passwords,
    foreign_password,
    password_bytes,
    refusal_text,
    storage_sizes,
)
from gprov.domain.bmc.patience import TEMPORARY
from gprov.domain.errors import CommandRefused, DeviceFault
from gprov.domain.formats.ipmi.message import Request
from gprov.domain.formats.ipmi.users import (
    PASSWORD_CODES,
    SHORT_PASSWORD,
    Privilege,
    compare_password,
    enable_user,
    set_password,
    set_user_access,
    set_user_name,
)
from gprov.domain.unit.credentials import Secret

_PASSWORD = "Set User Password"  # noqa: S105 - name of a command


class BmcAccount:
    """``lan``: all LAN channels of the controller; ``used``: those over which the account may log in."""

    def __init__(self, controller: Controller, lan: tuple[int, ...], used: tuple[int, ...], bus: EventBus) -> None:
        self._controller = controller
        self._lan = lan
        self._used = used
        self._bus = bus

    def establish(self, name: str, password: Secret) -> bool:
        """An order in which power may be cut: a repeated call finds the account by its name. Others are disabled last,
        when the new one works. Returns False if the controller's comparisons prove nothing. Raises DeviceFault,
        DeadlineExceeded, BadInput."""
        secret = password_bytes(password)
        user = self._named_user(name)
        tested = self._store(user, secret)
        self._grant(user)
        self._disable_others(user)
        self._bus.message(f"BMC: password of user {user} ({name}) set{' and tested' if tested else ''}")
        return tested

    def _named_user(self, name: str) -> int:
        """The number of the account. A slot whose name cannot be set is skipped."""
        users = self._controller.users(self._lan)
        refused: frozenset[int] = frozenset()
        while True:
            user = choose_user(users, name, refused)
            if user.name == name or self._takes_name(user, name):
                return user.number
            refused |= {user.number}

    def _takes_name(self, user: BmcUser, name: str) -> bool:
        try:
            self._controller.command("Set User Name", set_user_name(user.number, name))
        except CommandRefused as refused:
            if refused.code in TEMPORARY:
                raise
            self._bus.log(f"BMC: slot {user.number} does not take a name: {refused}")
            return False
        kept = self._controller.user(user.number, self._lan).name == name
        if not kept:
            self._bus.log(f"BMC: slot {user.number} did not keep the name {name!r}")
        return kept

    def _store(self, user: int, password: bytes) -> bool:
        """In the first size that the controller takes, and gives back in a comparison. Returns False if its comparisons
        prove nothing."""
        sizes = storage_sizes(password)
        while True:
            size, *sizes = sizes
            code = self._code(set_password(user, password, size))
            if not code and not self._compares(user, password, size):
                return False
            code = code or self._prove(user, password, size)
            if not code:
                return True
            if code not in SIZE_REFUSED or not sizes:
                raise CommandRefused(BMC, f"password of user {user}: {refusal_text(code, password)}", code)

    def _compares(self, user: int, password: bytes, size: int) -> bool:
        """Whether the controller refuses a password that it cannot have. Of a long one that is not compared it cannot
        be excluded that it was cut."""
        if self._code(compare_password(user, foreign_password(password), size)):
            return True
        reason = f"accepts any password of user {user} in a comparison, so that it is not known what it kept"
        if len(password) > SHORT_PASSWORD:
            raise DeviceFault(BMC, f"{reason}: {SHORTER}")
        self._bus.warning(f"BMC: {reason}: the password was not tested")
        return False

    def _prove(self, user: int, password: bytes, size: int) -> int:
        """Returns a completion code, 0 if the controller kept the password. A right comparison follows at most two
        wrong ones, after which some controllers lock an account."""
        code = self._code(compare_password(user, password, size))
        if code:
            return code
        for cut, cut_size in cut_passwords(password, size):
            if self._code(compare_password(user, cut, cut_size)) == 0:
                raise DeviceFault(BMC, f"kept only the beginning of the password of user {user}: {SHORTER}")
        return self._code(compare_password(user, password, size))

    def _grant(self, user: int) -> None:
        for channel in self._used:
            request = set_user_access(channel, user, Privilege.ADMINISTRATOR, messaging=True)
            self._controller.command("Set User Access", request)
        self._controller.command(_PASSWORD, enable_user(user, enabled=True), PASSWORD_CODES)
        access = self._controller.user(user, self._used).access
        for channel in self._used:
            problem = access_problem(access[channel]) if channel in access else "its access cannot be read"
            if problem:
                raise DeviceFault(BMC, f"user {user} may not log in over channel {channel}: {problem}")

    def _disable_others(self, user: int) -> None:
        for other in others_that_may_log_in(self._controller.users(self._lan), user):
            code = self._code(enable_user(other.number, enabled=False))
            if self._let_in(other.number) and self._withdraw(other.number):
                why = f": {refusal_text(code, b'')}" if code else ""
                raise DeviceFault(
                    BMC,
                    f"{other.named} may still log in, with a password that is not the unit's; it could not be "
                    f"disabled{why}. Make it the unit's account (bmc_user of the branding), or disable it in a step",
                )
            self._bus.warning(f"BMC: {other.named} could log in and was disabled")

    def _let_in(self, user: int) -> bool:
        return self._controller.user(user, self._lan).may_log_in

    def _withdraw(self, user: int) -> bool:
        """Take the account's rights on all LAN channels: of a controller that does not disable it, or does not say
        whether it did. Returns whether the account may still log in."""
        for channel in self._lan:
            request = set_user_access(channel, user, Privilege.NO_ACCESS, messaging=False)
            try:
                self._controller.command("Set User Access", request)
            except CommandRefused as refused:
                if refused.code in TEMPORARY:
                    raise
                self._bus.log(f"BMC: rights of user {user} on channel {channel} not withdrawn: {refused}")
        return self._let_in(user)

    def _code(self, request: Request) -> int:
        """Completion code of Set User Password. Raises CommandRefused for one that passes by itself, but did not."""
        try:
            self._controller.command(_PASSWORD, request, PASSWORD_CODES)
        except CommandRefused as refused:
            if refused.code in TEMPORARY:
                raise
            return refused.code
        return 0

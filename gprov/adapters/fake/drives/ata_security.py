"""Security state machine of a simulated ATA drive (ACS-4, states SEC0 to SEC6)."""

from __future__ import annotations

from gprov.domain.errors import BadInput
from gprov.domain.formats.ata.security_data import SecurityData, SecurityLevel, parse_security_sector

_ATTEMPTS = 5


class SecurityUnit:
    """Methods return False where the drive aborts the command.

    SEC1: no password, not frozen; SEC2: no password, frozen; SEC4: password, locked; SEC5: password, unlocked; SEC6:
    password, unlocked, frozen. SEC0 and SEC3 are those without power.
    """

    def __init__(self, *, master_password: bytes = b"") -> None:
        self.password: bytes | None = None
        self.locked = False
        self.frozen = False
        self.level = SecurityLevel.HIGH
        self._master = master_password.ljust(32, b"\0")
        self._attempts = _ATTEMPTS
        self._prepared = False

    @property
    def enabled(self) -> bool:
        return self.password is not None

    @property
    def count_expired(self) -> bool:
        return self._attempts == 0

    @property
    def state(self) -> str:
        if not self.enabled:
            return "SEC2" if self.frozen else "SEC1"
        if self.locked:
            return "SEC4"
        return "SEC6" if self.frozen else "SEC5"

    def power_on(self, *, frozen: bool) -> None:
        """``frozen``: the firmware of the machine sends FREEZE LOCK."""
        self.locked = self.enabled
        self._attempts = _ATTEMPTS
        self._prepared = False
        self.frozen = frozen and not self.locked

    def other_command(self) -> None:
        """Any command but ERASE UNIT cancels ERASE PREPARE."""
        self._prepared = False

    def set_password(self, sector: bytes) -> bool:
        data = _parsed(sector)
        if data is None or self.locked or self.frozen:
            return False
        if data.master:
            self._master = data.password
        else:
            self.password, self.level = data.password, data.level
        return True

    def unlock(self, sector: bytes) -> bool:
        data = _parsed(sector)
        if data is None or self.frozen or not self.enabled or self.count_expired:
            return False
        usable = not (data.master and self.level is SecurityLevel.MAXIMUM)
        if usable and self._matches(data):
            self.locked = False
            return True
        self._wrong()
        return False

    def disable(self, sector: bytes) -> bool:
        data = _parsed(sector)
        if data is None or self.locked or self.frozen:
            return False
        if (data.master and self.level is SecurityLevel.MAXIMUM) or not self._matches(data):
            return False
        self._clear()
        return True

    def freeze(self) -> bool:
        if self.locked:
            return False
        self.frozen = True
        return True

    def prepare(self) -> bool:
        self._prepared = not self.frozen
        return self._prepared

    def may_erase(self, sector: bytes) -> SecurityData | None:
        """ERASE UNIT: the data if the drive accepts it."""
        prepared, self._prepared = self._prepared, False
        data = _parsed(sector)
        if data is None or not prepared or self.frozen or self.count_expired:
            return None
        if not self._matches(data):
            self._wrong()
            return None
        return data

    def erased(self) -> None:
        """ERASE UNIT has ended without error."""
        self._clear()

    def _matches(self, data: SecurityData) -> bool:
        return data.password == (self._master if data.master else self.password)

    def _wrong(self) -> None:
        if self.locked:
            self._attempts = max(0, self._attempts - 1)

    def _clear(self) -> None:
        self.password = None
        self.locked = False
        self.level = SecurityLevel.HIGH


def _parsed(sector: bytes) -> SecurityData | None:
    try:
        return parse_security_sector(sector)
    except BadInput:
        return None

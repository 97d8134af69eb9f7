"""The commands for accounts of a simulated management controller (IPMI 2.0, sections 22.26 to 22.30)."""

from __future__ import annotations

from gprov.adapters.fake.bmc.faults import BmcFaults
from gprov.adapters.fake.bmc.model import NO_ACCESS, FakeAccount, FakeBoard

# A completion code and the data after it.
Reply = tuple[int, bytes]

DONE: Reply = (0, b"")
INVALID: Reply = (0xCC, b"")
WRONG_LENGTH: Reply = (0xC7, b"")
NOT_NOW: Reply = (0xD5, b"")
_DIFFERS: Reply = (0x80, b"")
_SIZE_DIFFERS: Reply = (0x81, b"")
_SHORT, _LONG = 16, 20
_DISABLE, _ENABLE, _SET = 0, 1, 2


class Accounts:
    """Each method takes the data of a request."""

    def __init__(self, board: FakeBoard, faults: BmcFaults) -> None:
        self._board = board
        self._faults = faults

    def get_access(self, data: bytes) -> Reply:
        if len(data) != 2:
            return WRONG_LENGTH
        channel, number = data[0] & 0x0F, data[1] & 0x3F
        if channel not in self._board.channels or not self._exists(number):
            return INVALID
        account = self._board.account(number)
        enabled = sum(one.enabled for one in self._board.accounts.values())
        status = 0 if self._faults.silent_status else 0x40 if account.enabled else 0x80
        return 0, bytes((self._board.slots, status | enabled, 1, account.access.get(channel, NO_ACCESS)))

    def set_access(self, data: bytes) -> Reply:
        if len(data) not in (3, 4):
            return WRONG_LENGTH
        channel, number = data[0] & 0x0F, data[1] & 0x3F
        if channel not in self._board.channels or not self._exists(number):
            return INVALID
        if number in self._faults.fixed_access:
            return NOT_NOW
        account = self._board.account(number)
        flags = data[0] & 0x70 if data[0] & 0x80 else account.access.get(channel, 0) & 0x70
        if not self._faults.forgets_access:
            account.access[channel] = flags | data[2] & 0x0F
        return DONE

    def get_name(self, data: bytes) -> Reply:
        if len(data) != 1:
            return WRONG_LENGTH
        number = data[0] & 0x3F
        if not self._exists(number) or number in self._faults.unnamed_slots:
            return INVALID
        return 0, self._board.account(number).name.ljust(16, b"\0")

    def set_name(self, data: bytes) -> Reply:
        if len(data) != 17:
            return WRONG_LENGTH
        number = data[0] & 0x3F
        # The name of user 1 is fixed: the empty one.
        if not self._exists(number) or number == 1 or number in self._faults.unnamed_slots:
            return INVALID
        if not self._faults.forgets_names:
            self._board.account(number).name = data[1:].rstrip(b"\0")
        return DONE

    def password(self, data: bytes) -> Reply:
        if len(data) < 2:
            return WRONG_LENGTH
        number, operation, password = data[0] & 0x3F, data[1] & 3, data[2:]
        size = _LONG if data[0] & 0x80 else _SHORT
        if not self._exists(number):
            return INVALID
        account = self._board.account(number)
        if operation in (_DISABLE, _ENABLE):
            return self._switch(number, account, on=operation == _ENABLE)
        if len(password) != size or (size == _LONG and self._faults.short_passwords):
            return WRONG_LENGTH
        if operation == _SET:
            return self._set(account, password)
        return self._compare(account, password)

    def _switch(self, number: int, account: FakeAccount, *, on: bool) -> Reply:
        if not on and number in self._faults.keeps_enabled:
            return NOT_NOW
        if on or number not in self._faults.stays_enabled:
            account.enabled = on
        return DONE

    def _set(self, account: FakeAccount, password: bytes) -> Reply:
        if not self._faults.forgets_passwords:
            account.password = password[:_SHORT] if self._faults.cuts_passwords else password
        return DONE

    def _compare(self, account: FakeAccount, password: bytes) -> Reply:
        if self._faults.accepts_any:
            return DONE
        if self._faults.cuts_passwords:
            password = password[:_SHORT]
        if account.password is None:
            return _DIFFERS
        if len(account.password) != len(password):
            return _SIZE_DIFFERS
        return DONE if account.password == password else _DIFFERS

    def _exists(self, number: int) -> bool:
        return 1 <= number <= self._board.slots

"""What a simulated management controller consists of."""

from __future__ import annotations

from dataclasses import dataclass, field

ADMINISTRATOR, NO_ACCESS = 4, 15
_MESSAGING = 0x10


@dataclass(kw_only=True)
class FakeAccount:
    """``password``: padded with zeros to the size in which it was set, None if never set. ``access``: by channel, the
    last byte of Get User Access."""

    name: bytes = b""
    password: bytes | None = field(default=None, repr=False)
    enabled: bool = False
    access: dict[int, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class FakeLan:
    """A LAN channel. Addresses have 4 bytes; ``source``: 1 static, 2 DHCP."""

    mac: bytes = bytes.fromhex("56789000ff01")
    address: bytes = bytes((192, 0, 2, 10))
    source: int = 2
    mask: bytes = bytes((255, 255, 255, 0))
    gateway: bytes = bytes((192, 0, 2, 1))


def _factory_accounts() -> dict[int, FakeAccount]:
    """The anonymous user, disabled, and the account that manufacturers deliver."""
    admin = FakeAccount(name=b"ADMIN", password=b"ADMIN".ljust(16, b"\0"), enabled=True)
    admin.access[1] = _MESSAGING | ADMINISTRATOR
    return {1: FakeAccount(), 2: admin}


@dataclass(kw_only=True)
class FakeBoard:
    """``slots``: how many accounts there can be. ``events``: records of 16 bytes. ``fru``: the inventory area of the
    board. ``engine``: channel and slave address of a Management Engine, and major and minor revision of its firmware.
    ``identify_seconds``: what the identify light was last switched on for, None if it never was."""

    firmware: tuple[int, int] = (2, 0x05)
    slots: int = 10
    accounts: dict[int, FakeAccount] = field(default_factory=_factory_accounts)
    channels: dict[int, FakeLan] = field(default_factory=lambda: {1: FakeLan()})
    events: list[bytes] = field(default_factory=list)
    fru: bytes = b""
    engine: tuple[int, int, int, int] | None = None
    identify_seconds: int | None = None

    def account(self, number: int) -> FakeAccount:
        return self.accounts.setdefault(number, FakeAccount())

    def logs_in(self, name: str, password: str, channel: int = 1) -> bool:
        """Whether a client in the network becomes administrator with this name and password: the first account of this
        name counts."""
        account = next((one for _, one in sorted(self.accounts.items()) if one.name == name.encode()), None)
        if account is None or not account.enabled or account.password is None:
            return False
        access = account.access.get(channel, NO_ACCESS)
        right = account.password.rstrip(b"\0") == password.encode()
        return right and access & 0x0F == ADMINISTRATOR and bool(access & _MESSAGING)

"""What provisioning reads of a management controller before it changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gprov.domain.bmc.accounts import BmcUser
from gprov.domain.errors import HardwareMismatch
from gprov.domain.formats.ipmi.device import DeviceId
from gprov.domain.formats.ipmi.event_log import SelEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class LanChannel:
    """A network port of the controller. Addresses are empty if the controller does not have the parameter."""

    number: int
    mac: str
    address: str = ""
    source: str = ""
    mask: str = ""
    gateway: str = ""

    def describe(self) -> str:
        parts = (("address", self.address), ("mask", self.mask), ("gateway", self.gateway), ("from", self.source))
        known = "".join(f", {name} {value}" for name, value in parts if value)
        return f"channel {self.number}: MAC {self.mac}{known}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """``entries``: how many there are; ``newest``: the last ones in their order."""

    entries: int
    newest: tuple[SelEntry, ...]
    overflow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcFacts:
    """``channels``: those that the platform uses; ``users``: all accounts, with their access to all LAN channels."""

    device: DeviceId
    channels: tuple[LanChannel, ...]
    users: tuple[BmcUser, ...]

    @property
    def macs(self) -> tuple[str, ...]:
        return tuple(channel.mac for channel in self.channels)


def used_channels(lan: Sequence[int], wanted: int) -> tuple[int, ...]:
    """``lan``: numbers of the LAN channels that the controller has. ``wanted``: ``IPMIChannel``, 0 for all. Raises
    HardwareMismatch."""
    known = ", ".join(map(str, lan)) or "none"
    if not lan:
        raise HardwareMismatch("the management controller has no LAN channel")
    if wanted and wanted not in lan:
        raise HardwareMismatch(
            f"IPMIChannel {wanted} is not a LAN channel of the management controller; it has: {known}"
        )
    return (wanted,) if wanted else tuple(lan)

"""Commands to the management controller, repeated while it is busy; reading what it tells about itself."""

from __future__ import annotations

from collections.abc import Mapping

from gprov.domain.bmc.accounts import BMC, BmcUser
from gprov.domain.bmc.facts import BmcFacts, EventLog, LanChannel, used_channels
from gprov.domain.bmc.patience import (
    BUSY_SECONDS,
    EVENT_LOG_SECONDS,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    TEMPORARY,
    TOTAL_SECONDS,
)
from gprov.domain.errors import CommandRefused, DeadlineExceeded, DeviceFault
from gprov.domain.formats.ipmi.channels import ASSIGNABLE_CHANNELS, get_channel_info, parse_channel_info
from gprov.domain.formats.ipmi.device import DeviceId, get_device_id, parse_device_id
from gprov.domain.formats.ipmi.event_log import (
    FIRST_RECORD,
    LAST_RECORD,
    SelEntry,
    get_sel_entry,
    get_sel_info,
    parse_sel_entry,
    parse_sel_info,
)
from gprov.domain.formats.ipmi.lan import LAN_CODES, LanParameter, get_lan_parameter, parse_lan_parameter
from gprov.domain.formats.ipmi.message import COMPLETED, IpmbAddress, Request, Response, completion_text
from gprov.domain.formats.ipmi.users import (
    ANONYMOUS_USER,
    get_user_access,
    get_user_name,
    parse_user_access,
    parse_user_name,
)
from gprov.ports.bmc import Bmc
from gprov.ports.clock import Clock, Deadline

Codes = Mapping[int, str]

# What controllers answer when a channel, a name or a parameter does not exist.
_ABSENT = frozenset({0x80, 0xC1, 0xC9, 0xCB, 0xCC, 0xCD, 0xD5, 0xD6})


class Controller:
    """The unit's BMC. Every method raises DeviceMissing (none there), CommandRefused, DeviceFault, DeadlineExceeded (no
    response) and BadInput (a response that violates the specification). ``seconds``: how long a request is repeated
    while the controller is busy or silent; all of them together for TOTAL_SECONDS."""

    def __init__(self, bmc: Bmc, clock: Clock, seconds: float = BUSY_SECONDS) -> None:
        self._bmc = bmc
        self._clock = clock
        self._seconds = seconds
        self._waited = 0.0

    def command(self, what: str, request: Request, codes: Codes | None = None, to: IpmbAddress | None = None) -> bytes:
        """The data of the response. ``what``: name of the command, for errors; ``codes``: meanings of the completion
        codes of its own."""
        response = self._patiently(what, request, to)
        if response.code != COMPLETED:
            reason = f"{what}: {completion_text(response.code, codes)}"
            if response.code in TEMPORARY:
                spent = self._waited >= TOTAL_SECONDS
                reason += f", after {TOTAL_SECONDS:g} s in all" if spent else f", still after {self._seconds:g} s"
            raise CommandRefused(BMC, reason, response.code)
        return response.data

    def device_id(self, to: IpmbAddress | None = None) -> DeviceId:
        return parse_device_id(self.command("Get Device ID", get_device_id(), to=to))

    def facts(self, wanted_channel: int) -> BmcFacts:
        """``wanted_channel``: ``IPMIChannel``. Raises HardwareMismatch if that is no LAN channel, or without any."""
        device = self.device_id()
        if device.updating:
            raise DeviceFault(BMC, "its firmware is being updated or still starts; start provisioning again later")
        lan = self.lan_channels()
        channels = tuple(self._lan_channel(number) for number in used_channels(lan, wanted_channel))
        return BmcFacts(device=device, channels=channels, users=self.users(lan))

    def lan_channels(self) -> tuple[int, ...]:
        found = []
        for number in ASSIGNABLE_CHANNELS:
            data = self._if_there("Get Channel Info", get_channel_info(number))
            if data is not None and parse_channel_info(data, number).is_lan:
                found.append(number)
        return tuple(found)

    def users(self, channels: tuple[int, ...]) -> tuple[BmcUser, ...]:
        """All accounts of the controller, free slots included. ``channels``: whose access is read, at least one."""
        first = parse_user_access(self._access(channels[0], ANONYMOUS_USER))
        return tuple(self.user(number, channels) for number in range(ANONYMOUS_USER, first.users + 1))

    def user(self, number: int, channels: tuple[int, ...]) -> BmcUser:
        """A slot whose name the controller does not tell has none."""
        name = self._if_there("Get User Name", get_user_name(number))
        access = {channel: self._if_there("Get User Access", get_user_access(channel, number)) for channel in channels}
        return BmcUser(
            number=number,
            name=parse_user_name(name) if name is not None else "",
            access={channel: parse_user_access(data) for channel, data in access.items() if data is not None},
        )

    def event_log(self, newest: int) -> EventLog:
        """``newest``: how many entries to read, from the end of the log; the log can only be read from its start.
        Raises DeadlineExceeded also if that takes more than EVENT_LOG_SECONDS."""
        deadline = Deadline(self._clock, EVENT_LOG_SECONDS)
        info = parse_sel_info(self.command("Get SEL Info", get_sel_info()))
        number = FIRST_RECORD
        read: list[SelEntry] = []
        for _ in range(info.entries):
            if deadline.passed:
                raise DeadlineExceeded(f"{BMC}: reading {info.entries} entries of its event log", deadline.seconds)
            entry = parse_sel_entry(self.command("Get SEL Entry", get_sel_entry(number)))
            read = [*read, entry][-newest:]
            number = entry.next
            if number == LAST_RECORD:
                break
        return EventLog(entries=info.entries, newest=tuple(read), overflow=info.overflow)

    def _access(self, channel: int, user: int) -> bytes:
        return self.command("Get User Access", get_user_access(channel, user))

    def _lan_channel(self, number: int) -> LanChannel:
        def optional(parameter: LanParameter) -> str:
            data = self._if_there(name, get_lan_parameter(number, parameter))
            return "" if data is None else parse_lan_parameter(data, parameter)

        name = "Get LAN Configuration Parameters"
        mac = self.command(name, get_lan_parameter(number, LanParameter.MAC_ADDRESS), LAN_CODES)
        return LanChannel(
            number=number,
            mac=parse_lan_parameter(mac, LanParameter.MAC_ADDRESS),
            address=optional(LanParameter.IP_ADDRESS),
            source=optional(LanParameter.ADDRESS_SOURCE),
            mask=optional(LanParameter.SUBNET_MASK),
            gateway=optional(LanParameter.GATEWAY),
        )

    def _if_there(self, what: str, request: Request) -> bytes | None:
        try:
            return self.command(what, request)
        except CommandRefused as refused:
            if refused.code in _ABSENT:
                return None
            raise

    def _patiently(self, what: str, request: Request, to: IpmbAddress | None) -> Response:
        """The last response, or the last failure to get one, once the time is over."""
        left = max(0.0, TOTAL_SECONDS - self._waited)
        deadline, pause = Deadline(self._clock, min(self._seconds, left)), FIRST_PAUSE
        while True:
            begun = self._clock.monotonic()
            silent: DeadlineExceeded | None = None
            try:
                response = self._bmc.exchange(request, to)
                if response.code not in TEMPORARY or deadline.passed:
                    return response
            except DeadlineExceeded as exceeded:
                silent = exceeded
            if silent is not None and deadline.passed:
                raise DeadlineExceeded(f"{BMC}: {what}: no response", self._seconds) from silent
            self._clock.sleep(min(pause, max(deadline.remaining, FIRST_PAUSE)))
            pause = min(2 * pause, LONGEST_PAUSE)
            self._waited += self._clock.monotonic() - begun

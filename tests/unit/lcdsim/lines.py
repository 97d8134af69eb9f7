"""A line in memory, and a clock whose sleep lets the display work."""

from __future__ import annotations

from collections.abc import Callable

from typing_extensions import override

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.fake.lcd.faults import LcdFaults
from gprov.adapters.fake.system.clock import FakeClock
from gprov.apps.host.lcd.station import LcdStation, Tap
from gprov.apps.host.lcd.wire import Wire, WireClosed
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import Packet, PacketReader


class MemoryWire(Wire):
    """``to_display`` and ``to_host``: bytes on their way."""

    def __init__(self) -> None:
        self.to_display = b""
        self.to_host = b""
        self.is_closed = False

    @property
    @override
    def name(self) -> str:
        return "memory"

    @override
    def receive(self, seconds: float) -> bytes:
        if self.is_closed:
            raise WireClosed("memory")
        data, self.to_display = self.to_display, b""
        return data

    @override
    def send(self, data: bytes) -> None:
        if self.is_closed:
            raise WireClosed("memory")
        self.to_host += data

    @override
    def close(self) -> None:
        self.is_closed = True


class WorkingClock(FakeClock):
    """Calls ``work`` whenever time passes in ``sleep``."""

    def __init__(self) -> None:
        super().__init__()
        self.work: Callable[[], None] = lambda: None

    @override
    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.work()


class Line:
    """A station on a line in memory, and the host at its other end. ``later``: packets by the time of the clock at
    which the host sends them."""

    def __init__(self, model: Model, faults: LcdFaults | None = None, tap: Tap | None = None) -> None:
        self.clock = WorkingClock()
        self.wire = MemoryWire()
        self.lcd = LcdStation(SimulatedLcd(model, self.clock, faults or LcdFaults()), self.wire, self.clock, tap)
        self.later: list[tuple[float, Packet]] = []
        self._reader = PacketReader()
        self.clock.work = self.work

    def send(self, *packets: Packet) -> list[Packet]:
        self.wire.to_display += b"".join(packet.serialise() for packet in packets)
        self.lcd.turn()
        return self.received()

    def received(self) -> list[Packet]:
        data, self.wire.to_host = self.wire.to_host, b""
        return self._reader.feed(data)

    def work(self) -> None:
        while self.later and self.later[0][0] <= self.clock.monotonic():
            self.wire.to_display += self.later.pop(0)[1].serialise()
        self.lcd.turn()

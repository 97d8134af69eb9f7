"""A simulated display at the end of a serial line: bytes in, bytes out. It does no I/O; the clock is a port."""

from __future__ import annotations

from collections import deque

from gprov.adapters.fake.lcd.face import LcdFace
from gprov.adapters.fake.lcd.faults import NO_FAULTS, Fault, LcdFaults
from gprov.adapters.fake.lcd.module import LcdModule
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import FROM_HOST, Packet, PacketReader
from gprov.domain.formats.lcd.reports import Button
from gprov.ports.clock import Clock

# Longer than any pause inside a packet, shorter than the time after which a host sends it again.
_PAUSE_SECONDS = 0.1


class SimulatedLcd:
    """``receive`` takes what the host sends, ``transmit`` returns what the display sends. ``commands``: number of the
    commands so far. ``is_hung_up``: it has disappeared from the bus. Not thread-safe."""

    def __init__(self, model: Model, clock: Clock, faults: LcdFaults = NO_FAULTS) -> None:
        self.module = LcdModule(model)
        self.faults = faults
        self.commands = 0
        self.reports = 0
        self.is_hung_up = False
        self._clock = clock
        self._reader = PacketReader(FROM_HOST)
        self._received = clock.monotonic()
        self._ready = clock.monotonic()
        self._waiting: deque[tuple[float, bytes]] = deque()

    @property
    def face(self) -> LcdFace:
        return self.module.face

    def receive(self, data: bytes) -> None:
        """Execute the commands that are complete with these bytes."""
        self._end_pause()
        now = self._clock.monotonic()
        self._received = now
        if now < self._ready or self.is_hung_up:
            return
        self._execute(self._reader.feed(data))

    def transmit(self) -> bytes:
        """Return what is sent by now, in order: a late packet delays those behind it."""
        self._end_pause()
        now = self._clock.monotonic()
        sent = b""
        while self._waiting and self._waiting[0][0] <= now:
            sent += self._waiting.popleft()[1]
        return b"" if self.is_hung_up else sent

    def next_due(self) -> float | None:
        """Seconds until ``transmit`` may return more without further calls; None: nothing is to come."""
        now = self._clock.monotonic()
        due = [self._waiting[0][0] - now] if self._waiting else []
        if self._reader.is_inside:
            due.append(self._received + _PAUSE_SECONDS - now)
        return max(0.0, min(due)) if due else None

    def press(self, button: Button) -> None:
        self._send_report(self.module.keypad.press(button))

    def release(self, button: Button) -> None:
        self._send_report(self.module.keypad.release(button))

    def restart(self) -> None:
        """As after a loss of power: what was received and not executed is lost, and the start takes its time."""
        self.module.restart()
        self._reader = PacketReader(FROM_HOST)
        self._ready = self._clock.monotonic() + self.faults.start_seconds
        if self.faults.start_noise:
            self._waiting.append((self._ready, self.faults.start_noise))

    def _execute(self, commands: list[Packet]) -> None:
        for command in commands:
            number, self.commands = self.commands, self.commands + 1
            if number == self.faults.hang_up_at:
                self.is_hung_up = True
            fault = self.faults.answers.get(number)
            if self.is_hung_up or self._is_mute or fault is Fault.LOSE_COMMAND:
                continue
            restarts = self.module.restarts
            self._send(self.module.execute(command), fault)
            if self.module.restarts != restarts:
                self.restart()
                return

    @property
    def _is_mute(self) -> bool:
        return self.faults.mute_from is not None and self.commands > self.faults.mute_from

    def _send_report(self, report: Packet | None) -> None:
        if report is None or self.is_hung_up or self._is_mute or self._clock.monotonic() < self._ready:
            return
        number, self.reports = self.reports, self.reports + 1
        self._send(report, self.faults.reports.get(number))

    def _send(self, packet: Packet, fault: Fault | None) -> None:
        raw = packet.serialise()
        due = self._clock.monotonic()
        match fault:
            case Fault.LOSE | Fault.LOSE_COMMAND:
                return
            case Fault.DOUBLE:
                raw += raw
            case Fault.CORRUPT:
                raw = raw[:-1] + bytes([raw[-1] ^ 0x10])
            case Fault.LATE:
                due += self.faults.late_seconds
            case None:
                pass
        self._waiting.append((due, raw))

    def _end_pause(self) -> None:
        """What is incomplete after a pause was no packet."""
        if self._reader.is_inside and self._clock.monotonic() - self._received >= _PAUSE_SECONDS:
            self._execute(self._reader.end_pause())

"""Link to a display: one command at a time, resent until it is answered, at most ``TRIES`` times.

Times are seconds of one clock that never runs back. The caller writes what ``due`` returns, feeds what it reads, and
calls ``due`` again at ``deadline`` at the latest.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.formats.lcd.commands import Command
from gprov.domain.formats.lcd.packet import Kind, Packet, PacketReader
from gprov.domain.formats.lcd.replies import is_response

# Data sheets, "Host Communications": the display answers within 250 ms. The rest is for USB and the operating system.
RESPONSE_SECONDS = 0.25 + 0.05
RESENDS = 5
TRIES = 1 + RESENDS
# Between two packets of the host: the display handles one at a time.
GAP_SECONDS = 0.01
# The bytes of a packet take 2.3 ms, and FTDI adapters hold them back for 16 ms. A longer pause ends a packet.
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    """``reply``: a response or an error response."""

    command: Packet
    reply: Packet


@dataclass(frozen=True, slots=True)
class Heard:
    """What received bytes contained: the answer to the command, if there was one, and the reports."""

    answer: Answer | None
    reports: tuple[Packet, ...]


class Link:
    """``next_write``: nothing is written before this time. ``is_lost``: none of the tries was answered; the link is not
    used any more."""

    def __init__(self) -> None:
        self._reader = PacketReader()
        self._command: Packet | None = None
        self._tries = 0
        self.next_write = 0.0
        self._pause_ends: float | None = None
        self.is_lost = False

    @property
    def is_idle(self) -> bool:
        """Whether a command may be given."""
        return self._command is None and not self.is_lost

    def give(self, command: Packet) -> None:
        """Only if idle."""
        assert self.is_idle
        self._command = command
        self._tries = 0

    @property
    def deadline(self) -> float | None:
        """When ``due`` has to be called at the latest; None: nothing is awaited."""
        times = [] if self._pause_ends is None else [self._pause_ends]
        if self._command is not None and not self.is_lost:
            times.append(self.next_write)
        return min(times, default=None)

    def hear(self, data: bytes, now: float) -> Heard:
        """Accept received bytes."""
        packets = self._reader.feed(data)
        self._pause_ends = now + PAUSE_SECONDS if self._reader.is_inside else None
        return self._sort(packets, now)

    def end_pause(self, now: float) -> Heard:
        """Return the packets behind a damaged one, if nothing was received for ``PAUSE_SECONDS``."""
        if self._pause_ends is None or now < self._pause_ends:
            return Heard(None, ())
        self._pause_ends = None
        return self._sort(self._reader.end_pause(), now)

    def due(self, now: float) -> bytes:
        """Return the bytes to write now, empty if there are none. Marks the link as lost after the last try."""
        command = self._command
        if command is None or self.is_lost or now < self.next_write:
            return b""
        if self._tries == TRIES:
            self.is_lost = True
            return b""
        self._tries += 1
        self.next_write = now + RESPONSE_SECONDS
        return command.serialise()

    def _sort(self, packets: list[Packet], now: float) -> Heard:
        """Responses to other commands are late ones, or noise."""
        answer: Answer | None = None
        reports = []
        for packet in packets:
            if packet.kind == Kind.REPORT:
                reports.append(packet)
            elif self._command is not None and self._tries and _answers(packet, self._command):
                answer = Answer(self._command, packet)
                self._command = None
                # Each try may be answered. After a resend, late responses must not be taken for those of the next
                # command, which may have the same code.
                self.next_write = now + (GAP_SECONDS if self._tries == 1 else RESPONSE_SECONDS)
        return Heard(answer, tuple(reports))


def _answers(reply: Packet, command: Packet) -> bool:
    if not is_response(reply, command):
        return False
    return command.code != Command.PING or reply.kind == Kind.ERROR or reply.data == command.data

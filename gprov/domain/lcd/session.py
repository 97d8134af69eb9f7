"""Session with one display: from its first answer to its loss. Bytes and time in, bytes and the next deadline out.

Start: ping, version, status, clear (a start picture may be shown), backlight, key reports. Then pictures are drawn.
Every ``REFRESH_SECONDS`` backlight, key reports and picture are sent again: a display that reset itself does not report
it. End: the last picture is drawn, and backlight and key reports are set as they were before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from gprov.domain.errors import BadInput
from gprov.domain.formats.lcd import commands
from gprov.domain.formats.lcd.commands import Command
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import Kind, Packet
from gprov.domain.formats.lcd.replies import Status, parse_status, parse_version
from gprov.domain.formats.lcd.reports import KeyReport, parse_key_report
from gprov.domain.lcd.link import TRIES, Answer, Heard, Link
from gprov.domain.lcd.picture import Picture, Shown

BACKLIGHT_PERCENT = 100
REFRESH_SECONDS = 10.0
_PING = b"gprov"


class Session:
    """``failure``: why the display cannot be used (any more), "" while it can. ``model``: None until it is known."""

    def __init__(self) -> None:
        self._link = Link()
        self._commands: deque[Packet] = deque((commands.ping(_PING), commands.version()))
        self._shown: Shown | None = None
        self._picture: Picture | None = None
        self._status: Status | None = None
        self._refresh_at: float | None = None
        self._ends = False
        self._restoring: deque[Packet] = deque()
        self.model: Model | None = None
        self.description = ""
        self.failure = ""

    @property
    def is_ready(self) -> bool:
        """Whether pictures can be drawn: the start is over."""
        return self._refresh_at is not None and not self.failure

    @property
    def is_drawn(self) -> bool:
        """Whether the display shows the picture."""
        return self._shown is not None and self._picture is not None and not self._next_drawing()

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do, after ``finish``."""
        if not self.is_ready:
            return self._ends or bool(self.failure)
        return self._ends and self._link.is_idle and not self._has_command

    def show(self, picture: Picture) -> None:
        self._picture = picture

    def finish(self) -> None:
        """Draw the picture and restore the settings; then the session is finished."""
        if not self._ends:
            self._ends = True
            status = self._status
            if status is not None:
                self._restoring.append(commands.key_reporting(status.presses, status.releases))
                self._restoring.append(commands.backlight(min(status.backlight, commands.MAX_BACKLIGHT)))

    @property
    def deadline(self) -> float | None:
        """When ``due`` has to be called at the latest; None: nothing is awaited."""
        if self.failure:
            return None
        times = [time for time in (self._link.deadline, self._refresh_at) if time is not None]
        if self._link.is_idle and self._has_command:
            times.append(self._link.next_write)
        return min(times, default=None)

    def hear(self, data: bytes, now: float) -> Sequence[KeyReport]:
        """Accept received bytes; returns the key reports in them."""
        return self._use(self._link.hear(data, now), now)

    def due(self, now: float) -> tuple[bytes, Sequence[KeyReport]]:
        """Return the bytes to write now, and reports of keys that a pause completed."""
        keys = self._use(self._link.end_pause(now), now)
        if self.failure:
            return b"", keys
        if self._refresh_at is not None and now >= self._refresh_at and not self._ends:
            self._refresh(now)
        if self._link.is_idle and (command := self._next_command()) is not None:
            self._link.give(command)
        data = self._link.due(now)
        if self._link.is_lost:
            self.failure = f"does not answer ({TRIES} tries)"
        return data, keys

    def _use(self, heard: Heard, now: float) -> Sequence[KeyReport]:
        if heard.answer is not None:
            self._take(heard.answer, now)
        keys = map(parse_key_report, heard.reports)
        return [key for key in keys if key is not None and self.model is not None]

    def _take(self, answer: Answer, now: float) -> None:
        command, reply = answer.command, answer.reply
        try:
            if command.code == Command.VERSION:
                self._start(reply)
            elif command.code == Command.STATUS and reply.kind != Kind.ERROR:
                self._status = parse_status(reply)
        except BadInput as error:
            self.failure = str(error)
            return
        if self._shown is not None:
            self._shown.apply(command)
        if not self._commands and self._refresh_at is None:
            self._refresh_at = now + REFRESH_SECONDS

    def _start(self, reply: Packet) -> None:
        self.model, self.description = parse_version(reply)
        self._shown = Shown(self.model)
        self._commands += [commands.read_status(), commands.clear(), *self._settings()]

    def _settings(self) -> list[Packet]:
        assert self.model is not None
        mask = self.model.all_keys
        return [commands.backlight(BACKLIGHT_PERCENT), commands.key_reporting(mask, mask)]

    def _refresh(self, now: float) -> None:
        self._refresh_at = now + REFRESH_SECONDS
        if self._shown is not None:
            self._shown.forget()
        if not self._commands:
            self._commands += self._settings()

    @property
    def _has_command(self) -> bool:
        return bool(self._commands or self._restoring or self._next_drawing())

    def _next_command(self) -> Packet | None:
        if self._commands:
            return self._commands.popleft()
        drawing = self._next_drawing()
        return self._restoring.popleft() if drawing is None and self._restoring else drawing

    def _next_drawing(self) -> Packet | None:
        if self._shown is None or self._picture is None:
            return None
        return self._shown.next_command(self._picture)

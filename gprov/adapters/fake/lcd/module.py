"""The device behind the wire: what a CFA-631 or CFA-635 does with a command, and the state that it keeps.

Source: data sheets of CFA-631 and CFA-635, "Command Codes". What they leave open is refused, so that a driver cannot
depend on it: text that ends beyond its row, and data of another length than described.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from gprov.adapters.fake.lcd.face import LcdFace
from gprov.adapters.fake.lcd.keypad import Keypad
from gprov.domain.formats.lcd.characters import encode
from gprov.domain.formats.lcd.commands import MAX_BACKLIGHT, MAX_PING, Command, Legend, reboot
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import Kind, Packet
from gprov.domain.formats.lcd.replies import Status, polled_keys_reply, status_reply, version_reply

USER_FLASH_BYTES = 16
_BLANK = 0x20
_CONTRAST = 95
_LAST_CURSOR_STYLE = 4  # a block that inverts the character
_SPECIAL_CHARACTERS = 8
_SPECIAL_BYTES = 9  # number of the character, then its eight rows
_LEGEND_BYTES = 5
_TEXT = 2  # offset of the text behind column and row


class OtherCommand(IntEnum):
    """Commands that gprov does not send, but other programs for these displays do."""

    WRITE_USER_FLASH = 2
    STORE_BOOT_STATE = 4
    SPECIAL_CHARACTER = 9
    CONTRAST = 13
    BAUD_RATE = 33
    OUTPUT_PIN = 34


@dataclass(kw_only=True)
class _Settings:
    """What a restart sets back. ``cursor``: column and row."""

    rows: list[bytearray]
    cursor: tuple[int, int] = (0, 0)
    cursor_style: int = 0
    contrast: int = _CONTRAST
    backlight: int = MAX_BACKLIGHT
    legend: tuple[Legend, ...] = ()
    reported: tuple[int, int] = (0, 0)
    special: dict[int, bytes] = field(default_factory=dict)
    pins: dict[int, bytes] = field(default_factory=dict)


class LcdModule:
    """One display. ``restarts``: how often it was restarted by a command."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.restarts = 0
        self.user_flash = bytes(USER_FLASH_BYTES)
        self._keypad = Keypad(model)
        self._boot_state = _Settings(rows=_splash(model), reported=(model.all_keys,) * 2)
        self._now = copy.deepcopy(self._boot_state)
        self._handlers = self._handlers_of_model()

    @property
    def face(self) -> LcdFace:
        now = self._now
        return LcdFace(
            model=self.model,
            rows=tuple(map(bytes, now.rows)),
            cursor=now.cursor if now.cursor_style else None,
            legend=now.legend,
            backlight=now.backlight,
            down=frozenset(button for button in self._keypad.buttons if self._keypad.is_down(button)),
        )

    @property
    def keypad(self) -> Keypad:
        return self._keypad

    def execute(self, command: Packet) -> Packet:
        """Return the response: the same code, or an error for commands that the display refuses."""
        handler = self._handlers.get(command.code)
        answer = handler(command.data) if handler is not None and command.kind is Kind.COMMAND else None
        if answer is None:
            return Packet(Kind.ERROR, command.code)
        return Packet(Kind.RESPONSE, command.code, answer)

    def restart(self) -> None:
        """Settings and screen are as when the display was switched on. Held keys stay down."""
        self._now = copy.deepcopy(self._boot_state)
        self._report(*self._now.reported)

    def _handlers_of_model(self) -> Mapping[int, Callable[[bytes], bytes | None]]:
        """A handler returns the data of the response, None for data that is refused."""
        handlers: dict[int, Callable[[bytes], bytes | None]] = {
            Command.PING: lambda data: data if len(data) <= MAX_PING else None,
            Command.VERSION: lambda data: None if data else version_reply(self.model),
            Command.READ_USER_FLASH: lambda data: None if data else self.user_flash,
            Command.REBOOT: self._reboot,
            Command.CLEAR: self._clear,
            Command.CURSOR_POSITION: self._set_cursor,
            Command.CURSOR_STYLE: self._set_cursor_style,
            Command.BACKLIGHT: self._set_backlight,
            Command.KEY_REPORTING: self._set_reporting,
            Command.POLL_KEYS: lambda data: None if data else polled_keys_reply(self._keypad.poll()),
            Command.STATUS: self._status,
            Command.WRITE_TEXT: self._write,
            OtherCommand.WRITE_USER_FLASH: self._write_user_flash,
            OtherCommand.STORE_BOOT_STATE: self._store_boot_state,
            OtherCommand.SPECIAL_CHARACTER: self._set_special,
            OtherCommand.CONTRAST: self._set_contrast,
            OtherCommand.BAUD_RATE: lambda data: b"" if data in (b"\0", b"\1") else None,
        }
        if self.model is Model.CFA_631:
            handlers[Command.KEY_LEGEND] = self._set_legend
        else:
            handlers[OtherCommand.OUTPUT_PIN] = self._set_pin
        return handlers

    def _reboot(self, data: bytes) -> bytes | None:
        if data != reboot().data:
            return None
        self.restarts += 1
        self.restart()
        return b""

    def _clear(self, data: bytes) -> bytes | None:
        if data:
            return None
        self._now.rows = _blank_rows(self.model)
        self._now.cursor = (0, 0)
        return b""

    def _set_cursor(self, data: bytes) -> bytes | None:
        if len(data) != _TEXT or not self._is_inside(data):
            return None
        self._now.cursor = (data[0], data[1])
        return b""

    def _set_cursor_style(self, data: bytes) -> bytes | None:
        if len(data) != 1 or data[0] > _LAST_CURSOR_STYLE:
            return None
        self._now.cursor_style = data[0]
        return b""

    def _set_contrast(self, data: bytes) -> bytes | None:
        if len(data) != 1:
            return None
        self._now.contrast = data[0]
        return b""

    def _set_backlight(self, data: bytes) -> bytes | None:
        """One value for LCD and keys, or one for each."""
        if len(data) not in (1, 2) or max(data) > MAX_BACKLIGHT:
            return None
        self._now.backlight = data[0]
        return b""

    def _set_reporting(self, data: bytes) -> bytes | None:
        if len(data) != 2:
            return None
        self._report(*data)
        return b""

    def _report(self, pressed: int, released: int) -> None:
        """Bits that stand for no key have no effect."""
        self._now.reported = (pressed & self.model.all_keys, released & self.model.all_keys)
        self._keypad.pressed_reported, self._keypad.released_reported = self._now.reported

    def _status(self, data: bytes) -> bytes | None:
        if data:
            return None
        return status_reply(Status(*self._now.reported, self._now.contrast, self._now.backlight))

    def _write(self, data: bytes) -> bytes | None:
        text = data[_TEXT:]
        if not text or not self._is_inside(data) or data[0] + len(text) > self.model.columns:
            return None
        self._now.rows[data[1]][data[0] : data[0] + len(text)] = text
        return b""

    def _set_legend(self, data: bytes) -> bytes | None:
        if data[:1] == b"\0":
            self._now.legend = ()
            return b""
        if len(data) != _LEGEND_BYTES or data[0] != 1 or max(data[1:]) > max(Legend):
            return None
        self._now.legend = tuple(map(Legend, data[1:]))
        return b""

    def _set_special(self, data: bytes) -> bytes | None:
        if len(data) != _SPECIAL_BYTES or data[0] >= _SPECIAL_CHARACTERS:
            return None
        self._now.special[data[0]] = data[1:]
        return b""

    def _set_pin(self, data: bytes) -> bytes | None:
        """Index, state, drive mode (may be missing). Pins 5 to 12 are the lights of a CFA-635."""
        if len(data) not in (2, 3):
            return None
        self._now.pins[data[0]] = data[1:]
        return b""

    def _write_user_flash(self, data: bytes) -> bytes | None:
        if len(data) != USER_FLASH_BYTES:
            return None
        self.user_flash = data
        return b""

    def _store_boot_state(self, data: bytes) -> bytes | None:
        if data:
            return None
        self._boot_state = copy.deepcopy(self._now)
        return b""

    def _is_inside(self, data: bytes) -> bool:
        return data[0] < self.model.columns and data[1] < self.model.rows


def _blank_rows(model: Model) -> list[bytearray]:
    return [bytearray([_BLANK] * model.columns) for _ in range(model.rows)]


def _splash(model: Model) -> list[bytearray]:
    """The picture that the display shows when it is switched on."""
    lines = [f"CFA-{model.value} simulated", version_reply(model).decode("ascii")]
    rows = [bytearray(encode(line.center(model.columns))) for line in lines]
    return rows + _blank_rows(model)[len(rows) :]

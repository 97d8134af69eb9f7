"""Commands of the host, as packets (data sheets of CFA-631 and CFA-635, "Command Codes").

Functions raise BadInput for values that the display would refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import Kind, Packet

MAX_PING = 16
MAX_BACKLIGHT = 100
# Data of the command that restarts the display; other data of this command resets the host.
_REBOOT_DISPLAY = bytes((8, 18, 99))


class Command(IntEnum):
    PING = 0
    VERSION = 1
    READ_USER_FLASH = 3
    REBOOT = 5
    CLEAR = 6
    CURSOR_POSITION = 11
    CURSOR_STYLE = 12
    BACKLIGHT = 14
    KEY_REPORTING = 23
    POLL_KEYS = 24
    STATUS = 30
    WRITE_TEXT = 31
    KEY_LEGEND = 32


class CursorStyle(IntEnum):
    NONE = 0
    BLINKING_BLOCK = 1
    UNDERSCORE = 2
    BLINKING_BLOCK_AND_UNDERSCORE = 3


class Legend(IntEnum):
    """Symbol of a key in the legend of a CFA-631."""

    BLANK = 0
    EXIT = 1
    CHECK = 2
    UP = 3
    DOWN = 4
    RIGHT = 5
    LEFT = 6
    PLUS = 7
    MINUS = 8
    NONE = 9


# Columns at the right that the legend of a CFA-631 covers.
LEGEND_COLUMNS = 3


def ping(data: bytes = b"") -> Packet:
    """The response has the same data, at most ``MAX_PING`` bytes."""
    _check("ping", len(data) <= MAX_PING, f"at most {MAX_PING} bytes")
    return _command(Command.PING, data)


def version() -> Packet:
    return _command(Command.VERSION)


def read_user_flash() -> Packet:
    """The response has 16 bytes."""
    return _command(Command.READ_USER_FLASH)


def reboot() -> Packet:
    """Restart the display; its start picture is shown again."""
    return _command(Command.REBOOT, _REBOOT_DISPLAY)


def clear() -> Packet:
    """Blank all cells and put the cursor at the upper left."""
    return _command(Command.CLEAR)


def cursor_position(model: Model, column: int, row: int) -> Packet:
    _check_position(model, column, row)
    return _command(Command.CURSOR_POSITION, bytes((column, row)))


def cursor_style(style: CursorStyle) -> Packet:
    return _command(Command.CURSOR_STYLE, bytes((style,)))


def backlight(percent: int) -> Packet:
    """0: off. LCD and keys together."""
    _check("backlight", 0 <= percent <= MAX_BACKLIGHT, f"0 to {MAX_BACKLIGHT}")
    return _command(Command.BACKLIGHT, bytes((percent,)))


def key_reporting(pressed: int, released: int) -> Packet:
    """Masks of the keys whose presses and releases are reported: ``Keys631`` or ``Keys635``."""
    _check("key mask", 0 <= pressed <= 0xFF and 0 <= released <= 0xFF, "one byte")
    return _command(Command.KEY_REPORTING, bytes((pressed, released)))


def poll_keys() -> Packet:
    return _command(Command.POLL_KEYS)


def read_status() -> Packet:
    return _command(Command.STATUS)


def write_text(model: Model, column: int, row: int, codes: bytes) -> Packet:
    """``codes``: of the character ROM (``characters.encode``); they must end within the row."""
    _check_position(model, column, row)
    room = model.columns - column
    _check("text", 0 < len(codes) <= room, f"1 to {room} characters at column {column}")
    return _command(Command.WRITE_TEXT, bytes((column, row)) + codes)


def key_legend(symbols: Sequence[Legend]) -> Packet:
    """``symbols``: of the keys upper left, upper right, lower left, lower right of a CFA-631; empty: no legend."""
    _check("legend", len(symbols) in (0, 4), "four symbols, or none")
    return _command(Command.KEY_LEGEND, bytes((1, *symbols)) if symbols else bytes(1))


def _command(code: Command, data: bytes = b"") -> Packet:
    return Packet(Kind.COMMAND, code, data)


def _check_position(model: Model, column: int, row: int) -> None:
    _check("column", 0 <= column < model.columns, f"0 to {model.columns - 1}")
    _check("row", 0 <= row < model.rows, f"0 to {model.rows - 1}")


def _check(place: str, holds: bool, allowed: str) -> None:
    if not holds:
        raise BadInput("command for a display", [Problem(place, f"must be {allowed}")])

"""Reports of keys: report 0 with one byte, the number of the activity.

A CFA-635 sends 1 to 6 (pressed) and 7 to 12 (released), a CFA-631 13 to 16 and 17 to 20.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gprov.domain.formats.lcd.packet import Kind, Packet

KEY_REPORT = 0


class Button(Enum):
    """A key as it is placed on the display; the value is the number of its press."""

    UP = 1
    DOWN = 2
    LEFT = 3
    RIGHT = 4
    ENTER = 5
    EXIT = 6
    UPPER_LEFT = 13
    UPPER_RIGHT = 14
    LOWER_LEFT = 15
    LOWER_RIGHT = 16

    @property
    def is_of_631(self) -> bool:
        return self.value >= Button.UPPER_LEFT.value


BUTTONS_631 = tuple(button for button in Button if button.is_of_631)
BUTTONS_635 = tuple(button for button in Button if not button.is_of_631)


@dataclass(frozen=True, slots=True)
class KeyReport:
    button: Button
    pressed: bool


_ACTIVITIES = {
    number: KeyReport(button, pressed)
    for buttons in (BUTTONS_635, BUTTONS_631)
    for button in buttons
    for number, pressed in ((button.value, True), (button.value + len(buttons), False))
}
_NUMBERS = {report: number for number, report in _ACTIVITIES.items()}


def parse_key_report(packet: Packet) -> KeyReport | None:
    """None: another packet, or an activity that no key has."""
    if packet.kind != Kind.REPORT or packet.code != KEY_REPORT or len(packet.data) != 1:
        return None
    return _ACTIVITIES.get(packet.data[0])


def key_report(report: KeyReport) -> Packet:
    return Packet(Kind.REPORT, KEY_REPORT, bytes([_NUMBERS[report]]))

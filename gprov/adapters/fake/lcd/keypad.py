"""Keys of a simulated display: which are down, which are reported, and what a poll returns."""

from __future__ import annotations

from gprov.domain.formats.lcd.models import Keys631, Keys635, Model
from gprov.domain.formats.lcd.packet import Packet
from gprov.domain.formats.lcd.replies import PolledKeys
from gprov.domain.formats.lcd.reports import BUTTONS_631, BUTTONS_635, Button, KeyReport, key_report


def buttons_of(model: Model) -> tuple[Button, ...]:
    return BUTTONS_631 if model is Model.CFA_631 else BUTTONS_635


class Keypad:
    """``pressed_reported`` and ``released_reported``: masks of the keys that the display reports by itself. Polls
    return all keys."""

    def __init__(self, model: Model) -> None:
        self.buttons = buttons_of(model)
        self.all_keys = model.all_keys
        self.pressed_reported = self.all_keys
        self.released_reported = self.all_keys
        self.down = 0
        self._pressed = 0
        self._released = 0

    def press(self, button: Button) -> Packet | None:
        """Return the report; None: the key is not reported, or is down already."""
        bit = self._bit(button)
        if self.down & bit:
            return None
        self.down |= bit
        self._pressed |= bit
        return key_report(KeyReport(button, True)) if self.pressed_reported & bit else None

    def release(self, button: Button) -> Packet | None:
        """Return the report; None: the key is not reported, or is not down."""
        bit = self._bit(button)
        if not self.down & bit:
            return None
        self.down &= ~bit
        self._released |= bit
        return key_report(KeyReport(button, False)) if self.released_reported & bit else None

    def poll(self) -> PolledKeys:
        found = PolledKeys(self.down, self._pressed, self._released)
        self._pressed = self._released = 0
        return found

    def is_down(self, button: Button) -> bool:
        return bool(self.down & self._bit(button))

    def _bit(self, button: Button) -> int:
        if button not in self.buttons:
            raise ValueError(f"the display has no key {button.name}")
        return (Keys631[button.name] if button.is_of_631 else Keys635[button.name]).value

"""Keys of displays: one key per press and release, and what the four keys of a CFA-631 mean in each view."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gprov.domain.display.keys import Key
from gprov.domain.display.views import KeyWindowView, MenuView, PasswordView, QuestionView, View
from gprov.domain.formats.lcd.commands import Legend
from gprov.domain.formats.lcd.reports import Button, KeyReport

_OF_635: Mapping[Button, Key] = {
    Button.UP: Key.UP,
    Button.DOWN: Key.DOWN,
    Button.LEFT: Key.LEFT,
    Button.RIGHT: Key.RIGHT,
    Button.ENTER: Key.ENTER,
    Button.EXIT: Key.EXIT,
}
_RIGHT_SIDE: Mapping[Button, Key] = {Button.UPPER_RIGHT: Key.ENTER, Button.LOWER_RIGHT: Key.EXIT}
# A password is typed on a console: ENTER here would end the input of the person there.
_NO_KEYBOARD = MappingProxyType(
    {**dict.fromkeys(Button, Key.OTHER), Button.EXIT: Key.EXIT, Button.LOWER_RIGHT: Key.EXIT}
)
_VERTICAL = MappingProxyType({**_OF_635, **_RIGHT_SIDE, Button.UPPER_LEFT: Key.UP, Button.LOWER_LEFT: Key.DOWN})
_HORIZONTAL = MappingProxyType({**_OF_635, **_RIGHT_SIDE, Button.UPPER_LEFT: Key.LEFT, Button.LOWER_LEFT: Key.RIGHT})

_SYMBOLS: Mapping[Key, Legend] = {
    Key.UP: Legend.UP,
    Key.DOWN: Legend.DOWN,
    Key.LEFT: Legend.LEFT,
    Key.RIGHT: Legend.RIGHT,
    Key.ENTER: Legend.CHECK,
    Key.EXIT: Legend.EXIT,
}
_CORNERS = (Button.UPPER_LEFT, Button.UPPER_RIGHT, Button.LOWER_LEFT, Button.LOWER_RIGHT)


def meanings(view: View | None) -> Mapping[Button, Key]:
    """The left keys of a CFA-631 move up and down in lists, and left and right in questions. At a password only EXIT
    has a meaning."""
    match view:
        case QuestionView():
            return _HORIZONTAL
        case PasswordView():
            return _NO_KEYBOARD
        case _:
            return _VERTICAL


def legend(view: View) -> tuple[Legend, ...]:
    """The legend of a CFA-631, in the order of the command; empty: views without choices leave their text the room."""
    if not isinstance(view, MenuView | QuestionView):
        return ()
    keys = meanings(view)
    symbols = [_SYMBOLS[keys[corner]] for corner in _CORNERS]
    if isinstance(view, MenuView):
        # No way up from the first item, none down from the last one (spacers are items).
        if view.selected <= 0:
            symbols[0] = Legend.BLANK
        if view.selected >= len(view.items) - 1:
            symbols[2] = Legend.BLANK
    return tuple(symbols)


def is_dialog(view: View | None) -> bool:
    """Whether keys choose or answer in it."""
    return isinstance(view, MenuView | QuestionView | PasswordView)


def dialog_of(view: View | None) -> object:
    """Return a value that is equal for views of one dialog: a key acts only where it was pressed."""
    match view:
        case MenuView():
            return MenuView, view.title, view.items
        case QuestionView():
            return QuestionView, view.question
        case _:
            return type(view)


class KeyPresses:
    """Keys act when they are released. A release whose press was not reported belongs to a time before the start, and
    one whose press was in another dialog could answer a question that the person has not read: both are ignored. Where
    any key is accepted, a press from before counts: the person cannot do harm, and does not press again."""

    def __init__(self) -> None:
        self._pressed: dict[Button, object] = {}

    def accept(self, report: KeyReport, drawn: View | None, wanted: View | None) -> Key | None:
        """``drawn``: the view on the display; ``wanted``: the view that is to be shown, of whose dialog the key
        will be an input. They differ while the display is drawn."""
        if report.pressed:
            self._pressed[report.button] = dialog_of(drawn)
            return None
        if report.button not in self._pressed:
            return None
        pressed_in = self._pressed.pop(report.button)
        counts = pressed_in == dialog_of(wanted) or isinstance(wanted, KeyWindowView)
        return meanings(wanted)[report.button] if counts else None

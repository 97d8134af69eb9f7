"""Draws a simulated display with its keys in a terminal; keys are pressed by keyboard and mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Footer, Static
from typing_extensions import override

from gprov.adapters.fake.lcd.face import LcdFace
from gprov.apps.host.lcd.keyscript import button_on
from gprov.apps.host.lcd.station import PRESS_SECONDS, LcdStation
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import Button

_REFRESH_SECONDS = 0.05
# Dark dots on the colour of the light behind them, which is off, dim or bright.
_GLASS = ("#5c6b4a", "#8fae4b", "#b5e04d")
_DOTS = "#16200a"
_CAPS = {
    Button.UP: "▲",
    Button.DOWN: "▼",
    Button.LEFT: "◀",
    Button.RIGHT: "▶",
    Button.ENTER: "✓",
    Button.EXIT: "✗",
    Button.UPPER_LEFT: "q",
    Button.UPPER_RIGHT: "w",
    Button.LOWER_LEFT: "a",
    Button.LOWER_RIGHT: "s",
}
# Rows of keys, as they are on the device; None: no key.
_PLACES: dict[Model, tuple[tuple[Button | None, ...], ...]] = {
    Model.CFA_631: ((Button.UPPER_LEFT, Button.UPPER_RIGHT), (Button.LOWER_LEFT, Button.LOWER_RIGHT)),
    Model.CFA_635: (
        (None, Button.UP, None, Button.ENTER),
        (Button.LEFT, None, Button.RIGHT, None),
        (None, Button.DOWN, None, Button.EXIT),
    ),
}
# By name of the keyboard's key in Textual. The last four are the places of the keys of a CFA-631.
_KEYBOARD = {
    "up": Button.UP,
    "down": Button.DOWN,
    "left": Button.LEFT,
    "right": Button.RIGHT,
    "enter": Button.ENTER,
    "escape": Button.EXIT,
    "q": Button.UPPER_LEFT,
    "w": Button.UPPER_RIGHT,
    "a": Button.LOWER_LEFT,
    "s": Button.LOWER_RIGHT,
}


class Glass(Static):
    """The characters of the display."""

    def draw(self, face: LcdFace) -> None:
        colour = _GLASS[(face.backlight > 0) + (face.backlight > 50)]
        text = Text("\n".join(f" {line} " for line in face.lines), Style(color=_DOTS, bgcolor=colour), no_wrap=True)
        if face.cursor is not None:
            column, row = face.cursor
            at = row * (face.model.columns + 3) + 1 + column
            text.stylize(Style(color=colour, bgcolor=_DOTS), at, at + 1)
        self.update(text)


class KeyCap(Static):
    """A key: the mouse holds it as long as its button is down."""

    class Held(Message):
        def __init__(self, button: Button, down: bool) -> None:
            super().__init__()
            self.button = button
            self.down = down

    def __init__(self, button: Button) -> None:
        super().__init__(_CAPS[button], id=button.name.lower().replace("_", "-"), classes="key")
        self.button = button

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        self.capture_mouse()
        self.post_message(self.Held(self.button, True))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        event.stop()
        self.release_mouse()
        self.post_message(self.Held(self.button, False))


class LcdApp(App[None]):
    """``finished``: asked regularly; the app ends when it returns True."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { align: center middle; }
    #device { width: auto; height: auto; border: round $primary; padding: 1 2; }
    #glass { width: auto; height: auto; margin: 0 3 0 0; }
    #keys, .row { width: auto; height: auto; }
    .key, .gap { width: 5; height: 1; text-align: center; }
    .key { background: $surface; }
    .key.down { background: $accent; text-style: bold; }
    #line { width: 100%; height: 1; dock: top; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q,ctrl+c", "quit", "end", priority=True),
        *(
            Binding(name, f"key('{button.name}')", button.name.lower(), show=False, priority=True)
            for name, button in _KEYBOARD.items()
        ),
    ]

    def __init__(self, lcd: LcdStation, finished: Callable[[], bool] = lambda: False) -> None:
        super().__init__()
        self._lcd = lcd
        self._finished = finished
        self._drawn: LcdFace | None = None
        self.title = f"CFA-{lcd.face.model.value}"

    @override
    def compose(self) -> ComposeResult:
        yield Static(id="line", markup=False)
        rows = _PLACES[self._lcd.face.model]
        keys = Vertical(*(Horizontal(*map(_cap, row), classes="row") for row in rows), id="keys")
        yield Horizontal(Glass(id="glass"), keys, id="device")
        yield Footer()

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(_REFRESH_SECONDS, self._draw)

    def action_key(self, name: str) -> None:
        """A terminal reports no releases: the key is released after a moment."""
        button = button_on(self._lcd.face, Button[name])
        if button is None:
            self.notify(f"no key has the symbol of {name} now", timeout=2)
            return
        self._lcd.hold(button)
        self.set_timer(PRESS_SECONDS, lambda: self._lcd.release(button))

    def on_key_cap_held(self, message: KeyCap.Held) -> None:
        if message.down:
            self._lcd.hold(message.button)
        else:
            self._lcd.release(message.button)

    def _draw(self) -> None:
        if self._finished():
            self.exit()
        face = self._lcd.face
        glass = self.query(Glass)
        if face == self._drawn or not glass:  # none while the app starts and ends
            return
        self._drawn = face
        glass.first().draw(face)
        for cap in self.query(KeyCap):
            cap.set_class(cap.button in face.down, "down")
        ended = ": the line has ended" if self._lcd.is_ended else ""
        light = f"light {face.backlight} %"
        for line in self.query("#line").results(Static):
            line.update(f" CFA-{face.model.value} on {self._lcd.name}, {light}{ended}")


def _cap(button: Button | None) -> Static:
    return Static("", classes="gap") if button is None else KeyCap(button)

"""Pictures of screens for docs/reference/displays.md, in docs/pictures: what a simulated CFA-631 and CFA-635 show of a
view, and, of dialogs, what a console shows.

After an intended change of a screen, write them anew, and look at them in a browser:

    python -m tests.unit.display.pictures
"""

from __future__ import annotations

from pathlib import Path

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.fake.lcd.face import LcdFace
from gprov.adapters.fake.system.clock import FakeClock
from gprov.domain.boot.boot_counts import BootCounts
from gprov.domain.boot.start_texts import start_texts
from gprov.domain.disk.model import Bus, Disk
from gprov.domain.display.render import render
from gprov.domain.display.screen import CONSOLE
from gprov.domain.display.views import MenuView, MessageView, PasswordView, QuestionView, View
from gprov.domain.erase.questions import first_question
from gprov.domain.erase.request import EraseRequest
from gprov.domain.erase.scope import Scope
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.lcd.models import Model
from gprov.domain.lcd.drawing import draw
from gprov.domain.lcd.session import Session
from tests.unit.display.golden_screens import VIEWS
from tests.unit.display.svg import LCD, TERMINAL, Panel, document

FOLDER = Path(__file__).parents[3] / "docs" / "pictures"
_DIALOGS = MenuView | QuestionView | PasswordView
_DRAWING_SECONDS = 30.0
_STEP = 0.01

_DISK = Disk(name="sda", node="/dev/sda", device=DeviceNumber(8, 0), size=500_107_862_016, bus=Bus.ATA, serial="WD-1")
SCENES: dict[str, View] = {
    "key-window": VIEWS["keywindow"],
    "boot-menu": VIEWS["menu-first"],
    "image-menu": VIEWS["menu-images"],
    "erase-first": QuestionView(first_question("X1-0042", Scope((_DISK,), ()), EraseRequest())),
    "erase-second": VIEWS["question-long"],
    "progress": VIEWS["progress"],
    "failure": VIEWS["message-long"],
    "start": MessageView(start_texts(BootCounts(), confirms=True).starting, busy=True),
    "password": VIEWS["password"],
}


def picture(view: View) -> str:
    """The view as SVG, as it is when it appears."""
    lcds = [_lcd_panel(face_of(view, model)) for model in Model]
    return document([lcds, [_console_panel(view)]] if isinstance(view, _DIALOGS) else [lcds])


def picture_path(name: str) -> Path:
    return FOLDER / f"{name}.svg"


def face_of(view: View, model: Model) -> LcdFace:
    """What a simulated display shows after the driver has drawn the view on it."""
    clock = FakeClock()
    lcd, session = SimulatedLcd(model, clock), Session()
    session.show(draw(view, model, 0))
    while not session.is_drawn:
        if session.failure or clock.monotonic() > _DRAWING_SECONDS:
            raise RuntimeError(f"{model}: {session.failure or 'not drawn in time'}")
        lcd.receive(session.due(clock.monotonic())[0])
        session.hear(lcd.transmit(), clock.monotonic())
        clock.advance(_STEP)
    return lcd.face


def _lcd_panel(face: LcdFace) -> Panel:
    size = f"{len(face.rows)} x {face.model.columns}"
    return Panel(f"CFA-{face.model.value} ({size})", face.lines, face.cursor, LCD)


def _console_panel(view: View) -> Panel:
    """Empty rows at the end are left out."""
    screen = render(view, CONSOLE, 0)
    cursor = None if screen.cursor is None else (screen.cursor.column, screen.cursor.row)
    used = max(row for row, line in enumerate(screen.lines, 1) if line.strip() or (cursor and cursor[1] == row - 1))
    return Panel("console", screen.lines[:used], cursor, TERMINAL)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        old.unlink()
    for name, view in SCENES.items():
        picture_path(name).write_text(picture(view))


if __name__ == "__main__":
    main()

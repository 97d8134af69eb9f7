"""Screens of all views at three sizes, as text files in ``golden``.

After an intended change of a picture, rewrite them, and review the difference:

    python -m tests.unit.display.golden_screens
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gprov.domain.boot.boot_menu import ITEMS, TITLE
from gprov.domain.display.render import next_change, render
from gprov.domain.display.screen import CONSOLE, LCD_2X20, LCD_4X20, Geometry, Screen
from gprov.domain.display.views import (
    KeyWindowView,
    MenuView,
    MessageView,
    PasswordView,
    ProgressView,
    QuestionView,
    View,
)
from gprov.domain.erase.consequence import CONSEQUENCE
from gprov.domain.events import Severity

FOLDER = Path(__file__).parent / "golden"
GEOMETRIES = {"2x20": LCD_2X20, "4x20": LCD_4X20, "25x80": CONSOLE}
_FRAMES = 4

_BOOT_MENU = tuple(item.value if item else "" for item in ITEMS)
_IMAGES = (
    "WIDGET.LNX.SHINY.2026-01-15.10",
    "WIDGET.LNX.SHINY.2025-02-01.9",
    "",
    "Leave: restore nothing",
)
VIEWS: dict[str, View] = {
    "message": MessageView("Factory restore done"),
    "message-long": MessageView(
        "root volume not found: no volume has the label PRIMARY, and /dev/sda (ATA WDC-WD40EFRX-68N32N0, 4.0 TB) "
        "cannot be read: input/output error",
        Severity.ERROR,
    ),
    "message-busy": MessageView("Checking WIDGET.LNX.SHINY.2026-01-15.10.upd", busy=True),
    "message-empty": MessageView(""),
    "progress": ProgressView(
        task="unpack WIDGET.LNX.SHINY.2026-01-15.10.upd",
        done=5_400_000_000,
        total=12_800_000_000,
        rate=112e6,
        seconds_left=66.1,
    ),
    "progress-slow": ProgressView(
        task="overwrite (pass 1) /dev/sda", done=1_000_000_000, total=4 << 40, rate=98e6, seconds_left=44_880
    ),
    "progress-no-rate": ProgressView(task="read back /dev/sda", done=3 << 40, total=4 << 40),
    "progress-no-total": ProgressView(task="fetch norm_boot", done=7_300_000, total=0),
    "menu-first": MenuView(TITLE, _BOOT_MENU, 0),
    "menu-blank": MenuView(TITLE, _BOOT_MENU, 2),
    "menu-last": MenuView(TITLE, _BOOT_MENU, 7, "6"),
    "menu-images": MenuView("Which image?", _IMAGES, 1),
    "question": QuestionView("Power off?", yes=True),
    "question-long": QuestionView(CONSEQUENCE, typed="ye"),
    "keywindow": KeyWindowView("Press any key for the boot menu", 10),
    "password": PasswordView("Recovery shell: password of the administrator", 7),
}


def golden_text(view: View, geometry: Geometry) -> str:
    """The first pictures of a view, with their times in seconds."""
    return "\n".join(f"{seconds:g} s\n{_framed(screen)}" for seconds, screen in _frames(view, geometry))


def golden_path(name: str, size: str) -> Path:
    return FOLDER / f"{name}-{size}.txt"


def _frames(view: View, geometry: Geometry) -> Iterator[tuple[float, Screen]]:
    seconds = 0.0
    for _ in range(_FRAMES):
        yield seconds, render(view, geometry, seconds)
        seconds = next_change(view, geometry, seconds)
        if seconds == float("inf"):
            return


def _framed(screen: Screen) -> str:
    """Rows below the last one with text are left out."""
    rows = max((number for number, line in enumerate(screen.lines, 1) if line.strip()), default=1)
    shown = screen.lines if screen.geometry.rows <= 4 else screen.lines[:rows]
    edge = f"+{'-' * screen.geometry.columns}+"
    cursor = f"cursor: column {screen.cursor.column}, row {screen.cursor.row}\n" if screen.cursor else ""
    return "\n".join([edge, *(f"|{line}|" for line in shown), edge, cursor])


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name, view in VIEWS.items():
        for size, geometry in GEOMETRIES.items():
            golden_path(name, size).write_text(golden_text(view, geometry))


if __name__ == "__main__":
    main()

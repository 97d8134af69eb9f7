"""The display in a terminal, driven by Textual's pilot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from rich.color import Color
from rich.segment import Segment
from textual.pilot import Pilot
from textual.widgets import Static

from gprov.adapters.fake.lcd.keypad import buttons_of
from gprov.apps.host.lcd.app import Glass, KeyCap, LcdApp
from gprov.domain.formats.lcd import commands
from gprov.domain.formats.lcd.commands import CursorStyle, Legend
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import Button
from tests.unit.lcdsim.lines import Line
from tests.unit.lcdsim.test_station import keys

LEGEND = commands.key_legend([Legend.UP, Legend.CHECK, Legend.DOWN, Legend.EXIT])


def drive(line: Line, actions: Callable[[LcdApp, Pilot[None]], Awaitable[None]]) -> LcdApp:
    app = LcdApp(line.lcd)

    async def main() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await actions(app, pilot)

    asyncio.run(main())
    return app


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Let the app work until ``holds``; at most ten seconds."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        await pilot.pause(0.01)


class Reports:
    """Reports of keys that the host has got so far."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.keys: list[tuple[Button, bool]] = []

    def has(self, count: int) -> bool:
        self.keys += keys(self._line.received())
        return len(self.keys) >= count


def colour(segment: Segment) -> Color | None:
    return segment.style.bgcolor if segment.style is not None else None


def glass(app: LcdApp) -> list[str]:
    return [line[1:-1] for line in str(app.query_one(Glass).render()).split("\n")]


def test_the_screen_shows_the_cells() -> None:
    line = Line(Model.CFA_635)
    line.send(commands.clear(), commands.write_text(Model.CFA_635, 0, 0, b"first"))

    async def actions(app: LcdApp, pilot: Pilot[None]) -> None:
        assert glass(app) == ["first".ljust(20), *[" " * 20] * 3]
        line.send(commands.write_text(Model.CFA_635, 16, 3, b"last"))
        await until(pilot, lambda: glass(app)[3] == " " * 16 + "last")

    drive(line, actions)


def test_cursor_and_light_are_drawn() -> None:
    line = Line(Model.CFA_635)
    line.send(commands.cursor_position(Model.CFA_635, 4, 1), commands.cursor_style(CursorStyle.UNDERSCORE))

    async def actions(app: LcdApp, pilot: Pilot[None]) -> None:
        colours = [colour(segment) for segment in app.query_one(Glass).render_line(1)]
        assert len(colours) == 3
        assert colours[0] == colours[2] != colours[1]
        line.send(commands.backlight(0))
        await until(pilot, lambda: "light 0 %" in str(app.query_one("#line", Static).render()))
        dark = [colour(segment) for segment in app.query_one(Glass).render_line(1)]
        assert dark[0] != colours[0]

    drive(line, actions)


def test_the_keyboard_presses_keys_of_a_cfa_635() -> None:
    line = Line(Model.CFA_635)
    reports = Reports(line)

    async def actions(app: LcdApp, pilot: Pilot[None]) -> None:
        await pilot.press("down", "enter", "escape")
        await until(pilot, lambda: reports.has(6))

    drive(line, actions)
    found = reports.keys
    assert [button for button, pressed in found if pressed] == [Button.DOWN, Button.ENTER, Button.EXIT]
    assert sorted(button.name for button, pressed in found if not pressed) == ["DOWN", "ENTER", "EXIT"]


def test_the_keyboard_presses_keys_of_a_cfa_631_by_place_and_by_symbol() -> None:
    line = Line(Model.CFA_631)
    line.send(LEGEND)
    reports = Reports(line)

    async def actions(app: LcdApp, pilot: Pilot[None]) -> None:
        await pilot.press("left", "q")  # no key has the symbol of the first one
        await until(pilot, lambda: reports.has(2))
        await pilot.press("down")
        await until(pilot, lambda: reports.has(4))

    drive(line, actions)
    assert reports.keys == [
        (Button.UPPER_LEFT, True),
        (Button.UPPER_LEFT, False),
        (Button.LOWER_LEFT, True),
        (Button.LOWER_LEFT, False),
    ]


def test_the_mouse_holds_a_key_until_its_button_is_released() -> None:
    line = Line(Model.CFA_635)
    reports = Reports(line)

    async def actions(app: LcdApp, pilot: Pilot[None]) -> None:
        cap = app.query_one("#enter", KeyCap)
        await pilot.mouse_down("#enter")
        await until(pilot, lambda: reports.has(1) and cap.has_class("down"))
        await pilot.mouse_up("#enter")
        await until(pilot, lambda: reports.has(2) and not cap.has_class("down"))

    drive(line, actions)
    assert reports.keys == [(Button.ENTER, True), (Button.ENTER, False)]


def test_all_keys_of_the_model_are_drawn_and_within_the_screen() -> None:
    for model in Model:

        async def actions(app: LcdApp, pilot: Pilot[None], model: Model = model) -> None:
            caps = app.query(KeyCap)
            assert {cap.button for cap in caps} == set(buttons_of(model))
            assert all(cap.region.width == 5 and app.screen.region.contains_region(cap.region) for cap in caps)
            assert app.query_one(Glass).region.width == 22

        drive(Line(model), actions)


def test_control_q_ends_it() -> None:
    line = Line(Model.CFA_631)

    async def actions(app: LcdApp, pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+q")

    assert drive(line, actions).return_code == 0


def test_it_ends_when_it_is_finished() -> None:
    line = Line(Model.CFA_631)
    app = LcdApp(line.lcd, lambda: True)

    async def main() -> None:
        async with app.run_test() as pilot:
            await until(pilot, lambda: app.return_code is not None)

    asyncio.run(main())
    assert app.return_code == 0

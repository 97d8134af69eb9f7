"""LCDd, which drives real displays of these models, drives the simulated display over a pseudo-terminal."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.fake.lcd.keypad import buttons_of
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.lcd.station import LcdStation
from gprov.apps.host.lcd.wire import PtyWire
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import Button
from tests.integ.lcd.lcdd import Client, lcdd

_SECONDS = 20.0
_PRINTABLE = [chr(code) for code in range(0x20, 0x7F)]
# How LCDd names the keys: those of a CFA-631 by what it prints on them.
_NAMES = {
    Button.UP: "Up",
    Button.DOWN: "Down",
    Button.LEFT: "Left",
    Button.RIGHT: "Right",
    Button.ENTER: "Enter",
    Button.EXIT: "Escape",
    Button.UPPER_LEFT: "Up",
    Button.UPPER_RIGHT: "Enter",
    Button.LOWER_LEFT: "Down",
    Button.LOWER_RIGHT: "Escape",
}

models = pytest.mark.parametrize("model", list(Model))


@contextmanager
def driven(model: Model, folder: Path) -> Iterator[tuple[LcdStation, Client]]:
    clock = SystemClock()
    with (
        LcdStation(SimulatedLcd(model, clock), PtyWire(), clock) as lcd,
        lcdd(lcd.name, model.value, folder) as client,
    ):
        greeting = client.start(model.rows)
        assert f"wid {model.columns} hgt {model.rows}" in greeting
        yield lcd, client


def require_shown(lcd: LcdStation, rows: Sequence[str]) -> None:
    lcd.wait_until(lambda face: face.lines == tuple(rows), f"{rows}", _SECONDS)


@models
def test_every_printable_character_is_shown_as_lcdd_means_it(model: Model, tmp_path: Path) -> None:
    # LCDd has no code for the backquote: it is the quotation mark in this ROM.
    text = "".join(_PRINTABLE).replace("`", "")
    size = model.columns * model.rows
    with driven(model, tmp_path) as (lcd, client):
        for start in range(0, len(text), size):
            part = text[start : start + size].ljust(size)
            rows = [part[at : at + model.columns] for at in range(0, size, model.columns)]
            client.show(rows)
            require_shown(lcd, rows)


@models
def test_all_cells_follow_the_screens_of_lcdd(model: Model, tmp_path: Path) -> None:
    """LCDd sends only what has changed since its last screen."""
    choice = random.Random(model.value)
    letters = [character for character in _PRINTABLE if character != "`"]
    rows = [" " * model.columns] * model.rows
    with driven(model, tmp_path) as (lcd, client):
        for _ in range(25):
            rows = [_changed(row, letters, choice) for row in rows]
            client.show(rows)
            require_shown(lcd, rows)


@models
def test_lcdd_gets_each_key_once(model: Model, tmp_path: Path) -> None:
    with driven(model, tmp_path) as (lcd, client):
        client.show(["keys"])
        lcd.wait_for("keys", _SECONDS)
        for button in (*buttons_of(model), buttons_of(model)[0]):
            lcd.press(button)
            assert client.next_key() == f"key {_NAMES[button]}"


@models
def test_lcdd_switches_the_light(model: Model, tmp_path: Path) -> None:
    with driven(model, tmp_path) as (lcd, client):
        client.show(["before"])
        lcd.wait_for("before", _SECONDS)
        client.command("backlight off")
        lcd.wait_until(lambda face: face.backlight == 0, "light off", _SECONDS)
        client.command("backlight on")
        lcd.wait_until(lambda face: face.backlight > 0, "light on", _SECONDS)


def _changed(row: str, letters: Sequence[str], choice: random.Random) -> str:
    start = choice.randrange(len(row))
    end = choice.randrange(start, len(row)) + 1
    return row[:start] + "".join(choice.choices(letters, k=end - start)) + row[end:]

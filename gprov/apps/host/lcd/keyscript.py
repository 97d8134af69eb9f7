"""Scripts of keys: what is waited for, and which keys are pressed then. One step per line; ``#`` starts a comment line.

    within 300              deadline in seconds of the waits that follow; 60 at first
    wait Press any key      until a row has this text
    press DOWN ENTER        press and release keys one after the other
    hold EXIT 3             keep a key down for 3 seconds
    pause 0.5               wait for 0.5 seconds

Keys of a CFA-635: UP, DOWN, LEFT, RIGHT, ENTER, EXIT. Keys of a CFA-631 by their place: UPPER_LEFT, UPPER_RIGHT,
LOWER_LEFT, LOWER_RIGHT; or by their symbol in the legend, with the names of a CFA-635.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gprov.adapters.fake.lcd.face import LcdFace
from gprov.apps.host.lcd.station import LcdStation
from gprov.domain.errors import BadInput, DeviceFault, Problem
from gprov.domain.formats.lcd.commands import Legend
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import BUTTONS_631, Button
from gprov.ports.clock import Clock

WAIT_SECONDS = 60.0
_BETWEEN_KEYS = 0.1
# Symbols that mean a key of a CFA-635.
_SYMBOLS = {
    Button.UP: Legend.UP,
    Button.DOWN: Legend.DOWN,
    Button.LEFT: Legend.LEFT,
    Button.RIGHT: Legend.RIGHT,
    Button.ENTER: Legend.CHECK,
    Button.EXIT: Legend.EXIT,
}


@dataclass(frozen=True, slots=True)
class Wait:
    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Press:
    """``seconds``: how long it is held; None: as long as a person presses a key."""

    button: Button
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Step = Wait | Press | Pause


def parse_script(source: str, text: str, model: Model) -> tuple[Step, ...]:
    """Raises BadInput with every problem."""
    steps: list[Step] = []
    problems: list[Problem] = []
    within = WAIT_SECONDS
    for number, line in enumerate(text.splitlines(), start=1):
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if not word or word.startswith("#"):
            continue
        try:
            if word == "within":
                within = _seconds(rest)
            else:
                steps += _steps(word, rest, within, model)
        except ValueError as error:
            problems.append(Problem(f"line {number}", str(error)))
    if problems:
        raise BadInput(source, problems)
    return tuple(steps)


def run_script(steps: Sequence[Step], lcd: LcdStation, clock: Clock) -> None:
    """Raises DeadlineExceeded, DeviceFault for a key that has no symbol in the legend or if the line ends."""
    for step in steps:
        match step:
            case Wait():
                lcd.wait_for(step.text, step.seconds)
            case Pause():
                clock.sleep(step.seconds)
            case Press():
                button = button_on(lcd.face, step.button)
                if button is None:
                    raise DeviceFault(f"display {lcd.name}", f"no key has the symbol of {step.button.name} now")
                if step.seconds is None:
                    lcd.press(button)
                else:
                    lcd.press(button, step.seconds)
                clock.sleep(_BETWEEN_KEYS)


def button_on(face: LcdFace, wanted: Button) -> Button | None:
    """Return the key of this display that is ``wanted``, or that has its symbol in the legend; None: there is none."""
    if wanted.is_of_631 is (face.model is Model.CFA_631):
        return wanted
    symbol = _SYMBOLS.get(wanted)
    found = (button for button, shown in zip(BUTTONS_631, face.legend, strict=False) if shown is symbol)
    return next(found, None)


def _steps(word: str, rest: str, within: float, model: Model) -> list[Step]:
    """Raises ValueError."""
    match word:
        case "wait" if rest:
            return [Wait(rest, within)]
        case "press" if rest:
            return [Press(_button(name, model)) for name in rest.split()]
        case "hold" if len(rest.split()) == 2:
            name, seconds = rest.split()
            return [Press(_button(name, model), _seconds(seconds))]
        case "pause" if rest:
            return [Pause(_seconds(rest))]
    raise ValueError(
        f"{word!r} is no step; steps: wait TEXT, press KEYS, hold KEY SECONDS, pause SECONDS, within SECONDS"
    )


def _button(name: str, model: Model) -> Button:
    names = [button.name for button in Button if model is Model.CFA_631 or not button.is_of_631]
    if name not in names:
        raise ValueError(f"{name!r} is no key of a CFA-{model.value}; keys: {', '.join(names)}")
    return Button[name]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{text!r} is no number of seconds")
    return seconds

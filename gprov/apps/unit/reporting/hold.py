"""Standing still for a while, with a reason shown, until the time is over or a person wants to go on."""

from __future__ import annotations

from gprov.ports.clock import Clock, Deadline
from gprov.ports.operator import Operator

QUESTION = "Go on now, without waiting any longer?"
CONFIRM_SECONDS = 60.0
# How soon a person who comes later (a keyboard that is plugged in) is noticed.
_LOOK_SECONDS = 60.0
# Noise on a serial line presses keys for ever.
_MOST_QUESTIONS = 20


def hold(operator: Operator, clock: Clock, seconds: float) -> bool:
    """Wait. True if a person pressed a key and confirmed that they do not want to wait any longer."""
    end = Deadline(clock, seconds)
    asked = 0
    while not end.passed:
        chunk = min(end.remaining, _LOOK_SECONDS)
        if asked < _MOST_QUESTIONS and operator.present:
            if operator.key_pressed(chunk):
                asked += 1
                if operator.confirm(QUESTION, min(CONFIRM_SECONDS, end.remaining)):
                    return True
        else:
            clock.sleep(chunk)
    return False


def spoken(seconds: float) -> str:
    """For people: "45 s", "10 min", "2.5 h"."""
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"

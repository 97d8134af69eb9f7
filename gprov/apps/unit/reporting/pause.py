"""Pauses that a person can cut short with a key press."""

from __future__ import annotations

from collections.abc import Callable

from gprov.ports.clock import Clock, Deadline
from gprov.ports.operator import Operator

QUESTION = "Go on now, without waiting any longer?"
CONFIRM_SECONDS = 60.0
# A keyboard that is plugged in later is noticed after at most this time.
_POLL_SECONDS = 60.0
# Noise on a serial line looks like endless key presses.
_MAX_QUESTIONS = 20


def wait_or_skip(operator: Operator, clock: Clock, seconds: float, during: Callable[[], None] = lambda: None) -> bool:
    """Wait. Returns True at once if a person presses a key and confirms that the wait shall end. ``during`` is called
    at the beginning and about once a minute."""
    end = Deadline(clock, seconds)
    asked = 0
    while not end.passed:
        during()
        chunk = min(end.remaining, _POLL_SECONDS)
        if asked < _MAX_QUESTIONS and operator.is_present:
            if operator.key_pressed(chunk):
                asked += 1
                if operator.confirm(QUESTION, min(CONFIRM_SECONDS, end.remaining)):
                    return True
        else:
            clock.sleep(chunk)
    return False


def format_duration(seconds: float) -> str:
    """For people: "45 s", "10 min", "2.5 h"."""
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"

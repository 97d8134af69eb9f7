"""Pauses that a person, or something that a person plugs in, can cut short."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from gprov.ports.clock import Clock, Deadline
from gprov.ports.operator import Operator

QUESTION = "Go on now, without waiting any longer?"
CONFIRM_SECONDS = 60.0
# A keyboard that is plugged in later is noticed after at most this time.
_ROUND_SECONDS = 60.0
# While keys are waited for, other events are looked for so often.
_POLL_SECONDS = 2.0
# Noise on a serial line looks like endless key presses.
_MAX_QUESTIONS = 20


class PauseEnd(Enum):
    """``PERSON``: one pressed a key and confirmed; ``EVENT``: what was waited for beside keys has come."""

    TIME = "time"
    PERSON = "person"
    EVENT = "event"


def wait_or_skip(
    operator: Operator,
    clock: Clock,
    seconds: float,
    during: Callable[[], None] = lambda: None,
    event: Callable[[float], bool] | None = None,
) -> PauseEnd:
    """Wait, and return why the wait ended. ``during`` is called at the beginning and about once a minute. ``event``
    waits at most so many seconds for an event; True: it has come."""
    end = Deadline(clock, seconds)
    turn = Deadline(clock, 0.0)
    asked = 0
    while not end.passed:
        if turn.passed:
            during()
            turn = Deadline(clock, _ROUND_SECONDS)
        chunk = min(end.remaining, turn.remaining)
        if asked < _MAX_QUESTIONS and operator.is_present:
            if operator.key_pressed(chunk if event is None else min(chunk, _POLL_SECONDS)):
                asked += 1
                if operator.confirm(QUESTION, min(CONFIRM_SECONDS, end.remaining)):
                    return PauseEnd.PERSON
            chunk = 0.0
        if event is None:
            clock.sleep(chunk)
        elif event(chunk):
            return PauseEnd.EVENT
    return PauseEnd.TIME


def format_duration(seconds: float) -> str:
    """For people: "45 s", "10 min", "2.5 h"."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"

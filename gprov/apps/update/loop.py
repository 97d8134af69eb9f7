"""Rounds of the agent, one after the other: pauses between them, and what becomes of failures."""

from __future__ import annotations

from typing import NoReturn

from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.apps.update.agent import UpdateAgent
from gprov.apps.update.consent import Consent
from gprov.apps.update.fetch import BrokenDownload
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.apps.update.records import read_state
from gprov.domain.errors import ExitCode, GprovError
from gprov.domain.update.messages import SHORTEST_SLEEP
from gprov.domain.update.state import Result
from gprov.ports.files import Files

# After a failed round: seconds of the first pause, and of the longest.
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 900.0
# Short rounds in a row that have more to do at once. Each writes to RECOVERY, and a server that always offers something
# else, or sends single bytes, can have them go on without end.
_MOST_QUICK = 10
# A decision of the owner is seen after so many seconds.
_SLICE = 10.0
# A round that has more to do is followed by the next one; `once` ends after so many.
_MOST_ROUNDS = 1000


def run_forever(agent: UpdateAgent, ports: UpdatePorts, paths: UpdatePaths, bus: EventBus) -> NoReturn:
    failures = quick = 0
    while True:
        began = ports.clock.monotonic()
        try:
            with unexpected_errors_translated():  # what one message of the server does must not end the agent
                pause, failures = agent.round().pause, 0
        except BrokenDownload as fault:
            bus.error(fault)
            pause, failures = FIRST_PAUSE, 0
        except GprovError as error:
            bus.error(error)
            pause, failures = pause_after(failures), failures + 1
        is_quick = not pause and ports.clock.monotonic() - began < SHORTEST_SLEEP
        quick = quick + 1 if is_quick else 0
        if quick == _MOST_QUICK:
            pause, quick = FIRST_PAUSE, 0
        _wait(pause, ports, paths, bus)


def run_once(agent: UpdateAgent, files: Files, paths: UpdatePaths) -> int:
    """Rounds, until there is nothing more to do now. Returns the exit status: NEGATIVE if the action ended and did not
    install its image. Raises GprovError."""
    for _ in range(_MOST_ROUNDS):
        if agent.round().pause:
            break
    state = read_state(files, paths)
    failed = state is not None and state.answer is not None and state.answer.result is Result.FAILURE
    return ExitCode.NEGATIVE if failed else ExitCode.DONE


def pause_after(failures: int) -> float:
    """Seconds, after so many failed rounds before this one."""
    return min(FIRST_PAUSE * 2.0 ** min(failures, 30), LONGEST_PAUSE)


def _wait(pause: float, ports: UpdatePorts, paths: UpdatePaths, bus: EventBus) -> None:
    """Ends early if the owner decides something."""
    consent = Consent(ports.files, paths, bus)
    before = consent.seen()
    left = pause
    while left > 0:
        step = min(left, _SLICE)
        ports.clock.sleep(step)
        left -= step
        if left > 0 and consent.seen() != before:
            return

"""Sanitize operations of a simulated NVMe drive: state machine, progress, and the sanitize status log.

NVM Express Base Specification 2.1, section 8.1.24: an operation continues after a power cycle; a failure is kept as
well, and what ends it depends on the mode in which the failed operation began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gprov.domain.formats.nvme.commands import SanitizeAction, SanitizeParameters, sanitize_dword10
from gprov.domain.formats.nvme.sanitize_log import NOT_IN_PROGRESS, SanitizeLog, SanitizeState
from gprov.domain.formats.nvme.status import Status
from gprov.ports.clock import Clock

_WHOLE = 0x10000


@dataclass(frozen=True, slots=True, kw_only=True)
class SanitizeFaults:
    """Faults and lies. ``fails``: the operation ends in failure. ``erases_nothing``: it is reported as completed, but
    all data remain. ``ignored``: the command is accepted, and the log stays as it was. ``progress_wraps``: the progress
    passes its largest value several times. ``false_progress``: the progress after completion is not FFFFh.
    ``wrong_command``: the log states another command dword."""

    fails: bool = False
    erases_nothing: bool = False
    ignored: bool = False
    progress_wraps: bool = False
    false_progress: bool = False
    wrong_command: bool = False


class SanitizeMachine:
    """``seconds``: duration of each operation. ``erase``: called when the data are gone. ``faults`` may be replaced
    between operations."""

    def __init__(
        self, clock: Clock, seconds: float, faults: SanitizeFaults, erase: Callable[[SanitizeAction], None]
    ) -> None:
        self.log = SanitizeLog(data_erased=True, estimates=(0xFFFFFFFF, int(seconds), int(seconds), 0, 0, 0))
        self._clock = clock
        self._seen = clock.monotonic()
        self._seconds = seconds
        self._remaining = 0.0
        self.faults = faults
        self._erase = erase
        self._locked = False

    @property
    def in_progress(self) -> bool:
        return self.log.state is SanitizeState.IN_PROGRESS

    @property
    def locked(self) -> bool:
        """In failure mode. The log also states the failure after the mode was left."""
        return self._locked

    def command(self, parameters: SanitizeParameters) -> Status:
        restricted = self._locked and not self._was_unrestricted()
        if self.in_progress:
            return Status.SANITIZE_IN_PROGRESS
        if parameters.action is SanitizeAction.EXIT_FAILURE_MODE:
            if restricted:
                return Status.SANITIZE_FAILED
            self._locked = False
            return Status.SUCCESS
        if restricted and parameters.unrestricted:
            return Status.SANITIZE_FAILED
        if not self.faults.ignored:
            self._begin(parameters)
        return Status.SUCCESS

    def advance(self) -> None:
        """Account for the time since the last call. If the clock of the machine began again meanwhile, none passed."""
        now = self._clock.monotonic()
        self._remaining -= max(0.0, now - self._seen)
        self._seen = now
        if not self.in_progress:
            return
        if self._remaining <= 0:
            self._end()
            return
        done = 1 - self._remaining / self._seconds
        if self.faults.progress_wraps:
            done = done * 3 % 1
        self.log = replace(self.log, sprog=int(done * _WHOLE))

    def written(self) -> None:
        """User data were written."""
        self.log = replace(self.log, data_erased=False)

    def _begin(self, parameters: SanitizeParameters) -> None:
        dword = sanitize_dword10(parameters) ^ (1 << 9 if self.faults.wrong_command else 0)
        self._locked = False
        self._remaining = self._seconds
        self.log = replace(self.log, state=SanitizeState.IN_PROGRESS, sprog=0, scdw10=dword)
        if self._seconds <= 0:
            self._end()

    def _end(self) -> None:
        if self.faults.fails:
            self._locked = True
            self.log = replace(self.log, state=SanitizeState.FAILED, sprog=NOT_IN_PROGRESS)
            return
        parameters = self.log.parameters
        if not self.faults.erases_nothing and parameters is not None:
            self._erase(parameters.action)
        sprog = 0x8000 if self.faults.false_progress else NOT_IN_PROGRESS
        self.log = replace(self.log, state=SanitizeState.SUCCEEDED, sprog=sprog, data_erased=True)

    def _was_unrestricted(self) -> bool:
        return self.log.parameters is not None and self.log.parameters.unrestricted

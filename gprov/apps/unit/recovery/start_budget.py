"""The start budget: consecutive boot failures and restores without a running system, in a file on RECOVERY."""

from __future__ import annotations

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.budget import StartBudget, parse_budget, serialise_budget
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.recovery_files import BUDGET_FILE
from gprov.ports.files import Files


class StartBudgetFile:
    """Read once; every change is written at once. A damaged file counts as an empty one."""

    def __init__(self, files: Files, folder: str, bus: EventBus) -> None:
        self._files = files
        self._path = f"{folder}/{BUDGET_FILE}"
        self._bus = bus
        self.value = self._read()

    def record(self, value: StartBudget) -> bool:
        """Replace the file durably. Returns False, after a warning, if RECOVERY cannot be written."""
        self.value = value
        try:
            self._files.replace(self._path, serialise_budget(value))
        except DeviceFault as fault:
            self._bus.warning(f"retries cannot be counted: {fault}")
            return False
        return True

    def _read(self) -> StartBudget:
        try:
            if self._files.status(self._path) is None:
                return StartBudget()
            return parse_budget(self._path, self._files.read(self._path, 1 << 16))
        except (BadInput, DeviceFault) as error:
            self._bus.warning(f"counting retries from zero: {error}")
            return StartBudget()

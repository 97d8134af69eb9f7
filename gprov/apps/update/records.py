"""What the agent keeps on RECOVERY: the action of the server, and what a person said about it."""

from __future__ import annotations

from gprov.apps.unit.recovery.regular_files import read_regular
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.domain.recovery_files import DAMAGED
from gprov.domain.update.decision import MAX_DECISION, OwnerDecision, parse_decision, serialise_decision
from gprov.domain.update.state import MAX_STATE, UpdateState, parse_state, serialise_state
from gprov.ports.files import Files


def require_recovery(ports: UpdatePorts, paths: UpdatePaths) -> None:
    """What is written below the folder otherwise is lost. Raises DeviceMissing."""
    if not ports.is_mounted(paths.recovery):
        raise DeviceMissing(paths.recovery, "RECOVERY is not mounted: nothing can be downloaded or remembered")


class StateFile:
    """``value``: None if the unit has had no action yet, or its file is damaged: it is kept beside, and the server
    offers what it has not heard of again."""

    def __init__(self, files: Files, paths: UpdatePaths, bus: EventBus) -> None:
        self._files = files
        self._path = paths.state
        self._bus = bus
        self.value = self._read()

    def record(self, value: UpdateState) -> None:
        """Replace the file durably. Raises DeviceFault."""
        if value != self.value:
            self._files.replace(self._path, serialise_state(value), mode=0o600)
            self.value = value

    def forget(self) -> None:
        """Raises DeviceFault."""
        self._files.remove(self._path)
        self.value = None

    def _read(self) -> UpdateState | None:
        """Raises DeviceFault."""
        content = read_regular(self._files, self._path, MAX_STATE)
        if content is None:
            return None
        try:
            return parse_state(self._path, content)
        except BadInput as error:
            self._bus.error(error)
            self._files.rename(self._path, self._path + DAMAGED)
            return None


def read_decision(files: Files, paths: UpdatePaths, bus: EventBus) -> OwnerDecision | None:
    """None without one. A file that does not parse is reported, and decides nothing."""
    try:
        content = read_regular(files, paths.decision, MAX_DECISION)
        return parse_decision(paths.decision, content) if content is not None else None
    except (BadInput, DeviceFault) as error:
        bus.warning(f"no decision of the owner: {error}")
        return None


def write_decision(files: Files, paths: UpdatePaths, decision: OwnerDecision) -> None:
    """Raises DeviceFault."""
    files.replace(paths.decision, serialise_decision(decision), mode=0o600)


def forget_decision(files: Files, paths: UpdatePaths, bus: EventBus, action: str) -> None:
    """If it is about this action. Raises DeviceFault."""
    decision = read_decision(files, paths, bus)
    if decision is not None and decision.action == action:
        files.remove(paths.decision)

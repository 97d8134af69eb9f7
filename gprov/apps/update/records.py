"""What the agent keeps on RECOVERY: the action of the server."""

from __future__ import annotations

from gprov.apps.unit.recovery.regular_files import read_regular
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.domain.errors import BadInput, DeviceMissing, Problem
from gprov.domain.files import FileType
from gprov.domain.recovery_files import DAMAGED
from gprov.domain.update.state import MAX_STATE, UpdateState, parse_state, serialise_state
from gprov.ports.files import Files


def require_recovery(ports: UpdatePorts, paths: UpdatePaths) -> None:
    """What is written below the folder otherwise is lost. Raises DeviceMissing."""
    if not ports.is_mounted(paths.recovery):
        raise DeviceMissing(paths.recovery, "RECOVERY is not mounted: nothing can be downloaded or remembered")


def read_state(files: Files, paths: UpdatePaths) -> UpdateState | None:
    """For programs beside the agent: nothing is changed. None if the unit has had no action yet. Raises BadInput for a
    file that is damaged, DeviceFault."""
    status = files.status(paths.state)
    if status is not None and (status.type is not FileType.FILE or status.size > MAX_STATE):
        raise BadInput(paths.state, [Problem("", f"is no file of at most {MAX_STATE} bytes")])
    content = read_regular(files, paths.state, MAX_STATE)
    return parse_state(paths.state, content) if content is not None else None


class StateFile:
    """For the one that holds the lock of the agent. ``value``: None if the unit has had no action yet, or its file is
    damaged: it is kept beside, and the server offers what it has not heard of again."""

    def __init__(self, files: Files, paths: UpdatePaths, bus: EventBus) -> None:
        self._files = files
        self._paths = paths
        self._bus = bus
        self.value = self._read()

    def record(self, value: UpdateState) -> None:
        """Replace the file durably. Raises DeviceFault."""
        if value != self.value:
            self._files.replace(self._paths.state, serialise_state(value), mode=0o600)
            self.value = value

    def forget(self) -> None:
        """Raises DeviceFault."""
        self._files.remove(self._paths.state)
        self.value = None

    def _read(self) -> UpdateState | None:
        """Raises DeviceFault."""
        try:
            return read_state(self._files, self._paths)
        except BadInput as error:
            self._bus.error(error)
            self._files.rename(self._paths.state, self._paths.state + DAMAGED)
            return None

"""The count of wrong passwords at the recovery shell, in a file on RECOVERY."""

from __future__ import annotations

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.recovery_files import SHELL_ACCESS_FILE
from gprov.domain.unit.shell_access import UNKNOWN, ShellAccess, parse_shell_access, serialise_shell_access
from gprov.ports.files import Files


class ShellAccessFile:
    """Read once; every change is written at once. A damaged file counts as locked access."""

    def __init__(self, files: Files, folder: str, bus: EventBus) -> None:
        self._files = files
        self._path = f"{folder}/{SHELL_ACCESS_FILE}"
        self._bus = bus
        self.value = self._read()

    def record(self, value: ShellAccess) -> bool:
        """Replace the file durably. Returns False, after a warning, if RECOVERY cannot be written."""
        self.value = value
        try:
            self._files.replace(self._path, serialise_shell_access(value))
        except DeviceFault as fault:
            self._bus.warning(f"wrong passwords cannot be counted: {fault}")
            return False
        return True

    def _read(self) -> ShellAccess:
        try:
            if self._files.status(self._path) is None:
                return ShellAccess()
            return parse_shell_access(self._path, self._files.read(self._path, 1 << 16))
        except (BadInput, DeviceFault) as error:
            self._bus.warning(f"access to the recovery shell is locked: {error}")
            return UNKNOWN

"""Records of restores on RECOVERY: the image history, and the restore options."""

from __future__ import annotations

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.image.history import History, parse_history, serialise_history
from gprov.domain.recovery_files import DAMAGED, HISTORY_FILE, OPTIONS_FILE
from gprov.domain.unit.restore_options import RestoreOptions, parse_options
from gprov.ports.files import Files

PREVIOUS = ".previous"


class HistoryFile:
    """The image history: read once; every change is written at once.

    A file that does not parse is renamed, and the copy from before the last restore is used instead.
    """

    def __init__(self, files: Files, folder: str, bus: EventBus) -> None:
        self._files = files
        self._path = f"{folder}/{HISTORY_FILE}"
        self._bus = bus
        self._good = b""
        self.value = self._read()

    def record(self, value: History) -> None:
        """Replace the file durably. A RECOVERY that cannot be written causes a warning and does not stop a restore."""
        self.value = value
        try:
            if self._good:
                self._files.replace(self._path + PREVIOUS, self._good)
                self._good = b""
            self._files.replace(self._path, serialise_history(value))
        except DeviceFault as fault:
            self._bus.warning(f"the history could not be written: {fault}")

    def clear(self) -> None:
        self.record(History())

    def _read(self) -> History:
        try:
            if self._files.status(self._path) is not None:
                content = self._files.read(self._path)
                value, self._good = parse_history(content), content
                return value
        except (BadInput, DeviceFault) as error:
            self._bus.warning(f"the history is damaged: {error}")
            self._rename_damaged()
        return self._previous()

    def _previous(self) -> History:
        path = self._path + PREVIOUS
        try:
            if self._files.status(path) is None:
                return History()
            value = parse_history(self._files.read(path))
        except (BadInput, DeviceFault) as error:
            self._bus.warning(f"starting a new history: {error}")
            return History()
        self._bus.warning(f"going on with the history before: {path}")
        return value

    def _rename_damaged(self) -> None:
        """Keep the damaged file for an analysis."""
        try:
            self._files.remove(self._path + DAMAGED)
            self._files.rename(self._path, self._path + DAMAGED)
        except DeviceFault as fault:
            self._bus.warning(str(fault))


def read_options(files: Files, context: UnitContext) -> RestoreOptions:
    """``fr.data`` on the mounted RECOVERY, or the defaults if it does not exist. A file that does not parse is reported
    as an error, and the defaults are used."""
    path = f"{context.mount_points.recovery}/{OPTIONS_FILE}"
    try:
        if files.status(path) is None:
            return RestoreOptions()
        return parse_options(path, files.read(path))
    except (BadInput, DeviceFault) as error:
        context.bus.error(error)
        return RestoreOptions()

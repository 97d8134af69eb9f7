"""Versions of the management controller's firmware, its inventory and the Management Engine."""

from __future__ import annotations

from collections.abc import Callable

from gprov.apps.unit.devices.bmc import Controller
from gprov.domain.bmc.versions import MANAGEMENT_ENGINES, firmware_versions
from gprov.domain.errors import BadInput, DeadlineExceeded, DeviceFault, DeviceMissing
from gprov.domain.formats.ipmi.device import DeviceId
from gprov.domain.formats.ipmi.fru import fru_file_id
from gprov.domain.formats.ipmi.inventory import (
    FRU_BUSY,
    get_fru_area_info,
    parse_fru_area_info,
    parse_fru_data,
    read_fru_data,
)
from gprov.domain.mfg.spec import FirmwareVersions
from gprov.ports.bmc import Bmc
from gprov.ports.clock import Clock

# An unanswered question costs this time at each start of provisioning, and is only a difference if it matters.
VERSION_SECONDS = 20.0
_ENGINE_SECONDS = 0.0
_BOARD = 0
# Controllers return at least so many bytes at a time.
_CHUNK = 16
# The areas with texts are at the beginning, each of at most 2040 bytes.
_MOST = 8192
_WORD = 2


class BmcVersions:
    """Reads them at the first call. ``warn`` gets what cannot be read."""

    def __init__(self, bmc: Bmc, clock: Clock, warn: Callable[[str], None]) -> None:
        self._controller = Controller(bmc, clock, VERSION_SECONDS)
        self._engines = Controller(bmc, clock, _ENGINE_SECONDS)
        self._warn = warn
        self._read: tuple[FirmwareVersions | None] | None = None

    def __call__(self) -> FirmwareVersions | None:
        """None on a unit without a BMC, or with one that does not answer."""
        if self._read is None:
            self._read = (self._versions(),)
        return self._read[0]

    def _versions(self) -> FirmwareVersions | None:
        try:
            device = self._controller.device_id()
        except DeviceMissing:
            return None
        except (DeviceFault, DeadlineExceeded, BadInput) as fault:
            self._warn(f"version of the BMC's firmware not read: {fault}")
            return None
        return firmware_versions(device, self._fru(), self._engine())

    def _fru(self) -> str:
        try:
            return fru_file_id(read_fru(self._controller, _BOARD))
        except (DeviceFault, DeadlineExceeded, BadInput) as fault:
            self._warn(f"version of the board's FRU data not read: {fault}")
            return ""

    def _engine(self) -> DeviceId | None:
        """Most units have none, or one that answers on one of the buses only: no warning."""
        for address in MANAGEMENT_ENGINES:
            try:
                return self._engines.device_id(address)
            except (DeviceFault, DeadlineExceeded, BadInput):
                continue
        return None


def read_fru(controller: Controller, fru: int) -> bytes:
    """The inventory area of a device. Raises DeviceFault, DeadlineExceeded, BadInput."""
    info = controller.command("Get FRU Inventory Area Info", get_fru_area_info(fru))
    area = parse_fru_area_info(info)
    unit = _WORD if area.by_words else 1
    size = min(area.size, _MOST) // unit * unit
    content = b""
    while len(content) < size:
        count = min(_CHUNK, size - len(content)) // unit
        request = read_fru_data(fru, len(content) // unit, count)
        data = controller.command("Read FRU Data", request, {FRU_BUSY: "the inventory device is busy"})
        content += parse_fru_data(data, count * unit)
    return content

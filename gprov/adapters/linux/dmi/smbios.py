"""SMBIOS port on the kernel's copy of the table (drivers/firmware/dmi_scan.c, CONFIG_DMI_SYSFS is not needed)."""

from __future__ import annotations

from typing_extensions import override

from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.ports.firmware import SmbiosTable

_TABLE = "/sys/firmware/dmi/tables/DMI"


class LinuxSmbios(SmbiosTable):
    """``path``: the kernel's copy of the table; readable by root only."""

    def __init__(self, path: str = _TABLE) -> None:
        self._path = path

    @override
    def structures(self) -> bytes:
        try:
            with open(self._path, "rb") as file:
                return file.read()
        except FileNotFoundError as exc:
            raise DeviceMissing(self._path, "this machine has no SMBIOS table", errno=exc.errno) from exc
        except OSError as exc:
            raise DeviceFault(self._path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc

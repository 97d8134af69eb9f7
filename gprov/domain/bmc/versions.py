"""Versions of firmware that a management controller tells, as ``FirmwareVer`` of a hardware specification has them.

There is none of the sensor data records (SDR): their repository has a number of its commands' version (33.9), which is
51h everywhere, and none of its contents.
"""

from __future__ import annotations

from gprov.domain.formats.ipmi.device import DeviceId
from gprov.domain.formats.ipmi.message import IpmbAddress
from gprov.domain.mfg.spec import FirmwareVersions

# Where Intel's Management Engine answers: on the secondary IPMB, or on the primary one.
MANAGEMENT_ENGINES = (IpmbAddress(channel=6, slave=0x2C), IpmbAddress(channel=0, slave=0x2C))


def firmware_versions(device: DeviceId, fru: str, engine: DeviceId | None) -> FirmwareVersions:
    """``fru``: FRU File ID, "" if there is none. ``engine``: of the Management Engine."""
    return FirmwareVersions(ipmi=device.firmware, fru=fru, me=engine.firmware if engine else "")

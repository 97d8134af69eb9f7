"""The lab unit of a platform of the user's own table. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gprov.apps.host.lab.machine import DiskBus
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.domain.errors import BadInput, Problem
from gprov.domain.platform.model import Platform, ValidateMethod
from gprov.domain.unit.nics import ANY_MAC

_RECOVERY_BUSES = {
    ValidateMethod.NONE: DiskBus.USB,
    ValidateMethod.USB: DiskBus.USB,
    ValidateMethod.SATA: DiskBus.AHCI,
}
# Keywords whose value is the serial number in tables of the lab's machines (types 1 and 2).
_SERIALS = ("system-serial-number", "baseboard-serial-number")


def spec_of_platform(platform: Platform, plain: VirtualUnitSpec) -> VirtualUnitSpec:
    """Return the specification of a unit of this platform; ``plain`` has everything that a platform does not decide.
    Data disks are on AHCI. Raises BadInput with each property that no machine of the lab has."""
    problems = list(_problems(platform, plain))
    if problems:
        raise BadInput(f"platform {platform.code_name}", problems)
    return replace(
        plain,
        code_name=platform.code_name,
        manufacturer=platform.manufacturer,
        product=platform.product,
        primaries=(DiskBus.AHCI,) * platform.data_disks,
        primary_size=platform.disk_size,
        recovery_bus=_RECOVERY_BUSES[platform.recovery_media.validate],
        bmc=platform.ipmi,
    )


def _problems(platform: Platform, plain: VirtualUnitSpec) -> Iterator[Problem]:
    if platform.model_field is not None or not re.search(platform.model_regex, ""):
        yield Problem("DmiProdModelRegex", "the lab's machines have no model: only a pattern that fits an empty one")
    if platform.cpu:
        yield Problem("CPU", "the lab's processor has a name of its own: leave the key out")
    if platform.serial_field not in _SERIALS:
        yield Problem("SerNumField", f"the lab's machines have their serial number in {' and '.join(_SERIALS)} only")
    if platform.recovery_media.validate not in _RECOVERY_BUSES:
        yield Problem("RecoveryMedia", f"no disk of the lab is {platform.recovery_media.validate.value}")
    if platform.nic_info.wan_index > 0 or platform.nic_info.diag_ports:
        yield Problem("NICInfo", "the lab's machines have one port: WANIndex 0, and no SharedDiagPorts")
    prefixes = platform.nic_info.mac_prefixes
    if prefixes and ANY_MAC not in prefixes and not plain.mac.startswith(tuple(f"{each}:" for each in prefixes)):
        yield Problem("NICInfo.MACPrefix", f"does not fit the lab's address {plain.mac}")

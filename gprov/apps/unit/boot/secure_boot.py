"""Kernels under Secure Boot: whether the firmware would start what is to replace, or has replaced, a kernel."""

from __future__ import annotations

from collections.abc import Callable

from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.secure_boot import (
    KeyDatabases,
    SecureBootState,
    SignatureCheck,
    read_databases,
    refusal,
    secure_boot_state,
)
from gprov.domain.errors import BadInput, DeviceFault
from gprov.ports.files import Files
from gprov.ports.firmware import Firmware

_LARGEST_KERNEL = 256 << 20


def firmware_state(firmware: Firmware, bus: EventBus) -> SecureBootState:
    """If the variables cannot be read, nothing is known, and a unit goes on as without Secure Boot."""
    if firmware.kind() is FirmwareKind.BIOS:
        return SecureBootState.ABSENT
    try:
        return secure_boot_state(firmware.read)
    except DeviceFault as fault:
        bus.warning(f"whether Secure Boot is on is not known: {fault}")
        return SecureBootState.ABSENT


class StartableKernels:
    """Which kernels the firmware starts while Secure Boot is on."""

    def __init__(self, databases: KeyDatabases, check: Callable[[], SignatureCheck]) -> None:
        self._databases = databases
        self._check = check

    def refusal(self, files: Files, path: str) -> str:
        """Why the firmware would not start the kernel in a file; "" if it would. Raises DeviceMissing, DeviceFault."""
        return refusal(files.read(path, _LARGEST_KERNEL), self._databases, self._check())


def startable_kernels(ports: VolumePorts, bus: EventBus) -> StartableKernels | None:
    """None unless Secure Boot is on: then the firmware starts everything. Databases that cannot be read count as empty,
    so that no kernel is replaced."""
    if firmware_state(ports.firmware(), bus) is not SecureBootState.ON:
        return None
    try:
        databases = read_databases(ports.firmware().read)
    except (DeviceFault, BadInput) as error:
        bus.warning(f"the keys of Secure Boot cannot be read, no kernel is replaced: {error}")
        databases = KeyDatabases(())
    return StartableKernels(databases, ports.code_signatures)

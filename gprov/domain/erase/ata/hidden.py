"""Areas of an ATA drive that no address reaches: host protected area and device configuration overlay."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.erase.ata.exchange import send_ata
from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.scsi.exchange import Answer
from gprov.domain.errors import BadInput
from gprov.domain.formats.ata.commands import (
    AtaCommand,
    device_configuration_identify,
    get_native_max_address,
    read_native_max_address,
)
from gprov.domain.formats.ata.dco import parse_dco_sectors
from gprov.domain.formats.ata.identify import Identify
from gprov.domain.formats.ata.registers import AtaRegisters

_LARGEST_28 = 0x0FFFFFFF


@dataclass(frozen=True, slots=True)
class HiddenAreas:
    """``hidden``: areas that exist. ``unknown``: areas of which the drive did not state whether they exist. Each is one
    line."""

    hidden: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def hidden_areas(drive: Identify) -> Protocol[HiddenAreas]:
    """Compare the accessible sectors with the native maximum and with that of the device configuration."""
    hidden: list[str] = []
    unknown: list[str] = []
    native: int | None = drive.sectors
    if (command := _native_command(drive)) is not None:
        outcome = yield from send_ata(command)
        native = _native_sectors(outcome.registers, command) if outcome.answer is Answer.DONE else None
        if native is None or native < drive.sectors:
            unknown.append(
                f"host protected area: not known ({outcome.problem or 'the native maximum is not returned'})"
            )
        elif native > drive.sectors:
            hidden.append(f"host protected area: {native - drive.sectors} sectors after sector {drive.sectors - 1}")
    if drive.dco:
        outcome = yield from send_ata(device_configuration_identify())
        try:
            most = parse_dco_sectors(outcome.data)
        except BadInput as error:
            unknown.append(f"device configuration overlay: not known ({outcome.problem or error})")
        else:
            shown = max(native or 0, drive.sectors)
            if most > shown:
                hidden.append(f"device configuration overlay: {most - shown} sectors after sector {shown - 1}")
    return HiddenAreas(tuple(hidden), tuple(unknown))


def _native_command(drive: Identify) -> AtaCommand | None:
    if drive.accessible_max:
        return get_native_max_address()
    return read_native_max_address(extended=drive.wide_addresses) if drive.hpa else None


def _native_sectors(registers: AtaRegisters | None, command: AtaCommand) -> int | None:
    if registers is None or not registers.complete:
        return None
    if command.extended:
        return registers.lba + 1
    last = (registers.device & 0x0F) << 24 | registers.lba & 0xFFFFFF
    # The largest value stands for any larger drive.
    return last + 1 if last < _LARGEST_28 else None

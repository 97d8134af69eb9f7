"""One attempt of a restore: what it was asked for, what it works with, and for which unit."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.restore.emergency import EmergencyMedia, read_emergency_options
from gprov.apps.restore.image_choice import ImagePreference
from gprov.apps.restore.optional_recovery import RestorePlace
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.devices.identity import identify_unit, read_smbios, stored_code_name
from gprov.apps.unit.recovery.image_check import ImageCheck
from gprov.apps.unit.recovery.records import read_options
from gprov.apps.unit.recovery.start_budget import StartBudgetFile
from gprov.apps.unit.recovery.volume import RecoveryVolume
from gprov.domain.boot.args import PreferredImage
from gprov.domain.disk.recovery import attachment_problem, attachment_rule
from gprov.domain.emergency.request import EmergencyRequest
from gprov.domain.errors import HardwareMismatch
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.restore_options import RestoreOptions


@dataclass(frozen=True)
class RestoreRequest:
    """What the boot asks for. ``named``: file name of the image that the running system requested, "" for none."""

    preferred: PreferredImage
    by_person: bool
    emergency: EmergencyRequest | None
    named: str = ""


@dataclass(frozen=True, kw_only=True)
class RestoreAttempt:
    """What a restore works with while RECOVERY and removable media are mounted."""

    place: RestorePlace
    media: EmergencyMedia
    preference: ImagePreference
    check: ImageCheck
    emergency: EmergencyRequest | None
    budget: StartBudgetFile


def identify_attempt(attempt: RestoreAttempt, ports: FlowPorts, context: UnitContext) -> tuple[Unit, RestoreOptions]:
    """The unit, and the restore options of RECOVERY or of removable media. Raises HardwareMismatch, BadInput,
    DeviceFault."""
    files, emergency = ports.volumes.files, attempt.emergency
    fallback = context.arguments.proto_ident or stored_code_name(files, context)
    unit = identify_unit(read_smbios(ports.smbios, context.bus), context.platforms, fallback, context.bus)
    if attempt.place.recovery is not None:
        _check_recovery_attachment(attempt.place.recovery, unit)
    if emergency is not None and emergency.options is not None and not emergency.images:
        return unit, read_emergency_options(attempt.media, emergency.options, files, context)
    return unit, read_options(files, context)


def _check_recovery_attachment(recovery: RecoveryVolume, unit: Unit) -> None:
    """For a unit that only ``platform.ident`` on RECOVERY identifies: RECOVERY was mounted before its rule was known.
    Raises HardwareMismatch."""
    disk = recovery.volume.disk
    problem = attachment_problem(disk, attachment_rule(unit.platform))
    if problem:
        raise HardwareMismatch(f"RECOVERY is on {disk.describe()}, which {problem} on {unit.platform.code_name}")

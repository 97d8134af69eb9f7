"""Protocols by the interface of a disk."""

from __future__ import annotations

from gprov.domain.disk.model import Bus, Disk
from gprov.domain.erase.ata.release import Released, release
from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.drive_report import DriveReport
from gprov.domain.erase.nvme.erase import erase as erase_nvme
from gprov.domain.erase.nvme.erase import resume as resume_nvme
from gprov.domain.erase.nvme.report import report as nvme_report
from gprov.domain.erase.outcome import TechniqueResult
from gprov.domain.erase.scsi.drive import erase as erase_scsi
from gprov.domain.erase.scsi.drive import resume as resume_scsi
from gprov.domain.erase.scsi.report import report as scsi_report
from gprov.domain.erase.techniques import Technique

# Disks of these accept SCSI commands, and ATA commands in them.
_SCSI_BUSES = frozenset({Bus.ATA, Bus.SCSI, Bus.USB})
_NO_COMMANDS = "its interface has no command by which it erases itself"


def report_protocol(disk: Disk) -> Protocol[DriveReport]:
    """What the drive supports. Read-only commands; none for an interface without erase commands."""
    if disk.bus is Bus.NVME:
        return (yield from nvme_report(disk.namespace, frozenset({disk.namespace})))
    if disk.bus in _SCSI_BUSES:
        return (yield from scsi_report())
    hidden = ("boot areas, RPMB and general purpose areas of an eMMC",) if disk.bus is Bus.MMC else ()
    return DriveReport(
        notes=(f"{disk.bus.value} disk: {_NO_COMMANDS}",), not_examined=(*hidden, "what the device hides")
    )


def erase_protocol(disk: Disk, technique: Technique) -> Protocol[TechniqueResult]:
    """Destroys the data of this disk and of no other namespace of its drive."""
    if disk.bus is Bus.NVME:
        return (yield from erase_nvme(technique, disk.namespace, frozenset({disk.namespace})))
    return (yield from erase_scsi(technique))


def resume_protocol(disk: Disk, technique: Technique) -> Protocol[TechniqueResult]:
    """Follow a technique that the drive continued after a restart."""
    if disk.bus is Bus.NVME:
        return (yield from resume_nvme(technique))
    return (yield from resume_scsi(technique))


def release_protocol() -> Protocol[Released]:
    """Remove the password that an interrupted security erase of gprov left on an ATA drive."""
    return (yield from release())

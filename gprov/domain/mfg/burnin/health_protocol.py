"""Reads the error counters of a drive: SMART of ATA drives, the health log of NVMe drives."""

from __future__ import annotations

from gprov.domain.disk.model import Bus, Disk
from gprov.domain.erase.ata.exchange import send_ata
from gprov.domain.erase.drive_io import NvmeCommand, Protocol
from gprov.domain.erase.nvme.requests import ALL_NAMESPACES, Unanswered, send
from gprov.domain.erase.scsi.exchange import Answer
from gprov.domain.errors import BadInput
from gprov.domain.formats.ata.commands import smart_read_data
from gprov.domain.formats.ata.smart import parse_smart_data
from gprov.domain.formats.nvme.commands import Opcode, log_page_dwords
from gprov.domain.formats.nvme.health_log import HEALTH_LOG, HEALTH_LOG_SIZE, parse_health_log
from gprov.domain.mfg.burnin.diskcounters import DiskCounters, of_ata, of_nvme


def read_counters(disk: Disk) -> Protocol[DiskCounters | None]:
    """None if the drive states none: USB sticks, virtual disks, drives whose SMART is disabled."""
    if disk.bus is Bus.NVME:
        return (yield from _of_nvme())
    return (yield from _of_ata())


def health_log() -> NvmeCommand:
    dword10, dword11 = log_page_dwords(HEALTH_LOG, HEALTH_LOG_SIZE)
    return NvmeCommand(
        opcode=Opcode.GET_LOG_PAGE,
        namespace=ALL_NAMESPACES,
        dwords=(dword10, dword11, 0, 0, 0, 0),
        data_in=HEALTH_LOG_SIZE,
    )


def _of_nvme() -> Protocol[DiskCounters | None]:
    reply = yield from send(health_log())
    if isinstance(reply, Unanswered) or reply.status:
        return None
    try:
        return of_nvme(parse_health_log(reply.data))
    except BadInput:
        return None


def _of_ata() -> Protocol[DiskCounters | None]:
    outcome = yield from send_ata(smart_read_data())
    if outcome.answer is not Answer.DONE:
        return None
    try:
        counters = of_ata(parse_smart_data(outcome.data))
    except BadInput:
        return None
    return counters if counters.counts else None

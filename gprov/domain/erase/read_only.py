"""Commands that change nothing on a drive."""

from __future__ import annotations

from gprov.domain.erase.drive_io import NvmeCommand, ScsiCommand
from gprov.domain.errors import BadInput
from gprov.domain.formats.ata.commands import (
    DEVICE_CONFIGURATION_IDENTIFY,
    GET_NATIVE_MAX_ADDRESS,
    SMART_READ_DATA,
    AtaCommand,
    Opcode,
    SanitizeFeature,
    Transfer,
)
from gprov.domain.formats.scsi.commands import READ_CAPACITY_16, REPORT_SUPPORTED_OPERATION_CODES, ScsiOpcode
from gprov.domain.formats.scsi.pass_through import (
    ATA_PASS_THROUGH_12,
    ATA_PASS_THROUGH_16,
    parse_pass_through,
)

_PLAIN = (ScsiOpcode.TEST_UNIT_READY, ScsiOpcode.REQUEST_SENSE, ScsiOpcode.INQUIRY, ScsiOpcode.READ_CAPACITY_10)
_SERVICE_ACTIONS = {
    ScsiOpcode.SERVICE_ACTION_IN_16: READ_CAPACITY_16,
    ScsiOpcode.MAINTENANCE_IN: REPORT_SUPPORTED_OPERATION_CODES,
}
_ATA_PLAIN = (
    Opcode.IDENTIFY_DEVICE,
    Opcode.CHECK_POWER_MODE,
    Opcode.READ_NATIVE_MAX_ADDRESS,
    Opcode.READ_NATIVE_MAX_ADDRESS_EXT,
)
# By feature; SANITIZE STATUS EXT only without CLEAR SANITIZE OPERATION FAILED (COUNT).
_ATA_FEATURES = {
    Opcode.SANITIZE: SanitizeFeature.STATUS,
    Opcode.ACCESSIBLE_MAX_ADDRESS: GET_NATIVE_MAX_ADDRESS,
    Opcode.DEVICE_CONFIGURATION: DEVICE_CONFIGURATION_IDENTIFY,
    Opcode.SMART: SMART_READ_DATA,
}
_NVME_IDENTIFY = 0x06
_NVME_GET_LOG_PAGE = 0x02
# Telemetry host-initiated, and persistent event: reading them can create a new record.
_NVME_LOGS_WITH_EFFECT = (0x07, 0x0D)


def reads_only(command: ScsiCommand | NvmeCommand) -> bool:
    """Whether a command is on the list of those that change nothing. What is not on it counts as changing."""
    if isinstance(command, NvmeCommand):
        return _nvme_reads_only(command)
    if not command.cdb or command.data_out:
        return False
    opcode = command.cdb[0]
    if opcode in (ATA_PASS_THROUGH_12, ATA_PASS_THROUGH_16):
        try:
            return _ata_reads_only(parse_pass_through(command.cdb).command)
        except BadInput:
            return False
    if opcode in _SERVICE_ACTIONS:
        return len(command.cdb) > 1 and command.cdb[1] & 0x1F == _SERVICE_ACTIONS[ScsiOpcode(opcode)]
    return opcode in _PLAIN


def _ata_reads_only(command: AtaCommand) -> bool:
    if command.transfer is Transfer.PIO_OUT:
        return False
    if command.opcode in _ATA_FEATURES:
        clears = command.opcode == Opcode.SANITIZE and command.count != 0
        return command.feature == _ATA_FEATURES[Opcode(command.opcode)] and not clears
    return command.opcode in _ATA_PLAIN


def _nvme_reads_only(command: NvmeCommand) -> bool:
    if command.opcode == _NVME_GET_LOG_PAGE:
        return command.dwords[0] & 0xFF not in _NVME_LOGS_WITH_EFFECT
    return command.opcode == _NVME_IDENTIFY

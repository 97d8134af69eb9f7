"""ATA PASS-THROUGH (16) and (12): an ATA command in a SCSI command descriptor block (SAT-5)."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ata.commands import AtaCommand, Transfer

ATA_PASS_THROUGH_16 = 0x85
ATA_PASS_THROUGH_12 = 0xA1
_EXTEND = 0x01
_CK_COND = 0x20
_T_DIR_FROM_DEVICE = 0x08
_BYT_BLOK = 0x04  # the transfer length counts blocks of 512 bytes
_T_LENGTH_IN_COUNT = 0x02


def pass_through_16(command: AtaCommand) -> bytes:
    """CK_COND, so that the registers are returned, is set for commands without data: many bridges fail a command with
    data if it is set."""
    flags = {
        Transfer.NON_DATA: _CK_COND,
        Transfer.PIO_IN: _T_DIR_FROM_DEVICE | _BYT_BLOK | _T_LENGTH_IN_COUNT,
        Transfer.PIO_OUT: _BYT_BLOK | _T_LENGTH_IN_COUNT,
    }[command.transfer]
    lba = command.lba.to_bytes(6, "little")
    return bytes(
        [
            ATA_PASS_THROUGH_16,
            command.transfer << 1 | (_EXTEND if command.extended else 0),
            flags,
            *command.feature.to_bytes(2),
            *command.count.to_bytes(2),
            *(lba[3], lba[0], lba[4], lba[1], lba[5], lba[2]),
            command.device,
            command.opcode,
            0,
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PassThrough:
    """``command`` without its data. ``check_condition``: the registers are returned in any case."""

    command: AtaCommand
    check_condition: bool


def parse_pass_through(cdb: bytes) -> PassThrough:
    """Raises BadInput: another command, wrong length, a protocol that ``Transfer`` does not have."""
    kind = cdb[0] if cdb else 0
    sizes = {ATA_PASS_THROUGH_16: 16, ATA_PASS_THROUGH_12: 12}
    if len(cdb) != sizes.get(kind):
        raise BadInput("ATA PASS-THROUGH", [Problem("", f"operation code {kind:02X}h, {len(cdb)} bytes")])
    protocol = cdb[1] >> 1 & 0x0F
    if protocol not in {transfer.value for transfer in Transfer}:
        raise BadInput("ATA PASS-THROUGH", [Problem("protocol", f"{protocol} is not supported")])
    return PassThrough(command=_command(cdb, Transfer(protocol)), check_condition=bool(cdb[2] & _CK_COND))


def _command(cdb: bytes, transfer: Transfer) -> AtaCommand:
    if cdb[0] == ATA_PASS_THROUGH_12:
        feature, count, lba = cdb[3], cdb[4], int.from_bytes(cdb[5:8], "little")
        device, opcode, extended = cdb[8], cdb[9], False
    else:
        extended = bool(cdb[1] & _EXTEND)
        feature, count = int.from_bytes(cdb[3:5]), int.from_bytes(cdb[5:7])
        lba = int.from_bytes(bytes([cdb[8], cdb[10], cdb[12], cdb[7], cdb[9], cdb[11]]), "little")
        device, opcode = cdb[13], cdb[14]
        if not extended:
            feature, count, lba = feature & 0xFF, count & 0xFF, lba & 0xFFFFFF
    return AtaCommand(
        opcode=opcode,
        transfer=transfer,
        feature=feature,
        count=count,
        lba=lba,
        device=device,
        extended=extended,
        sectors_in=count if transfer is Transfer.PIO_IN else 0,
    )

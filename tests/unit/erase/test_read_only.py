"""The list of commands that only read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.linux.disk.drive_commands import IoctlDriveQueries, held
from gprov.domain.disk.model import Disk, Partition
from gprov.domain.erase.ata.password import password_sector
from gprov.domain.erase.drive_io import NoReply, NvmeCommand, ScsiCommand
from gprov.domain.erase.read_only import reads_only
from gprov.domain.errors import InternalError
from gprov.domain.formats.ata import commands as ata
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.scsi import commands as scsi
from gprov.domain.formats.scsi.pass_through import pass_through_16

DISK = Disk(name="gone", node="/dev/does-not-exist", device=DeviceNumber(8, 0), size=512)
ALLOWED_SCSI = {0x00, 0x03, 0x12, 0x25}
ALLOWED_ATA = {0xEC, 0xE5, 0xF8, 0x27, 0x78, 0xB1, 0xB4}


def passed(command: ata.AtaCommand) -> ScsiCommand:
    return ScsiCommand(pass_through_16(command), command.sectors_in * 512, command.data_out)


READS = [
    ScsiCommand(scsi.test_unit_ready()),
    ScsiCommand(scsi.request_sense(), 252),
    ScsiCommand(scsi.inquiry(36), 36),
    ScsiCommand(scsi.read_capacity_16(), 32),
    ScsiCommand(scsi.report_supported_operation_code(0x48, 1, 20), 20),
    passed(ata.identify_device()),
    passed(ata.sanitize_status()),
    passed(ata.read_native_max_address(extended=True)),
    passed(ata.read_native_max_address(extended=False)),
    passed(ata.get_native_max_address()),
    passed(ata.device_configuration_identify()),
    passed(ata.check_power_mode()),
    NvmeCommand(opcode=0x06, data_in=4096),
    NvmeCommand(opcode=0x02, dwords=(0x81, 0, 0, 0, 0, 0), data_in=512),
]
CHANGES = [
    ScsiCommand(scsi.sanitize(scsi.SanitizeAction.CRYPTOGRAPHIC_ERASE)),
    ScsiCommand(bytes([0x04, 0, 0, 0, 0, 0])),
    ScsiCommand(bytes([0x9E, 0x12]) + bytes(14), 8),
    ScsiCommand(bytes([0xA4, 0x0C]) + bytes(10), 8),
    ScsiCommand(b""),
    ScsiCommand(bytes([0x9E])),
    ScsiCommand(bytes([0x85, 0x08])),
    passed(ata.sanitize_block_erase()),
    passed(ata.sanitize_crypto_scramble()),
    passed(ata.sanitize_overwrite(0)),
    passed(ata.sanitize_antifreeze_lock()),
    passed(ata.AtaCommand(opcode=0xB4, feature=0, count=1, extended=True)),
    passed(ata.AtaCommand(opcode=0x78, feature=1, extended=True)),
    passed(ata.AtaCommand(opcode=0xB1, feature=0xC3)),
    passed(ata.AtaCommand(opcode=0xB1, feature=0xC0)),
    passed(ata.AtaCommand(opcode=0xF9)),
    passed(ata.security_erase_prepare()),
    passed(ata.security_set_password(password_sector())),
    NvmeCommand(opcode=0x80),
    NvmeCommand(opcode=0x84),
    NvmeCommand(opcode=0x09),
    NvmeCommand(opcode=0x02, dwords=(0x107, 0, 0, 0, 0, 0), data_in=512),
]


@pytest.mark.parametrize("command", READS)
def test_commands_that_only_read(command: ScsiCommand | NvmeCommand) -> None:
    assert reads_only(command)


@pytest.mark.parametrize("command", CHANGES)
def test_all_others_are_a_defect_of_the_caller(command: ScsiCommand | NvmeCommand) -> None:
    assert not reads_only(command)
    queries = IoctlDriveQueries()
    with pytest.raises(InternalError):
        queries.scsi(DISK, command) if isinstance(command, ScsiCommand) else queries.nvme(DISK, command)


@given(cdb=st.binary(max_size=16), sent=st.binary(max_size=2))
def test_nothing_else_is_on_the_list(cdb: bytes, sent: bytes) -> None:
    if not reads_only(ScsiCommand(cdb, 512, sent)):
        return
    assert not sent
    if cdb[0] in (0x85, 0xA1):
        assert (cdb[14] if cdb[0] == 0x85 else cdb[9]) in ALLOWED_ATA
    else:
        assert cdb[0] in ALLOWED_SCSI or (cdb[0], cdb[1] & 0x1F) in {(0x9E, 0x10), (0xA3, 0x0C)}


def test_a_disk_that_is_gone_gives_no_reply() -> None:
    reply = IoctlDriveQueries().scsi(DISK, ScsiCommand(scsi.inquiry(36), 36))
    assert isinstance(reply, NoReply)
    assert "No such file" in reply.reason


def test_a_disk_below_an_array_or_mapping_is_in_use() -> None:
    part = Partition(name="a1", node="/dev/a1", device=DeviceNumber(8, 1), number=1, start=0, size=512)
    assert held(replace(DISK, partitions=(part,))) == ""
    assert "253:0" in held(replace(DISK, holders=(DeviceNumber(253, 0),)))
    assert "9:127" in held(replace(DISK, partitions=(replace(part, holders=(DeviceNumber(9, 127),)),)))

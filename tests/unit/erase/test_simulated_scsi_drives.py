"""Commands of simulated drives that kernels send to every disk (SPC-4, SBC-4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.drives.faults import AtaFaults
from gprov.domain.erase.ata.exchange import send_ata
from gprov.domain.erase.drive_io import ScsiCommand, ScsiReply
from gprov.domain.erase.scsi.exchange import Answer
from gprov.domain.formats.ata.commands import sanitize_block_erase
from gprov.domain.formats.scsi import commands as scsi
from gprov.domain.formats.scsi.inquiry import parse_inquiry, parse_supported_pages
from gprov.domain.formats.scsi.replies import Support, parse_capacity_16, parse_support
from gprov.domain.formats.scsi.sense import parse_sense
from tests.unit.erase.scsi_driver import CONTENT, Bench, ata_bench, scsi_bench

BENCHES = pytest.mark.parametrize("make", [ata_bench, scsi_bench])
LENGTH = 96


def reply(bench: Bench, cdb: bytes, data_in: int = 0, data_out: bytes = b"") -> ScsiReply:
    found = bench.drive.scsi(ScsiCommand(cdb, data_in, data_out))
    assert isinstance(found, ScsiReply)
    return found


def blocks(opcode: int, lba: int, count: int) -> bytes:
    """READ or WRITE of 6, 10 or 16 bytes."""
    if opcode < 0x20:
        return bytes([opcode, *lba.to_bytes(3), count & 0xFF, 0])
    if opcode < 0x80:
        return bytes([opcode, 0, *lba.to_bytes(4), 0, *count.to_bytes(2), 0])
    return bytes([opcode, 0, *lba.to_bytes(8), *count.to_bytes(4), 0, 0])


@BENCHES
@pytest.mark.parametrize(("read", "write"), [(0x08, 0x0A), (0x28, 0x2A), (0x88, 0x8A)])
def test_what_was_written_is_read(make: Callable[[], Bench], read: int, write: int) -> None:
    bench = make()
    assert reply(bench, blocks(write, 7, 2), data_out=bytes([1]) * 1024).status == 0
    assert reply(bench, blocks(read, 6, 4), 2048).data == CONTENT[:512] + bytes([1]) * 1024 + CONTENT[:512]
    assert reply(bench, blocks(read, 2047, 1), 512).status == 0
    outside = reply(bench, blocks(read, 2047, 2), 1024)
    assert parse_sense(outside.sense).code == (0x21, 0)


@BENCHES
@pytest.mark.parametrize("verify", [0x2F, 0x8F])
def test_verify_compares(make: Callable[[], Bench], verify: int) -> None:
    bench = make()
    plain = bytearray(blocks(verify, 1, 2))
    compared = bytes([plain[0], 0x02, *plain[2:]])
    assert reply(bench, bytes(plain)).status == 0
    assert reply(bench, compared, data_out=CONTENT[:1024]).status == 0
    assert parse_sense(reply(bench, compared, data_out=bytes(1024)).sense).key == 0x0E
    assert parse_sense(reply(bench, blocks(verify, 2048, 1)).sense).code == (0x21, 0x00)


def test_an_ata_drive_states_its_capacity_while_it_sanitizes_and_while_it_is_locked() -> None:
    bench = ata_bench()
    assert bench.run(send_ata(sanitize_block_erase())).answer is Answer.DONE
    locked = ata_bench(faults=AtaFaults(locked_by=b"stranger"))
    for drive in (bench, locked):
        assert parse_capacity_16(reply(drive, scsi.read_capacity_16(), 32).data).blocks == 2048
        assert reply(drive, blocks(0x28, 0, 1), 512).status == 2
    assert reply(bench, scsi.test_unit_ready()).status == 2
    assert reply(locked, scsi.test_unit_ready()).status == 0


@BENCHES
def test_both_capacities_agree(make: Callable[[], Bench]) -> None:
    bench = make()
    long = parse_capacity_16(reply(bench, scsi.read_capacity_16(), 32).data)
    short = reply(bench, bytes([0x25]) + bytes(9), 8).data
    assert (long.blocks - 1).to_bytes(4) + long.block_size.to_bytes(4) == short
    assert long.size == 1 << 20


@BENCHES
def test_a_drive_identifies_itself_and_lists_its_pages(make: Callable[[], Bench]) -> None:
    bench = make()
    assert parse_inquiry(reply(bench, scsi.inquiry(LENGTH), LENGTH).data).device_type == 0
    pages = parse_supported_pages(reply(bench, scsi.inquiry(LENGTH, 0), LENGTH).data)
    for page in pages:
        assert reply(bench, scsi.inquiry(1024, page), 1024).data[1] == page
    assert parse_sense(reply(bench, scsi.inquiry(1024, 0xC0), 1024).sense).code == (0x24, 0)
    assert len(reply(bench, scsi.inquiry(5), 1024).data) == 5
    assert reply(bench, bytes([0xA0]) + bytes(5) + bytes([0, 0, 1, 0, 0, 0]), 256).data == b"\0\0\0\x08" + bytes(12)


@BENCHES
@pytest.mark.parametrize("page", [0x01, 0x08, 0x0A, 0x3F])
def test_mode_pages_state_their_lengths(make: Callable[[], Bench], page: int) -> None:
    bench = make()
    short = reply(bench, bytes([0x1A, 8, page, 0, 255, 0]), 255).data
    long = reply(bench, bytes([0x5A, 8, page, 0, 0, 0, 0, 1, 0, 0]), 256).data
    assert short[0] == len(short) - 1
    assert int.from_bytes(long[:2]) == len(long) - 2
    assert short[4:] == long[8:]
    assert reply(bench, bytes([0x1A, 8, 0x19, 0, 255, 0]), 255).status == 2


@BENCHES
def test_a_power_cycle_is_a_unit_attention_once(make: Callable[[], Bench]) -> None:
    bench = make()
    bench.drive.power_cycle()
    assert reply(bench, scsi.inquiry(LENGTH), LENGTH).status == 0
    assert parse_sense(reply(bench, scsi.test_unit_ready()).sense).code == (0x29, 0)
    assert reply(bench, scsi.test_unit_ready()).status == 0


@BENCHES
@pytest.mark.parametrize(("opcode", "action", "known"), [(0x9E, 0x10, True), (0x9E, 0x12, False), (0xF1, 0, False)])
def test_supported_commands_are_reported(make: Callable[[], Bench], opcode: int, action: int, known: bool) -> None:
    bench = make()
    found = parse_support(reply(bench, scsi.report_supported_operation_code(opcode, action, 20), 20).data)
    assert (found is Support.SUPPORTED) == known


def test_an_ata_drive_has_no_scsi_sanitize_and_a_scsi_drive_no_pass_through() -> None:
    block = scsi.report_supported_operation_code(0x48, scsi.SanitizeAction.BLOCK_ERASE, 20)
    assert parse_support(reply(ata_bench(), block, 20).data) is Support.NOT_SUPPORTED
    assert parse_support(reply(scsi_bench(), block, 20).data) is Support.SUPPORTED
    assert parse_sense(reply(scsi_bench(), bytes([0x85]) + bytes(15), 512).sense).code == (0x20, 0)


@pytest.mark.parametrize("parameters", [b"", bytes([0, 0, 0, 1, 7]), bytes([1, 0, 0, 0]), bytes([1, 0, 0, 2, 7])])
def test_wrong_parameters_of_an_overwrite_are_refused(parameters: bytes) -> None:
    bench = scsi_bench()
    cdb = scsi.sanitize(scsi.SanitizeAction.OVERWRITE, len(parameters))
    assert reply(bench, cdb, data_out=parameters).status == 2
    assert not bench.disk.in_progress


@given(cdb=st.binary(min_size=16, max_size=16), data_in=st.integers(0, 600), data_out=st.binary(max_size=600))
def test_any_command_has_a_reply(cdb: bytes, data_in: int, data_out: bytes) -> None:
    for bench in (ata_bench(), scsi_bench()):
        found = bench.drive.scsi(ScsiCommand(cdb, data_in, data_out))
        assert isinstance(found, ScsiReply)
        assert len(found.data) <= max(data_in, 512)

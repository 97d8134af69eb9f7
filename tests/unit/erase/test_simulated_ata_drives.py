"""State machines of simulated ATA drives, command by command (ACS-4)."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.drives.ata_model import BLOCK, AtaModel
from gprov.adapters.fake.drives.faults import AtaFaults
from gprov.domain.erase.drive_io import ScsiCommand, ScsiReply
from gprov.domain.formats.ata import commands as ata
from gprov.domain.formats.ata.commands import AtaCommand, Transfer
from gprov.domain.formats.ata.registers import AtaRegisters
from gprov.domain.formats.ata.security_data import SecurityData, SecurityLevel, security_sector
from gprov.domain.formats.scsi import commands as scsi
from gprov.domain.formats.scsi.pass_through import pass_through_16
from gprov.domain.formats.scsi.replies import parse_capacity_16
from gprov.domain.formats.scsi.sense import parse_sense
from tests.unit.erase.scsi_driver import CONTENT, AtaBench, ata_bench

MINE = security_sector(SecurityData(b"mine"))
WRONG = security_sector(SecurityData(b"wrong"))
MASTER = security_sector(SecurityData(b"master", master=True))
MAXIMUM = security_sector(SecurityData(b"mine", level=SecurityLevel.MAXIMUM))
FREEZE = AtaCommand(opcode=0xF5)
READ_10 = ScsiCommand(bytes([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0]), 512)


def registers(bench: AtaBench, command: AtaCommand) -> AtaRegisters | None:
    cdb = pass_through_16(command)
    reply = bench.sat.scsi(ScsiCommand(cdb, command.sectors_in * 512, command.data_out, 36000.0))
    assert isinstance(reply, ScsiReply)
    return parse_sense(reply.sense).ata if reply.sense else None


def accepted(bench: AtaBench, command: AtaCommand) -> bool:
    found = registers(bench, command)
    return found is None or not found.failed


def state(bench: AtaBench) -> str:
    return bench.sat.device.security.state


def power_cycle(bench: AtaBench) -> None:
    bench.sat.power_cycle()
    bench.sat.scsi(ScsiCommand(bytes(6)))  # takes the unit attention


def test_a_password_locks_from_the_next_power_cycle_on() -> None:
    bench = ata_bench()
    assert state(bench) == "SEC1"
    assert accepted(bench, ata.security_set_password(MINE))
    assert state(bench) == "SEC5"
    power_cycle(bench)
    assert state(bench) == "SEC4"
    assert not accepted(bench, ata.security_disable_password(MINE))
    assert not accepted(bench, ata.security_set_password(MINE))
    assert not accepted(bench, FREEZE)
    assert accepted(bench, ata.security_unlock(MINE))
    assert state(bench) == "SEC5"
    assert not accepted(bench, ata.security_disable_password(WRONG))
    assert accepted(bench, ata.security_disable_password(MINE))
    assert state(bench) == "SEC1"


def test_frozen_security_accepts_nothing_until_the_next_power_cycle() -> None:
    bench = ata_bench()
    assert accepted(bench, FREEZE)
    assert state(bench) == "SEC2"
    for command in (ata.security_set_password(MINE), ata.security_unlock(MINE), ata.security_erase_prepare()):
        assert not accepted(bench, command)
    assert accepted(bench, FREEZE)
    power_cycle(bench)
    assert state(bench) == "SEC1"
    assert accepted(bench, ata.security_set_password(MINE))
    assert accepted(bench, FREEZE)
    assert state(bench) == "SEC6"
    assert not accepted(bench, ata.security_disable_password(MINE))


def test_five_wrong_passwords_block_until_the_next_power_cycle() -> None:
    bench = ata_bench(faults=AtaFaults(locked_by=b"mine"))
    for _ in range(5):
        assert not accepted(bench, ata.security_unlock(WRONG))
    assert not accepted(bench, ata.security_unlock(MINE))
    power_cycle(bench)
    assert accepted(bench, ata.security_unlock(MINE))


@pytest.mark.parametrize(("user", "unlocks"), [(MINE, True), (MAXIMUM, False)])
def test_the_master_password_unlocks_at_level_high_only_and_erases_at_both(user: bytes, unlocks: bool) -> None:
    bench = ata_bench()
    assert accepted(bench, ata.security_set_password(MASTER))
    assert state(bench) == "SEC1"
    assert accepted(bench, ata.security_set_password(user))
    power_cycle(bench)
    assert accepted(bench, ata.security_unlock(MASTER)) == unlocks
    assert accepted(bench, ata.security_erase_prepare())
    assert accepted(bench, ata.security_erase_unit(MASTER))
    assert state(bench) == "SEC1"
    assert bench.erased


def test_erase_unit_must_follow_erase_prepare_at_once() -> None:
    bench = ata_bench()
    accepted(bench, ata.security_set_password(MINE))
    assert not accepted(bench, ata.security_erase_unit(MINE))
    accepted(bench, ata.security_erase_prepare())
    accepted(bench, ata.identify_device())
    assert not accepted(bench, ata.security_erase_unit(MINE))
    accepted(bench, ata.security_erase_prepare())
    assert not accepted(bench, ata.security_erase_unit(WRONG))
    assert not bench.erased


def test_a_security_erase_needs_a_password_that_is_set() -> None:
    bench = ata_bench()
    accepted(bench, ata.security_erase_prepare())
    assert not accepted(bench, ata.security_erase_unit(MINE))
    assert not bench.erased


def test_a_locked_drive_gives_no_data_and_no_sanitize_operation() -> None:
    bench = ata_bench(faults=AtaFaults(locked_by=b"mine"))
    reply = bench.sat.scsi(READ_10)
    assert isinstance(reply, ScsiReply)
    assert parse_sense(reply.sense).key == 7
    assert not accepted(bench, ata.sanitize_block_erase())
    assert accepted(bench, ata.security_unlock(MINE))
    assert bench.sat.scsi(READ_10) == ScsiReply(0, data=CONTENT[:512])


def test_sanitize_operations_need_their_key() -> None:
    bench = ata_bench()
    assert not accepted(bench, AtaCommand(opcode=0xB4, feature=BLOCK, lba=1, extended=True))
    assert bench.sat.device.sanitize.state == "SD0"


def test_a_sanitize_operation_keeps_the_medium_inaccessible_and_continues_over_a_power_cycle() -> None:
    bench = ata_bench(AtaModel(sanitize_seconds=100))
    assert accepted(bench, ata.sanitize_block_erase())
    bench.clock.sleep(50)
    reply = bench.sat.scsi(READ_10)
    assert isinstance(reply, ScsiReply)
    sense = parse_sense(reply.sense)
    assert (sense.key, sense.code, sense.progress) == (2, (0x04, 0x1B), 0.5)
    assert not accepted(bench, ata.security_set_password(MINE))
    bench.clock.restart()
    power_cycle(bench)
    found = registers(bench, ata.sanitize_status())
    assert found is not None
    assert (found.count, found.lba) == (0x4000, 0x8000)
    bench.clock.sleep(50)
    found = registers(bench, ata.sanitize_status())
    assert found is not None
    assert found.count == 0x8000
    assert bench.sat.device.sanitize.state == "SD4"
    power_cycle(bench)
    assert bench.sat.device.sanitize.state == "SD0"


def test_a_failed_operation_stays_failed_without_the_failure_mode() -> None:
    bench = ata_bench(AtaModel(sanitize_seconds=0), faults=AtaFaults(sanitize_fails=True))
    assert accepted(bench, AtaCommand(opcode=0xB4, feature=BLOCK, lba=0x426B4572, extended=True))
    assert not accepted(bench, ata.sanitize_status())
    assert not accepted(bench, ata.sanitize_clear_failure())
    power_cycle(bench)
    assert bench.sat.device.sanitize.state == "SD3"
    assert accepted(bench, ata.sanitize_block_erase())
    assert accepted(bench, ata.sanitize_clear_failure())
    assert bench.sat.device.sanitize.state == "SD0"


def test_a_host_protected_area_reduces_the_capacity() -> None:
    bench = ata_bench()
    command = AtaCommand(opcode=0x37, lba=999, count=1, device=0x40, extended=True)
    assert accepted(bench, command)
    reply = bench.sat.scsi(ScsiCommand(scsi.read_capacity_16(), 32))
    assert isinstance(reply, ScsiReply)
    assert parse_capacity_16(reply.data).blocks == 1000
    found = registers(bench, ata.read_native_max_address(extended=True))
    assert found is not None
    assert found.lba == 2047
    assert not accepted(bench, AtaCommand(opcode=0x37, lba=2048, device=0x40, extended=True))


def test_identify_travels_in_twelve_bytes_too() -> None:
    bench = ata_bench()
    cdb = bytes([0xA1, 0x08, 0x0E, 0, 1, 0, 0, 0, 0, 0xEC, 0, 0])
    long = bench.sat.scsi(ScsiCommand(pass_through_16(ata.identify_device()), 512))
    assert bench.sat.scsi(ScsiCommand(cdb, 512)) == long
    assert isinstance(long, ScsiReply)
    assert len(long.data) == 512


def test_data_that_do_not_fit_the_protocol_are_refused() -> None:
    bench = ata_bench()
    cdb = pass_through_16(AtaCommand(opcode=0xF1, transfer=Transfer.PIO_OUT, count=1))
    reply = bench.sat.scsi(ScsiCommand(cdb))
    assert isinstance(reply, ScsiReply)
    assert parse_sense(reply.sense).key == 5

"""Error counters of simulated drives, read by the protocol through the port for queries, and their formats."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.disk.block import described
from gprov.adapters.fake.disk.drive_commands import FakeDriveQueries, MediaStore
from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.drives.nvme import SimulatedNvmeDrive
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.apps.unit.execution.erase.run_protocol import run_protocol
from gprov.domain.disk.model import Bus
from gprov.domain.errors import BadInput
from gprov.domain.formats.ata.smart import parse_smart_data, serialise_smart_data
from gprov.domain.formats.nvme.health_log import HealthLog, parse_health_log, serialise_health_log
from gprov.domain.mfg.burnin.diskcounters import DiskCounters
from gprov.domain.mfg.burnin.health_protocol import read_counters
from gprov.ports.clock import Deadline

GIB = 1 << 30


def counters(machine: SimulatedMachine) -> DiskCounters | None:
    (disk,) = described(machine)
    protocol = read_counters(disk)
    return run_protocol(protocol, FakeDriveQueries(machine), disk, machine.clock, Deadline(machine.clock, 60))


def test_attributes_of_an_ata_drive() -> None:
    machine = SimulatedMachine()
    disk = machine.add_disk(GIB)
    drive = SatDrive(machine.clock, MediaStore(disk), AtaModel(sectors=GIB // 512))
    disk.scsi_drive = drive
    before = counters(machine)
    assert before is not None
    assert dict(before.counts) == {
        "reallocated sectors": 0,
        "pending sectors": 0,
        "uncorrectable sectors": 0,
        "CRC errors of the interface": 0,
    }
    drive.device.smart = {197: 2, 5: 1}
    after = counters(machine)
    assert after is not None
    assert after.growth(before) == (("reallocated sectors", 1), ("pending sectors", 2))


def test_the_health_log_of_an_nvme_drive() -> None:
    machine = SimulatedMachine()
    disk = machine.add_disk(GIB, bus=Bus.NVME)
    drive = SimulatedNvmeDrive(machine.clock, {1: GIB}, lambda _number, _byte: None)
    disk.nvme_drive = drive
    drive.health = HealthLog(warning_bits=0b101, temperature=50, media_errors=3)
    found = counters(machine)
    assert found == DiskCounters(
        (("media errors", 3),),
        ("the available spare is below its threshold", "the reliability is degraded"),
    )


def test_a_drive_without_counters_has_none() -> None:
    machine = SimulatedMachine()
    disk = machine.add_disk(GIB)
    assert counters(machine) is None
    drive = SatDrive(machine.clock, MediaStore(disk), AtaModel(sectors=GIB // 512))
    disk.scsi_drive = drive
    drive.device.smart = {9: 4}
    assert counters(machine) is None


@given(st.dictionaries(st.integers(1, 255), st.integers(0, 2**32 - 1), max_size=30))
def test_smart_data_of_any_attributes(attributes: dict[int, int]) -> None:
    data = serialise_smart_data(attributes)
    assert parse_smart_data(data) == attributes
    if attributes:
        number, count = next(iter(attributes.items()))
        assert struct.unpack_from("<B4xI", data, 2) == (number, count)
    with pytest.raises(BadInput, match="checksum"):
        parse_smart_data(bytes([data[0] ^ 1]) + data[1:])


@given(st.integers(0, 255), st.none() | st.integers(-272, 1000), st.integers(0, 2**128 - 1))
def test_health_logs(bits: int, temperature: int | None, errors: int) -> None:
    log = HealthLog(warning_bits=bits, temperature=temperature, media_errors=errors)
    assert parse_health_log(serialise_health_log(log)) == log


@given(st.binary(max_size=600))
def test_any_bytes(data: bytes) -> None:
    for parse in (parse_smart_data, parse_health_log):
        try:
            parse(data)
        except BadInput:
            assert len(data) < 512 or sum(data[:512]) % 256

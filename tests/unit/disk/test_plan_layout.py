"""Partition tables are planned so that they fit, are aligned, and never overlap, whatever the disk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import ALIGNMENT, GIB, KIB, MIB, PartitionRole, PartitionTable, TableKind
from gprov.domain.disk.plan_layout import MBR_LIMIT, MIN_DATA, primary_table, recovery_table
from gprov.domain.errors import HardwareMismatch

TIB = 1024 * GIB
firmwares = st.sampled_from(FirmwareKind)
sizes = st.one_of(
    st.integers(0, 2 * GIB),
    st.integers(2 * TIB - 10 * MIB, 2 * TIB + 10 * MIB),
    st.integers(0, 64 * TIB),
    st.sampled_from([3 * TIB, 16 * TIB, 18 * 10**12, 240 * 10**9, 21474836480]),
)


def roles(table: PartitionTable) -> list[PartitionRole]:
    return [part.role for part in table.partitions]


def planned(plan: Callable[[], PartitionTable], size: int) -> PartitionTable | None:
    """Only a small disk may be refused, and the refusal names its size."""
    if size >= 270 * MIB:
        return plan()
    with suppress(HardwareMismatch):
        return plan()
    with pytest.raises(HardwareMismatch, match=f"{size} bytes"):
        plan()
    return None


def check(table: PartitionTable, disk_size: int) -> None:
    """What must hold for any table, with sectors of 512 and of 4096 bytes."""
    assert [part.number for part in table.partitions] == list(range(1, len(table.partitions) + 1))
    previous_end = MIB
    for part in table.partitions:
        assert part.start % MIB == 0
        assert part.size % MIB == 0
        assert part.size > 0
        assert part.start >= previous_end
        previous_end = part.end
    for sector in (512, 4096):
        tail = 16384 + sector if table.kind is TableKind.GPT else 0
        assert previous_end <= disk_size - tail
    if table.kind is TableKind.MBR:
        assert all(part.end <= 2**32 * 512 for part in table.partitions)
        assert sum(part.active for part in table.partitions) == 1
        assert len(table.partitions) <= 4
    assert table.partitions[-1].size >= MIN_DATA
    # Nothing worth having is left over: less than the backup table and a unit of alignment.
    assert disk_size - previous_end < 2 * MIB


@given(firmwares, sizes)
def test_recovery_tables_fit_any_disk_or_are_refused(firmware: FirmwareKind, size: int) -> None:
    table = planned(lambda: recovery_table(firmware, size), size)
    if table is not None:
        check(table, size)


@given(firmwares, sizes, st.booleans())
def test_primary_tables_fit_any_disk_or_are_refused(firmware: FirmwareKind, size: int, raid: bool) -> None:
    table = planned(lambda: primary_table(firmware, size, raid), size)
    if table is not None:
        check(table, size)
        assert roles(table)[-1] is (PartitionRole.RAID if raid else PartitionRole.LINUX)


def test_recovery_with_uefi_is_an_esp_and_recovery_on_gpt() -> None:
    table = recovery_table(FirmwareKind.UEFI, 8 * 10**9)
    assert table.kind is TableKind.GPT
    assert roles(table) == [PartitionRole.ESP, PartitionRole.LINUX]
    assert [part.label for part in table.partitions] == ["ESP", "RECOVERY"]
    assert table.partitions[0].size == 200 * MIB
    assert not any(part.active for part in table.partitions)


def test_recovery_with_bios_is_one_active_partition_on_mbr() -> None:
    table = recovery_table(FirmwareKind.BIOS, 8 * 10**9)
    assert (table.kind, roles(table)) == (TableKind.MBR, [PartitionRole.LINUX])
    assert table.partitions[0].active


def test_primary_with_uefi_is_one_partition() -> None:
    table = primary_table(FirmwareKind.UEFI, 20 * GIB, raid=True)
    assert (table.kind, roles(table)) == (TableKind.GPT, [PartitionRole.RAID])


def test_primary_with_bios_has_a_boot_partition_first() -> None:
    table = primary_table(FirmwareKind.BIOS, 20 * GIB, raid=False)
    assert (table.kind, roles(table)) == (TableKind.MBR, [PartitionRole.LINUX, PartitionRole.LINUX])
    assert table.partitions[0].size == 200 * MIB


@pytest.mark.parametrize(
    ("size", "kind"),
    [(2 * TIB, TableKind.MBR), (MBR_LIMIT, TableKind.MBR), (MBR_LIMIT + 512, TableKind.GPT), (3 * TIB, TableKind.GPT)],
)
def test_bios_gets_gpt_above_two_tebibytes(size: int, kind: TableKind) -> None:
    table = primary_table(FirmwareKind.BIOS, size, raid=False)
    assert table.kind is kind
    assert (PartitionRole.BIOS_BOOT in roles(table)) == (kind is TableKind.GPT)
    assert recovery_table(FirmwareKind.BIOS, size).kind is kind


def test_refusal_names_what_would_be_enough() -> None:
    with pytest.raises(HardwareMismatch) as caught:
        recovery_table(FirmwareKind.UEFI, 100 * MIB)
    least = int(str(caught.value).split("at least ")[1].split()[0])
    check(recovery_table(FirmwareKind.UEFI, least), least)
    with pytest.raises(HardwareMismatch):
        recovery_table(FirmwareKind.UEFI, least - 1)


def test_units_are_binary() -> None:
    assert (KIB, MIB, GIB, ALIGNMENT) == (2**10, 2**20, 2**30, 2**20)


def test_partitions_follow_each_other_and_the_last_takes_the_rest() -> None:
    table = recovery_table(FirmwareKind.UEFI, 8 * GIB)
    assert [(part.start, part.end) for part in table.partitions] == [
        (MIB, 201 * MIB),
        (201 * MIB, 8 * GIB - MIB),
    ]
    bios = primary_table(FirmwareKind.BIOS, 3 * TIB, raid=False)
    assert [(part.start, part.size, part.label, part.active) for part in bios.partitions] == [
        (MIB, MIB, "BIOS", False),
        (2 * MIB, 200 * MIB, "BOOT", True),
        (202 * MIB, 3 * TIB - 203 * MIB, "PRIMARY", False),
    ]
    assert [part.label for part in primary_table(FirmwareKind.BIOS, 20 * GIB, raid=False).partitions] == ["", ""]


def test_what_is_missing_is_told_in_bytes() -> None:
    with pytest.raises(HardwareMismatch) as caught:
        recovery_table(FirmwareKind.UEFI, 100 * MIB + 5)
    assert str(caught.value).startswith("disk too small: 104857605 bytes, at least 277893120 are needed")
    assert [problem.message for problem in caught.value.differences] == [
        "103809024 bytes (20480 for the table's backup, 1028101 unaligned)",
        "1048576 for the table, 209715200 fixed, 67108864 for data at least",
    ]
    with pytest.raises(HardwareMismatch) as caught:
        recovery_table(FirmwareKind.UEFI, 100)
    assert caught.value.differences[0].message == "0 bytes (20480 for the table's backup, 0 unaligned)"
    with pytest.raises(HardwareMismatch) as caught:
        recovery_table(FirmwareKind.BIOS, 100)
    assert caught.value.differences[0].message == "0 bytes (0 for the table's backup, 100 unaligned)"


def test_what_people_and_partitioners_call_kinds_and_roles() -> None:
    assert [kind.value for kind in TableKind] == ["gpt", "msdos"]
    assert [role.value for role in PartitionRole] == ["esp", "bios_boot", "linux", "raid"]

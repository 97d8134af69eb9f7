"""What a disk says about itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.disk.model import Bus, Contents, Disk, Partition, Volume
from gprov.domain.formats.disk.device_number import DeviceNumber

PART = Partition(
    name="sda1", node="/dev/sda1", device=DeviceNumber(8, 1), number=1, start=0, size=1, holders=(DeviceNumber(9, 0),)
)
DISK = Disk(
    name="sda", node="/dev/sda", device=DeviceNumber(8, 0), size=8 * 10**9, bus=Bus.USB, vendor="V", model="M",
    serial="S7", wwn="naa.5", path="/devices/usb1", partitions=(PART,), holders=(DeviceNumber(253, 0),),
)  # fmt: skip


def test_devices_are_all_that_use_the_disk() -> None:
    assert DISK.devices == {(8, 0), (8, 1), (9, 0), (253, 0)}


def test_identity_is_all_that_there_is() -> None:
    assert DISK.identity == "naa.5 M_S7 at /devices/usb1"
    assert replace(DISK, slot="pci-0").identity == "naa.5 M_S7 at pci-0"
    assert replace(DISK, wwn="").identity == "M_S7 at /devices/usb1"
    assert replace(DISK, wwn="", model="").identity == "S7 at /devices/usb1"
    assert replace(DISK, wwn="", serial="").identity == "/devices/usb1"
    assert replace(DISK, wwn="", serial="", path="").identity == "sda"


@pytest.mark.parametrize("serial", ["0000000000", "To be filled by O.E.M.", "None", "1234567"])
def test_a_serial_number_that_was_never_given_names_nothing(serial: str) -> None:
    assert replace(DISK, serial=serial).called == "naa.5"


BATCH = replace(DISK, wwn="naa.5", serial="SAME", partitions=(), holders=())


@pytest.mark.parametrize(
    "other",
    [{"path": "/devices/usb2"}, {"slot": "pci-1"}, {"wwn": "naa.6"}, {"serial": "T"}, {"size": 1}, {"model": "N"}],
)
def test_one_difference_makes_another_disk(other: dict[str, Any]) -> None:
    now = replace(BATCH, **other)
    assert "is another disk by now" in BATCH.exchanged(now, [now])
    assert BATCH.exchanged(BATCH, [BATCH]) == ""
    # Beside it, both are known by that difference.
    assert BATCH.exchanged(BATCH, [BATCH, replace(now, device=DeviceNumber(8, 16))]) == ""


def test_what_came_back_in_the_same_place_may_be_another_disk() -> None:
    before, after = replace(BATCH, sequence=7), replace(BATCH, sequence=8)
    assert "was detached meanwhile" in before.exchanged(after, [after])
    assert before.exchanged(before, [before]) == ""
    # Older kernels do not count.
    assert BATCH.exchanged(after, [after]) == ""


facts = st.fixed_dictionaries(
    {
        "wwn": st.sampled_from(["", "naa.5"]),
        "serial": st.sampled_from(["", "S", "0000"]),
        "path": st.sampled_from(["", "/devices/nvme0n1", "/devices/nvme0n2"]),
        "slot": st.sampled_from(["", "pci-0"]),
        "size": st.sampled_from([1, 2]),
        "sequence": st.sampled_from([0, 1, 2]),
    }
)


@settings(max_examples=300)
@given(st.lists(facts, min_size=1, max_size=5), st.data())
def test_never_the_same_if_another_disk_could_be_it(disks: list[dict[str, Any]], data: st.DataObject) -> None:
    present = [replace(BATCH, device=DeviceNumber(8, 16 * number), **disk) for number, disk in enumerate(disks)]
    chosen, now = data.draw(st.sampled_from(present)), data.draw(st.sampled_from(present))
    chosen = replace(chosen, device=now.device)  # the number went to whatever is plugged in next
    if chosen.exchanged(now, present) == "":
        assert chosen.identity == now.identity
        assert [told(one) for one in present].count(told(chosen)) == 1


def told(disk: Disk) -> tuple[object, ...]:
    return disk.wwn, disk.serial, disk.path, disk.slot, disk.size


def test_marks_tell_media_apart() -> None:
    volume = Volume(disk=BATCH, node="/dev/sda1", device=DeviceNumber(8, 1), contents=Contents("ext4"))
    assert replace(volume, disk=replace(BATCH, path="/devices/usb2")).stable_id != volume.stable_id
    assert replace(volume, disk=replace(BATCH, sequence=2)).stable_id != volume.stable_id
    assert replace(volume, disk=replace(BATCH, partitions=(PART,))).stable_id == volume.stable_id


def test_description_names_size_and_attachment() -> None:
    assert DISK.describe() == "/dev/sda (8.0 GB, usb, V M S7)"
    assert "unnamed" in replace(DISK, vendor="", model="", serial="").describe()


def test_blank_contents() -> None:
    assert Contents().blank
    assert not Contents("ext4").blank
    assert not Contents(ambivalent=True).blank


def test_device_numbers_read_as_the_kernel_writes_them() -> None:
    assert str(DeviceNumber(8, 17)) == "8:17"

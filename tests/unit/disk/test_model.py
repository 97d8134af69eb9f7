"""What a disk says about itself."""

from __future__ import annotations

from dataclasses import replace

from gprov.domain.disk.model import Bus, Contents, Disk, Partition
from gprov.domain.formats.disk.device_number import DeviceNumber

PART = Partition(
    name="sda1", node="/dev/sda1", device=DeviceNumber(8, 1), number=1, start=0, size=1, holders=(DeviceNumber(9, 0),)
)
DISK = Disk(
    name="sda", node="/dev/sda", device=DeviceNumber(8, 0), size=8 * 10**9, bus=Bus.USB, vendor="V", model="M",
    serial="S", wwn="naa.5", path="/devices/usb1", partitions=(PART,), holders=(DeviceNumber(253, 0),),
)  # fmt: skip


def test_devices_are_all_that_use_the_disk() -> None:
    assert DISK.devices == {(8, 0), (8, 1), (9, 0), (253, 0)}


def test_identity_prefers_what_survives_a_move_to_another_port() -> None:
    assert DISK.identity == "naa.5"
    assert replace(DISK, wwn="").identity == "M_S"
    assert replace(DISK, wwn="", model="").identity == "S"
    assert replace(DISK, wwn="", serial="").identity == "/devices/usb1"
    assert replace(DISK, wwn="", serial="", path="").identity == "sda"


def test_description_names_size_and_attachment() -> None:
    assert DISK.describe() == "/dev/sda (8.0 GB, usb, V M S)"
    assert "unnamed" in replace(DISK, vendor="", model="", serial="").describe()


def test_blank_contents() -> None:
    assert Contents().blank
    assert not Contents("ext4").blank
    assert not Contents(ambivalent=True).blank


def test_device_numbers_read_as_the_kernel_writes_them() -> None:
    assert str(DeviceNumber(8, 17)) == "8:17"

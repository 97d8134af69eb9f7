"""Which partition a start came from, told by the firmware's variables."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.boot.boot_partition import booted_partition_guid, find_partition
from gprov.domain.disk.model import Disk, Partition
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.efi.boot_variables import BOOT_CURRENT, entry_name, serialise_numbers
from gprov.domain.formats.efi.device_nodes import DevicePath, FilePath, Mac, Pci, Usb, gpt_partition
from gprov.domain.formats.efi.load_option import LoadOption, serialise_load_option
from gprov.domain.formats.efi.variables import Variable

GUID = "0fc63daf-8483-4772-8e79-3d69d8477de4"
ESP = gpt_partition(1, 2048, 409600, GUID)
KERNEL = FilePath("\\norm_boot")


def variables(path: DevicePath, current: bytes = serialise_numbers([5])) -> dict[str, Variable]:
    option = serialise_load_option(LoadOption("entry", path))
    return {BOOT_CURRENT: Variable(6, current), entry_name(5): Variable(7, option)}


@pytest.mark.parametrize("front", [(), (Pci(4, 0), Usb(1, 0))])
def test_the_entry_names_the_partition(front: DevicePath) -> None:
    assert booted_partition_guid(variables((*front, ESP, KERNEL))) == GUID


@pytest.mark.parametrize(
    "told",
    [
        {},
        variables((Pci(4, 0), Usb(1, 0))),
        variables((Pci(3, 0), Mac(b"\x56" * 32, 1))),
        variables((ESP, KERNEL), current=b""),
        variables((ESP, KERNEL), current=serialise_numbers([6])),
        {BOOT_CURRENT: Variable(6, serialise_numbers([5])), entry_name(5): Variable(7, b"junk")},
    ],
)
def test_starts_that_do_not_tell(told: dict[str, Variable]) -> None:
    assert booted_partition_guid(told) == ""


@settings(max_examples=150)
@given(st.binary(max_size=80), st.binary(max_size=6))
def test_any_variables(entry: bytes, current: bytes) -> None:
    told = {BOOT_CURRENT: Variable(6, current), entry_name(5): Variable(7, entry)}
    assert booted_partition_guid(told) == ""  # 80 random bytes hold no partition node


def disk(minor: int, *uuids: str) -> Disk:
    parts = [
        Partition(
            name=f"p{number}",
            node=f"/dev/p{number}",
            device=DeviceNumber(8, minor + number),
            number=number,
            start=0,
            size=1,
            uuid=uuid,
        )
        for number, uuid in enumerate(uuids, 1)
    ]
    return Disk(name="sda", node="/dev/sda", device=DeviceNumber(8, minor), size=1 << 30, partitions=tuple(parts))


def test_the_partition_is_found_by_its_guid_in_any_case() -> None:
    disks = [disk(0, "other", GUID.upper()), disk(16, "third")]
    assert find_partition(disks, GUID) == DeviceNumber(8, 2)


def test_a_guid_that_is_not_there_or_there_twice_tells_nothing() -> None:
    assert find_partition([disk(0, "a", ""), disk(16, "b")], GUID) is None
    assert find_partition([disk(0, GUID), disk(16, GUID)], GUID) is None
    # A partition without a GUID is not the booted one if the firmware names none.
    assert find_partition([disk(0, "", "")], "") is None
    assert find_partition([disk(0, "")], "") is None

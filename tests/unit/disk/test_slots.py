"""Places of disks do not depend on the numbers that the kernel gives in the order of probing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.disk.slots import Sysfs, slot_of

PCI = "/devices/pci0000:00/0000:00:{slot:02x}.0"
# What is between the PCI function and the disk; {n} is a number of the kernel's, the rest is of the hardware.
KINDS = (
    "/host{n}/target{n}:{a}:{b}/{n}:{a}:{b}:{c}/block/sda",
    "/virtio{n}/host{n}/target{n}:{a}:{b}/{n}:{a}:{b}:{c}/block/sda",
    "/host{n}/port-{n}:{a}/end_device-{n}:{a}/target{n}:0:{b}/{n}:0:{b}:{c}/block/sda",
    "/usb1/1-{a}/1-{a}:1.0/host{n}/target{n}:0:0/{n}:0:0:{c}/block/sda",
    "/ata{n}/host{n}/target{n}:{a}:0/{n}:{a}:0:0/block/sda",
    "/virtio{n}/block/vda",
    "/nvme/nvme{n}/nvme{n}n{a}",
)
NUMBERS = {"ata_port": b"2\n", "num_phys": b"1\n", "phy_identifier": b"5\n"}


def slot(folder: str) -> str:
    def read(path: str, attribute: str) -> bytes:
        return NUMBERS["ata_port"] if attribute == "port_no" else NUMBERS.get(attribute, b"")

    def names(path: str) -> list[str]:
        inside = folder.removeprefix(f"{path}/") if folder.startswith(f"{path}/") else ""
        return [inside.partition("/")[0]] if inside else []

    return slot_of(folder, Sysfs(read, names))


small = st.integers(0, 15)


@settings(max_examples=200)
@given(st.sampled_from(KINDS), st.integers(0, 31), small, small, small, st.integers(0, 99), st.integers(0, 99))
def test_numbers_of_probing_do_not_matter(
    kind: str, place: int, a: int, b: int, c: int, first: int, second: int
) -> None:
    found = {slot((PCI + kind).format(slot=place, a=a, b=b, c=c, n=number)) for number in (first, second)}
    (name,) = found
    assert name.startswith(f"pci-0000:00:{place:02x}.0")


@settings(max_examples=200)
@given(st.sampled_from(KINDS[:2]), small, small, small, small)
def test_other_targets_have_other_places(kind: str, a: int, b: int, c: int, other: int) -> None:
    here = slot((PCI + kind).format(slot=3, a=a, b=b, c=c, n=0))
    there = slot((PCI + kind).format(slot=3, a=a, b=other, c=c, n=0))
    assert (here == there) == (b == other)


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*"/0:19.-", "host", "target", "block", "0000:00:03.0", "end_device-"]), max_size=30))
def test_any_path_has_a_place_or_none(pieces: list[str]) -> None:
    found = slot("/devices/" + "".join(pieces))
    assert found == "" or found.startswith("pci-")

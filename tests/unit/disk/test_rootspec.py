"""real_root=KEY=VALUE, and which volume it names."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.disk.model import Bus, Contents, Disk, Partition, Volume
from gprov.domain.disk.rootspec import RootKey, RootSpec, matches, parse_root
from gprov.domain.formats.disk.device_number import DeviceNumber

UUID = "ed2d36e3-a3d9-408c-9255-897a010a783b"
PARTUUID = "01234567-89ab-cdef-0123-456789abcdef"
PART = Partition(
    name="sda2",
    node="/dev/sda2",
    device=DeviceNumber(8, 2),
    number=2,
    start=1 << 20,
    size=1 << 30,
    label="PRIMARY part",
    uuid=PARTUUID,
)
DISK = Disk(
    name="sda",
    node="/dev/sda",
    device=DeviceNumber(8, 0),
    size=1 << 31,
    bus=Bus.ATA,
    vendor="ATA",
    model="QEMU HARDDISK",
    serial="QM00013",
    wwn="naa.5000c500a1b2c3d4",
    slot="pci-0000:00:1f.2-ata-1",
    partitions=(PART,),
)
VOLUME = Volume(
    disk=DISK, node=PART.node, device=PART.device, contents=Contents("ext4", "PRIMARY", UUID), partition=PART
)
WHOLE = Volume(disk=DISK, node=DISK.node, device=DISK.device, contents=Contents("ext4", "PRIMARY", UUID))


@pytest.mark.parametrize(
    ("argument", "spec"),
    [
        ("LABEL=PRIMARY", RootSpec(RootKey.LABEL, "PRIMARY")),
        ("label=My=Disk", RootSpec(RootKey.LABEL, "My=Disk")),
        (f"uuid={UUID}", RootSpec(RootKey.UUID, UUID)),
        ('PartUuid="abc"', RootSpec(RootKey.PARTUUID, "abc")),
        ('"PARTLABEL=a b"', RootSpec(RootKey.PARTLABEL, "a b")),
        ("id=wwn-0x1", RootSpec(RootKey.ID, "wwn-0x1")),
        (" path = pci-1 ", RootSpec(RootKey.PATH, "pci-1")),
    ],
)
def test_parses(argument: str, spec: RootSpec) -> None:
    assert parse_root(argument) == (spec, "")


@pytest.mark.parametrize("argument", ["", "PRIMARY", "/dev/sda1", "DEV=sda", "UUID=", "=x", "LABEL", "UUID=''"])
def test_what_cannot_be_parsed_falls_back_with_a_note(argument: str) -> None:
    spec, note = parse_root(argument, "SYS")
    assert spec == RootSpec(RootKey.LABEL, "SYS")
    assert repr(argument) in note
    assert "LABEL=SYS" in note


@given(st.text())
def test_any_text_parses_or_falls_back(argument: str) -> None:
    spec, note = parse_root(argument)
    assert spec.value
    assert not note or spec == RootSpec(RootKey.LABEL, "PRIMARY")


@given(st.sampled_from(RootKey), st.text())
def test_matching_never_fails(key: RootKey, value: str) -> None:
    matches(RootSpec(key, value), VOLUME)


@pytest.mark.parametrize(
    "argument",
    [
        "LABEL=PRIMARY",
        f"UUID={UUID.upper()}",
        f"PARTUUID={PARTUUID.upper()}",
        "PARTLABEL=PRIMARY part",
        r"PARTLABEL=PRIMARY\x20part",
        "ID=ata-QEMU_HARDDISK_QM00013-part2",
        "ID=wwn-0x5000c500a1b2c3d4-part2",
        "ID=ata-ATA_QEMU_HARDDISK_QM00013-part2",
        "PATH=pci-0000:00:1f.2-ata-1-part2",
        "PATH=pci-0000:00:1f.2-ata-1.0-part2",
        "PATH=/dev/sda2",
    ],
)
def test_names_the_volume(argument: str) -> None:
    parsed = parse_root(argument)
    assert not parsed.note
    assert matches(parsed.spec, VOLUME)


@pytest.mark.parametrize(
    "argument",
    [
        "LABEL=primary",
        "LABEL=PRIMARY part",
        f"PARTUUID={UUID}",
        "ID=ata-QEMU_HARDDISK_QM00013",
        "ID=ata-QEMU_HARDDISK_QM00013-part1",
        "ID=ata-QEMU_HARDDISK-part2",
        "ID=-part2",
        "PATH=pci-0000:00:1f.2-ata-2-part2",
        "PATH=pci-0000:00:1f.2-ata-1",
        "PATH=/dev/sda",
    ],
)
def test_does_not_name_the_volume(argument: str) -> None:
    assert not matches(parse_root(argument).spec, VOLUME)


def test_a_usb_serial_is_found_behind_its_unit_number() -> None:
    stick = Disk(
        name="sdb",
        node="/dev/sdb",
        device=DeviceNumber(8, 16),
        size=1,
        bus=Bus.USB,
        vendor="SanDisk",
        model="Ultra",
        serial="4C53",
    )
    volume = Volume(disk=stick, node="/dev/sdb", device=stick.device, contents=Contents("ext4"))
    assert matches(RootSpec(RootKey.ID, "usb-SanDisk_Ultra_4C53-0:0"), volume)


def test_disks_without_facts_match_no_empty_value() -> None:
    nameless = Disk(name="vda", node="/dev/vda", device=DeviceNumber(254, 0), size=1)
    volume = Volume(disk=nameless, node="/dev/vda", device=nameless.device, contents=Contents())
    for key in RootKey:
        assert not matches(RootSpec(key, "virtio-"), volume)
        assert not matches(RootSpec(key, " "), volume)


def test_a_raid_member_is_never_root() -> None:
    member = Volume(
        disk=DISK,
        node=PART.node,
        device=PART.device,
        contents=Contents("linux_raid_member", "PRIMARY", UUID),
        partition=PART,
    )
    for spec in ("LABEL=PRIMARY", f"UUID={UUID}", "PARTLABEL=PRIMARY part", f"PARTUUID={PARTUUID}"):
        assert not matches(parse_root(spec).spec, member)


@pytest.mark.parametrize(
    ("argument", "whole"),
    [
        ("ID=ata-QEMU_HARDDISK_QM00013", True),
        ("ID=wwn-0x5000c500a1b2c3d4", True),
        ("PATH=pci-0000:00:1f.2-ata-1", True),
        ("PATH=/dev/sda", True),
        ("ID=ata-QEMU_HARDDISK_QM00013-part2", False),
        ("ID=ata-QEMU_HARDDISK_QM00013-part02", False),
        ("PATH=pci-0000:00:1f.2-ata-1-part2", False),
        (f"PARTUUID={PARTUUID}", False),
        ("PARTLABEL=PRIMARY part", False),
    ],
)
def test_a_whole_disk_has_no_partition_to_its_name(argument: str, whole: bool) -> None:
    assert matches(parse_root(argument).spec, WHOLE) is whole


ARRAY_UUID = "2f8a3c4e-9d10-4b6a-8c7e-5f0112233445"
ARRAY = Volume(
    disk=DISK,
    node="/dev/md127",
    device=DeviceNumber(9, 127),
    contents=Contents("ext4", "PRIMARY", UUID),
    array=ARRAY_UUID,
)


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("LABEL=PRIMARY", True),
        (f"UUID={UUID}", True),
        ("PATH=/dev/md127", True),
        ("ID=md-uuid-2f8a3c4e:9d104b6a:8c7e5f01:12233445", True),
        ("ID=MD-UUID-2F8A3C4E:9D104B6A:8C7E5F01:12233445", True),
        ("PATH=/dev/sda", False),
        ("PATH=pci-0000:00:1f.2-ata-1", False),
        ("ID=ata-QEMU_HARDDISK_QM00013", False),
        ("ID=md-uuid-00000000:9d104b6a:8c7e5f01:12233445", False),
    ],
)
def test_an_array_has_names_of_its_own_and_none_of_its_disks(argument: str, named: bool) -> None:
    assert matches(parse_root(argument).spec, ARRAY) is named


BARE = Disk(name="x", node="/dev/x", device=DeviceNumber(254, 0), size=1)


@pytest.mark.parametrize(
    ("on", "link"),
    [
        (replace(BARE, wwn="eui.0025388b71b2c3d4"), "ID=nvme-eui.0025388b71b2c3d4"),
        (replace(BARE, serial="V1"), "ID=virtio-V1"),
        (replace(BARE, model="SD32G", serial="0x1a2b"), "ID=mmc-SD32G_0x1a2b"),
        (replace(BARE, vendor=" IBM ", model="DISK  A_B", serial="7"), "ID=scsi-IBM_DISK_A_B_7"),
        (replace(BARE, slot="pci-0000:00:05.0"), "PATH=virtio-pci-0000:00:05.0"),
    ],
)
def test_links_of_every_transport(on: Disk, link: str) -> None:
    spec = parse_root(link).spec
    assert matches(spec, Volume(disk=on, node=on.node, device=on.device, contents=Contents()))
    other = replace(on, wwn="eui.1", serial="2", slot="pci-0")
    assert not matches(spec, Volume(disk=other, node=on.node, device=on.device, contents=Contents()))


def test_quotes_must_come_in_pairs() -> None:
    assert parse_root("'LABEL=\"a b\"'").spec == RootSpec(RootKey.LABEL, "a b")
    assert parse_root("LABEL='a\"").spec == RootSpec(RootKey.LABEL, "'a\"")
    assert parse_root("LABEL='").spec == RootSpec(RootKey.LABEL, "'")
    assert parse_root("LABEL=xax").spec == RootSpec(RootKey.LABEL, "xax")


def test_what_is_known_is_listed_where_it_was_not_followed() -> None:
    assert parse_root("nonsense").note == (
        "real_root='nonsense' is not KEY=VALUE with a key of uuid, label, partuuid, partlabel, id, path:"
        " using LABEL=PRIMARY"
    )

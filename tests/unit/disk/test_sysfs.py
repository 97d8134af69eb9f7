"""Disks out of sysfs trees as kernels lay them out; each tree is files in a temporary folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.domain.disk.model import Bus, Disk
from gprov.domain.disk.targets import removable_reason
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.disk.device_number import DeviceNumber

# Device folder (as the kernel names it) → attributes. Sizes in units of 512 bytes.
Tree = Mapping[str, Mapping[str, str | bytes]]

SATA = "/devices/pci0000:00/0000:00:1f.2/ata5/host4/target4:0:0/4:0:0:0/block/sda"
USB = "/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2.3/1-2.3:1.0/host7/target7:0:0/7:0:0:0/block/sdaa"
NVME = "/devices/pci0000:00/0000:00:1d.0/0000:02:00.0/nvme/nvme0/nvme0n1"
VIRTIO = "/devices/pci0000:00/0000:00:04.0/virtio1/block/vda"
VSCSI = "/devices/pci0000:00/0000:00:05.0/virtio2/host2/target2:0:0/2:0:0:1/block/sdb"
MMC = "/devices/pci0000:00/0000:00:1a.0/mmc_host/mmc0/mmc0:0001/block/mmcblk0"

TREE: Tree = {
    SATA: {
        "dev": "8:0",
        "size": "500118192",
        "ro": "0",
        "removable": "0",
        "queue/logical_block_size": "512",
        "device/vendor": "ATA     ",
        "device/model": "Samsung SSD 860 ",
        "device/wwid": "naa.5002538e40a1b2c3",
        "device/vpd_pg80": b"\0\x80\0\x14S3Z9NB0K123456A     ",
    },
    SATA + "/sda2": {"dev": "8:2", "partition": "2", "start": "411648", "size": "1000", "uevent": "PARTNAME=PRIMARY"},
    SATA + "/sda10": {
        "dev": "8:10",
        "partition": "10",
        "start": "500000",
        "size": "2000",
        "uevent": "DEVNAME=sda10\nPARTNAME=a=b c\nPARTUUID=ABCD-10\n",
    },
    "/devices/pci0000:00/0000:00:1f.2/ata5/ata_port/ata5": {"port_no": "2"},
    USB: {
        "dev": "65:160",
        "size": "15633408",
        "removable": "1",
        "queue/logical_block_size": "512",
        "device/vendor": "SanDisk",
        "device/model": "Ultra Fit",
        "device/wwid": "t10.SanDisk Ultra Fit       4C530001",
    },
    "/devices/pci0000:00/0000:00:14.0/usb1/1-2": {"idVendor": "1d6b", "serial": "HUB"},
    "/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2.3": {"idVendor": "0781", "serial": "4C530001"},
    NVME: {
        "dev": "259:0",
        "size": "1000215216",
        "wwid": "eui.0025385b71b1e2c3",
        "queue/logical_block_size": "4096",
        "device/model": "Samsung SSD 970 EVO                     ",
        "device/serial": "S5H9NS0N123456      ",
        "ro": "1",
    },
    NVME + "/nvme0n1p1": {"dev": "259:1", "partition": "1", "start": "2048", "size": "409600"},
    VIRTIO: {"dev": "254:0", "size": "41943040", "serial": "data0\0", "device/vendor": "0x1af4"},
    VSCSI: {"dev": "8:16", "size": "2048", "device/vendor": "QEMU", "device/model": "QEMU HARDDISK"},
    MMC: {
        "dev": "179:0",
        "size": "7634944",
        "removable": "0",
        "device/name": "DG4008",
        "device/serial": "0x0118a29d",
        "device/type": "MMC",
    },
    MMC + "/mmcblk0p1": {"dev": "179:1", "partition": "1", "start": "2048", "size": "1024"},
    MMC + "/mmcblk0boot0": {"dev": "179:8", "size": "8192", "ro": "1"},
    MMC + "/mmcblk0gp0": {"dev": "179:16", "size": "8192"},
}


def build(root: Path, tree: Tree) -> SysfsBlockDevices:
    sysfs, dev = root / "sys", root / "dev"
    dev.mkdir(parents=True)
    (sysfs / "class/block").mkdir(parents=True)
    for folder, attributes in tree.items():
        for name, value in attributes.items():
            path = sysfs / folder.lstrip("/") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(value if isinstance(value, bytes) else value.encode() + b"\n")
        if "dev" in attributes:
            name = Path(folder).name
            (sysfs / "class/block" / name).symlink_to(f"../..{folder}")
            (dev / name).touch()
    return SysfsBlockDevices(str(sysfs), str(dev))


def disks(root: Path, tree: Tree) -> dict[str, Disk]:
    return {disk.name: disk for disk in build(root, tree).disks()}


def test_every_transport(tmp_path: Path) -> None:
    found = disks(tmp_path, TREE)
    assert list(found) == ["mmcblk0", "nvme0n1", "sda", "sdaa", "sdb", "vda"]
    assert {name: disk.bus for name, disk in found.items()} == {
        "sda": Bus.ATA,
        "sdaa": Bus.USB,
        "nvme0n1": Bus.NVME,
        "vda": Bus.VIRTIO,
        "sdb": Bus.SCSI,
        "mmcblk0": Bus.MMC,
    }


def test_sata(tmp_path: Path) -> None:
    disk = disks(tmp_path, TREE)["sda"]
    assert disk.node == f"{tmp_path}/dev/sda"
    assert disk.size == 500118192 * 512
    assert (disk.vendor, disk.model, disk.serial) == ("ATA", "Samsung SSD 860", "S3Z9NB0K123456A")
    assert disk.wwn == "naa.5002538e40a1b2c3"
    assert (disk.path, disk.slot) == (SATA, "pci-0000:00:1f.2-ata-2")
    assert (disk.removable, disk.read_only) == (False, False)


def test_usb_serial_is_that_of_the_stick_not_of_the_hub(tmp_path: Path) -> None:
    disk = disks(tmp_path, TREE)["sdaa"]
    assert (disk.vendor, disk.model, disk.serial, disk.wwn) == ("SanDisk", "Ultra Fit", "4C530001", "")
    assert disk.slot == "pci-0000:00:14.0-usb-0:2.3:1.0-scsi-0:0:0:0"
    assert disk.removable


def test_nvme(tmp_path: Path) -> None:
    disk = disks(tmp_path, TREE)["nvme0n1"]
    assert (disk.model, disk.serial, disk.wwn) == ("Samsung SSD 970 EVO", "S5H9NS0N123456", "eui.0025385b71b1e2c3")
    assert (disk.sector_size, disk.size) == (4096, 1000215216 * 512)
    assert disk.slot == "pci-0000:02:00.0-nvme-1"
    assert disk.read_only


@pytest.mark.parametrize(
    "wwid",
    [
        "naa.0000000000000000", "naa.5000000000000000", "naa.ffffffffffffffff", "eui.0000000000000000",
        "eui.00000000000000000000000000000000", "uuid.00000000-0000-0000-0000-000000000000",
    ],
)  # fmt: skip
def test_a_world_wide_name_that_was_never_given_is_none(tmp_path: Path, wwid: str) -> None:
    tree: Tree = {SATA: {"dev": "8:0", "size": "100", "device/wwid": wwid}}
    assert disks(tmp_path, tree)["sda"].wwn == ""


def test_namespaces_of_one_controller_are_told_apart(tmp_path: Path) -> None:
    """With the serial number of the controller, and without a name of their own."""
    facts: dict[str, bytes | str] = {"size": "100", "device/model": "M", "device/serial": "S7", "wwid": "eui.00000000"}
    tree: Tree = {NVME: facts | {"dev": "259:0"}, NVME.replace("0n1", "0n2"): facts | {"dev": "259:5"}}
    found = disks(tmp_path, tree)
    first, second = found["nvme0n1"], found["nvme0n2"]
    assert (first.called, first.place) == ("M_S7", "pci-0000:02:00.0-nvme-1")
    assert (second.called, second.place) == ("M_S7", "pci-0000:02:00.0-nvme-2")
    # The second got the number of the first.
    assert "is another disk by now" in first.exchanged(replace(second, device=first.device))


def test_volumes_of_one_controller_are_told_apart(tmp_path: Path) -> None:
    facts: dict[str, bytes | str] = {"size": "100", "device/model": "LOGICAL VOLUME", "device/vpd_pg80": b"\0\x80\0\1S"}
    tree: Tree = {
        VSCSI: facts | {"dev": "8:16"},
        VSCSI.replace("0:1/block/sdb", "0:2/block/sdc"): facts | {"dev": "8:32"},
    }
    found = disks(tmp_path, tree)
    assert found["sdb"].called == found["sdc"].called
    assert found["sdb"].identity != found["sdc"].identity


def test_disks_behind_a_port_multiplier_have_places_of_their_own(tmp_path: Path) -> None:
    port = "/devices/pci0000:00/0000:00:1f.2/ata5"
    tree: Tree = {
        f"{port}/ata_port/ata5": {"port_no": "2"},
        f"{port}/host4/target4:0:0/4:0:0:0/block/sda": {"dev": "8:0", "size": "100"},
        f"{port}/host4/target4:3:0/4:3:0:0/block/sdb": {"dev": "8:16", "size": "100"},
    }
    assert {disk.slot for disk in disks(tmp_path, tree).values()} == {
        "pci-0000:00:1f.2-ata-2",
        "pci-0000:00:1f.2-ata-2.3",
    }


def test_media_are_counted(tmp_path: Path) -> None:
    tree: Tree = {SATA: {"dev": "8:0", "size": "100", "diskseq": "12"}, VIRTIO: {"dev": "254:0", "size": "100"}}
    assert {name: disk.sequence for name, disk in disks(tmp_path, tree).items()} == {"sda": 12, "vda": 0}


def test_disks_without_vendor_or_model_are_seen(tmp_path: Path) -> None:
    found = disks(tmp_path, TREE)
    assert (found["vda"].vendor, found["vda"].model, found["vda"].serial) == ("", "", "data0")
    assert found["vda"].slot == "pci-0000:00:04.0"
    assert (found["mmcblk0"].model, found["mmcblk0"].serial) == ("DG4008", "0x0118a29d")


@pytest.mark.parametrize(("kind", "removable"), [("MMC", False), ("SD", True), ("SDHC", True), ("SDXC", True)])
def test_a_card_in_a_slot_is_removable_though_the_kernel_says_of_each_that_it_is_not(
    tmp_path: Path, kind: str, removable: bool
) -> None:
    """Otherwise a card of the right size that was forgotten in its slot would be a target."""
    tree: Tree = {MMC: {"dev": "179:0", "size": "100", "removable": "0", "device/type": kind}}
    disk = disks(tmp_path, tree)["mmcblk0"]
    assert disk.removable is removable
    assert bool(removable_reason(disk)) is removable


PCI_DISK = "/devices/pci0000:00/0000:00:1c.0/0000:03:00.0"


@pytest.mark.parametrize(
    ("folder", "slot"),
    [
        ("/host0/target0:0:1/0:0:1:0/block/sda", "pci-0000:03:00.0-scsi-0:0:1:0"),  # PVSCSI, LSI 53C895A
        ("/host6/target6:2:0/6:2:0:0/block/sda", "pci-0000:03:00.0-scsi-0:2:0:0"),  # a volume of MegaRAID
        ("/virtio2/host2/target2:0:0/2:0:0:1/block/sda", "pci-0000:03:00.0-scsi-0:0:0:1"),
        ("/mmc_host/mmc0/mmc0:0001/block/mmcblk0", ""),
        ("/cciss0/block/cciss!c0d0", ""),
    ],
)
def test_a_disk_behind_a_host_adapter_has_the_place_of_its_target(tmp_path: Path, folder: str, slot: str) -> None:
    (disk,) = build(tmp_path, {PCI_DISK + folder: {"dev": "8:0", "size": "100"}}).disks()
    assert disk.slot == slot


def test_hosts_of_one_controller_are_counted_from_its_first(tmp_path: Path) -> None:
    """Two channels of an adapter; the numbers of the hosts depend on what else the kernel found before."""
    tree: Tree = {
        f"{PCI_DISK}/host{host}/target{host}:0:1/{host}:0:1:0/block/{name}": {"dev": f"8:{minor}", "size": "100"}
        for host, name, minor in ((9, "sda", 0), (10, "sdb", 16))
    }
    slots = {name: disk.slot for name, disk in disks(tmp_path, tree).items()}
    assert slots == {"sda": "pci-0000:03:00.0-scsi-0:0:1:0", "sdb": "pci-0000:03:00.0-scsi-1:0:1:0"}


@pytest.mark.parametrize(
    "between",
    [
        "port-0:0/end_device-0:0/",
        "port-0:0/expander-0:0/port-0:0:3/end_device-0:0:3/",
        "rport-0:0-1/",
        "session1/",
    ],
)
def test_disks_behind_ports_of_a_transport_are_scsi_disks(tmp_path: Path, between: str) -> None:
    """Otherwise their drives are given no command by which they erase themselves."""
    folder = f"{PCI_DISK}/host0/{between}target0:0:0/0:0:0:0/block/sda"
    (disk,) = build(tmp_path, {folder: {"dev": "8:0", "size": "100"}}).disks()
    assert disk.bus is Bus.SCSI


SAS_PORT = f"{PCI_DISK}/host0/port-0:1"
SAS_END = f"{SAS_PORT}/end_device-0:1"
SAS_FACTS = {"phy_identifier": "5", "sas_address": "0x5000c50041b2c3d4"}


@pytest.mark.parametrize(("phys", "unit"), [("1", "sas-phy5-lun-0"), ("4", "sas-0x5000c50041b2c3d4-lun-0")])
def test_a_sas_disk_has_the_place_of_its_phy_or_the_address_of_its_wide_port(
    tmp_path: Path, phys: str, unit: str
) -> None:
    tree: Tree = {
        f"{SAS_END}/target0:0:1/0:0:1:0/block/sda": {"dev": "8:0", "size": "100"},
        f"{SAS_END}/sas_device/end_device-0:1": SAS_FACTS,
        f"{SAS_PORT}/sas_port/port-0:1": {"num_phys": phys},
    }
    assert disks(tmp_path, tree)["sda"].slot == f"pci-0000:03:00.0-{unit}"


def test_a_sas_disk_in_an_enclosure_has_the_place_of_the_expanders_phy(tmp_path: Path) -> None:
    expander = f"{PCI_DISK}/host0/port-0:0/expander-0:0"
    port = f"{expander}/port-0:0:3"
    end = f"{port}/end_device-0:0:3"
    tree: Tree = {
        f"{end}/target0:0:3/0:0:3:0/block/sda": {"dev": "8:0", "size": "100"},
        f"{end}/sas_device/end_device-0:0:3": SAS_FACTS,
        f"{port}/sas_port/port-0:0:3": {"num_phys": "1"},
        f"{expander}/sas_device/expander-0:0": {"sas_address": "0x500605b0000272bf"},
    }
    assert disks(tmp_path, tree)["sda"].slot == "pci-0000:03:00.0-sas-exp0x500605b0000272bf-phy5-lun-0"


def test_a_sas_disk_whose_transport_tells_nothing_has_the_place_of_its_target(tmp_path: Path) -> None:
    tree: Tree = {f"{SAS_END}/target0:0:1/0:0:1:0/block/sda": {"dev": "8:0", "size": "100"}}
    assert disks(tmp_path, tree)["sda"].slot == "pci-0000:03:00.0-scsi-0:0:1:0"


def test_partitions_belong_to_the_disk_above_whatever_their_names(tmp_path: Path) -> None:
    found = disks(tmp_path, TREE)
    names = {name: [(part.name, part.number) for part in disk.partitions] for name, disk in found.items()}
    assert names == {
        "sda": [("sda2", 2), ("sda10", 10)],
        "sdaa": [],
        "sdb": [],
        "vda": [],
        "nvme0n1": [("nvme0n1p1", 1)],
        "mmcblk0": [("mmcblk0p1", 1)],
    }
    ten = found["sda"].partitions[1]
    assert (ten.device, ten.start, ten.size) == ((8, 10), 500000 * 512, 2000 * 512)
    assert (ten.label, ten.uuid) == ("a=b c", "abcd-10")
    assert found["sda"].partitions[0].label == "PRIMARY"


def test_what_is_no_disk_is_left_out(tmp_path: Path) -> None:
    tree = {
        "/devices/virtual/block/md0": {"dev": "9:0", "size": "100"},
        "/devices/virtual/block/dm-0": {"dev": "253:0", "size": "100"},
        "/devices/virtual/block/zram0": {"dev": "252:0", "size": "100"},
        "/devices/virtual/block/loop0": {"dev": "7:0", "size": "100"},
        "/devices/pci0000:00/0000:00:1f.2/ata6/host5/target5:0:0/5:0:0:0/block/sr0": {"dev": "11:0", "size": "100"},
        "/devices/platform/floppy.0/block/fd0": {"dev": "2:0", "size": "8"},
        SATA.replace("sda", "sdc"): {"dev": "8:32", "size": "0"},  # a card reader without a card
        VIRTIO: {"dev": "254:0", "size": "100"},
    }
    assert list(disks(tmp_path, tree)) == ["vda"]


def test_multipath_nvme_is_one_disk(tmp_path: Path) -> None:
    """The kernel hides the paths and shows one virtual device, which is no less real a disk."""
    tree = {
        "/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1": {"dev": "259:0", "size": "100"},
        "/devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0c0n1": {"dev": "259:1", "size": "100", "hidden": "1"},
    }
    found = disks(tmp_path, tree)
    assert list(found) == ["nvme0n1"]
    assert found["nvme0n1"].bus is Bus.NVME


def test_holders_are_followed_to_the_top(tmp_path: Path) -> None:
    tree = {
        SATA: {"dev": "8:0", "size": "100"},
        SATA + "/sda1": {"dev": "8:1", "partition": "1", "size": "50", "holders/md0": ""},
        "/devices/virtual/block/md0": {"dev": "9:0", "size": "50", "holders/dm-0": ""},
        "/devices/virtual/block/dm-0": {"dev": "253:0", "size": "50"},
    }
    disk = disks(tmp_path, tree)["sda"]
    assert disk.partitions[0].holders == (DeviceNumber(9, 0), DeviceNumber(253, 0))
    assert DeviceNumber(253, 0) in disk.devices


def test_missing_and_odd_attributes_are_no_error(tmp_path: Path) -> None:
    tree: Tree = {
        SATA: {"dev": "8:0", "size": "100", "device/model": b"\xff\xfe\0", "device/vpd_pg80": b"\0\x80"},
        SATA + "/sda1": {"partition": "1"},
        USB: {"dev": "x:y", "size": "10"},
        VIRTIO: {"dev": "", "size": "10"},
    }
    found = disks(tmp_path, tree)
    assert list(found) == ["sda"]
    assert found["sda"].partitions == ()
    assert found["sda"].sector_size == 512
    assert found["sda"].serial == ""


def test_a_slash_in_a_device_name(tmp_path: Path) -> None:
    folder = "/devices/pci0000:00/0000:06:00.0/cciss0/block/cciss!c0d0"
    (disk,) = build(tmp_path, {folder: {"dev": "104:0", "size": "100"}}).disks()
    assert disk.node == f"{tmp_path}/dev/cciss/c0d0"


def test_without_sysfs_nothing_can_be_told(tmp_path: Path) -> None:
    with pytest.raises(DeviceFault, match="cannot list block devices"):
        SysfsBlockDevices(str(tmp_path / "nosuch")).disks()


def test_identities_that_the_kernel_does_not_tell_come_from_the_table(tmp_path: Path) -> None:
    tree = {
        SATA: {"dev": "8:0", "size": "2048"},
        SATA + "/sda1": {"dev": "8:1", "partition": "1", "size": "50"},
    }
    blocks = build(tmp_path, tree)
    mbr = bytearray(1 << 20)
    mbr[440:444] = 0x00C0FFEE.to_bytes(4, "little")
    mbr[510:512] = b"\x55\xaa"
    (tmp_path / "dev/sda").write_bytes(mbr)
    assert blocks.disks()[0].partitions[0].uuid == "00c0ffee-01"
    (tmp_path / "dev/sda").unlink()
    assert blocks.disks()[0].partitions[0].uuid == ""

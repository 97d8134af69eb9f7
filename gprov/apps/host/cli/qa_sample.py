"""The record of an example unit, for trying templates of the QA document."""

from __future__ import annotations

from dataclasses import replace

from gprov.domain.disk.model import Bus, Disk
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.mfg.burnin.report import BurnInReport, Check
from gprov.domain.mfg.qa.record import (
    CommandRecord,
    FileRecord,
    HardwareRecord,
    QaRecord,
    RunRecord,
    StepRecord,
)
from gprov.domain.mfg.spec import CpuSpec, DeviceSpec, DiskSpec, FirmwareVersions, HardwareSpec
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.inventory import Cpus, Inventory
from gprov.domain.unit.nics import Nic

NOW_NS = 1_796_000_000_123_456_789
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
DISK = Disk(
    name="sda",
    node="/dev/sda",
    device=DeviceNumber(8, 0),
    size=480_103_981_056,
    bus=Bus.ATA,
    vendor="ATA",
    model="Example SSD 480",
    serial="S3R14L0001",
    slot="pci-0000:00:1f.2-ata-1",
)
STICK = replace(DISK, name="sdb", node="/dev/sdb", device=DeviceNumber(8, 16), bus=Bus.USB, model="Stick", serial="U1")
BURN_IN = BurnInReport(
    started_ns=NOW_NS - 3600 * 10**9,
    seconds=1805.2,
    tests=("4 processors compute for 600 s", "test 3000 MiB of memory, 1 x", f"read {DISK.describe()} for 60 s"),
    checks=(
        Check("wrong results of processors", "none", "none"),
        Check("reading of /dev/sda", "512.3 MB/s", "at least 300 MB/s"),
        Check("temperature of coretemp Package id 0", "71 °C", "at most 90 °C"),
    ),
    notes=("no count of memory errors (no ECC, or no EDAC driver)",),
)
RECORD = QaRecord(
    unit=Unit(
        platform=default_table()[0], manufacturer="ACME & Söhne", product="Box <1>", sku="SKU-7", serial="SN-0042"
    ),
    run=RunRecord(started_ns=NOW_NS - 4 * 3600 * 10**9, ended_ns=NOW_NS, version="0.1.0", kernel="Linux 6.1.0 #42"),
    hardware=HardwareRecord(
        inventory=Inventory(Cpus(("Example CPU @ 3.40GHz",), 4, 1, 8), 16 << 30, pci=(), usb=()),
        smbios=(("bios-vendor", "Example BIOS Inc."), ("system-uuid", "0a0b0c0d-0000-0000-0000-000000000001")),
        firmware=FirmwareVersions(bios="F.21", ipmi="3.11"),
        disks=(("PRIMARY", DISK), ("RECOVERY", STICK)),
        nics=(
            Nic(name="eth1", mac="56:78:90:00:00:02", driver="igb"),
            Nic(name="eth0", mac="56:78:90:00:00:01", driver="igb"),
        ),
        bmc_macs=("56:78:90:00:00:09",),
    ),
    spec=HardwareSpec(
        code_name="QEMU-mfg-test",
        recovery=DiskSpec(size=15_500_000_000, tolerance_percent=5),
        main_disks=((DiskSpec(size=480_103_981_056, model="Example SSD 480"),),),
        cpu=CpuSpec("Example CPU @ 3.40GHz", 8, 1),
        ram_megs=16384,
        pci=(DeviceSpec(quantity=2, vendor=0x8086, device=0x1533, description="Ethernet"),),
        dmi_matches={"bios-vendor": "Example BIOS Inc."},
    ),
    steps=(
        StepRecord("BeforeQA", "Set up the BIOS", (CommandRecord("./bios-tool --load a.cfg", 0, "MustSucceed", 4.21),)),
        StepRecord(
            "BeforePWSet", "BIOS password", (CommandRecord("./bios-tool --password ***", 0, "MustSucceed", 1.0),)
        ),
        StepRecord(
            "StashFiles", "http://10.1.0.1/stash.txz", (CommandRecord("/bin/sh install.sh", 0, "MustSucceed", 12.5),)
        ),
    ),
    files=(
        FileRecord(
            path="Image/WIDGET.LNX.SHINY.2024-02-29.0107.upd",
            size=734_003_200,
            sha256=HASH,
            note="image of 2024-02-29, build 0107; 40123 members, verified",
        ),
        FileRecord(path="ESP/norm_boot", size=18_300_000, sha256=HASH[::-1], note="boot kernel: Linux 6.1.0 #42 SMP"),
    ),
    credentials=(("System (admin)", "hash stored on RECOVERY"), ("BMC", "set and tested")),
    burn_in=BURN_IN,
)

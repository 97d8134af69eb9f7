"""What must hold for every plan, whatever the unit, its disks and its images are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.boot.boot_counts import STALE_FILES
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.arrayrecord import parse_array_record
from gprov.domain.disk.arrayspec import array_spec
from gprov.domain.disk.layout import GIB, MIB, PartitionRole
from gprov.domain.disk.model import Bus, Contents, Disk, FileSystemKind, Partition, Volume
from gprov.domain.errors import BadInput, HardwareMismatch
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.formats.bzimage import KernelFacts
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.formats.owner import Owner
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.name import ImageName
from gprov.domain.mountpoints import MountPoints
from gprov.domain.plan.disk_operations import (
    ArrayRef,
    ClearDisk,
    CreateArray,
    CreatePartitionTable,
    DismantleArrays,
    ExtractImage,
    FlushVolume,
    MakeFileSystem,
    MountVolume,
    PartitionRef,
    StopArray,
    UnmountVolume,
    UpdateBootEntries,
)
from gprov.domain.plan.file_operations import (
    CopyFile,
    CopyKernel,
    FetchFile,
    MakeFolder,
    MakeSymlink,
    RemovePath,
    ReplacePlainText,
    SetFlag,
    SetOwner,
    WriteFile,
)
from gprov.domain.plan.kernels import PresentKernels
from gprov.domain.plan.operations import Operation, Plan
from gprov.domain.plan.provision import (
    ProvisionFacts,
    plan_make_bootable,
    plan_recovery,
    plan_restore_options,
    plan_secret,
)
from gprov.domain.plan.restore import plan_restore
from gprov.domain.plan.restore_facts import NetworkFiles, RestoreFacts
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.model import FakeraidType, Platform, RaidLevel, RecoveryMedia
from gprov.domain.unit.netsaved import SavedFile
from gprov.domain.unit.restore_options import RestoreOptions
from gprov.domain.unit.secret_file import ReplacedSecret, SecretFile

SECRET = "$y$j9T$tHiSiSsEcReT"
MOUNT_POINTS = MountPoints()
BRANDING = Branding()
FLAG = "/mnt/PRIMARY/boot.normal"
TOO_LONG = "a=" + "x" * 4000

TEXTS = ("", "S1", "Widget GmbH", "ä/../ö\n", "x" * 300)
texts = st.sampled_from(TEXTS)
kernels = st.none() | st.builds(lambda build: KernelFacts("6.1.0", "a@b", f"#{build} SMP", build), st.integers(0, 3))
replacements = st.sampled_from(
    [
        ReplacedSecret(SecretFile("admin.hash", SECRET.encode()), "insecure.storage"),
        ReplacedSecret(SecretFile("admin.hash.sealed", b"{}"), "secrets/admin.hash"),
        ReplacedSecret(SecretFile("unit.key.sealed", b"{}"), "secrets/unit.key"),
    ]
)
contents = st.sampled_from([{}, {"a.network": b"[Match]\n"}, {"b.network": b"", "c.link": b""}])


def disk_strategy(minor: int, least: int, most: int) -> st.SearchStrategy[Disk]:
    def make(name: str, size: int, sector: int, bus: Bus, text: str) -> Disk:
        node = f"/dev/{name}{minor}"
        return Disk(
            name=node.rsplit("/", 1)[1],
            node=node,
            device=DeviceNumber(8, minor),
            size=size,
            sector_size=sector,
            bus=bus,
            model=text,
            serial=text,
        )

    names = st.sampled_from(["sda", "sdaa", "nvme0n", "mmcblk", "vda"])
    return st.builds(make, names, st.integers(least, most), st.sampled_from([512, 4096]), st.sampled_from(Bus), texts)


KNOWN = replace(default_table()[0], recovery_media=RecoveryMedia(fs_types=(FileSystemKind.EXT3,), ssd=True))
SUPPORTED = (
    default_table()[0],
    KNOWN,
    replace(KNOWN, recovery_media=replace(KNOWN.recovery_media, admin_owns_folders=True)),
    replace(KNOWN, disk_is_ssd=False),
    *(replace(KNOWN, fakeraid_type=kind) for kind in FakeraidType),  # concerns erase only
)
UNSUPPORTED = (
    replace(KNOWN, raid_level=RaidLevel.RAID5, data_disks=2),
    replace(KNOWN, data_disks=2),
    replace(KNOWN, recovery_media=RecoveryMedia(fs_types=())),
    replace(KNOWN, recovery_media=RecoveryMedia(fs_types=(FileSystemKind.VFAT,))),
)


def unit_strategy(platforms: tuple[Platform, ...]) -> st.SearchStrategy[Unit]:
    return st.builds(
        Unit,
        platform=st.sampled_from(platforms),
        manufacturer=texts,
        product=texts,
        sku=texts,
        serial=texts,
        by_fallback=st.booleans(),
    )


def bzimage(build: int) -> bytes:
    head = bytearray(4096)
    head[0x1F1], head[0x1FE:0x200], head[0x202:0x206] = 7, b"\x55\xaa", b"HdrS"
    head[0x20E:0x210] = (0x200).to_bytes(2, "little")
    version = f"6.1.0 (a@b) #{build} SMP\0".encode()
    head[0x400 : 0x400 + len(version)] = version
    return bytes(head)


def image_of(group: bytes, build: int) -> VerifiedImage:
    return VerifiedImage(
        path="/mnt/RECOVERY/Image/x.upd",
        size=1000,
        unpacked=2000,
        content_bytes=1500,
        entries=10,
        digest="0" * 64,
        files=CapturedFiles(
            passwd=b"root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\n",
            group=group,
            shadow=f"root:{SECRET}ROOT:1:0:99999:7:::\nadmin:!:1:0:99999:7:::\n".encode(),
            kernel_start=bzimage(build),
            has_init=True,
        ),
    )


IMAGES = st.builds(
    image_of,
    st.sampled_from([b"", b"shadow:x:42:\n", b"shadow:x:42:\nsystemd-journal:x:101:\n"]),
    st.integers(0, 3),
)
ESP = Partition(
    name="p1",
    node="/dev/p1",
    device=DeviceNumber(9, 1),
    number=1,
    start=MIB,
    size=200 * MIB,
    label="ESP",
    uuid="0b1c2d3e-1111-2222-3333-444455556666",
)
DATA = Partition(
    name="p2",
    node="/dev/p2",
    device=DeviceNumber(9, 2),
    number=2,
    start=201 * MIB,
    size=GIB,
    label="RECOVERY",
    uuid="1b1c2d3e-1111-2222-3333-444455556666",
)


@st.composite
def restores(draw: st.DrawFn, *, good: bool) -> RestoreFacts:
    """``good``: a plan can be made of them."""
    recovery = replace(draw(disk_strategy(1, GIB, 64 * GIB)), partitions=(ESP, DATA))
    esp = Volume(
        disk=recovery, node=ESP.node, device=ESP.device, contents=Contents("vfat", "ESP", "CC-DD"), partition=ESP
    )
    unit = draw(unit_strategy(SUPPORTED if good else SUPPORTED + UNSUPPORTED))
    level = draw(st.none() | st.sampled_from(RaidLevel)) if good else None
    count = 1 if level is None else level.min_disks
    least = GIB if good else 1
    targets = tuple(draw(disk_strategy(2 + index, least, 30 * 1024 * GIB)) for index in range(count))
    if level is not None:
        unit = replace(unit, platform=replace(unit.platform, raid_level=level, data_disks=count))
    return RestoreFacts(
        branding=BRANDING,
        mount_points=MOUNT_POINTS,
        firmware=FirmwareKind.UEFI if good else draw(st.sampled_from(FirmwareKind)),
        unit=unit,
        image=draw(IMAGES),
        name=ImageName(date(2026, 1, 1), 1, "1", BRANDING.image_prefix),
        targets=targets,
        recovery=Volume(
            disk=recovery,
            node=DATA.node,
            device=DATA.device,
            contents=Contents("ext4", "RECOVERY", "aa-bb"),
            partition=DATA,
        ),
        esp=esp if good else draw(st.none() | st.just(esp)),
        kernels=PresentKernels(
            main=draw(kernels), second=draw(kernels), secure_boot=draw(st.booleans()), main_started=draw(st.booleans())
        ),
        admin_password=draw(st.none() | st.just(PasswordHash(SECRET))),
        replaced_secrets=draw(st.lists(replacements, max_size=3).map(tuple)),
        network=NetworkFiles(draw(contents), {name: SavedFile(text) for name, text in draw(contents).items()}),
        keep_options=draw(st.booleans()),
        ignore_saved_network=draw(st.booleans()),
        extra_arguments=draw(st.sampled_from(["", "PROVISION_VERBOSE=1 console=ttyS0", *([] if good else [TOO_LONG])])),
        force_recovery_kernel=draw(st.booleans()),
        array=array_spec("PRIMARY", "gp-unit", bytes(range(16)), level) if level is not None else None,
    )


RESTORES = restores(good=True)


def index(plan: Plan, kind: type[Operation]) -> int:
    return next(at for at, operation in enumerate(plan) if isinstance(operation, kind))


def paths_of(operation: Operation) -> tuple[str, ...]:
    """What the operation writes to, as paths."""
    match operation:
        case WriteFile(path=path) | MakeFolder(path=path) | MakeSymlink(path=path) | RemovePath(path=path):
            return (path,)
        case CopyFile(target=target) | FetchFile(target=target) | ExtractImage(target=target):
            return (target,)
        case CopyKernel(targets=targets):
            return targets
        case ReplacePlainText(path=path, plain_text=plain_text):
            return (path, plain_text)
        case SetFlag(path=path):
            return (path,)
        case SetOwner():
            return ()  # writes no file
        case MountVolume(target=target) | UnmountVolume(target=target) | FlushVolume(target=target):
            return (target,)
        case ClearDisk() | CreatePartitionTable() | MakeFileSystem() | UpdateBootEntries():
            return ()
        case DismantleArrays() | CreateArray() | StopArray():
            return ()


def disk_of(operation: Operation) -> Disk | None:
    """The disk that the operation changes as a disk."""
    match operation:
        case ClearDisk(disk=disk) | CreatePartitionTable(disk=disk):
            return disk
        case MakeFileSystem(where=where) | MountVolume(where=where):
            return where.disk if isinstance(where, PartitionRef) else None
        case _:
            return None


def below(path: str, *folders: str) -> bool:
    return ".." not in path.split("/") and any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def is_primary(operation: Operation) -> bool:
    return any(below(path, MOUNT_POINTS.primary) for path in paths_of(operation))


@given(restores(good=False))
@settings(max_examples=60)
def test_a_restore_that_cannot_be_planned_is_refused(facts: RestoreFacts) -> None:
    possible = (
        facts.firmware is FirmwareKind.UEFI
        and facts.unit.platform not in UNSUPPORTED[:2]
        and facts.esp is not None
        and facts.extra_arguments != TOO_LONG
        and facts.targets[0].size >= 66 * MIB
    )
    if possible:
        assert plan_restore(facts)
    elif facts.targets[0].size < 65 * MIB or facts.targets[0].size >= 66 * MIB:
        with pytest.raises((HardwareMismatch, BadInput)):
            plan_restore(facts)


@pytest.mark.parametrize("platform", UNSUPPORTED[:2])
@given(facts=RESTORES)
@settings(max_examples=10)
def test_platforms_that_cannot_be_restored(platform: Platform, facts: RestoreFacts) -> None:
    with pytest.raises(HardwareMismatch, match=r"not supported|needs at least 3 disks|no RAID level"):
        plan_restore(replace(facts, unit=replace(facts.unit, platform=platform)))


@given(RESTORES)
@settings(max_examples=60)
def test_only_the_target_is_changed_as_a_disk(facts: RestoreFacts) -> None:
    recovery = facts.recovery
    assert recovery is not None
    for operation in plan_restore(facts):
        disk = disk_of(operation)
        assert disk in (None, *facts.targets)
        assert disk != recovery.disk
        if isinstance(operation, UpdateBootEntries):
            assert operation.esp.disk == recovery.disk


@given(RESTORES)
@settings(max_examples=60)
def test_files_change_only_below_primary_and_recovery(facts: RestoreFacts) -> None:
    for operation in plan_restore(facts):
        for path in paths_of(operation):
            assert below(path, MOUNT_POINTS.primary, MOUNT_POINTS.recovery)
    on_recovery = {
        path
        for operation in plan_restore(facts)
        for path in paths_of(operation)
        if below(path, MOUNT_POINTS.recovery) and not isinstance(operation, FlushVolume)
    }
    allowed = {"ESP/norm_boot", "ESP/EFI/BOOT/BOOTX64.EFI", "log/netd.tar", "fr.data", "boot.args"}
    for replaced in facts.replaced_secrets:
        allowed |= {f"secrets/{replaced.file.name}", replaced.plain_text}
    assert on_recovery <= {f"{MOUNT_POINTS.recovery}/{name}" for name in allowed}


@given(RESTORES)
@settings(max_examples=60)
def test_admin_gets_folders_of_recovery_only_if_the_platform_says_so(facts: RestoreFacts) -> None:
    plan = plan_restore(facts)
    given_away = [operation for operation in plan if isinstance(operation, SetOwner)]
    names = ("Image", "log") if facts.unit.platform.recovery_media.admin_owns_folders else ()
    owner = Owner(1000, 1000)
    assert given_away == [SetOwner(f"{MOUNT_POINTS.recovery}/{name}", owner, required=False) for name in names]
    flush = max(at for at, operation in enumerate(plan) if operation in _FLUSHES_OF_RECOVERY)
    assert all(plan.index(operation) < flush for operation in given_away)


_FLUSHES_OF_RECOVERY = [FlushVolume(MOUNT_POINTS.recovery, required=required) for required in (True, False)]


@given(RESTORES)
@settings(max_examples=60)
def test_the_flag_comes_last_and_everything_before_it_is_flushed(facts: RestoreFacts) -> None:
    plan = plan_restore(facts)
    flag = index(plan, SetFlag)
    assert plan[flag] == SetFlag(FLAG)
    assert sum(isinstance(operation, SetFlag) for operation in plan) == 1
    after = [operation for operation in plan[flag + 1 :] if is_primary(operation)]
    assert after == [FlushVolume(MOUNT_POINTS.primary), UnmountVolume(MOUNT_POINTS.primary)]
    flushed = [at for at, operation in enumerate(plan[:flag]) if operation == FlushVolume(MOUNT_POINTS.primary)]
    assert flushed
    assert not any(is_primary(operation) for operation in plan[flushed[-1] + 1 : flag])
    # What holds kernels must take them if there were none before; else its wear keeps no unit from its system.
    kernels = MOUNT_POINTS.recovery if facts.bios else MOUNT_POINTS.esp
    without = facts.kernels.main is None and facts.kernels.second is None
    for place in {kernels, MOUNT_POINTS.recovery}:
        assert FlushVolume(place, required=without and place == kernels) in plan[flushed[-1] : flag]
    assert not any(isinstance(operation, CopyFile | CopyKernel | UpdateBootEntries) for operation in plan[flag:])
    # What may fail is tidied away when the unit already boots.
    removed = [(at, operation) for at, operation in enumerate(plan) if isinstance(operation, RemovePath)]
    assert all(at > flag for at, operation in removed if not operation.required)
    assert {operation.path for _, operation in removed if operation.required} <= {
        f"{MOUNT_POINTS.primary}/etc/systemd/network",
        *(f"{MOUNT_POINTS.primary}{facts.branding.config_folder}/{name}" for name in STALE_FILES),
    }


@given(RESTORES)
@settings(max_examples=60)
def test_the_old_table_goes_first_of_all(facts: RestoreFacts) -> None:
    """Until then a cut leaves the old system; from then on the unit has none, and is restored again."""
    plan = plan_restore(facts)
    assert plan[: 1 + len(facts.targets)] == (
        DismantleArrays(facts.targets),
        *(ClearDisk(disk, 100 * MIB, 100 * MIB) for disk in facts.targets),
    )
    destroying = [at for at, operation in enumerate(plan) if disk_of(operation) is not None]
    assert max(destroying) < index(plan, SetFlag)


@given(RESTORES)
@settings(max_examples=60)
def test_boot_entries_come_before_kernels_and_need_not_succeed(facts: RestoreFacts) -> None:
    """Without NVRAM only the fallback loader starts the unit: it is not replaced while nothing else could."""
    plan = plan_restore(facts)
    entries = plan[index(plan, UpdateBootEntries)]
    assert isinstance(entries, UpdateBootEntries)
    assert not entries.required
    assert all(index(plan, UpdateBootEntries) < at for at, one in enumerate(plan) if isinstance(one, CopyKernel))


@given(RESTORES)
@settings(max_examples=60)
def test_old_metadata_goes_before_the_new_table_and_files_come_after_the_mount(facts: RestoreFacts) -> None:
    plan = plan_restore(facts)
    order = [index(plan, kind) for kind in (ClearDisk, CreatePartitionTable, MakeFileSystem, MountVolume, ExtractImage)]
    assert order == sorted(order)
    first = next(at for at, operation in enumerate(plan) if is_primary(operation))
    assert first == index(plan, MountVolume)
    table, made = plan[order[1]], plan[order[2]]
    assert isinstance(table, CreatePartitionTable)
    assert isinstance(made, MakeFileSystem)
    assert table.table.partitions[-1].end <= facts.targets[0].size
    if facts.array is None:
        assert made.where == PartitionRef(facts.targets[0], table.table.partitions[-1].number)


@given(RESTORES.filter(lambda facts: facts.array is not None))
@settings(max_examples=60)
def test_an_array_of_the_last_partition_of_each_disk(facts: RestoreFacts) -> None:
    assert facts.array is not None
    plan = plan_restore(facts)
    tables = [operation for operation in plan if isinstance(operation, CreatePartitionTable)]
    assert [table.disk for table in tables] == list(facts.targets)
    assert all(table.table.partitions[-1].role is PartitionRole.RAID for table in tables)
    made = plan.index(tables[-1]) + 1
    members = tuple(PartitionRef(table.disk, table.table.partitions[-1].number) for table in tables)
    assert plan[made : made + 2] == (DismantleArrays(facts.targets), CreateArray(facts.array, members))
    array = ArrayRef("PRIMARY")
    used = [operation.where for operation in plan if isinstance(operation, MakeFileSystem | MountVolume)]
    assert used == [array, array]
    assert plan.index(StopArray(array, required=False)) == plan.index(UnmountVolume(MOUNT_POINTS.primary)) + 1
    written = {operation.path: operation.content for operation in plan if isinstance(operation, WriteFile)}
    config = written[f"{MOUNT_POINTS.primary}/etc/mdadm/mdadm.conf"].decode()
    assert "UUID=00010203:04050607:08090a0b:0c0d0e0f" in config
    record = parse_array_record("", written[f"{MOUNT_POINTS.primary}/etc/provisioning/array.json"])
    assert [record[slot].startswith(disk.called or disk.place) for slot, disk in enumerate(facts.targets)] == [
        True
    ] * len(members)


@given(RESTORES)
@settings(max_examples=60)
def test_options_go_after_the_flag_and_only_if_they_are_not_kept(facts: RestoreFacts) -> None:
    plan = plan_restore(facts)
    removed = [operation.path for operation in plan[index(plan, SetFlag) :] if isinstance(operation, RemovePath)]
    wanted = [f"{MOUNT_POINTS.recovery}/log/netd.tar"] if facts.ignore_saved_network else []
    assert removed == wanted + ([] if facts.keep_options else [f"{MOUNT_POINTS.recovery}/fr.data"])


@given(RESTORES)
@settings(max_examples=60)
def test_kernels_are_never_both_at_risk(facts: RestoreFacts) -> None:
    """FAT may lose a file while it is replaced: then the other one must be whole, and no source may be a broken one."""
    esp, fallback = f"{MOUNT_POINTS.esp}/norm_boot", f"{MOUNT_POINTS.esp}/EFI/BOOT/BOOTX64.EFI"
    whole = {f"{MOUNT_POINTS.primary}/boot/norm_boot"}
    whole |= {path for path, kernel in ((esp, facts.kernels.main), (fallback, facts.kernels.second)) if kernel}
    bootable = bool(whole & {esp, fallback})
    for operation in plan_restore(facts):
        if not isinstance(operation, CopyFile | CopyKernel):
            continue
        assert operation.source in whole
        for target in paths_of(operation):
            if bootable and target in (esp, fallback):
                assert whole & ({esp, fallback} - {target})
            whole.add(target)
        if isinstance(operation, CopyKernel):
            assert operation.required is not bootable
    assert whole >= {esp, fallback}


@given(RESTORES)
@settings(max_examples=120)
def test_under_secure_boot_one_kernel_stays_that_the_firmware_has_started(facts: RestoreFacts) -> None:
    present = facts.kernels
    if not present.secure_boot or (present.main is None and present.second is None):
        return
    esp, fallback = f"{MOUNT_POINTS.esp}/norm_boot", f"{MOUNT_POINTS.esp}/EFI/BOOT/BOOTX64.EFI"
    content = {esp: "main", fallback: "second", f"{MOUNT_POINTS.primary}/boot/norm_boot": "image"}
    for operation in plan_restore(facts):
        if isinstance(operation, CopyFile | CopyKernel):
            content |= dict.fromkeys(paths_of(operation), content[operation.source])
        assert {content[esp], content[fallback]} != {"image"}
    if present.second is not None and not present.main_started:
        assert content[fallback] == "second"


@given(RESTORES)
@settings(max_examples=60)
def test_no_description_of_a_restore_tells_a_secret(facts: RestoreFacts) -> None:
    for operation in plan_restore(facts):
        assert SECRET not in operation.describe()
        assert SECRET not in repr(operation)


@st.composite
def provisionings(draw: st.DrawFn, *, good: bool) -> ProvisionFacts:
    return ProvisionFacts(
        branding=BRANDING,
        mount_points=MOUNT_POINTS,
        firmware=FirmwareKind.UEFI if good else draw(st.sampled_from(FirmwareKind)),
        unit=draw(unit_strategy(SUPPORTED if good else SUPPORTED + UNSUPPORTED)),
        recovery=draw(disk_strategy(1, GIB if good else 1, 64 * GIB)),
        targets=(draw(disk_strategy(2, GIB, 30 * 1024 * GIB)),),
        options=RestoreOptions(xlog=draw(st.sampled_from(["", "http://server/"]))),
        extra_arguments=draw(st.sampled_from(["", "PROVISION_VERBOSE=1", *([] if good else [TOO_LONG])])),
    )


PROVISIONINGS = provisionings(good=True)


@given(provisionings(good=False))
@settings(max_examples=60)
def test_a_provisioning_that_cannot_be_planned_is_refused(facts: ProvisionFacts) -> None:
    possible = (
        facts.firmware is FirmwareKind.UEFI
        and facts.unit.platform not in UNSUPPORTED
        and facts.extra_arguments != TOO_LONG
        and facts.recovery.size >= 266 * MIB
    )
    if possible:
        assert plan_recovery(facts)
    elif facts.recovery.size < 265 * MIB or facts.recovery.size >= 266 * MIB:
        with pytest.raises((HardwareMismatch, BadInput)):
            plan_recovery(facts)


@pytest.mark.parametrize("platform", UNSUPPORTED)
@given(facts=PROVISIONINGS)
@settings(max_examples=10)
def test_platforms_that_cannot_be_provisioned(platform: Platform, facts: ProvisionFacts) -> None:
    with pytest.raises(HardwareMismatch, match=platform.code_name):
        plan_recovery(replace(facts, unit=replace(facts.unit, platform=platform)))


@given(PROVISIONINGS)
@settings(max_examples=60)
def test_making_recovery_touches_no_target(facts: ProvisionFacts) -> None:
    earlier = (
        *plan_recovery(facts),
        *plan_secret(facts, SecretFile("admin.hash", SECRET.encode())),
        *plan_restore_options(facts),
    )
    for operation in earlier:
        assert disk_of(operation) in (None, facts.recovery)
        assert all(below(path, MOUNT_POINTS.recovery) for path in paths_of(operation))
        assert not isinstance(operation, UpdateBootEntries)
        assert f"{MOUNT_POINTS.esp}/EFI/BOOT/BOOTX64.EFI" not in paths_of(operation)


@given(PROVISIONINGS, st.booleans())
@settings(max_examples=60)
def test_the_start_comes_last_and_clears_nothing_but_targets(facts: ProvisionFacts, wipe: bool) -> None:
    plan = plan_make_bootable(facts, wipe=wipe)
    cleared = [operation.disk for operation in plan if isinstance(operation, ClearDisk)]
    assert cleared == (list(facts.targets) if wipe else [])
    assert not any(isinstance(operation, CreatePartitionTable | MakeFileSystem) for operation in plan)
    assert isinstance(plan[-1], UpdateBootEntries)
    assert plan[-1].esp.disk == facts.recovery
    copied = index(plan, CopyFile)
    assert copied >= len(cleared)
    assert FlushVolume(MOUNT_POINTS.esp) in plan[copied:]


@given(PROVISIONINGS)
@settings(max_examples=60)
def test_what_an_old_recovery_held_is_cleared_where_it_could_be_started(facts: ProvisionFacts) -> None:
    plan = plan_recovery(facts)
    clear, table = plan[index(plan, ClearDisk)], plan[index(plan, CreatePartitionTable)]
    assert isinstance(clear, ClearDisk)
    assert isinstance(table, CreatePartitionTable)
    assert table.table.partitions[0].start < clear.head
    made = [operation.where for operation in plan if isinstance(operation, MakeFileSystem)]
    assert made == [PartitionRef(facts.recovery, part.number) for part in table.table.partitions]


@given(PROVISIONINGS)
@settings(max_examples=60)
def test_secrets_are_private_and_said_by_nothing(facts: ProvisionFacts) -> None:
    secrets = plan_secret(facts, SecretFile("admin.hash", SECRET.encode()))
    for operation in (*plan_recovery(facts), *secrets, *plan_restore_options(facts), *plan_make_bootable(facts)):
        assert SECRET not in operation.describe()
        assert SECRET not in repr(operation)
        if isinstance(operation, WriteFile) and SECRET.encode() in operation.content:
            assert operation.mode == 0o600
    folder = secrets[0]
    assert isinstance(folder, MakeFolder)
    assert folder.mode == 0o700

"""The boot decision: every row of the table in docs/explanation/booting.md, and properties over all facts.

The number of a row is the number in the document; a test compares both lists.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.boot.args import BootArguments, EraseMode, PreferredImage
from gprov.domain.boot.boot_request import BootRequest, EraseRequested, RestoreRequested, UnreadableRequest
from gprov.domain.boot.decide import decide
from gprov.domain.boot.decisions import (
    CheckFileSystem,
    Decision,
    Erase,
    FollowEraseRecord,
    GiveUp,
    KeepWaiting,
    OpenMenu,
    OpenShell,
    Restore,
    RestoreReason,
    ShowEraseFailure,
    StartArray,
    SurveyTargets,
    SwitchRoot,
    UseVolume,
    WithdrawRequest,
)
from gprov.domain.boot.facts import (
    Ambiguous,
    BootFacts,
    CheckOutcome,
    Flag,
    Found,
    Mounted,
    MountFailed,
    NotFound,
    RootSearch,
)
from gprov.domain.boot.survey import TargetDisk, TargetState, TargetSurvey
from gprov.domain.disk.arrays import FoundArray, Member
from gprov.domain.disk.model import Bus, Contents, Disk, Partition, Volume
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.disk.md_superblock import MemberRecord

DOCUMENT = Path(__file__).parents[3] / "docs/explanation/booting.md"


def disk(name: str, minor: int, bus: Bus = Bus.ATA, *, removable: bool = False) -> Disk:
    return Disk(
        name=name, node=f"/dev/{name}", device=DeviceNumber(8, minor), size=10**10, bus=bus, removable=removable
    )


def volume(on: Disk, contents: Contents) -> Volume:
    number = DeviceNumber(8, on.device.minor + 1)
    partition = Partition(name=f"{on.name}1", node=f"{on.node}1", device=number, number=1, start=2**20, size=2**30)
    return Volume(disk=on, node=partition.node, device=number, contents=contents, partition=partition)


SDA, SDB, USB = disk("sda", 0), disk("sdb", 16), disk("sdc", 32, Bus.USB)
ROOT = volume(SDA, Contents("ext4", "PRIMARY"))
EMPTY = volume(SDA, Contents())
LUKS = volume(SDA, Contents("crypto_LUKS"))
COPY = volume(USB, Contents("ext4", "PRIMARY"))
CARD = volume(disk("sdd", 48, Bus.MMC, removable=True), Contents("ext4", "PRIMARY"))

NORMAL = BootArguments(real_root="LABEL=PRIMARY")
NONE = BootArguments(restore_requested=True)


def survey(*states: TargetState, expected: int | None = None) -> TargetSurvey:
    disks = tuple(TargetDisk(on, state) for on, state in zip((SDA, SDB), states, strict=False))
    return TargetSurvey(expected=len(states) if expected is None else expected, disks=disks)


UNUSED = {TargetState.BLANK, TargetState.ERASED}
BLANK = survey(TargetState.BLANK)
OTHER = survey(TargetState.OTHER)
UNKNOWN = TargetSurvey(expected=None)
CLEARED = replace(OTHER, without_root=True)
WITH_PRIMARY = replace(survey(TargetState.PRIMARY), primary=(ROOT,))
# The one data disk is there, but it is not the one that the root was found on.
ELSEWHERE = TargetSurvey(expected=1, disks=(TargetDisk(SDB, TargetState.OTHER),))
FAILED = Found(ROOT, MountFailed("bad superblock"))
BOOTABLE = Found(ROOT, Mounted(Flag.PRESENT))
LATE = 120.0


def facts(
    arguments: BootArguments = NORMAL,
    *,
    root: RootSearch | None = None,
    elapsed: float = 1.0,
    targets: TargetSurvey | None = None,
    check: tuple[Volume, CheckOutcome] | None = None,
    fallback: bool = False,
    operator: bool = False,
    key: bool = False,
    files: tuple[str, ...] = (),
    searched: bool = True,
) -> BootFacts:
    return BootFacts(
        arguments=arguments,
        started_by_fallback=fallback,
        elapsed=elapsed,
        root=root or NotFound(),
        targets=targets,
        checks={check[0].stable_id: check[1]} if check else {},
        operator_present=operator,
        key_pressed=key,
        emergency_files=files,
        emergency_searched=searched,
    )


def erase(mode: EraseMode) -> BootArguments:
    return BootArguments(erase=mode, shell=True)


def attempts(number: int, on: Volume = ROOT) -> Found:
    return Found(on, MountFailed("bad superblock", number))


GOOD, BEYOND, COULD_NOT = CheckOutcome.GOOD, CheckOutcome.BEYOND_REPAIR, CheckOutcome.FAILED
NO_FLAG = Found(ROOT, Mounted(Flag.ABSENT))
UNREADABLE_FLAG = Found(ROOT, Mounted(Flag.UNREADABLE))
SUSPECT = replace(OTHER, probable_primary=EMPTY)
BOTH = Ambiguous((ROOT, COPY))
ON_ARRAY = replace(ROOT, array="own")


def array(name: str, *, level: int = 1) -> FoundArray:
    """Of two members, of which one is here."""
    record = MemberRecord(
        array="",
        name=name,
        level=level,
        layout=0,
        disks=2,
        slot=0,
        active=frozenset({0, 1}),
        events=1,
        rebuilding=False,
        clean=True,
        device="",
    )
    member = Member(disk=SDA, partition=None, node=SDA.node, device=SDA.device, record=record)
    return FoundArray(
        uuid=name, name=name, level=level, layout=0, disks=2, members=(member,), expected=frozenset({0, 1})
    )


HALF, OTHERS, LOST = array("gp-unit:PRIMARY"), array("gp-other:PRIMARY"), array("gp-unit:PRIMARY", level=0)
OWN = replace(OTHER, array="gp-unit:PRIMARY")

# (row of docs/explanation/booting.md, facts, decision or restore reason or kind of decision)
TABLE: list[tuple[int, BootFacts, Decision | RestoreReason | type]] = [
    (1, facts(erase(EraseMode.REQUESTED), root=BOOTABLE, key=True), Erase()),
    (2, facts(erase(EraseMode.UNRECOVERABLE_ERROR), root=BOOTABLE), ShowEraseFailure()),
    (3, facts(BootArguments(shell=True), root=BOOTABLE, key=True), OpenShell()),
    (4, facts(NONE, root=BOOTABLE, operator=True), RestoreReason.REQUESTED_BY_ARGUMENTS),
    (5, facts(NONE, fallback=True, root=BOOTABLE), SwitchRoot(ROOT)),
    (5, facts(NONE, fallback=True), KeepWaiting),
    (6, facts(key=True, root=BOOTABLE, operator=True, files=("EmergencyFile_1",)), OpenMenu()),
    (7, facts(targets=BLANK, operator=True), RestoreReason.DISKS_UNUSED),
    (7, facts(targets=survey(TargetState.BLANK, TargetState.BLANK), elapsed=4), RestoreReason.DISKS_UNUSED),
    (7, facts(targets=survey(TargetState.ERASED, TargetState.BLANK), elapsed=4), RestoreReason.DISKS_UNUSED),
    (8, facts(root=BOOTABLE, operator=True), KeepWaiting("a key may be pressed", 10.0)),
    (8, facts(root=NO_FLAG, operator=True), KeepWaiting("a key may be pressed", 10.0)),
    (8, facts(targets=BLANK, operator=True, files=("EmergencyFile_1",)), KeepWaiting("a key may be pressed", 10.0)),
    (9, facts(root=BOOTABLE, files=("EmergencyFile_1",)), RestoreReason.EMERGENCY_FILE),
    (9, facts(targets=BLANK, elapsed=4, files=("EmergencyFile_1",)), RestoreReason.EMERGENCY_FILE),
    (7, facts(targets=BLANK, searched=False), KeepWaiting("looking for emergency files", 5.0)),
    (7, facts(targets=BLANK, searched=False, elapsed=5), RestoreReason.DISKS_UNUSED),
    (9, facts(root=BOOTABLE, files=("F",), searched=False), KeepWaiting("looking for emergency files", 5.0)),
    (9, facts(root=BOOTABLE, files=("F",), searched=False, elapsed=5), RestoreReason.EMERGENCY_FILE),
    # The record on a root that is not read yet may name the file.
    (9, facts(root=NO_FLAG, files=("F",)), RestoreReason.EMERGENCY_FILE),
    (9, facts(files=("F",)), KeepWaiting),
    (9, facts(files=("F",), elapsed=3), SurveyTargets()),
    (9, facts(files=("F",), elapsed=3, targets=WITH_PRIMARY), KeepWaiting),
    (9, facts(files=("F",), elapsed=3, targets=OTHER), RestoreReason.EMERGENCY_FILE),
    (9, facts(files=("F",), elapsed=LATE, targets=UNKNOWN), RestoreReason.EMERGENCY_FILE),
    (9, facts(files=("F",), elapsed=LATE, targets=WITH_PRIMARY), UseVolume),
    (9, facts(root=FAILED, files=("F",)), SurveyTargets()),
    (9, facts(root=BOTH, files=("F",)), SurveyTargets()),
    (9, facts(root=attempts(3), files=("F",), targets=WITH_PRIMARY), RestoreReason.EMERGENCY_FILE),
    (9, facts(root=Found(COPY, MountFailed("is attached by USB")), files=("F",), targets=WITH_PRIMARY), KeepWaiting),
    (10, facts(root=Found(ROOT, Mounted(Flag.PRESENT, "no init"))), GiveUp),
    (11, facts(root=BOOTABLE, searched=False), KeepWaiting("looking for emergency files", 5.0)),
    (12, facts(root=BOOTABLE), SwitchRoot(ROOT)),
    (12, facts(root=BOOTABLE, targets=UNKNOWN), SwitchRoot(ROOT)),
    (12, facts(root=BOOTABLE, elapsed=10, operator=True), SwitchRoot(ROOT)),
    (12, facts(root=BOOTABLE, elapsed=5, searched=False), SwitchRoot(ROOT)),
    (13, facts(root=FAILED), SurveyTargets()),
    (13, facts(root=FAILED, check=(ROOT, BEYOND)), SurveyTargets()),
    (13, facts(root=NO_FLAG), SurveyTargets()),
    (13, facts(root=UNREADABLE_FLAG), SurveyTargets()),
    (13, facts(root=Found(COPY, Mounted(Flag.PRESENT))), SurveyTargets()),
    (14, facts(root=Found(COPY, Mounted(Flag.PRESENT)), targets=BLANK), KeepWaiting),
    (14, facts(root=Found(COPY, Mounted(Flag.ABSENT)), targets=WITH_PRIMARY), KeepWaiting),
    (14, facts(root=attempts(1, COPY), targets=WITH_PRIMARY, check=(COPY, BEYOND)), KeepWaiting),
    (14, facts(root=attempts(1, CARD), targets=WITH_PRIMARY), KeepWaiting),
    (15, facts(root=Found(COPY, Mounted(Flag.PRESENT)), targets=BLANK, elapsed=LATE), GiveUp),
    (15, facts(root=attempts(1, CARD), targets=WITH_PRIMARY, elapsed=LATE), GiveUp),
    (16, facts(root=NO_FLAG, targets=WITH_PRIMARY), RestoreReason.FLAG_MISSING),
    (17, facts(root=NO_FLAG, targets=UNKNOWN), KeepWaiting),
    (17, facts(root=NO_FLAG, targets=ELSEWHERE), KeepWaiting),
    (17, facts(root=NO_FLAG, targets=replace(WITH_PRIMARY, expected=2)), KeepWaiting),
    (17, facts(root=NO_FLAG, targets=survey(TargetState.PRIMARY, TargetState.OTHER, expected=1)), KeepWaiting),
    (17, facts(root=NO_FLAG, targets=survey(TargetState.PRIMARY, TargetState.RAID_MEMBER)), KeepWaiting),
    (17, facts(root=NO_FLAG, targets=survey(TargetState.PRIMARY, TargetState.FOREIGN)), KeepWaiting),
    (18, facts(root=NO_FLAG, targets=ELSEWHERE, elapsed=LATE), GiveUp),
    (18, facts(root=NO_FLAG, targets=survey(TargetState.PRIMARY, TargetState.PRIMARY), elapsed=LATE), GiveUp),
    (16, facts(root=NO_FLAG, targets=survey(TargetState.PRIMARY, TargetState.OTHER)), RestoreReason.FLAG_MISSING),
    (16, facts(root=NO_FLAG, targets=survey(TargetState.PRIMARY, TargetState.BLANK)), RestoreReason.FLAG_MISSING),
    (18, facts(root=NO_FLAG, targets=UNKNOWN, elapsed=LATE), GiveUp),
    (19, facts(root=FAILED, targets=WITH_PRIMARY), CheckFileSystem),
    (19, facts(root=UNREADABLE_FLAG, targets=WITH_PRIMARY), CheckFileSystem),
    (19, facts(root=attempts(1, EMPTY), targets=OTHER), CheckFileSystem),
    (19, facts(root=FAILED, targets=UNKNOWN), CheckFileSystem),
    (20, facts(root=FAILED, targets=WITH_PRIMARY, check=(ROOT, BEYOND)), RestoreReason.BEYOND_REPAIR),
    (20, facts(root=attempts(1, EMPTY), targets=OTHER, check=(EMPTY, BEYOND)), RestoreReason.BEYOND_REPAIR),
    (20, facts(root=UNREADABLE_FLAG, targets=WITH_PRIMARY, check=(ROOT, BEYOND)), RestoreReason.BEYOND_REPAIR),
    (21, facts(root=FAILED, targets=UNKNOWN, check=(ROOT, BEYOND)), KeepWaiting),
    (21, facts(root=FAILED, targets=ELSEWHERE, check=(ROOT, BEYOND)), KeepWaiting),
    (21, facts(root=FAILED, targets=replace(WITH_PRIMARY, expected=2), check=(ROOT, BEYOND)), KeepWaiting),
    (22, facts(root=FAILED, targets=ELSEWHERE, check=(ROOT, BEYOND), elapsed=LATE), GiveUp),
    (23, facts(root=attempts(2), targets=WITH_PRIMARY, check=(ROOT, GOOD)), KeepWaiting),
    (23, facts(root=attempts(2), targets=WITH_PRIMARY, check=(ROOT, COULD_NOT)), KeepWaiting),
    (23, facts(root=attempts(1, EMPTY), targets=OTHER, check=(EMPTY, COULD_NOT)), KeepWaiting),
    (23, facts(root=attempts(1, LUKS), targets=OTHER), KeepWaiting),
    (24, facts(root=attempts(3), targets=WITH_PRIMARY, check=(ROOT, GOOD)), GiveUp),
    (24, facts(root=attempts(3), targets=WITH_PRIMARY, check=(ROOT, COULD_NOT)), GiveUp),
    (24, facts(root=attempts(3, EMPTY), targets=OTHER, check=(EMPTY, COULD_NOT)), GiveUp),
    (24, facts(root=attempts(2), targets=WITH_PRIMARY, check=(ROOT, GOOD), elapsed=LATE), GiveUp),
    (24, facts(root=UNREADABLE_FLAG, targets=WITH_PRIMARY, check=(ROOT, GOOD)), GiveUp),
    (24, facts(root=attempts(3, LUKS), targets=OTHER), GiveUp),
    (25, facts(), KeepWaiting("root volume not found yet", 3.0)),
    (26, facts(elapsed=3), SurveyTargets()),
    (27, facts(elapsed=119.9, targets=OTHER), KeepWaiting),
    (27, facts(elapsed=4, targets=survey(TargetState.BLANK, expected=2)), KeepWaiting),
    (27, facts(elapsed=4, targets=survey(TargetState.BLANK, TargetState.OTHER)), KeepWaiting),
    (27, facts(elapsed=4, targets=survey(TargetState.ERASED, expected=2)), KeepWaiting),
    (27, facts(elapsed=4, targets=survey(TargetState.ERASED, TargetState.OTHER)), KeepWaiting),
    (28, facts(elapsed=LATE, targets=WITH_PRIMARY), UseVolume),
    (29, facts(elapsed=LATE, targets=UNKNOWN), GiveUp),
    (29, facts(elapsed=LATE, targets=survey(TargetState.BLANK, expected=2)), GiveUp),
    (29, facts(elapsed=LATE, targets=survey(TargetState.OTHER, TargetState.OTHER, expected=1)), GiveUp),
    (29, facts(elapsed=LATE, targets=survey(TargetState.OTHER, TargetState.UNREADABLE)), GiveUp),
    (29, facts(elapsed=LATE, targets=survey(TargetState.OTHER, TargetState.FOREIGN)), GiveUp),
    (29, facts(elapsed=LATE, targets=replace(survey(TargetState.FOREIGN), probable_primary=EMPTY)), GiveUp),
    (29, facts(elapsed=LATE, targets=survey(TargetState.RAID_MEMBER, TargetState.RAID_MEMBER)), GiveUp),
    (29, facts(elapsed=LATE, targets=replace(WITH_PRIMARY, primary=(ROOT, EMPTY))), GiveUp),
    (30, facts(elapsed=LATE, targets=SUSPECT), CheckFileSystem),
    (31, facts(elapsed=LATE, targets=SUSPECT, check=(EMPTY, COULD_NOT)), GiveUp),
    (31, facts(elapsed=LATE, targets=SUSPECT, check=(EMPTY, GOOD)), GiveUp),
    (32, facts(elapsed=LATE, targets=OTHER), RestoreReason.FILE_SYSTEM_ABSENT),
    (32, facts(elapsed=LATE, targets=SUSPECT, check=(EMPTY, BEYOND)), RestoreReason.FILE_SYSTEM_ABSENT),
    (33, facts(root=BOTH), SurveyTargets()),
    (34, facts(root=BOTH, targets=WITH_PRIMARY), UseVolume),
    (34, facts(root=Ambiguous((ON_ARRAY, ROOT)), targets=replace(OWN, own_arrays=frozenset({"own"}))), UseVolume),
    (35, facts(root=Ambiguous((ON_ARRAY, ROOT)), targets=OWN), KeepWaiting),
    (35, facts(root=BOTH, targets=UNKNOWN), KeepWaiting),
    (
        35,
        facts(
            root=BOTH,
            targets=TargetSurvey(expected=2, disks=(*WITH_PRIMARY.disks, TargetDisk(USB, TargetState.PRIMARY))),
        ),
        KeepWaiting,
    ),
    (36, facts(root=BOTH, targets=UNKNOWN, elapsed=LATE), GiveUp),
    (37, facts(root=NotFound((HALF,))), KeepWaiting),
    (37, facts(root=NotFound((HALF,)), elapsed=29.9, targets=OTHER), KeepWaiting),
    (37, facts(root=NotFound((HALF, OTHERS)), elapsed=29.9), KeepWaiting),
    (38, facts(root=NotFound((HALF,)), elapsed=30), StartArray(HALF, "no further member within 30 s")),
    (38, facts(root=NotFound((HALF,)), elapsed=LATE, targets=UNKNOWN), StartArray),
    (38, facts(root=NotFound((HALF, LOST)), elapsed=30), StartArray(HALF, "no further member within 30 s")),
    (38, facts(replace(NORMAL, root_deadline=5), root=NotFound((HALF,)), elapsed=5), StartArray),
    (39, facts(root=NotFound((HALF, OTHERS)), elapsed=30), SurveyTargets()),
    (40, facts(root=NotFound((OTHERS, HALF)), elapsed=30, targets=OWN), StartArray),
    (41, facts(root=NotFound((OTHERS, HALF)), elapsed=30, targets=UNKNOWN), KeepWaiting),
    (42, facts(root=NotFound((OTHERS, HALF)), elapsed=LATE, targets=OTHER), GiveUp),
    (43, facts(root=replace(BOOTABLE, arrays=(HALF,))), SurveyTargets()),
    (43, facts(root=replace(BOOTABLE, arrays=(HALF,)), targets=OWN), KeepWaiting),
    (43, facts(root=replace(NO_FLAG, arrays=(OTHERS, HALF)), elapsed=30, targets=OWN), StartArray),
    (12, facts(root=replace(BOOTABLE, arrays=(OTHERS,)), targets=OWN), SwitchRoot(ROOT)),
    (12, facts(root=replace(BOOTABLE, arrays=(LOST,))), SwitchRoot(ROOT)),
    # What cannot run is as good as not there: rows 25 to 32.
    (25, facts(root=NotFound((LOST,))), KeepWaiting),
    (26, facts(root=NotFound((replace(HALF, start_error="mdadm failed"),)), elapsed=40), SurveyTargets()),
    (29, facts(root=NotFound((LOST,)), elapsed=LATE, targets=survey(TargetState.RAID_MEMBER, expected=3)), GiveUp),
    (32, facts(root=NotFound((LOST,)), elapsed=LATE, targets=OTHER), RestoreReason.FILE_SYSTEM_ABSENT),
]


@pytest.mark.parametrize(("row", "seen", "expected"), TABLE)
def test_every_row_of_the_table(row: int, seen: BootFacts, expected: Decision | RestoreReason | type) -> None:
    decision = decide(seen)
    if isinstance(expected, RestoreReason):
        assert isinstance(decision, Restore)
        assert decision.reason is expected
        assert decision.evidence
    elif isinstance(expected, type):
        assert isinstance(decision, expected)
    else:
        assert decision == expected


def test_the_document_and_this_table_have_the_same_rows() -> None:
    documented = [int(number) for number in re.findall(r"^\| (\d+) \|", DOCUMENT.read_text(), re.MULTILINE)]
    assert documented == sorted({row for row, _, _ in TABLE})


@pytest.mark.parametrize("image", PreferredImage)
def test_a_restore_takes_the_preferred_image(image: PreferredImage) -> None:
    decision = decide(facts(replace(NONE, preferred_image=image)))
    assert isinstance(decision, Restore)
    assert decision.image is image


def test_the_suspect_is_what_is_checked() -> None:
    decision = decide(facts(elapsed=LATE, targets=SUSPECT))
    assert isinstance(decision, CheckFileSystem)
    assert decision.volume is EMPTY


def test_the_volume_on_the_platforms_own_disk_is_used() -> None:
    decision = decide(facts(root=BOTH, targets=WITH_PRIMARY))
    assert isinstance(decision, UseVolume)
    assert decision.volume is ROOT


def test_waits_follow_the_arguments() -> None:
    quick = replace(NORMAL, key_window=2.0, root_deadline=20.0)
    assert decide(facts(quick, root=BOOTABLE, operator=True)) == KeepWaiting("a key may be pressed", 2.0)
    assert decide(facts(quick, root=BOOTABLE, operator=True, elapsed=2)) == SwitchRoot(ROOT)
    assert isinstance(decide(facts(quick, elapsed=20, targets=UNKNOWN)), GiveUp)
    never = replace(NORMAL, key_window=0.0)
    assert decide(facts(never, root=BOOTABLE, operator=True, elapsed=0)) == SwitchRoot(ROOT)


WAITS = replace(NORMAL, root_deadline=60.0, array_wait=30.0)
FOREIGN_COPY = Found(COPY, Mounted(Flag.PRESENT))


@pytest.mark.parametrize(
    ("seen", "decision"),
    [
        (facts(WAITS, root=FOREIGN_COPY, targets=BLANK), "{copy}: it is attached by USB"),
        (facts(WAITS, root=Found(CARD, Mounted(Flag.ABSENT)), targets=OTHER), "{card}: it is removable"),
        (
            facts(WAITS, root=NO_FLAG, targets=ELSEWHERE),
            f"/dev/sda1 is mounted and has no flag file, but {{root}}; {ELSEWHERE.describe()}",
        ),
        (
            facts(WAITS, root=NO_FLAG, targets=replace(WITH_PRIMARY, expected=2)),
            "/dev/sda1 is mounted and has no flag file, but 1 of 2 data disks present: /dev/sda with PRIMARY",
        ),
        (
            facts(WAITS, root=FAILED, targets=UNKNOWN, check=(ROOT, BEYOND)),
            f"/dev/sda1: bad superblock; the check could not repair it, but {{root}}; {UNKNOWN.describe()}",
        ),
        (
            facts(WAITS, elapsed=4, targets=OTHER),
            "root volume not found yet; 1 of 1 data disks present: /dev/sda without PRIMARY",
        ),
        (facts(WAITS, root=BOTH, targets=UNKNOWN), "more than one volume could be the root: /dev/sda1, /dev/sdc1"),
    ],
)
def test_doubts_wait_for_another_disk_until_the_deadline_and_are_then_given_up(seen: BootFacts, decision: str) -> None:
    nowhere = "is not on a data disk of the platform"
    copy, card, root = (f"{one.node} {nowhere}" for one in (COPY, CARD, ROOT))
    reason = decision.format(copy=copy, card=card, root=root)
    assert decide(seen) == KeepWaiting(reason, 60.0)
    assert decide(replace(seen, elapsed=59.9)) == KeepWaiting(reason, 60.0)
    late = decide(replace(seen, elapsed=60.0))
    assert isinstance(late, GiveUp | Restore)
    if not reason.startswith("root volume not found yet"):
        assert late == GiveUp(reason)


def test_what_did_not_mount_is_tried_again_every_five_seconds_and_not_behind_the_deadline() -> None:
    seen = facts(WAITS, root=attempts(2), targets=WITH_PRIMARY, check=(ROOT, GOOD), elapsed=7.0)
    assert decide(seen) == KeepWaiting("cannot use /dev/sda1: bad superblock", 12.0)
    assert decide(replace(seen, elapsed=58.0)) == KeepWaiting("cannot use /dev/sda1: bad superblock", 60.0)
    assert decide(replace(seen, elapsed=60.0)) == GiveUp(
        "cannot use /dev/sda1: bad superblock; its file system is good"
    )
    third = replace(seen, root=attempts(3, LUKS), checks={})
    assert decide(third) == GiveUp("cannot use /dev/sda1: bad superblock")
    unreadable = facts(root=UNREADABLE_FLAG, targets=WITH_PRIMARY, check=(ROOT, COULD_NOT))
    assert decide(unreadable) == GiveUp(
        "cannot use /dev/sda1: its flag file cannot be read; its file system could not be checked"
    )


def test_checks_name_the_volume_and_why() -> None:
    assert decide(facts(root=FAILED, targets=WITH_PRIMARY)) == CheckFileSystem(
        ROOT, "cannot use /dev/sda1: bad superblock"
    )
    assert decide(facts(root=attempts(1, EMPTY), targets=OTHER)) == CheckFileSystem(
        EMPTY, "cannot use /dev/sda1: bad superblock"
    )


def test_a_system_that_cannot_be_switched_to_is_given_up_with_the_reason() -> None:
    seen = facts(root=Found(ROOT, Mounted(Flag.PRESENT, "no init")))
    assert decide(seen) == GiveUp("cannot start the system on /dev/sda1: no init")


def test_arrays_wait_for_their_members_and_several_leave_a_doubt() -> None:
    seen = facts(WAITS, root=NotFound((HALF, OTHERS)))
    told = f"{HALF.describe()}, and {OTHERS.describe()}"
    assert decide(seen) == KeepWaiting(told, 30.0)
    assert decide(replace(seen, arguments=replace(WAITS, root_deadline=20.0))) == KeepWaiting(told, 20.0)
    doubt = f"more than one incomplete array could hold the root: {told}"
    late = replace(seen, elapsed=30.0, targets=OTHER)
    assert decide(late) == KeepWaiting(doubt, 60.0)
    assert decide(replace(late, elapsed=60.0)) == GiveUp(doubt)


def test_what_a_missing_root_is_given_up_with() -> None:
    suspect = facts(elapsed=LATE, targets=SUSPECT, check=(EMPTY, COULD_NOT))
    assert decide(suspect) == GiveUp("root volume not found; /dev/sda1, probably PRIMARY, could not be checked")
    restored = decide(facts(elapsed=LATE, targets=OTHER))
    assert isinstance(restored, Restore)
    assert restored.evidence == "1 of 1 data disks present: /dev/sda without PRIMARY"
    files = decide(facts(root=BOOTABLE, files=("EmergencyFile_1", "EmergencyFile_2")))
    assert isinstance(files, Restore)
    assert files.evidence == "EmergencyFile_1, EmergencyFile_2"


# --- properties -------------------------------------------------------------------------------------------------------

some_volumes = st.sampled_from([ROOT, EMPTY, LUKS, COPY, CARD])
roots: st.SearchStrategy[RootSearch] = st.one_of(
    st.builds(
        NotFound, st.sampled_from([(), (HALF,), (HALF, OTHERS), (LOST,), (replace(HALF, start_error="no"), LOST)])
    ),
    st.builds(Ambiguous, st.sampled_from([(ROOT, COPY), (ROOT, EMPTY), (COPY, LUKS, ROOT)])),
    st.builds(
        Found,
        some_volumes,
        st.builds(
            Mounted,
            st.sampled_from(Flag),
            st.sampled_from(["", "no init"]),
            request=st.sampled_from(
                [None, UnreadableRequest("x"), RestoreRequested(serial="S"), EraseRequested(serial="S", tries=2)]
            ),
        ),
    ),
    st.builds(Found, some_volumes, st.builds(MountFailed, st.just("failed"), st.integers(1, 5))),
)
surveys = st.builds(
    TargetSurvey,
    expected=st.one_of(st.none(), st.integers(0, 3)),
    disks=st.lists(st.builds(TargetDisk, st.sampled_from([SDA, SDB]), st.sampled_from(TargetState)), max_size=3).map(
        tuple
    ),
    primary=st.sampled_from([(), (ROOT,), (ROOT, EMPTY)]),
    probable_primary=st.sampled_from([None, EMPTY]),
    boot_files_present=st.sampled_from([None, True, False]),
    without_root=st.booleans(),
    serial=st.sampled_from(["", "S"]),
)
arguments_without_wish = st.builds(
    BootArguments,
    real_root=st.sampled_from(["", "LABEL=PRIMARY", "nonsense"]),
    preferred_image=st.sampled_from(PreferredImage),
    key_window=st.sampled_from([0.0, 10.0]),
    root_deadline=st.sampled_from([0.0, 2.0, 120.0]),
)
all_arguments = st.one_of(
    arguments_without_wish,
    st.builds(
        BootArguments,
        restore_requested=st.booleans(),
        loader_fallback=st.booleans(),
        erase=st.sampled_from(EraseMode),
        shell=st.booleans(),
        key_window=st.sampled_from([0.0, 10.0]),
    ),
)


def all_facts(arguments: st.SearchStrategy[BootArguments]) -> st.SearchStrategy[BootFacts]:
    return st.builds(
        BootFacts,
        arguments=arguments,
        started_by_fallback=st.booleans(),
        elapsed=st.one_of(st.sampled_from([0.0, 3.0, 5.0, 10.0, 120.0, 1e6]), st.floats(0, 1e4)),
        root=roots,
        targets=st.one_of(st.none(), surveys),
        checks=st.dictionaries(
            st.sampled_from([ROOT.stable_id, COPY.stable_id, CARD.stable_id]), st.sampled_from(CheckOutcome)
        ),
        operator_present=st.booleans(),
        key_pressed=st.booleans(),
        emergency_files=st.sampled_from([(), ("EmergencyFile_1",)]),
        emergency_searched=st.booleans(),
        erase_followed=st.booleans(),
        request_settled=st.booleans(),
    )


@pytest.mark.parametrize("outcome", list(CheckOutcome))
def test_disks_that_never_stay_the_same_are_not_checked_for_ever(outcome: CheckOutcome) -> None:
    before = {f"/dev/sda1 on x{number}, 1 bytes": outcome for number in range(8)}
    lost = facts(elapsed=LATE, targets=SUSPECT)
    for seen in (facts(root=FAILED, elapsed=LATE, targets=WITH_PRIMARY), lost):
        assert isinstance(decide(replace(seen, checks=before)), GiveUp)
        assert isinstance(decide(replace(seen, checks=dict([*before.items()][:-1]))), CheckFileSystem)


def requested_by_system(seen: BootFacts) -> BootRequest | None:
    """The request on a root with its flag file, for this unit and not settled yet."""
    mount = seen.root.mount if isinstance(seen.root, Found) else None
    if not isinstance(mount, Mounted) or mount.flag is not Flag.PRESENT or mount.request is None:
        return None
    if isinstance(mount.request, UnreadableRequest):
        return None
    own = seen.targets is not None and seen.targets.serial == mount.request.serial
    return mount.request if own and not seen.request_settled else None


def evidence(seen: BootFacts) -> bool:
    """Is there anything at all that entitles to wipe PRIMARY? Written from the promise, not from the code."""
    root, targets = seen.root, seen.targets
    asked = seen.arguments.restore_requested and not seen.started_by_fallback
    complete = targets is not None and targets.expected == len(targets.disks) and targets.expected > 0
    states = {target.state for target in targets.disks} if targets is not None else set()
    # What is seen on a volume counts only if that is on a built-in data disk, and no data disk is missing or too many.
    own = (
        isinstance(root, Found)
        and complete
        and targets is not None
        and root.volume.disk in [target.disk for target in targets.disks]
        and root.volume.disk.bus is not Bus.USB
        and not root.volume.disk.removable
    )
    flag = root.mount.flag if isinstance(root, Found) and isinstance(root.mount, Mounted) else None
    broken = (
        isinstance(root, Found)
        and flag in (None, Flag.UNREADABLE)
        and seen.checks.get(root.volume.stable_id) is CheckOutcome.BEYOND_REPAIR
    )
    gone = (
        isinstance(root, NotFound)
        and complete
        and targets is not None
        and states <= {*UNUSED, TargetState.OTHER}
        and (
            targets.probable_primary is None
            or states <= UNUSED
            or seen.checks.get(targets.probable_primary.stable_id) is CheckOutcome.BEYOND_REPAIR
        )
    )
    unstartable = (
        seen.arguments.loader_fallback
        and complete
        and targets is not None
        and targets.boot_files_present is False
        and states <= {*UNUSED, TargetState.OTHER, TargetState.PRIMARY}
    )
    requested = own and requested_by_system(seen) is not None
    return any(
        (requested, unstartable, asked, bool(seen.emergency_files), own and flag is Flag.ABSENT, own and broken, gone)
    )


@settings(max_examples=200)
@given(all_facts(all_arguments))
def test_nothing_is_restored_without_positive_evidence(seen: BootFacts) -> None:
    decision = decide(seen)
    if isinstance(decision, Restore):
        assert evidence(seen)


FELL_BACK = BootArguments(restore_requested=True, loader_fallback=True)


@pytest.mark.parametrize(
    ("root", "targets", "expected"),
    [
        (BOOTABLE, None, SurveyTargets()),
        (NotFound(), None, KeepWaiting),
        (BOOTABLE, replace(WITH_PRIMARY, boot_files_present=False), RestoreReason.BOOT_FILES_MISSING),
        (NotFound(), replace(OTHER, boot_files_present=False), RestoreReason.BOOT_FILES_MISSING),
        # The boot loader was too early for a slow disk.
        (BOOTABLE, replace(WITH_PRIMARY, boot_files_present=True), SwitchRoot(ROOT)),
        # A disk may be missing, unknown, or foreign: no evidence.
        (BOOTABLE, replace(WITH_PRIMARY, boot_files_present=False, expected=2), SwitchRoot(ROOT)),
        (BOOTABLE, replace(UNKNOWN, boot_files_present=False), SwitchRoot(ROOT)),
        (NotFound(), replace(survey(TargetState.FOREIGN), boot_files_present=False), KeepWaiting),
        (NotFound(), replace(survey(TargetState.UNREADABLE), boot_files_present=False), KeepWaiting),
        (NotFound(), replace(survey(TargetState.RAID_MEMBER), boot_files_present=False), KeepWaiting),
    ],
)
def test_row_9a(
    root: RootSearch, targets: TargetSurvey | None, expected: Decision | RestoreReason | type[Decision]
) -> None:
    decision = decide(facts(FELL_BACK, fallback=True, root=root, targets=targets))
    if isinstance(expected, RestoreReason):
        assert isinstance(decision, Restore)
        assert decision.reason is expected
    elif isinstance(expected, type):
        assert isinstance(decision, expected)
    else:
        assert decision == expected
    # A request by an operator, or another firmware, has rows of its own.
    other = decide(facts(NORMAL, root=root, targets=targets))
    assert not isinstance(other, Restore)


@settings(max_examples=200)
@given(all_facts(arguments_without_wish))
def test_a_root_that_is_merely_missing_or_failing_is_never_wiped(seen: BootFacts) -> None:
    """The two cases that lost data in the field, with nothing else to go by."""
    for root in (NotFound(), NotFound((LOST,)), NotFound((HALF,)), FAILED, BOTH, UNREADABLE_FLAG):
        plain = replace(seen, root=root, emergency_files=(), targets=None, checks={ROOT.stable_id: COULD_NOT})
        assert not isinstance(decide(plain), Restore)


@settings(max_examples=200)
@given(all_facts(arguments_without_wish), st.sampled_from([COPY, CARD]))
def test_what_can_be_plugged_in_is_neither_booted_nor_repaired_nor_evidence(seen: BootFacts, plugged: Volume) -> None:
    decision = decide(replace(seen, root=Found(plugged, BOOTABLE.mount), emergency_files=()))
    assert isinstance(decision, OpenMenu | SurveyTargets | KeepWaiting | GiveUp)
    for mount in (MountFailed("failed", 3), NO_FLAG.mount, UNREADABLE_FLAG.mount):
        found = replace(seen, root=Found(plugged, mount), emergency_files=())
        assert isinstance(decide(found), OpenMenu | SurveyTargets | KeepWaiting | GiveUp)


@settings(max_examples=200)
@given(all_facts(arguments_without_wish))
def test_an_array_that_could_still_run_is_never_restored_over_unasked(seen: BootFacts) -> None:
    """Unless the platform's own disks are blank: then it is not this unit's."""
    decision = decide(replace(seen, root=NotFound((HALF,)), emergency_files=()))
    if isinstance(decision, Restore):
        assert decision.reason is RestoreReason.DISKS_UNUSED


def test_what_is_missing_of_an_array_is_said() -> None:
    decision = decide(facts(root=NotFound((LOST,)), elapsed=LATE, targets=survey(TargetState.RAID_MEMBER, expected=2)))
    assert isinstance(decision, GiveUp)
    assert "array gp-unit:PRIMARY (RAID 0, 2 disks) is failed: /dev/sda (slot 0," in decision.reason
    assert "missing slot 1" in decision.reason


def test_the_units_own_array_is_started_among_several() -> None:
    decision = decide(facts(root=NotFound((OTHERS, HALF)), elapsed=30, targets=OWN))
    assert isinstance(decision, StartArray)
    assert decision.array is HALF


def test_why_nothing_is_done_about_other_data_is_said() -> None:
    foreign = TargetSurvey(expected=1, disks=(TargetDisk(SDA, TargetState.FOREIGN, ("/dev/sda1: crypto_LUKS",)),))
    decision = decide(facts(elapsed=LATE, targets=foreign))
    assert isinstance(decision, GiveUp)
    assert "/dev/sda with other data (/dev/sda1: crypto_LUKS)" in decision.reason
    assert "factory restore" in decision.reason
    other = decide(facts(elapsed=LATE, targets=replace(ELSEWHERE, expected=2)))
    assert isinstance(other, GiveUp)
    assert "factory restore" not in other.reason


def test_a_root_elsewhere_is_named() -> None:
    decision = decide(facts(root=NO_FLAG, targets=ELSEWHERE, elapsed=LATE))
    assert isinstance(decision, GiveUp)
    assert "/dev/sda1 is not on a data disk of the platform" in decision.reason


@settings(max_examples=150)
@given(all_facts(all_arguments))
def test_erase_only_on_request(seen: BootFacts) -> None:
    decision = decide(seen)
    if isinstance(decision, Erase) and decision.request is not None:
        assert decision.request == requested_by_system(seen)
        assert not decision.confirmed
        return
    assert isinstance(decision, Erase) is (seen.arguments.erase is EraseMode.REQUESTED)


@pytest.mark.parametrize(
    "seen",
    [
        facts(targets=CLEARED, elapsed=3),
        facts(targets=CLEARED, elapsed=LATE),
        facts(targets=CLEARED, elapsed=3, files=("EmergencyFile_1",), searched=False),
        facts(targets=replace(BLANK, without_root=True), elapsed=3),
        facts(root=NotFound((HALF,)), targets=CLEARED, elapsed=3),
    ],
)
def test_row_6a(seen: BootFacts) -> None:
    assert decide(seen) == FollowEraseRecord()
    # A person who then left the boot menu waits for a root, as without the record.
    without = None if seen.targets is None else replace(seen.targets, without_root=False)
    assert decide(replace(seen, erase_followed=True)) == decide(replace(seen, targets=without))


@settings(max_examples=150)
@given(all_facts(all_arguments))
def test_an_erase_record_is_followed_only_if_no_root_can_come(seen: BootFacts) -> None:
    if isinstance(decide(seen), FollowEraseRecord):
        assert isinstance(seen.root, NotFound)
        assert seen.targets is not None
        assert seen.targets.without_root


@settings(max_examples=150)
@given(all_facts(all_arguments))
def test_only_a_root_with_its_flag_is_booted(seen: BootFacts) -> None:
    decision = decide(seen)
    if isinstance(decision, SwitchRoot):
        assert isinstance(seen.root, Found)
        assert seen.root.volume == decision.volume
        assert isinstance(seen.root.mount, Mounted)
        assert replace(seen.root.mount, request=None) == Mounted(Flag.PRESENT)
        assert seen.root.mount.request is None or seen.request_settled


@settings(max_examples=150)
@given(all_facts(all_arguments))
def test_waits_end_in_the_future_and_not_behind_the_last_deadline(seen: BootFacts) -> None:
    decision = decide(seen)
    if isinstance(decision, KeepWaiting):
        last = max(seen.arguments.root_deadline, seen.arguments.key_window, 5.0)
        assert seen.elapsed < decision.until <= last


@settings(max_examples=150)
@given(all_facts(all_arguments))
def test_asking_again_as_told_comes_to_an_end(seen: BootFacts) -> None:
    """Do what is asked in the least helpful way, at most 16 times, and a final decision comes."""
    for _ in range(16):
        match decide(seen):
            case KeepWaiting(until=until):
                seen = replace(seen, elapsed=until)
            case FollowEraseRecord():
                assert not seen.erase_followed
                seen = replace(seen, erase_followed=True)
            case SurveyTargets():
                assert seen.targets is None
                seen = replace(seen, targets=WITH_PRIMARY)
            case WithdrawRequest():
                assert not seen.request_settled
                seen = replace(seen, request_settled=True)
            case CheckFileSystem(volume=checked):
                assert checked.stable_id not in seen.checks
                seen = replace(seen, checks={**seen.checks, checked.stable_id: COULD_NOT}, targets=None)
            case UseVolume(volume=used):
                assert not isinstance(seen.root, Found)
                seen = replace(seen, root=Found(used, MountFailed("failed", 1)), targets=None)
            case _:
                return
        if isinstance(seen.root, Found) and isinstance(seen.root.mount, MountFailed):
            failed = replace(seen.root.mount, attempts=seen.root.mount.attempts + 1)
            seen = replace(seen, root=replace(seen.root, mount=failed))
    pytest.fail(f"no end: {decide(seen)}")

"""What target disks hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gprov.domain.boot.survey import SurveyFacts, TargetDisk, TargetState, TargetSurvey, survey_targets
from gprov.domain.disk.model import Contents, Disk, Partition, Volume
from gprov.domain.formats.disk.device_number import DeviceNumber

LABEL = "PRIMARY"


def disk(name: str, partitions: int = 0) -> Disk:
    major = ord(name[-1])
    return Disk(
        name=name,
        node=f"/dev/{name}",
        device=DeviceNumber(major, 0),
        size=10**10,
        partitions=tuple(
            Partition(
                name=f"{name}{number}",
                node=f"/dev/{name}{number}",
                device=DeviceNumber(major, number),
                number=number,
                start=0,
                size=0,
            )
            for number in range(1, partitions + 1)
        ),
    )


def volumes(on: Disk, *contents: Contents) -> list[Volume]:
    """What each partition holds, or the disk if it has none."""
    if not on.partitions:
        return [Volume(disk=on, node=on.node, device=on.device, contents=found) for found in contents]
    pairs = zip(on.partitions, contents, strict=False)
    return [
        Volume(disk=on, node=part.node, device=part.device, contents=found, partition=part) for part, found in pairs
    ]


EMPTY = Contents()
PRIMARY = Contents("ext4", LABEL)
DATA = Contents("ext4", "DATA")
SWAP = Contents("swap")
UUID = "01234567-89ab-cdef-0123-456789abcdef"
MEMBER = Contents("linux_raid_member", "unit:0", UUID)
SDA, SDA1, SDA2 = disk("sda"), disk("sda", 1), disk("sda", 2)


@pytest.mark.parametrize(
    ("target", "contents", "zeroed", "state"),
    [
        (SDA, [EMPTY], True, TargetState.BLANK),
        (SDA, [EMPTY], False, TargetState.OTHER),  # unknown bytes, perhaps a damaged table
        (SDA, [DATA], True, TargetState.FOREIGN),
        (SDA, [Contents(ambivalent=True)], True, TargetState.UNREADABLE),
        (SDA, [PRIMARY], False, TargetState.PRIMARY),
        (SDA, [], True, TargetState.UNREADABLE),
        (SDA1, [EMPTY], True, TargetState.OTHER),
        (SDA1, [PRIMARY], False, TargetState.PRIMARY),
        (SDA1, [MEMBER], False, TargetState.RAID_MEMBER),
        (SDA1, [], False, TargetState.UNREADABLE),
        (SDA2, [DATA], False, TargetState.UNREADABLE),
        (SDA2, [DATA, EMPTY], False, TargetState.FOREIGN),
        (SDA2, [EMPTY, Contents(ambivalent=True)], False, TargetState.UNREADABLE),
        (SDA2, [EMPTY, EMPTY], False, TargetState.OTHER),
        (SDA2, [SWAP, EMPTY], False, TargetState.OTHER),
        (SDA2, [SWAP, Contents("swsuspend")], False, TargetState.FOREIGN),
        (SDA, [SWAP], True, TargetState.OTHER),
        (SDA1, [Contents("crypto_LUKS")], False, TargetState.FOREIGN),
        (SDA1, [Contents("LVM2_member")], False, TargetState.FOREIGN),
        (SDA1, [Contents("ext4")], False, TargetState.FOREIGN),
        (SDA2, [DATA, PRIMARY], False, TargetState.PRIMARY),
        (SDA2, [DATA, MEMBER], False, TargetState.RAID_MEMBER),
        (SDA2, [PRIMARY], False, TargetState.PRIMARY),  # the other one is unreadable
    ],
)
def test_state_of_one_disk(target: Disk, contents: list[Contents], zeroed: bool, state: TargetState) -> None:
    survey = survey_targets(
        SurveyFacts(
            expected=1,
            targets=[target],
            volumes=volumes(target, *contents),
            primary_label=LABEL,
            zeroed=[target.node] if zeroed else [],
        )
    )
    assert [judged.state for judged in survey.disks] == [state]


FIRMWARE_RAID = Contents("isw_raid_member")


@pytest.mark.parametrize(
    ("target", "contents", "state"),
    [
        (SDA, [EMPTY], TargetState.ERASED),
        (SDA, [FIRMWARE_RAID], TargetState.ERASED),
        (SDA, [Contents("ddf_raid_member", uuid="x")], TargetState.ERASED),
        (SDA, [DATA], TargetState.FOREIGN),
        (SDA, [SWAP], TargetState.OTHER),
        (SDA, [MEMBER], TargetState.RAID_MEMBER),
        (SDA, [PRIMARY], TargetState.PRIMARY),
        (SDA, [Contents(ambivalent=True)], TargetState.UNREADABLE),
        (SDA, [], TargetState.UNREADABLE),
        (SDA1, [EMPTY], TargetState.OTHER),
        (SDA1, [PRIMARY], TargetState.PRIMARY),
    ],
)
def test_ends_that_an_erase_left_count_only_where_nothing_is_known(
    target: Disk, contents: list[Contents], state: TargetState
) -> None:
    survey = survey_targets(
        SurveyFacts(
            expected=1,
            targets=[target],
            volumes=volumes(target, *contents),
            primary_label=LABEL,
            as_erased=[target.node],
        )
    )
    assert [judged.state for judged in survey.disks] == [state]
    assert survey.unused is (state is TargetState.ERASED)


def test_an_array_that_runs_on_an_erased_disk_is_looked_at() -> None:
    found = [*volumes(SDA, MEMBER), array_on(SDA, contents=DATA)]
    facts = SurveyFacts(expected=1, targets=[SDA], volumes=found, primary_label=LABEL, as_erased=[SDA.node])
    assert survey_targets(facts).disks[0].state is TargetState.FOREIGN


def array_on(first: Disk, *others: Disk, contents: Contents, uuid: str = UUID) -> Volume:
    return Volume(
        disk=first, node="/dev/md127", device=DeviceNumber(9, 127), contents=contents, array=uuid, others=others
    )


@pytest.mark.parametrize(
    ("contents", "state"),
    [
        (EMPTY, TargetState.OTHER),
        (DATA, TargetState.FOREIGN),
        (PRIMARY, TargetState.PRIMARY),
        (Contents(ambivalent=True), TargetState.UNREADABLE),
    ],
)
def test_members_of_an_array_that_runs_hide_nothing(contents: Contents, state: TargetState) -> None:
    sdb1 = disk("sdb", 1)
    found = [*volumes(SDA1, MEMBER), *volumes(sdb1, MEMBER), array_on(SDA1, sdb1, contents=contents)]
    survey = survey_targets(SurveyFacts(expected=2, targets=[SDA1, sdb1], volumes=found, primary_label=LABEL))
    assert [judged.state for judged in survey.disks] == [state, state]
    assert survey.without_primary is (state is TargetState.OTHER)
    assert survey.primary == ((found[-1],) if state is TargetState.PRIMARY else ())
    assert survey.probable_primary == (found[-1] if state is TargetState.OTHER else None)


def test_boot_partitions_hold_nothing_that_is_lost() -> None:
    found = volumes(SDA2, Contents("ext2", "BOOT"), EMPTY)
    assert (
        survey_targets(SurveyFacts(expected=1, targets=[SDA2], volumes=found, primary_label=LABEL)).disks[0].state
        is TargetState.FOREIGN
    )
    survey = survey_targets(
        SurveyFacts(expected=1, targets=[SDA2], volumes=found, primary_label=LABEL, boot_label="BOOT")
    )
    assert survey.disks[0].state is TargetState.OTHER
    assert survey.probable_primary == found[1]
    own = [*volumes(SDA2, Contents("ext2", "BOOT"), DATA)]
    assert (
        survey_targets(SurveyFacts(expected=1, targets=[SDA2], volumes=own, primary_label=LABEL, boot_label="BOOT"))
        .disks[0]
        .state
        is TargetState.FOREIGN
    )


def test_what_other_disks_have_in_arrays_does_not_count() -> None:
    sdb1 = disk("sdb", 1)
    found = [*volumes(SDA1, MEMBER), array_on(sdb1, contents=DATA)]
    assert (
        survey_targets(SurveyFacts(expected=1, targets=[SDA1], volumes=found, primary_label=LABEL)).disks[0].state
        is TargetState.RAID_MEMBER
    )
    assert (
        survey_targets(
            SurveyFacts(expected=1, targets=[SDA1], volumes=volumes(SDA1, EMPTY) + found[1:], primary_label=LABEL)
        )
        .disks[0]
        .state
        is TargetState.OTHER
    )


def test_an_array_of_which_too_little_is_left_hides_nothing() -> None:
    found = volumes(SDA2, MEMBER, EMPTY)
    assert (
        survey_targets(
            SurveyFacts(expected=1, targets=[SDA2], volumes=found, primary_label=LABEL, lost_arrays=["another"])
        ).without_primary
        is False
    )
    assert (
        survey_targets(
            SurveyFacts(expected=1, targets=[SDA2], volumes=found, primary_label=LABEL, lost_arrays=[UUID])
        ).without_primary
        is True
    )
    assert (
        survey_targets(
            SurveyFacts(expected=2, targets=[SDA2], volumes=found, primary_label=LABEL, lost_arrays=[UUID])
        ).without_primary
        is False
    )  # a disk is missing


def test_a_volume_belongs_to_the_unit_if_all_its_disks_do() -> None:
    sdb1 = disk("sdb", 1)
    survey = survey_targets(SurveyFacts(expected=1, targets=[SDA1], volumes=volumes(SDA1, MEMBER), primary_label=LABEL))
    assert survey.contains(array_on(SDA1, contents=PRIMARY))
    assert not survey.contains(array_on(SDA1, sdb1, contents=PRIMARY))


def test_volumes_of_other_disks_do_not_count() -> None:
    usb = disk("sdb", 1)
    survey = survey_targets(
        SurveyFacts(
            expected=1, targets=[SDA1], volumes=[*volumes(SDA1, EMPTY), *volumes(usb, PRIMARY)], primary_label=LABEL
        )
    )
    assert survey.disks[0].state is TargetState.OTHER
    assert survey.primary == ()


def test_primary_volumes_are_named() -> None:
    found = volumes(SDA2, DATA, PRIMARY)
    assert survey_targets(SurveyFacts(expected=1, targets=[SDA2], volumes=found, primary_label=LABEL)).primary == (
        found[1],
    )


@pytest.mark.parametrize(
    ("contents", "suspect"),
    [
        ([EMPTY], 0),
        ([DATA, EMPTY], 1),
        ([EMPTY, EMPTY], None),
        ([PRIMARY, EMPTY], None),
        ([DATA, MEMBER], None),
    ],
)
def test_the_one_partition_that_holds_nothing_known_is_suspect(contents: list[Contents], suspect: int | None) -> None:
    target = disk("sda", len(contents))
    found = volumes(target, *contents)
    expected = None if suspect is None else found[suspect]
    assert (
        survey_targets(SurveyFacts(expected=1, targets=[target], volumes=found, primary_label=LABEL)).probable_primary
        == expected
    )


def test_a_whole_blank_disk_is_not_suspect() -> None:
    assert (
        survey_targets(
            SurveyFacts(expected=1, targets=[SDA], volumes=volumes(SDA, EMPTY), primary_label=LABEL)
        ).probable_primary
        is None
    )


def two(first: Contents, second: Contents, expected: int | None) -> TargetSurvey:
    other = disk("sdb")
    return survey_targets(
        SurveyFacts(
            expected=expected,
            targets=[SDA, other],
            volumes=[*volumes(SDA, first), *volumes(other, second)],
            primary_label=LABEL,
            zeroed=[SDA.node, other.node],
        )
    )


@pytest.mark.parametrize(
    ("survey", "complete", "unused", "without_primary"),
    [
        (two(EMPTY, EMPTY, 2), True, True, True),
        (two(EMPTY, SWAP, 2), True, False, True),
        (two(EMPTY, DATA, 2), True, False, False),
        (two(EMPTY, PRIMARY, 2), True, False, False),
        (two(EMPTY, EMPTY, 3), False, False, False),
        (two(EMPTY, EMPTY, 1), False, False, False),
        (two(EMPTY, EMPTY, None), False, False, False),
        (TargetSurvey(expected=0), False, False, False),
        (TargetSurvey(expected=1), False, False, False),
        (TargetSurvey(expected=None), False, False, False),
    ],
)
def test_only_a_complete_set_of_disks_says_anything(
    survey: TargetSurvey, complete: bool, unused: bool, without_primary: bool
) -> None:
    assert (survey.complete, survey.unused, survey.without_primary) == (complete, unused, without_primary)


def test_a_survey_describes_itself() -> None:
    assert two(EMPTY, SWAP, 3).describe() == (
        "2 of 3 data disks present: /dev/sda blank, /dev/sdb without PRIMARY (/dev/sdb: swap)"
    )
    assert two(DATA, Contents(ambivalent=True), 2).describe() == (
        "2 of 2 data disks present: /dev/sda with other data (/dev/sda: ext4 'DATA'), "
        "/dev/sdb unreadable (/dev/sdb: more than one signature)"
    )
    assert TargetSurvey(expected=1).describe() == "0 of 1 data disks present: none"
    assert "platform unknown" in TargetSurvey(expected=None).describe()


@pytest.mark.parametrize(
    ("states", "startable", "without"),
    [
        ((TargetState.BLANK, TargetState.OTHER, TargetState.PRIMARY), False, True),
        ((TargetState.PRIMARY,), True, False),
        ((TargetState.PRIMARY,), None, False),
        ((TargetState.PRIMARY, TargetState.FOREIGN), False, False),
        ((TargetState.RAID_MEMBER,), False, False),
        ((TargetState.UNREADABLE,), False, False),
    ],
)
def test_disks_that_no_boot_loader_starts_from(
    states: tuple[TargetState, ...], startable: bool | None, without: bool
) -> None:
    survey = TargetSurvey(
        expected=len(states), disks=tuple(TargetDisk(SDA, state) for state in states), boot_files_present=startable
    )
    assert survey.without_boot_files is without
    assert replace(survey, expected=4).without_boot_files is False
    assert (", without boot files" in survey.describe()) is (startable is False)
    assert survey.has_foreign_data is (TargetState.FOREIGN in states)


def test_what_was_looked_for_is_passed_on() -> None:
    survey = survey_targets(
        SurveyFacts(
            expected=1,
            targets=[SDA],
            volumes=volumes(SDA, EMPTY),
            primary_label=LABEL,
            array="gp-unit:PRIMARY",
            boot_files_present=False,
        )
    )
    assert (survey.expected, survey.array, survey.boot_files_present, survey.primary) == (
        1,
        "gp-unit:PRIMARY",
        False,
        (),
    )
    assert (
        survey_targets(
            SurveyFacts(expected=1, targets=[SDA], volumes=volumes(SDA, EMPTY), primary_label=LABEL)
        ).boot_files_present
        is None
    )
    assert TargetSurvey(expected=1, disks=(TargetDisk(SDA, TargetState.OTHER, ("a", "b")),)).describe() == (
        "1 of 1 data disks present: /dev/sda without PRIMARY (a; b)"
    )


@pytest.mark.parametrize("kind", ["linux_raid_member", "isw_raid_member", "ddf_raid_member"])
def test_members_of_every_kind_of_array_hide_what_is_in_them(kind: str) -> None:
    member = Contents(kind, "", UUID.upper())
    survey = survey_targets(SurveyFacts(expected=1, targets=[SDA1], volumes=volumes(SDA1, member), primary_label=LABEL))
    assert survey.disks[0].state is TargetState.RAID_MEMBER
    running = [*volumes(SDA1, member), array_on(SDA1, contents=EMPTY)]
    assert (
        survey_targets(SurveyFacts(expected=1, targets=[SDA1], volumes=running, primary_label=LABEL)).disks[0].state
        is TargetState.OTHER
    )


def test_zeros_in_an_array_make_no_disk_blank() -> None:
    """A whole disk as a member of a running array that holds nothing."""
    found = [*volumes(SDA, MEMBER), array_on(SDA, contents=EMPTY)]
    assert (
        survey_targets(SurveyFacts(expected=1, targets=[SDA], volumes=found, primary_label=LABEL)).disks[0].state
        is TargetState.OTHER
    )
    swap = array_on(SDA, contents=SWAP, uuid="another")
    survey = survey_targets(
        SurveyFacts(expected=1, targets=[SDA], volumes=[*found, swap], primary_label=LABEL, zeroed=[SDA.node])
    )
    assert survey.disks[0].state is TargetState.OTHER
    lost = survey_targets(
        SurveyFacts(
            expected=1,
            targets=[SDA1],
            volumes=volumes(SDA1, MEMBER),
            primary_label=LABEL,
            zeroed=[SDA1.node],
            lost_arrays=[UUID],
        )
    )
    assert lost.disks[0].state is TargetState.OTHER

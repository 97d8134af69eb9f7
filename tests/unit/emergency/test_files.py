"""Emergency files: what each file is, which of several are used, and the record of those that were."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.boot.args import EmergencyPolicy
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Bus, Contents, Disk, Volume
from gprov.domain.emergency.media import (
    IMAGE_MIN,
    MEDIA_MOUNTS,
    EmergencyFile,
    MediaFile,
    classify,
    searched_volumes,
)
from gprov.domain.emergency.request import choose, parse_record, serialise_record
from gprov.domain.errors import BadInput
from gprov.domain.formats.disk.device_number import DeviceNumber

NAMES = Branding()
XZ = b"\xfd7zXZ\0\0\x0a"
IMAGE = "EmergencyFile_WIDGET.LNX.SHINY.2026-01-15.10.upd"
OPTIONS = "EmergencyFile_options"


def volume(letter: str = "b", *, bus: Bus = Bus.USB, kind: str = "vfat", label: str = "", uuid: str = "1") -> Volume:
    node, number = f"/dev/sd{letter}", DeviceNumber(8, 16 * ord(letter))
    disk = Disk(name=f"sd{letter}", node=node, device=number, size=1 << 34, bus=bus)
    return Volume(disk=disk, node=f"{node}1", device=number, contents=Contents(kind, label, uuid))


def file(name: str = IMAGE, size: int = IMAGE_MIN + 1, start: bytes = XZ, *, regular: bool = True) -> MediaFile:
    return MediaFile(name=name, regular=regular, size=size, start=start)


@pytest.mark.parametrize("name", [IMAGE, IMAGE.replace("File_", "File__")])
def test_an_image_is_called_as_what_follows_the_prefix(name: str) -> None:
    found = classify(volume(), file(name), NAMES)
    assert found.image is not None
    assert found.image.filename == "WIDGET.LNX.SHINY.2026-01-15.10.upd"


@pytest.mark.parametrize("size", [0, 10, IMAGE_MIN])
def test_a_small_file_is_options_whatever_its_name(size: int) -> None:
    assert classify(volume(), file(IMAGE, size, b"{"), NAMES).image is None
    assert classify(volume(), file(OPTIONS, size, b""), NAMES).image is None


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (file(size=IMAGE_MIN), "only 1048576 bytes"),
        (file(start=b"{}"), "does not begin like an image"),
        (file(start=b""), "does not begin like an image"),
        (file(start=XZ[:7] + b"\x04"), "without SHA-256 checks"),
        (file(start=XZ[:7]), "without SHA-256 checks"),
        (file(start=b"\xfd7zXZ\0\x01\x0a"), "without SHA-256 checks"),
        (file(regular=False), "no file but a link"),
        (file("emergencyfile_WIDGET.LNX.SHINY.2026-01-15.10.upd"), "in this case"),
        (file("EmergencyFile_"), "must be"),
        (file("EmergencyFile____WIDGET.LNX.SHINY.2026-01-15.10.upd"), "must be"),
        (file("EmergencyFile_WIDGET.LNX.SHINY.2026-01-15.10"), "suffix"),
        (file("EmergencyFile_\udcff"), "printable"),
        (file("EmergencyFile_\nRestored", 10, b"{}"), "printable"),
        (file("EmergencyFile_\x1b[2J", 10, b"{}"), "printable"),
    ],
)
def test_what_is_no_emergency_file(found: MediaFile, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        classify(volume(), found, NAMES)


@given(st.text(), st.integers(0, 1 << 40), st.binary(max_size=40), st.booleans())
def test_any_file_is_classified_or_refused(name: str, size: int, start: bytes, regular: bool) -> None:
    named = f"{NAMES.emergency_prefix}{name}"
    try:
        found = classify(volume(), MediaFile(name=named, regular=regular, size=size, start=start), NAMES)
    except BadInput:
        return
    assert regular
    assert (found.image is not None) == (size > IMAGE_MIN)


def test_the_mark_differs_for_another_volume_name_size_and_start() -> None:
    marks = [
        classify(volume(uuid="1"), file(), NAMES).mark,
        classify(volume(uuid="2"), file(), NAMES).mark,
        classify(volume(), file(IMAGE.replace("File_", "File__")), NAMES).mark,
        classify(volume(), file(size=IMAGE_MIN + 2), NAMES).mark,
        classify(volume(), file(start=XZ + b"x"), NAMES).mark,
    ]
    assert len(set(marks)) == len(marks)
    # Another port and name of the kernel: the same stick.
    assert classify(volume("q"), file(), NAMES).mark == marks[0]


def test_volumes_on_usb_are_searched_but_not_those_on_recoverys_disk() -> None:
    kinds = [volume(chr(ord("c") + number), kind=kind) for number, kind in enumerate(MEDIA_MOUNTS)]
    recovery = volume("x", kind="ext4", label="RECOVERY")
    esp = Volume(disk=recovery.disk, node="/dev/sdx2", device=DeviceNumber(8, 999), contents=Contents("vfat", "ESP"))
    named = volume("y", kind="vfat", label="RECOVERY")
    others = [volume("a", bus=Bus.ATA), volume("z", kind="iso9660"), volume("w", kind=""), recovery, esp]
    assert searched_volumes([*kinds, *others, named], NAMES) == (*kinds, named)


def image(day: int, letter: str = "b", mark: str = "") -> EmergencyFile:
    name = f"EmergencyFile_WIDGET.LNX.SHINY.2026-01-{day:02}.1.upd"
    found = classify(volume(letter, uuid=letter), file(name), NAMES)
    return (
        found
        if not mark
        else EmergencyFile(volume=found.volume, name=found.name, size=found.size, mark=mark, image=found.image)
    )


def options(letter: str = "b") -> EmergencyFile:
    return classify(volume(letter, uuid=letter), file(OPTIONS, 2, b"{}"), NAMES)


files_on_sticks = st.lists(
    st.one_of(
        st.builds(image, st.integers(1, 5), st.sampled_from("bcd")),
        st.builds(options, st.sampled_from("bcd")),
    ),
    unique_by=lambda found: found.mark,
    max_size=8,
)


@given(files_on_sticks, st.sampled_from(EmergencyPolicy), st.data())
def test_the_choice_does_not_depend_on_the_order_in_which_files_were_found(
    found: list[EmergencyFile], policy: EmergencyPolicy, data: st.DataObject
) -> None:
    done = data.draw(st.sets(st.sampled_from([file.mark for file in found]))) if found else set()
    choice = choose(found, policy, done)
    assert choose(data.draw(st.permutations(found)), policy, done) == choice
    fresh = [file for file in found if file.mark not in done]
    request = choice.request
    if request is None:
        assert policy is EmergencyPolicy.OFF or not any(file.image for file in fresh)
        return
    assert policy is not EmergencyPolicy.OFF
    assert set(request.files) <= set(fresh)
    # The record must name all that is plugged in: else two sticks restore the unit in turn, for ever.
    assert request.marks == {file.mark for file in found}
    images = [file for file in fresh if file.image]
    assert set(request.images) == set(images)
    if images:
        assert request.files == request.images
        newest = max(file.image for file in images if file.image)
        assert request.images[0].image == newest
    else:
        assert policy is EmergencyPolicy.ALL
        assert len(fresh) == 1


@given(files_on_sticks)
def test_after_a_restore_no_file_that_was_plugged_in_requests_another(found: Sequence[EmergencyFile]) -> None:
    request = choose(found, EmergencyPolicy.ALL).request
    if request is not None:
        marks = parse_record("record", serialise_record(request.marks))
        assert marks == request.marks
        assert choose(found, EmergencyPolicy.ALL, marks).request is None


def test_options_that_are_not_used_are_reported() -> None:
    assert "no unsigned ones" in choose([options()], EmergencyPolicy.IMAGES).notes[0]
    assert "restored alone" in choose([options(), image(1)], EmergencyPolicy.ALL).notes[0]
    assert len(choose([options(), options("c")], EmergencyPolicy.ALL).notes) == 2
    assert choose([options()], EmergencyPolicy.ALL).notes == ()


@pytest.mark.parametrize("data", [b"", b"[]", b'{"Version": 2, "Marks": []}', b'{"Version": 1, "Marks": [1]}'])
def test_a_record_that_does_not_parse_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_record("record", data)

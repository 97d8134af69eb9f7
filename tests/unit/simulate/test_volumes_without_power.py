"""What a power cut leaves of a simulated file system: the rules of ext4 and of FAT, and no other outcomes."""

from __future__ import annotations

import random

import pytest

from gprov.adapters.fake.machine.storage import FakeVolume, Node
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.files import FileType

OLD, NEW = b"old content.", b"new content!"


def volume(kind: FileSystemKind) -> FakeVolume:
    made = FakeVolume(kind=kind, label="X", uuid="uuid", size=1 << 20)
    made.write("/f", file(OLD))
    made.sync()
    return made


def file(content: bytes) -> Node:
    return Node(type=FileType.FILE, content=content)


def content(made: FakeVolume, path: str) -> bytes | None:
    node = made.current.get(path)
    return node.content if node is not None else None


def outcomes(kind: FileSystemKind, *, flushed: bool) -> set[tuple[bytes | None, bytes | None]]:
    """Content of the name and of the temporary name after a cut behind the rename of a replacement."""
    found = set()
    for luck in range(300):
        made = volume(kind)
        made.write("/.f.new", file(NEW))
        if flushed:
            made.flush_file("/.f.new")
        made.move("/.f.new", "/f")
        chance = random.Random(luck)
        made.apply_power_cut(chance.randrange)
        found.add((content(made, "/f"), content(made, "/.f.new")))
    return found


def test_ext4_shows_the_old_file_or_the_new_one() -> None:
    assert outcomes(FileSystemKind.EXT4, flushed=True) == {(OLD, NEW), (NEW, None)}


def test_ext4_may_show_an_empty_file_that_was_not_flushed_before_its_rename() -> None:
    found = {name for name, _ in outcomes(FileSystemKind.EXT4, flushed=False)}
    assert found >= {OLD, NEW, b"", NEW[:6]}


def test_fat_may_lose_the_file_or_half_of_it_or_show_both_names() -> None:
    found = outcomes(FileSystemKind.VFAT, flushed=True)
    assert found >= {(OLD, NEW), (NEW, None), (NEW, NEW), (None, None), (b"", NEW), (OLD[:6], None)}


@pytest.mark.parametrize("kind", FileSystemKind)
def test_a_renamed_file_that_was_flushed_with_its_folder_survives_a_cut(kind: FileSystemKind) -> None:
    for luck in range(50):
        made = volume(kind)
        made.write("/.f.new", file(NEW))
        made.flush_file("/.f.new")
        made.move("/.f.new", "/f")
        made.flush_file("/f")
        made.flush_folder("/")
        made.apply_power_cut(random.Random(luck).randrange)
        assert (content(made, "/f"), content(made, "/.f.new")) == (NEW, None)


@pytest.mark.parametrize("kind", FileSystemKind)
@pytest.mark.parametrize("target", ["/f", "/g"])
def test_a_rename_on_fat_is_not_whole_before_the_file_is_flushed(kind: FileSystemKind, target: str) -> None:
    """Flushing the folder is enough elsewhere."""
    found = set()
    for luck in range(50):
        made = volume(kind)
        made.write("/.f.new", file(NEW))
        made.flush_file("/.f.new")
        made.move("/.f.new", target)
        made.flush_folder("/")
        made.apply_power_cut(random.Random(luck).randrange)
        assert content(made, "/.f.new") is None
        found.add(content(made, target))
    assert found == ({NEW, b""} if kind is FileSystemKind.VFAT else {NEW})


def test_a_file_renamed_on_fat_is_whole_when_the_volume_was_flushed() -> None:
    made = volume(FileSystemKind.VFAT)
    made.write("/.f.new", file(NEW))
    made.flush_file("/.f.new")
    made.move("/.f.new", "/f")
    made.flush_folder("/")
    made.sync()
    made.apply_power_cut()
    assert content(made, "/f") == NEW


def test_ext4_keeps_the_order_of_steps_and_fat_does_not() -> None:
    orders: dict[FileSystemKind, set[tuple[bool, bool]]] = {FileSystemKind.EXT4: set(), FileSystemKind.VFAT: set()}
    for kind, seen in orders.items():
        for luck in range(100):
            made = volume(kind)
            made.write("/a", file(b"a"))
            made.write("/b", file(b"b"))
            made.apply_power_cut(random.Random(luck).randrange)
            seen.add((made.current.get("/a") is not None, made.current.get("/b") is not None))
    assert (False, True) not in orders[FileSystemKind.EXT4]
    assert (False, True) in orders[FileSystemKind.VFAT]


def test_flushing_one_file_of_ext4_commits_the_names_of_others_but_not_their_data() -> None:
    made = volume(FileSystemKind.EXT4)
    made.write("/other", file(NEW))
    made.write("/mine", file(NEW))
    made.flush_file("/mine")
    made.apply_power_cut()
    assert content(made, "/mine") == NEW
    assert content(made, "/other") == b""


def test_blocks_of_a_file_whose_name_did_not_arrive_stay_taken_on_fat_alone() -> None:
    lost: dict[FileSystemKind, set[int]] = {kind: set() for kind in FileSystemKind}
    for kind, found in lost.items():
        for luck in range(50):
            made = volume(kind)
            made.write("/.f.new", file(NEW))
            made.apply_power_cut(random.Random(luck).randrange)
            found.add(made.lost_bytes)
            assert made.used == made.current.size() + made.lost_bytes
            assert not made.lost_bytes or content(made, "/.f.new") is None
    assert lost == {kind: {0, len(NEW)} if kind is FileSystemKind.VFAT else {0} for kind in FileSystemKind}

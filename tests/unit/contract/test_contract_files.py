"""Contract of Files, on every file system that units have."""

from __future__ import annotations

import hashlib
from errno import ENOSPC
from typing import TYPE_CHECKING

import pytest

from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.files import FileStatus, FileType
from gprov.domain.formats.owner import ROOT, Owner

if TYPE_CHECKING:
    from tests.unit.contract.conftest import Volume


VFAT = FileSystemKind.VFAT


def known(volume: Volume, name: str) -> FileStatus:
    status = volume.files.status(volume.path(name))
    assert status is not None
    return status


def listed(volume: Volume, folder: str = "") -> tuple[str, ...]:
    return tuple(name for name in volume.files.names(volume.path(folder)) if name != "lost+found")


def test_replace(volume: Volume) -> None:
    path = volume.path("a/b/file")
    for content in (b"first", b"", b"second" * 100_000):
        volume.files.replace(path, content)
        assert volume.files.read(path) == content
    status = known(volume, "a/b/file")
    assert (status.type, status.size) == (FileType.FILE, 600_000)
    assert volume.files.names(volume.path("a/b")) == ("file",)
    folder = known(volume, "a")
    assert (folder.type, folder.mode, folder.uid) == (FileType.FOLDER, 0o755, 0)


def test_replace_sets_mode_and_owner_anew(ext: Volume) -> None:
    path = ext.path("file")
    for mode, owner in ((0o600, Owner(7, 8)), (0o4755, ROOT), (0o444, Owner(0, 5))):
        ext.files.replace(path, b"x", mode=mode, owner=owner)
        status = known(ext, "file")
        assert (status.mode, status.uid, status.gid) == (mode, owner.uid, owner.gid)


def test_what_fat_cannot_keep_from_others_is_refused_before_it_is_written(fat: Volume) -> None:
    with pytest.raises(DeviceFault):
        fat.files.replace(fat.path("secret"), b"s", mode=0o600)
    assert fat.files.status(fat.path("secret")) is None
    fat.files.replace(fat.path("public"), b"p", mode=0o755, owner=ROOT)
    assert fat.files.read(fat.path("public")) == b"p"


def test_a_folder_is_not_replaced_by_a_file(volume: Volume) -> None:
    volume.files.replace(volume.path("folder/file"), b"x")
    with pytest.raises(DeviceFault):
        volume.files.replace(volume.path("folder"), b"y")
    with pytest.raises(DeviceFault):
        volume.files.replace(volume.path("folder/file/below"), b"y")
    assert volume.files.read(volume.path("folder/file")) == b"x"
    assert listed(volume) == ("folder",)


def test_reading(volume: Volume) -> None:
    volume.files.replace(volume.path("file"), b"0123456789")
    assert volume.files.read(volume.path("file"), limit=10) == b"0123456789"
    with pytest.raises(DeviceFault):
        volume.files.read(volume.path("file"), limit=9)
    assert volume.files.read_start(volume.path("file"), 3) == b"012"
    assert volume.files.read_start(volume.path("file"), 30) == b"0123456789"
    digests = volume.files.digests(volume.path("file"))
    assert (digests.size, digests.sha256) == (10, hashlib.sha256(b"0123456789").hexdigest())
    assert volume.files.read_through(volume.path("file")) == 10
    assert digests.sha1 == hashlib.sha1(b"0123456789").hexdigest()


def test_what_is_not_there(volume: Volume) -> None:
    files, path = volume.files, volume.path
    files.replace(path("file"), b"x")
    for name in ("nosuch", "nosuch/below", "file/below"):
        for look in (files.read, files.digests, files.read_through, files.names, lambda it: files.read_start(it, 1)):
            with pytest.raises(DeviceMissing):
                look(path(name))
        with pytest.raises(DeviceMissing):
            files.copy(path(name), path("copy"))
        with pytest.raises(DeviceMissing):
            files.rename(path(name), path("other"))
        assert files.status(path(name)) is None
        files.remove(path(name))
    assert listed(volume) == ("file",)


def test_a_folder_is_no_file_and_a_file_no_folder(volume: Volume) -> None:
    volume.files.make_folder(volume.path("folder"))
    volume.files.replace(volume.path("file"), b"x")
    for look in (volume.files.read, volume.files.digests):
        with pytest.raises(DeviceFault):
            look(volume.path("folder"))
    with pytest.raises(DeviceFault):
        volume.files.copy(volume.path("folder"), volume.path("copy"))
    with pytest.raises(DeviceFault):
        volume.files.names(volume.path("file"))
    with pytest.raises(DeviceFault):
        volume.files.make_folder(volume.path("file"))
    with pytest.raises(DeviceFault):
        volume.files.make_folder(volume.path("file/below"))


def test_names_are_sorted(volume: Volume) -> None:
    for name in ("b", "a10", "a9", "Zulu"):
        volume.files.replace(volume.path(f"folder/{name}"), b"")
    assert volume.files.names(volume.path("folder")) == ("Zulu", "a10", "a9", "b")


def test_copy(volume: Volume) -> None:
    content = bytes(range(256)) * 4096
    volume.files.replace(volume.path("source"), content)
    volume.files.replace(volume.path("deep/copy"), b"older and longer" * 100_000)
    volume.files.copy(volume.path("source"), volume.path("deep/copy"), mode=0o755)
    assert volume.files.read(volume.path("deep/copy")) == content
    assert known(volume, "deep/copy").mode == 0o755
    assert volume.files.read(volume.path("source")) == content


def test_make_folder_sets_mode_and_owner_in_any_case(ext: Volume) -> None:
    path = ext.path("var/log/journal")
    for mode, owner in ((0o2755, Owner(0, 101)), (0o700, ROOT)):
        ext.files.make_folder(path, mode=mode, owner=owner)
        status = known(ext, "var/log/journal")
        assert (status.type, status.mode, status.uid, status.gid) == (FileType.FOLDER, mode, owner.uid, owner.gid)
    assert known(ext, "var/log").mode == 0o755
    ext.files.replace(f"{path}/file", b"x")
    ext.files.make_folder(path)
    assert ext.files.names(path) == ("file",)


def test_a_link_to_a_folder_is_that_folder(ext: Volume) -> None:
    """Images may keep theirs elsewhere. Absolute links, too, stay within the volume."""
    ext.files.make_folder(ext.path("real"), mode=0o700)
    for number, target in enumerate(("real", "/real")):
        ext.files.symlink(target, ext.path(f"link{number}"))
        ext.files.make_folder(ext.path(f"link{number}"), mode=0o750 + number)
        assert known(ext, f"link{number}").type is FileType.SYMLINK
        assert known(ext, "real").mode == 0o750 + number
    ext.files.make_folder(ext.path("link0/below"))
    assert known(ext, "real/below").type is FileType.FOLDER


def test_the_owner_of_a_folder_changes_and_nothing_else(ext: Volume) -> None:
    ext.files.replace(ext.path("folder/file"), b"x")
    ext.files.make_folder(ext.path("folder"), mode=0o2750)
    for owner in (Owner(7, 8), Owner(7, 8), Owner(0, 5), ROOT):
        ext.files.set_owner(ext.path("folder"), owner)
        status, inside = known(ext, "folder"), known(ext, "folder/file")
        assert (status.uid, status.gid, status.mode) == (owner.uid, owner.gid, 0o2750)
        assert (inside.uid, inside.gid) == (0, 0)
    assert ext.files.read(ext.path("folder/file")) == b"x"


def test_the_owner_of_a_file_changes_and_nothing_else(ext: Volume) -> None:
    ext.files.replace(ext.path("secrets/hash"), b"s", mode=0o640)
    ext.files.set_owner(ext.path("secrets/hash"), Owner(7, 8))
    found = known(ext, "secrets/hash")
    assert (found.uid, found.gid, found.mode) == (7, 8, 0o640)
    assert ext.files.read(ext.path("secrets/hash")) == b"s"
    assert known(ext, "secrets").uid == 0


def test_links_get_no_owner_nor_what_they_lead_to(ext: Volume) -> None:
    ext.files.replace(ext.path("secrets/hash"), b"s", mode=0o600)
    ext.files.symlink("secrets", ext.path("link"))
    ext.files.symlink("secrets/hash", ext.path("other"))
    for name in ("link", "other"):
        with pytest.raises(DeviceFault):
            ext.files.set_owner(ext.path(name), Owner(7, 8))
    for name in ("nosuch", "nosuch/below"):
        with pytest.raises(DeviceMissing):
            ext.files.set_owner(ext.path(name), Owner(7, 8))
    for name in ("link", "other", "secrets", "secrets/hash"):
        assert (known(ext, name).uid, known(ext, name).gid) == (0, 0)
    assert listed(ext) == ("link", "other", "secrets")


def test_a_folder_on_fat_belongs_to_root(fat: Volume) -> None:
    fat.files.make_folder(fat.path("folder"))
    fat.files.set_owner(fat.path("folder"), ROOT)
    with pytest.raises(DeviceFault):
        fat.files.set_owner(fat.path("folder"), Owner(7, 8))
    assert known(fat, "folder").uid == 0


@pytest.mark.parametrize("target", ["nowhere", "file", "/nowhere/below"])
def test_a_link_to_anything_else_is_no_folder_to_be_made(ext: Volume, target: str) -> None:
    ext.files.replace(ext.path("file"), b"")
    ext.files.symlink(target, ext.path("link"))
    with pytest.raises(DeviceFault):
        ext.files.make_folder(ext.path("link"))
    assert {"file", "link"} == {*ext.files.names(ext.path(""))} - {"lost+found"}


def test_links(ext: Volume) -> None:
    ext.files.symlink("nowhere", ext.path("new/link"))
    ext.files.replace(ext.path("new/file"), b"content")
    ext.files.symlink("file", ext.path("new/link"))
    assert known(ext, "new/link").type is FileType.SYMLINK
    assert ext.files.read(ext.path("new/link")) == b"content"
    ext.files.replace(ext.path("new/link"), b"a file of its own")
    assert known(ext, "new/link").type is FileType.FILE
    assert ext.files.read(ext.path("new/file")) == b"content"
    ext.files.symlink("file", ext.path("new/file2"))
    ext.files.remove(ext.path("new/file2"))
    assert ext.files.names(ext.path("new")) == ("file", "link")
    ext.files.make_folder(ext.path("folder"))
    with pytest.raises(DeviceFault):
        ext.files.symlink("file", ext.path("folder"))


def test_fat_has_no_links(fat: Volume) -> None:
    with pytest.raises(DeviceFault):
        fat.files.symlink("x", fat.path("link"))
    assert listed(fat) == ()


def test_links_stay_in_their_volume(ext: Volume) -> None:
    """As they will on the system that the volume becomes the root of."""
    ext.files.make_folder(ext.path("data/log"))
    ext.files.symlink("/data/log", ext.path("var/log"))
    ext.files.symlink("../../../data", ext.path("etc"))
    ext.files.replace(ext.path("var/log/file"), b"1")
    ext.files.replace(ext.path("etc/hostname"), b"unit")
    assert ext.files.names(ext.path("data/log")) == ("file",)
    assert ext.files.read(ext.path("data/hostname")) == b"unit"
    assert ext.files.names(ext.path("var/log")) == ("file",)
    ext.files.symlink("/etc/hostname", ext.path("alias"))
    assert ext.files.read(ext.path("alias")) == b"unit"
    ext.files.rename(ext.path("etc/hostname"), ext.path("var/log/moved"))
    assert ext.files.names(ext.path("data/log")) == ("file", "moved")
    ext.files.remove(ext.path("var/log/moved"))
    assert ext.files.names(ext.path("data/log")) == ("file",)


def test_links_to_nowhere(ext: Volume) -> None:
    ext.files.symlink("/nosuch", ext.path("dangling"))
    ext.files.symlink("loop", ext.path("loop"))
    for name in ("dangling", "dangling/below"):
        with pytest.raises(DeviceMissing):
            ext.files.read(ext.path(name))
    with pytest.raises(DeviceFault):
        ext.files.read(ext.path("loop"))
    for name in ("dangling/file", "loop/file"):
        with pytest.raises(DeviceFault):
            ext.files.replace(ext.path(name), b"x")
    assert ext.files.status(ext.path("nosuch")) is None


def test_rename(volume: Volume) -> None:
    volume.files.replace(volume.path("one"), b"1")
    volume.files.replace(volume.path("two"), b"2")
    volume.files.rename(volume.path("one"), volume.path("two"))
    assert volume.files.read(volume.path("two")) == b"1"
    assert listed(volume) == ("two",)
    volume.files.replace(volume.path("folder/deep/file"), b"3")
    volume.files.rename(volume.path("folder"), volume.path("moved"))
    assert volume.files.read(volume.path("moved/deep/file")) == b"3"
    assert listed(volume) == ("moved", "two")


def test_renames_that_cannot_be(volume: Volume) -> None:
    volume.files.replace(volume.path("file"), b"1")
    volume.files.replace(volume.path("folder/file"), b"2")
    volume.files.make_folder(volume.path("empty"))
    for source, target in (
        ("file", "folder"),
        ("empty", "folder"),
        ("folder", "file"),
        ("folder", "folder/inside"),
        ("file", "nosuch/file"),
    ):
        with pytest.raises(DeviceFault):
            volume.files.rename(volume.path(source), volume.path(target))
    with pytest.raises(DeviceFault):
        volume.files.rename(volume.path("file"), volume.world.path("elsewhere"))
    assert listed(volume) == ("empty", "file", "folder")
    assert volume.files.read(volume.path("folder/file")) == b"2"


def test_remove(volume: Volume) -> None:
    volume.files.replace(volume.path("folder/a/b"), b"x")
    volume.files.replace(volume.path("folderly"), b"x")
    volume.files.remove(volume.path("folder"))
    volume.files.remove(volume.path("folder"))
    assert listed(volume) == ("folderly",)


def test_a_removed_link_leaves_what_it_points_to(ext: Volume) -> None:
    ext.files.replace(ext.path("folder/file"), b"x")
    ext.files.symlink("folder", ext.path("link"))
    ext.files.remove(ext.path("link"))
    assert ext.files.read(ext.path("folder/file")) == b"x"
    ext.files.symlink("../folder", ext.path("other/link"))
    ext.files.remove(ext.path("other"))
    assert ext.files.read(ext.path("folder/file")) == b"x"


@pytest.mark.parametrize("target", ["/", "../../../data", "/nosuch", "link"])
def test_a_link_in_the_place_of_a_folder_can_be_put_aside(ext: Volume, target: str) -> None:
    """As RECOVERY's log folder, if it is one that leads out."""
    ext.files.replace(ext.path("data/file"), b"x")
    ext.files.symlink(target, ext.path("link"))
    ext.files.rename(ext.path("link"), ext.path("aside"))
    ext.files.make_folder(ext.path("link"))
    ext.files.replace(ext.path("link/file"), b"y")
    assert (known(ext, "aside").type, known(ext, "link").type) == (FileType.SYMLINK, FileType.FOLDER)
    assert listed(ext) == ("aside", "data", "link")
    assert ext.files.names(ext.path("link")) == ("file",)
    assert ext.files.read(ext.path("data/file")) == b"x"


def test_a_link_in_the_place_of_a_file_is_replaced_or_removed_itself(ext: Volume) -> None:
    for number, target in enumerate(("/data/file", "../../data/file", "/nosuch/file")):
        ext.files.replace(ext.path("data/file"), b"x")
        for name in ("replaced", "removed"):
            ext.files.symlink(target, ext.path(f"log{number}/{name}"))
        ext.files.replace(ext.path(f"log{number}/replaced"), b"y")
        ext.files.remove(ext.path(f"log{number}/removed"))
        assert ext.files.names(ext.path(f"log{number}")) == ("replaced",)
        assert known(ext, f"log{number}/replaced").type is FileType.FILE
        assert ext.files.read(ext.path("data/file")) == b"x"


def test_a_full_volume_keeps_the_old_file(volume: Volume) -> None:
    path = volume.path("file")
    volume.files.replace(path, b"old")
    before = volume.files.usage(volume.folder)
    assert 0 < before.free < before.total <= 80 * MIB
    with pytest.raises(DeviceFault) as caught:
        volume.files.replace(path, bytes(before.total))
    assert caught.value.errno == ENOSPC
    assert volume.files.read(path) == b"old"
    assert listed(volume) == ("file",)
    volume.files.replace(volume.path("part"), bytes(10 * MIB))
    volume.files.sync(volume.folder)
    after = volume.files.usage(volume.path("part"))
    assert after.total == before.total
    assert 9 * MIB <= before.free - after.free <= 11 * MIB

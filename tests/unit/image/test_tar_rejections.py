"""What GNU tar would stumble over when the disk is already wiped is refused before. (Each of these makes tar 1.34 end
with status 2, or write something else than was verified.)"""

from __future__ import annotations

import io
import tarfile

import pytest

from gprov.domain.branding import Branding
from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.image.captured_names import captured_names

FILE, FOLDER, LINK, HARD = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
PIPE, CHARACTER, BLOCK = tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE
Member = tuple[str, bytes, str]


def archive(*members: Member, pax: dict[str, str] | None = None, device: tuple[int, int] = (1, 3)) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.pax_headers = kind, target, pax or {}
            info.devmajor, info.devminor = device
            tar.addfile(info)
    return out.getvalue()


def verdict(data: bytes) -> str:
    """Empty: accepted."""
    walker = TarWalker("x", captured_names(Branding()))
    try:
        walker.feed(data)
        walker.finish()
    except IntegrityFault as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([("a", FOLDER, ""), ("a/x", FILE, ""), ("a", FILE, "")], "would replace a folder"),
        ([("a/x", FILE, ""), ("a", LINK, "b")], "would replace a folder"),
        ([("a", FOLDER, ""), ("a", LINK, "b")], "would replace a folder"),
        ([("a", FOLDER, ""), ("a", PIPE, "")], "would replace a folder"),
        ([("./", PIPE, "")], "would replace a folder"),
        ([("a", LINK, "/b"), ("a", FOLDER, "")], "'a' would replace a symbolic link to '/b'"),
        ([("a", LINK, ".."), ("a", FILE, ""), ("a", FOLDER, "")], "'a' would replace a symbolic link to '..'"),
        ([("a", LINK, "/b"), ("a", LINK, "/c")], "'a' would replace a symbolic link to '/b'"),
        ([("a", FILE, ""), ("a/b", FILE, "")], "is below 'a', which is no folder"),
        ([("f", FILE, ""), ("s", LINK, "f"), ("s/x", FILE, "")], "is below 'f', which is no folder"),
        ([("s", LINK, "nowhere"), ("s/x", FILE, "")], "through the symbolic link 's' to nothing"),
        ([("s", LINK, "s"), ("s/x", FILE, "")], "through the symbolic link 's'"),
        ([("s", LINK, "/x"), ("t", HARD, "s"), ("t/x", FILE, "")], "through the symbolic link 't'"),
        ([("a", HARD, "a")], "not in the archive before it"),
        ([("d", FOLDER, ""), ("a", HARD, "d")], "which is a folder"),
        ([("x/" * 2500 + "f", FILE, "")], "longer than a file system allows"),
        ([("x/" * 129 + "f", FILE, "")], "below more than 128 folders"),
        (
            [("x/" * 128 + "f", FILE, ""), ("l", LINK, "x/" * 127 + "x"), ("l/y/f", FILE, "")],
            "below more than 128 folders",
        ),
        ([("x" * 256, FILE, "")], "longer than a file system allows"),
        ([("s", LINK, "x/" * 2500)], "longer than a file system allows"),
        ([("dev/sda", BLOCK, ""), ("sda", BLOCK, "")], "device outside of a folder for devices"),
        ([("dev/sda", BLOCK, ""), ("home/x", HARD, "dev/sda")], "'home/x' is a device outside of a folder for devices"),
        (
            [("dev/sda", BLOCK, ""), ("dev/b", HARD, "dev/sda"), ("d", LINK, "dev"), ("x", HARD, "d/b")],
            "'x' is a device outside of a folder for devices",
        ),
        ([("home", FOLDER, ""), ("dev", LINK, "home"), ("dev/sda", BLOCK, "")], "'home/sda' is a device outside"),
    ],
)
def test_refused(members: list[Member], reason: str) -> None:
    assert reason in verdict(archive(*members))


@pytest.mark.parametrize(
    "members",
    [
        [("d", FOLDER, ""), ("s", LINK, "d"), ("s/f", FILE, ""), ("s", FILE, "")],
        [("d", FOLDER, ""), ("s", LINK, "d"), ("s/f", FILE, ""), ("h", HARD, "d/f"), ("i", HARD, "s/f")],
        [("f", FILE, ""), ("f", FOLDER, ""), ("f/x", FILE, "")],
        [("a", LINK, "/b"), ("a", LINK, "/b")],
        [("a", LINK, "c"), ("a", LINK, "/b"), ("d", LINK, "e")],
        [("usr/lib/x", FILE, ""), ("lib", LINK, "usr/lib"), ("lib/y", FILE, "")],
        [("d", FOLDER, ""), ("one", LINK, "d"), ("two", LINK, "one"), ("two/x", FILE, "")],
        [("x/" * 128 + "f", FILE, ""), ("x/" * 127 + "x", FOLDER, "")],
        [("d", FOLDER, ""), ("here", LINK, "./"), ("l", LINK, ".//./here/./d/"), ("l/x", FILE, ""), ("l", FILE, "")],
        [("d", FOLDER, ""), ("here", LINK, "."), ("here/d/f", FILE, ""), ("here", FOLDER, ""), ("here/d/f", FILE, "")],
        [("x" * 255, FILE, ""), ("./", FOLDER, ""), ("p", PIPE, "")],
        [("lib/udev/devices/null", CHARACTER, ""), ("srv/jail/dev/sda", BLOCK, "")],
        [("dev/sda", BLOCK, ""), ("dev/b", HARD, "dev/sda"), ("d", LINK, "dev"), ("d/c", HARD, "d/b")],
        [("dev/sda", BLOCK, ""), ("dev/sda", FILE, ""), ("x", HARD, "dev/sda")],
    ],
)
def test_accepted(members: list[Member]) -> None:
    assert verdict(archive(*members)) == ""


@pytest.mark.parametrize(
    ("key", "value"), [("mtime", "zz"), ("uid", "-"), ("path", ""), ("linkpath", ""), ("path", "a\0b"), ("gid", "1e3")]
)
def test_extended_headers_that_tar_rejects(key: str, value: str) -> None:
    assert "extended header" in verdict(archive(("a", FILE, ""), pax={key: value}))


@pytest.mark.parametrize("start", [100, 108, 116])
def test_numbers_that_tar_rejects(start: int) -> None:
    data = bytearray(archive(("a", FILE, "")))
    data[start : start + 8] = b"zzzzzzz\0"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert "is not octal" in verdict(bytes(data))


def test_numbers_of_devices() -> None:
    # As overlay file systems mark it; the marks are hard links to one node.
    assert verdict(archive(("gone", CHARACTER, ""), ("too", HARD, "gone"), device=(0, 0))) == ""
    assert "outside" in verdict(archive(("gone", BLOCK, ""), device=(0, 0)))
    assert "which Linux does not have" in verdict(archive(("dev/x", CHARACTER, ""), device=(4096, 0)))


def node(
    name: str, kind: bytes, device: tuple[int, int], mode: int = 0o600, uid: int = 0, pax: dict[str, str] | None = None
) -> bytes:
    """An archive of one device. ``pax``: its extended header."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.uid, info.pax_headers = kind, mode, uid, pax or {}
        info.devmajor, info.devminor = device
        tar.addfile(info)
    return out.getvalue()


DOCKER = "var/lib/docker/overlay2/backingFsBlockDev"
HARMLESS = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2), (0, 0)]


@pytest.mark.parametrize("device", HARMLESS)
def test_devices_that_give_access_to_nothing_may_be_anywhere(device: tuple[int, int]) -> None:
    assert verdict(node("srv/chroot/null", CHARACTER, device, 0o666, uid=1000)) == ""
    assert "a device outside" in verdict(node("srv/chroot/null", BLOCK, device, 0o666))


@pytest.mark.parametrize("device", [(1, 1), (1, 2), (1, 4), (5, 1), (10, 223), (21, 0)])
def test_other_character_devices_may_be_anywhere_only_for_root(device: tuple[int, int]) -> None:
    assert verdict(node("home/x", CHARACTER, device)) == ""
    assert "that others than root could open" in verdict(node("home/x", CHARACTER, device, 0o666))


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700, 0o000])
def test_a_disk_that_only_root_can_open_may_be_anywhere(mode: int) -> None:
    assert verdict(node(DOCKER, BLOCK, (8, 1), mode)) == ""


@pytest.mark.parametrize("mode", [0o660, 0o640, 0o604, 0o602, 0o601, 0o4666, 0o4644])
def test_a_disk_that_others_can_open_may_be_in_a_folder_for_devices_only(mode: int) -> None:
    assert "a device outside" in verdict(node(DOCKER, BLOCK, (8, 1), mode))
    assert verdict(node("srv/jail/dev/sda1", BLOCK, (8, 1), mode)) == ""


def test_a_disk_of_another_user_is_not_one_that_only_root_can_open() -> None:
    """The owner may stand in the header, in the member's extended header, or in a global one."""
    assert "a device outside" in verdict(node(DOCKER, BLOCK, (8, 1), uid=1000))
    assert "a device outside" in verdict(node(DOCKER, BLOCK, (8, 1), pax={"uid": "1000"}))
    assert verdict(node(DOCKER, BLOCK, (8, 1), uid=1000, pax={"uid": "0"})) == ""
    for_all = tarfile.TarInfo.create_pax_global_header({"uid": "1000"})
    assert "a device outside" in verdict(for_all + archive(("file", FILE, "")) + node(DOCKER, BLOCK, (8, 1)))


@pytest.mark.parametrize("acl", ["user::rw-,user:1000:rw-,group::---,mask::rw-,other::---"])
def test_a_disk_with_an_access_control_list_is_not_one_that_only_root_can_open(acl: str) -> None:
    assert "a device outside" in verdict(node(DOCKER, BLOCK, (8, 1), pax={"SCHILY.acl.access": acl}))


def test_another_name_of_a_disk_that_others_can_open_is_refused() -> None:
    members = [("dev/sda", BLOCK, ""), ("home/x", HARD, "dev/sda")]
    assert "a device outside" in verdict(archive(*members, device=(8, 0)))

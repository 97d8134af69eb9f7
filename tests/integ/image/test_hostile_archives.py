"""Archives that want out of their folder, unpacked by the real tar as root, with and without verification before.

What is outside must stay as it is whatever the archive says; and what verification lets pass, tar must be able to
unpack, for the disk is already wiped then.
"""

from __future__ import annotations

import io
import os
import socket
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.archive.unpack import unpack_argv
from gprov.apps.mfg.step_archive import unpack_step_argv
from gprov.domain.branding import Branding
from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.image.captured_names import captured_names

FILE, FOLDER, SYMLINK, HARD_LINK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
Member = tuple[str, bytes, str]  # name, type, target of a link
FORMATS = (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def archive(members: Iterable[Member], kind: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=kind) as tar:
        for name, what, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = what, target
            info.mode = 0o6755 if what == FILE else 0o755
            info.devmajor, info.devminor = 1, 3
            content = b"written by the archive" if what == FILE else b""
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def extended(keys: Sequence[tuple[bytes, bytes]], kind: bytes = b"x") -> bytes:
    """A pax header that tarfile would not write."""
    payload = b""
    for key, value in keys:
        record = b" " + key + b"=" + value + b"\n"
        size = len(record) + 1
        while len(str(size)) + len(record) != size:
            size = len(str(size)) + len(record)
        payload += str(size).encode() + record
    return block("pax", kind, payload)


def block(name: str, kind: bytes, payload: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(payload)
    return info.tobuf(tarfile.USTAR_FORMAT) + payload + bytes(-len(payload) % 512)


def plain(name: str = "file") -> bytes:
    return archive([(name, FILE, "")])


class Yard:
    """A folder to unpack into, and what stands around it."""

    def __init__(self, folder: Path) -> None:
        self.target, self.outside = folder / "target", folder / "outside"
        self.outside.mkdir()
        (self.outside / "folder").mkdir()
        for name in ("victim", "folder/victim"):
            (self.outside / name).write_text("must not change")
            (self.outside / name).chmod(0o600)
        self.fresh()

    def fresh(self) -> None:
        subprocess.run(["rm", "-rf", str(self.target)], check=True)
        self.target.mkdir()

    def around(self, *, attributes: bool = True) -> bytes:
        """Everything but what is below the target, as find and sha256sum see it; access times are not looked at.
        ``attributes``: with modes, owners and times."""
        find = ["find", str(self.target.parent), "-path", f"{self.target}/*", "-prune", "-o"]
        shown = "%p %y %s %n %i %l" + (" %m %U %G %T@" if attributes else "")
        entries = [*find, "!", "-path", str(self.target), "-printf", f"{shown}\\n"]
        contents = [*find, "-type", "f", "-exec", "sha256sum", "{}", "+"]
        return b"".join(
            subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout for argv in (entries, contents)
        )

    def unpack(
        self, argv: Sequence[str], data: bytes, *, attributes: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        """The exit status may be anything; what is outside stays."""
        before = self.around(attributes=attributes)
        done = subprocess.run(argv, input=data, capture_output=True, timeout=60, check=False)
        assert self.around(attributes=attributes) == before, done.stderr.decode(errors="replace")
        return done


@pytest.fixture
def yard(as_root: None, tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def refusal(data: bytes) -> str:
    """Why verification refuses it; empty if it does not."""
    walker = TarWalker("x", captured_names(Branding()))
    try:
        walker.feed(data)
        walker.finish()
    except IntegrityFault as fault:
        return str(fault)
    return ""


def through(link: str) -> Callable[[str], bytes]:
    """A symbolic link, then a file, a folder, a link and a hard link below it."""

    def made(outside: str) -> bytes:
        target = link.format(outside=outside)
        below = [("s/victim", FILE, ""), ("s/new", FOLDER, ""), ("s/l", SYMLINK, "x"), ("s/h", HARD_LINK, "plain")]
        return archive([("plain", FILE, ""), ("s", SYMLINK, target), *below])

    return made


def of(*members: Member, kind: int = tarfile.GNU_FORMAT) -> Callable[[str], bytes]:
    return lambda outside: archive(
        [(name.format(outside=outside), what, link.format(outside=outside)) for name, what, link in members], kind
    )


# name -> archive, and what verification says to it ("" if it may pass: tar keeps it inside)
HOSTILE: dict[str, tuple[Callable[[str], bytes], str]] = {
    "absolute name": (of(("{outside}/victim", FILE, "")), ""),
    "absolute name in a pax header": (lambda o: extended([(b"path", f"{o}/victim".encode())]) + plain(), ""),
    "dots": (of(("../outside/victim", FILE, "")), "would leave the target"),
    "dots behind a name": (of(("a/b/../../../outside/victim", FILE, "")), "would leave the target"),
    "dots in a pax header": (lambda _: extended([(b"path", b"../outside/victim")]) + plain(), "would leave"),
    "dots in a long name": (lambda _: block("n", b"L", b"../outside/victim\0") + plain(), "would leave the target"),
    "dots in a sparse name": (
        lambda _: extended([(b"GNU.sparse.name", b"../outside/victim"), (b"GNU.sparse.size", b"22")]) + plain(),
        "would leave the target",
    ),
    "link, absolute": (through("{outside}"), "written through the symbolic link"),
    "link, relative": (through("../outside"), "written through the symbolic link"),
    "link, with detours": (through("x/../../outside"), "written through the symbolic link"),
    "link over /proc": (through("/proc/self/root{outside}"), "written through the symbolic link"),
    "link over /proc/self/cwd": (through("/proc/self/cwd/../outside"), "written through the symbolic link"),
    "links in a row": (
        of(("one", SYMLINK, ".."), ("two", SYMLINK, "one/outside"), ("two/victim", FILE, "")),
        "written through the symbolic link",
    ),
    "link, then the file itself": (
        of(("f", SYMLINK, "{outside}/victim"), ("f", FILE, "")),
        "would replace a symbolic link",
    ),
    "link, then its folder": (
        of(("f", SYMLINK, "{outside}/folder"), ("f", FOLDER, ""), ("f/victim", FILE, "")),
        "replace a symbolic link",
    ),
    "link with a pax target": (
        lambda o: (
            extended([(b"linkpath", f"{o}/folder".encode())])
            + archive([("s", SYMLINK, "harmless"), ("s/victim", FILE, "")])
        ),
        "written through the symbolic link",
    ),
    "folder that becomes a link": (
        of(("d", FOLDER, ""), ("d/x", FILE, ""), ("d", SYMLINK, "{outside}/folder"), ("d/victim", FILE, "")),
        "would replace a folder",
    ),
    "empty folder that becomes a link": (
        of(("d", FOLDER, ""), ("d", SYMLINK, "{outside}/folder"), ("d/victim", FILE, "")),
        "would replace a folder",
    ),
    "hard link, absolute": (of(("h", HARD_LINK, "{outside}/victim")), "not in the archive before it"),
    "hard link, relative": (of(("h", HARD_LINK, "../outside/victim"), ("h", FILE, "")), "would leave the target"),
    "hard link through a link": (
        of(("s", SYMLINK, "{outside}"), ("h", HARD_LINK, "s/victim"), ("h", FILE, "")),
        "written through the symbolic link",
    ),
    "hard link with a pax target": (
        lambda o: extended([(b"linkpath", f"{o}/victim".encode())]) + archive([("h", HARD_LINK, "h0")]),
        "not in the archive before it",
    ),
    "two extended headers": (
        lambda _: extended([(b"path", b"good")]) + extended([(b"mtime", b"1")]) + plain("../outside/victim"),
        "two extended headers of one type",
    ),
    "two long names": (
        lambda _: block("n", b"L", b"good\0") + block("n", b"L", b"../outside/victim\0") + plain(),
        "two extended headers of one type",
    ),
    "null byte in a name": (lambda _: extended([(b"path", b"../outside/victim\0good")]) + plain(), "null byte"),
    "empty name": (lambda _: extended([(b"path", b"")]) + plain(), "is empty"),
    "path for all members": (lambda _: extended([(b"path", b"../outside/victim")], b"g") + plain(), "for all members"),
    "size that hides members": (
        lambda _: extended([(b"size", b"1024")]) + archive([("a", FOLDER, ""), ("../outside/victim", FILE, "")]),
        "without data",
    ),
    "huge size": (lambda _: extended([(b"size", b"9223372036854775807")]) + plain(), "more than a file can have"),
    "two archives that contradict": (
        lambda o: (
            archive([("d", FOLDER, ""), ("d/victim", FILE, "")])
            + archive([("d", SYMLINK, f"{o}/folder"), ("d/victim", FILE, "")])
        ),
        "would replace a folder",
    ),
    "thousands of levels": (of(("d/" * 4000 + "f", FILE, "")), "longer than a file system allows"),
    "names with line breaks": (of(("a\nb\r\x1b[2J", FILE, ""), ("a\nb2", SYMLINK, "x\ny")), ""),
    "device": (of(("disk", tarfile.BLKTYPE, "")), "device outside of a folder for devices"),
    "null in a home": (of(("home/a/null", tarfile.CHRTYPE, "")), ""),
    "device where it belongs": (of(("dev/null", tarfile.CHRTYPE, ""), ("srv/dev/sda", tarfile.BLKTYPE, "")), ""),
    "device over a link": (
        of(("dev/x", SYMLINK, "{outside}/victim"), ("dev/x", tarfile.CHRTYPE, "")),
        "would replace a symbolic link",
    ),
    "pipe over a link": (
        of(("p", SYMLINK, "{outside}/victim"), ("p", tarfile.FIFOTYPE, "")),
        "would replace a symbolic link",
    ),
    "the target itself as a link": (of((".", SYMLINK, "{outside}"), ("victim", FILE, "")), "is none"),
    "modes through a link": (
        of(("m", SYMLINK, "{outside}/folder"), ("m", SYMLINK, "{outside}/victim")),
        "would replace a symbolic link",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_gets_out(yard: Yard, name: str) -> None:
    """Verification may be wrong: whatever it says, tar is let at it."""
    made, expected = HOSTILE[name]
    data = made(str(yard.outside))
    said = refusal(data)
    assert (expected in said) if expected else not said
    done = yard.unpack(unpack_argv(str(yard.target)), data)
    if not said:
        assert done.returncode == 0, done.stderr.decode(errors="replace")


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_gets_out_of_the_folder_of_a_step(yard: Yard, name: str) -> None:
    """Archives of steps are not verified but by their hash."""
    file = yard.target.parent / "archive.tar"
    file.write_bytes(HOSTILE[name][0](str(yard.outside)))
    yard.unpack(unpack_step_argv(str(file), str(yard.target)), b"")


def test_a_step_s_archive_gives_no_further_rights(yard: Yard) -> None:
    """As root, tar would keep owner and set-uid bits."""
    file = yard.target.parent / "archive.tar"
    file.write_bytes(archive([("tool", FILE, "")]))
    assert yard.unpack(unpack_step_argv(str(file), str(yard.target)), b"").returncode == 0
    status = (yard.target / "tool").stat()
    assert (status.st_mode & 0o7777, status.st_uid) == (0o755, 0)


def test_the_oracle_notices(yard: Yard) -> None:
    """With -P, tar does what these archives want."""
    argv = ["tar", "-x", "-P", "-f", "-", "-C", str(yard.target)]
    for name in ("absolute name", "dots", "link, absolute"):
        with pytest.raises(AssertionError):
            yard.unpack(argv, HOSTILE[name][0](str(yard.outside)))


def test_a_socket_in_the_way(yard: Yard) -> None:
    """What is left in a folder is replaced, not written to."""
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(yard.target)  # names of sockets are short
        try:
            listener.bind("file")
        finally:
            os.chdir(here)
    assert yard.unpack(unpack_argv(str(yard.target)), plain()).returncode == 0
    assert (yard.target / "file").is_file()


NAMES = (
    "a",
    "a/b",
    "a/b/c",
    "./a",
    "/a",
    "b",
    "b/a",
    "c",
    "c/b",
    "dev/n",
    "a/../b",
    "../outside/victim",
    "c/victim",
    ".",
)
KINDS = (FILE, FILE, FOLDER, FOLDER, SYMLINK, SYMLINK, HARD_LINK, tarfile.CHRTYPE, tarfile.FIFOTYPE)
LINKS = (
    "a",
    "b",
    "c",
    "a/b",
    "b/a",
    "c/b",
    ".",
    "..",
    "../outside",
    "../outside/folder",
    "/a",
    "nowhere",
    "./a",
    "a/b/c",
)
MEMBERS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(KINDS), st.sampled_from(LINKS)), max_size=7)


@given(members=MEMBERS, kind=st.sampled_from(FORMATS))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tar_can_unpack_archives_that_verification_accepts(yard: Yard, members: list[Member], kind: int) -> None:
    """Any order of members. Nothing gets out in any case, but for what the next test is about."""
    data = archive(members, kind)
    said = refusal(data)
    yard.fresh()
    done = yard.unpack(unpack_argv(str(yard.target)), data, attributes=not said)
    if not said:
        assert done.returncode == 0, (members, done.stderr.decode(errors="replace"))


def test_a_folder_that_becomes_a_link(yard: Yard) -> None:
    """tar sets modes in the end, and follows the link then: verification must not let this pass."""
    data = archive([("./a", FOLDER, ""), (".", FOLDER, ""), ("/a", SYMLINK, "..")])
    assert "would replace a folder" in refusal(data)
    around = yard.around(attributes=False)
    yard.target.parent.chmod(0o700)
    subprocess.run(unpack_argv(str(yard.target)), input=data, capture_output=True, timeout=60, check=True)
    assert stat.S_IMODE(yard.target.parent.stat().st_mode) == 0o755
    assert yard.around(attributes=False) == around

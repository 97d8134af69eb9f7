"""What verification passes, the real tar unpacks onto a file system made as PRIMARY's is; and the other way round for
shapes that were seen in the field.

Attributes of other file systems, access control lists of other machines, sparse files of every format, numbers out of
range: tar finds out when the disk is already wiped.
"""

from __future__ import annotations

import io
import os
import struct
import subprocess
import tarfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gprov.adapters.linux.archive.unpack import unpack_argv
from gprov.adapters.linux.filesystem.tools import make_command
from gprov.domain.branding import Branding
from gprov.domain.disk.model import FileSystemKind, FileSystemSpec
from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.image.captured_names import captured_names

pytestmark = pytest.mark.device

FILE, HARD, SYMLINK, CHARACTER, FOLDER, PIPE = b"0", b"1", b"2", b"3", b"5", b"6"
Pair = tuple[bytes, bytes]
SPEC = FileSystemSpec(kind=FileSystemKind.EXT4, label="PRIMARY", reserved_percent=1, encrypt=True)
TABLE = Path(__file__).parents[3] / "buildroot/initramfs.toml"
XATTR = b"SCHILY.xattr."


@pytest.fixture(scope="module")
def primary(as_root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A mounted file system as units make it, with the configuration of mke2fs that they have."""
    work = tmp_path_factory.mktemp("primary")
    config = work / "mke2fs.conf"
    config.write_text(tomllib.loads(TABLE.read_text())["common"]["files"]["/etc/mke2fs.conf"])
    volume, mounted = work / "volume", work / "mounted"
    with volume.open("wb") as file:
        file.truncate(1 << 30)
    mounted.mkdir()
    command = make_command(str(volume), SPEC, discard=False)
    subprocess.run(command, check=True, env={**os.environ, "MKE2FS_CONFIG": str(config)})
    subprocess.run(["mount", "-o", "loop,relatime", str(volume), str(mounted)], check=True)
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


def header(name: str, kind: bytes, size: int = 0, link: str = "", fields: Sequence[tuple[int, bytes]] = ()) -> bytes:
    """``fields``: offset in the header and bytes, put in as they are; then the checksum is right."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode, info.mtime = kind, size, link, 0o644, 1
    info.devmajor, info.devminor = 1, 3
    block = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    for offset, content in fields:
        block[offset : offset + len(content)] = content
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def record(key: bytes, value: bytes) -> bytes:
    rest = b" " + key + b"=" + value + b"\n"
    size = len(rest) + 1
    while len(str(size)) + len(rest) != size:
        size = len(str(size)) + len(rest)
    return str(size).encode() + rest


def pax(*pairs: Pair, kind: bytes = b"x") -> bytes:
    content = b"".join(record(*pair) for pair in pairs)
    return header("pax", kind, len(content)) + padded(content)


def accounts() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in (("etc/passwd", b"root:x:0:0::/:/bin/sh\n"), ("etc/group", b"root:x:0:\n")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        return out.getvalue()[: tar.offset]


def archive(*members: bytes) -> bytes:
    return accounts() + b"".join(members) + bytes(1024)


def refusal(data: bytes) -> str:
    """Why verification refuses it; empty if it does not."""
    walker = TarWalker("x", captured_names(Branding()))
    try:
        walker.feed(data)
        walker.finish()
    except IntegrityFault as fault:
        return str(fault)
    return ""


def failure(primary: Path, data: bytes) -> str:
    """What tar could not do of it; empty if it did all."""
    target = primary / "target"
    subprocess.run(["rm", "-rf", str(target)], check=True)
    target.mkdir()
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    argv = unpack_argv(str(target))
    done = subprocess.run(argv, input=data, capture_output=True, timeout=120, check=False, env=environment)
    said = done.stderr.decode(errors="replace")
    return f"{done.returncode}: {said}" if done.returncode or "Cannot" in said else ""


def acl(text: bytes, *, default: bool = False, kind: bytes = FILE) -> bytes:
    return pax((b"SCHILY.acl.default" if default else b"SCHILY.acl.access", text)) + header("f", kind, link="x")


def attribute(name: bytes, value: bytes = b"v", kind: bytes = FILE) -> bytes:
    return pax((XATTR + name, value)) + header("dev/f" if kind == CHARACTER else "f", kind, link="x")


def raw_acl(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def capability(revision: int, size: int, end: bytes = b"\0") -> bytes:
    return struct.pack("<II", revision, 0x2000) + bytes(size - 9) + end


def many_users(count: int) -> bytes:
    users = b"".join(b"user:%d:rwx," % number for number in range(1000, 1000 + count))
    return b"user::rw-," + users + b"group::r--,mask::rwx,other::r--"


def sparse_data(numbers: Sequence[object], data: bytes, real: int) -> bytes:
    """Format 1.0."""
    stored = padded(b"".join(b"%s\n" % str(number).encode() for number in numbers)) + data
    keys = {b"major": b"1", b"minor": b"0", b"name": b"s", b"realsize": str(real).encode()}
    pairs = [(b"GNU.sparse." + key, value) for key, value in keys.items()]
    return pax(*pairs) + header("GNUSparseFile.0/s", FILE, len(stored)) + padded(stored)


def sparse_keys(numbers: Sequence[object], data: bytes, real: int, *, one: bool, count: int | None = None) -> bytes:
    """Format 0.1, all in ``one`` keyword, or 0.0."""
    texts = [str(number).encode() for number in numbers]
    count = len(numbers) // 2 if count is None else count
    pairs = [(b"GNU.sparse.size", str(real).encode()), (b"GNU.sparse.numblocks", str(count).encode())]
    if one:
        pairs.append((b"GNU.sparse.map", b",".join(texts)))
    else:
        pairs += [((b"GNU.sparse.offset", b"GNU.sparse.numbytes")[place % 2], text) for place, text in enumerate(texts)]
    return pax(*pairs) + header("s", FILE, len(data)) + padded(data)


def sparse_old(numbers: Sequence[int], data: bytes, real: int) -> bytes:
    """The old GNU format: four regions in the header, then 21 in each block behind it."""
    fields = [b"\x80" + n.to_bytes(11, "big") if n >= 8**11 else b"%011o\0" % n for n in numbers]
    entries = [a + b for a, b in zip(fields[::2], fields[1::2], strict=False)]
    first, rest = entries[:4], entries[4:]
    blocks = [rest[start : start + 21] for start in range(0, len(rest), 21)]
    top = [
        (257, b"ustar  \0"),
        (329, bytes(171)),
        (386, b"".join(first)),
        (482, bytes((bool(blocks),))),
        (483, b"%011o\0" % real),
    ]
    extra = b"".join(
        b"".join(block).ljust(504, b"\0") + bytes((number < len(blocks) - 1,)) + bytes(7)
        for number, block in enumerate(blocks)
    )
    return header("s", b"S", len(data), fields=top) + extra + padded(data)


MEGABYTE = 1 << 20
GOOD_MAP = (0, 512, 8192, 100, MEGABYTE, 0)
GOOD_DATA = b"a" * 612
BASE = b"user::rw-,group::r--,other::r--"
RAW = ((1, 6, 0xFFFFFFFF), (2, 7, 1234), (4, 4, 0xFFFFFFFF), (16, 7, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF))
# What was seen in images and archives of other systems. Verification and tar must say the same.
NO_USER = struct.pack("<6I", 0x03000000, 1, 0, 0, 0, 0xFFFFFFFF)
SHAPES: dict[str, Callable[[], bytes]] = {
    "plain": lambda: header("f", FILE),
    "attribute of btrfs": lambda: attribute(b"btrfs.compression", b"zstd"),
    "attribute of bcachefs": lambda: attribute(b"bcachefs_effective.foreground_target"),
    "attribute of NFS": lambda: attribute(b"system.nfs4_acl"),
    "attribute of macOS": lambda: attribute(b"com.apple.provenance"),
    "attribute of overlay": lambda: attribute(b"trusted.overlay.opaque", b"y", FOLDER),
    "attribute with an odd name": lambda: attribute(b"user.\xff\n/a*[%3D"),
    "attribute without a name": lambda: attribute(b"user."),
    "attribute without a namespace": lambda: attribute(b"user"),
    "attribute with an empty value": lambda: attribute(b"user.a", b""),
    "attribute with a long name": lambda: attribute(b"user." + b"a" * 250),
    "attribute with too long a name": lambda: attribute(b"user." + b"a" * 251),
    "attribute of a block": lambda: attribute(b"user.a", b"v" * 4040),
    "attribute of more than a block": lambda: attribute(b"user.a", b"v" * 4041),
    "attribute of 70,000 bytes": lambda: attribute(b"user.a", b"v" * 70_000),
    "many attributes": lambda: pax(*((XATTR + b"user.%03d" % n, b"v" * 8) for n in range(145))) + header("f", FILE),
    "too many attributes": lambda: pax(*((XATTR + b"user.%03d" % n, b"v" * 8) for n in range(160))) + header("f", FILE),
    "user attribute of a link": lambda: attribute(b"user.a", kind=SYMLINK),
    "user attribute of a pipe": lambda: attribute(b"user.a", kind=PIPE),
    "user attribute of a device": lambda: attribute(b"user.a", kind=CHARACTER),
    "trusted attribute of a link": lambda: attribute(b"trusted.a", kind=SYMLINK),
    "trusted attribute of a pipe": lambda: attribute(b"trusted.a", kind=PIPE),
    "label of a link": lambda: attribute(b"security.selinux", b"system_u:object_r:etc_t:s0\0", SYMLINK),
    "attributes of a hard link": lambda: header("x", FILE) + attribute(b"user.a", b"v" * 9000, HARD),
    "capability": lambda: attribute(b"security.capability", capability(0x02000001, 20)),
    "capability of a name space": lambda: attribute(b"security.capability", capability(0x03000000, 24)),
    "capability of the old version": lambda: attribute(b"security.capability", capability(0x01000001, 12)),
    "capability that is none": lambda: attribute(b"security.capability", b"junk"),
    "capability that is cut": lambda: attribute(b"security.capability", capability(0x02000001, 16)),
    "capability with flags": lambda: attribute(b"security.capability", capability(0x02000003, 20)),
    "capability of no user": lambda: attribute(b"security.capability", NO_USER),
    "label": lambda: pax((b"RHT.security.selinux", b"system_u:object_r:etc_t:s0\0")) + header("f", FILE),
    "label that is too long": lambda: pax((b"RHT.security.selinux", b"l" * 5000)) + header("f", FILE),
    "list": lambda: acl(b"user::rw-,user:1234:rwx,group::r--,mask::rwx,other::r--"),
    "list with line breaks": lambda: acl(b"user::rw-\nuser:1234:rwx\ngroup::r--\nmask::rwx\nother::r--\n"),
    "list of libarchive": lambda: acl(b"user::rw-,user:root:rwx:0,group::r--,mask::rwx,other::r--"),
    "list in any order": lambda: acl(b"o::r--,m:rwx,group::r--,u:9:r--,u:1:r--,user::rw-"),
    "list of this image's user": lambda: acl(b"user::rw-,user:root:rwx,group::r--,mask::rwx,other::r--"),
    "list of a user of elsewhere": lambda: acl(b"user::rw-,user:no-such-user:rwx,group::r--,mask::rwx,other::r--"),
    "list of a group of elsewhere": lambda: acl(b"user::rw-,group::r--,group:no-such-group:r--,mask::rwx,other::r--"),
    "list without mask": lambda: acl(b"user::rw-,user:1000:rwx,group::r--,other::r--"),
    "list with two masks": lambda: acl(b"user::rw-,user:1:r--,group::r--,mask::rwx,mask::rwx,other::r--"),
    "list without others": lambda: acl(b"user::rw-,group::r--"),
    "list with comments": lambda: acl(b"user::rw-,user:1:rwx\t#effective:r--,group::r--,mask::r--,other::r--"),
    "list with octal permissions": lambda: acl(b"user::6,group::4,other::4"),
    "list of no user": lambda: acl(b"user::rw-,user:4294967295:r--,group::r--,mask::rwx,other::r--"),
    "list that is none": lambda: acl(b"not a list"),
    "empty list": lambda: acl(b""),
    "list of 500 users": lambda: acl(many_users(500)),
    "list of 600 users": lambda: acl(many_users(600)),
    "default list": lambda: acl(many_users(2), default=True, kind=FOLDER),
    "default list of a file": lambda: acl(b"not a list", default=True),
    "list of a link": lambda: acl(b"not a list", kind=SYMLINK),
    "list of a pipe": lambda: acl(BASE, kind=PIPE),
    "list of NFS": lambda: pax((b"SCHILY.acl.ace", b"owner@:rw-p--aARWcCos:-------:allow")) + header("f", FILE),
    "list as an attribute": lambda: attribute(b"system.posix_acl_access", raw_acl(*RAW)),
    "list as an attribute, in another order": lambda: attribute(b"system.posix_acl_access", raw_acl(*reversed(RAW))),
    "list as an attribute, cut": lambda: attribute(b"system.posix_acl_access", raw_acl(*RAW)[:-1]),
    "default list as an attribute": lambda: attribute(b"system.posix_acl_default", raw_acl(*RAW), FOLDER),
    "default list as an attribute of a file": lambda: attribute(b"system.posix_acl_default", raw_acl(*RAW)),
    "list as an attribute of a link": lambda: attribute(b"system.posix_acl_access", raw_acl(*RAW), SYMLINK),
    "null byte in a keyword": lambda: attribute(b"user.a\0b"),
    "time of 1950": lambda: pax((b"mtime", b"-631152000.5")) + header("f", FILE),
    "time of year 1": lambda: pax((b"mtime", b"-62135596800")) + header("f", FILE),
    "time of 2514": lambda: pax((b"mtime", b"17179869184")) + header("f", FILE),
    "time out of range": lambda: pax((b"mtime", b"9223372036854775808")) + header("f", FILE),
    "time out of range in the header": lambda: header("f", FILE, fields=[(136, b"\x80" + b"\1" * 11)]),
    "time before 1970 in the header": lambda: header("f", FILE, fields=[(136, b"\xff" * 8 + b"\0\0\0\1")]),
    "access time out of range": lambda: pax((b"atime", b"99999999999999999999")) + header("f", FILE),
    "user 4,000,000": lambda: pax((b"uid", b"4000000")) + header("f", FILE),
    "user out of range": lambda: pax((b"uid", b"4294967296")) + header("f", FILE),
    "user below zero": lambda: pax((b"uid", b"-2")) + header("f", FILE),
    "user with a fraction": lambda: pax((b"gid", b"2.5")) + header("f", FILE),
    "user out of range in the header": lambda: header("f", FILE, fields=[(108, b"\x80\0\1\0\0\0\0\0")]),
    "part of an archive on several volumes": lambda: pax((b"GNU.volume.size", b"x")) + header("f", FILE),
    "extended header of Solaris": lambda: pax((b"path", b"hello"), kind=b"X") + header("f", FILE),
    "folder of an incremental archive": lambda: header("d/", b"D", 3) + padded(b"Yf\0"),
    "65,000 names": lambda: header("x", FILE) + b"".join(header(f"h{n}", HARD, link="x") for n in range(64_999)),
    "65,001 names": lambda: header("x", FILE) + b"".join(header(f"h{n}", HARD, link="x") for n in range(65_000)),
    "sparse 1.0": lambda: sparse_data((3, *GOOD_MAP), GOOD_DATA, MEGABYTE),
    "sparse 1.0 of 1.2 TB": lambda: sparse_data((2, 4096, 512, 1_200_000_000_000, 0), b"a" * 512, 1_200_000_000_000),
    "sparse 1.0 of 20 TB": lambda: sparse_data((2, 4096, 512, 20_000_000_000_000, 0), b"a" * 512, 20_000_000_000_000),
    "sparse 1.0 without numbers": lambda: sparse_data(("x", 0, 512), bytes(512), MEGABYTE),
    "sparse 1.0 with more than there is": lambda: sparse_data((1, 0, 999_999), bytes(512), 999_999),
    "sparse 1.0 that does not end": lambda: sparse_data((400, 0, 512), bytes(512), 512),
    "sparse 0.1": lambda: sparse_keys(GOOD_MAP, GOOD_DATA, MEGABYTE, one=True),
    "sparse 0.1 with an odd map": lambda: sparse_keys((*GOOD_MAP, 7), GOOD_DATA, MEGABYTE, one=True, count=3),
    "sparse 0.1 with too many regions": lambda: sparse_keys(GOOD_MAP, GOOD_DATA, MEGABYTE, one=True, count=2),
    "sparse 0.1 without numbers": lambda: sparse_keys((0, "zz"), GOOD_DATA, 512, one=True),
    "sparse 0.0": lambda: sparse_keys(GOOD_MAP, GOOD_DATA, MEGABYTE, one=False),
    "sparse 0.0 without numbers": lambda: sparse_keys((1, "zz"), b"ab", 200, one=False, count=2),
    "sparse 0.0 of many regions": lambda: sparse_keys((0, 0), b"", 0, one=False, count=1 << 62),
    "old sparse": lambda: sparse_old(GOOD_MAP, GOOD_DATA, MEGABYTE),
    "old sparse of many regions": lambda: sparse_old(
        [number for n in range(60) for number in (n * 8192, 512)], b"a" * 60 * 512, 59 * 8192 + 512
    ),
    "old sparse behind its end": lambda: sparse_old((0, 512, MEGABYTE, 512), b"a" * 1024, MEGABYTE),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_verification_and_tar_say_the_same(primary: Path, shape: str) -> None:
    data = archive(SHAPES[shape](), header("after", FILE))
    said, failed = refusal(data), failure(primary, data)
    assert bool(said) == bool(failed), (said, failed)
    if not said:
        assert (primary / "target/after").exists()


values = st.one_of(st.binary(max_size=40), st.integers(0, 4200).map(lambda size: b"v" * size))
names = st.one_of(
    st.sampled_from([b"user.a", b"user.b", b"trusted.a", b"security.selinux", b"security.capability", b"user.", b"a"]),
    st.sampled_from([b"system.posix_acl_access", b"system.posix_acl_default", b"system.nfs4_acl", b"com.apple.a"]),
    st.integers(240, 260).map(lambda size: b"user." + b"n" * (size - 5)),
    st.binary(min_size=1, max_size=8).filter(lambda name: b"=" not in name).map(lambda name: b"user." + name),
)
capabilities = st.builds(
    capability, st.sampled_from([0x01000000, 0x02000000, 0x02000001, 0x03000001, 0x03000002]), st.integers(9, 26)
)
RIGHT_WORDS = ["user::rw-", "group::r--", "other::r--", "mask::rwx", "user:5:rwx", "group:7:r-x", "user:root:r--"]
ODD_WORDS = ["m:rx", "o:-", "u::x", "user:1:rwx:1", "group:nowhere:r--", "default:user::r--", "user:5:7", "mask:3:rwx"]
acl_words = st.sampled_from([*RIGHT_WORDS, *ODD_WORDS, "user::r-w", "::", "other::rwxr"])
acl_texts = st.builds(
    lambda words, between: between.join(words).encode(),
    st.one_of(
        st.lists(acl_words, max_size=7),
        st.lists(acl_words, max_size=3).map(lambda more: ["user::rw-", "group::r--", "other::r--", "mask::rwx", *more]),
    ),
    st.sampled_from([",", "\n", ", "]),
)
raw_acls = st.lists(
    st.tuples(st.sampled_from([1, 2, 4, 8, 16, 32, 3]), st.integers(0, 8), st.sampled_from([0, 7, 0xFFFFFFFF])),
    max_size=6,
).map(lambda entries: raw_acl(*entries))
numbers = st.one_of(
    st.integers(-10, 10), st.integers(-(2**65), 2**65), st.sampled_from([2**31, 2**32 - 1, 2**33, 2**34])
)
number_texts = st.one_of(
    numbers.map(lambda number: str(number).encode()),
    st.builds(lambda number, end: str(number).encode() + end, numbers, st.sampled_from([b".5", b".", b" ", b"x", b""])),
)
pairs = st.one_of(
    st.tuples(names.map(lambda name: XATTR + name), st.one_of(values, capabilities, raw_acls)),
    st.tuples(st.just(XATTR + b"security.capability"), capabilities),
    st.tuples(st.just(XATTR + b"system.posix_acl_access"), raw_acls),
    st.tuples(st.sampled_from([b"SCHILY.acl.access", b"SCHILY.acl.default"]), acl_texts),
    st.tuples(st.sampled_from([b"mtime", b"atime", b"ctime", b"uid", b"gid", b"SCHILY.ino"]), number_texts),
    st.tuples(st.sampled_from([b"RHT.security.selinux", b"uname", b"comment", b"hdrcharset"]), values),
)
raw_fields = st.tuples(
    st.sampled_from([100, 108, 116, 136]),
    st.one_of(
        st.text("01234567 \0x-8", min_size=8, max_size=8).map(str.encode),
        st.binary(max_size=7).map(lambda end: b"\x80" + end.rjust(7, b"\0")),
        st.binary(max_size=7).map(lambda end: b"\xff" + end.rjust(7, b"\xff")),
    ),
)


@st.composite
def plain_members(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from([FILE, FILE, FOLDER, SYMLINK, PIPE, HARD]))
    name = draw(st.sampled_from(["a", "a/b", "b", "./a", "c"]))
    found = draw(st.lists(pairs, max_size=3))
    fields = draw(st.lists(raw_fields, max_size=1))
    start = pax(*found, kind=draw(st.sampled_from([b"x"] * 7 + [b"g"]))) if found else b""
    return start + header(name, kind, link=draw(st.sampled_from(["b", "a", "c"])), fields=fields)


@st.composite
def sparse_members(draw: st.DrawFn) -> bytes:
    """Mostly almost right."""
    end = 0
    found: list[int] = []
    for _ in range(draw(st.integers(1, 6))):
        offset = end + draw(st.sampled_from([0, 1, 512, 4096, 70_000]))
        size = draw(st.sampled_from([0, 512, 512, 1024, 5120, 7]))
        found += [offset, size]
        end = offset + size
    data = b"d" * sum(found[1::2])
    if draw(st.booleans()):
        at = draw(st.integers(0, len(found) - 1))
        found[at] = max(0, found[at] + draw(st.sampled_from([0, 1, -1, 512, -512, 1 << 40])))
    real = end + draw(st.sampled_from([0, 0, 0, 1, 5000]))
    form = draw(st.sampled_from(["1.0", "0.1", "0.0", "old"]))
    if form == "1.0":
        return sparse_data((len(found) // 2 + draw(st.sampled_from([0, 0, 1, -1])), *found), data, real)
    if form == "old":
        return sparse_old(found, data, real)
    return sparse_keys(found, data, real, one=form == "0.1")


@given(members=st.lists(st.one_of(plain_members(), sparse_members()), min_size=1, max_size=4))
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_verification_passes_tar_unpacks(primary: Path, members: list[bytes]) -> None:
    data = archive(*members, header("after", FILE))
    if not refusal(data):
        failed = failure(primary, data)
        assert not failed, failed
        assert (primary / "target/after").exists()


@given(member=sparse_members())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_sparse_files_have_their_length(primary: Path, member: bytes) -> None:
    """As the walk counts it."""
    data = archive(member)
    if refusal(data):
        return
    walker = TarWalker("x", captured_names(Branding()))
    walker.feed(data)
    assert not failure(primary, data)
    sizes = sum(file.stat().st_size for file in (primary / "target").rglob("*") if file.is_file())
    assert walker.finish().content_bytes == sizes

"""Walking tar archives: what is counted and captured, what is refused, and that no cut goes unnoticed."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.branding import Branding
from gprov.domain.errors import GprovError, IntegrityFault
from gprov.domain.formats.image.tar_fields import Malformed, checksum_matches, number
from gprov.domain.formats.image.tar_summary import TarSummary
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.image.captured_names import captured_names

TarOf = Callable[..., bytes]
SYSTEMD = "usr/lib/systemd/systemd"


def walk(data: bytes, step: int = 1 << 20) -> TarSummary:
    walker = TarWalker("x", captured_names(Branding()))
    for start in range(0, len(data), step):
        walker.feed(data[start : start + step])
    return walker.finish()


def archive(members: Iterable[tuple[tarfile.TarInfo, bytes]], fmt: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=fmt) as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


LONG = "very/" * 60 + "long"
MANY = [
    (member("./", tarfile.DIRTYPE), b""),
    (member("./etc/passwd"), b"root:x:0:0\n"),
    (member(LONG), b"x" * 1000),
    (member("gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n"), b"y" * 512),
    (member("link", tarfile.SYMTYPE, LONG), b""),
    (member("hard", tarfile.LNKTYPE, LONG), b""),
    (member("dev/null", tarfile.CHRTYPE), b""),
    (member("dev/sda", tarfile.BLKTYPE), b""),
    (member("pipe", tarfile.FIFOTYPE), b""),
]


@pytest.mark.parametrize("fmt", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("step", [1, 7, 511, 512, 513, 4096, 1 << 20])
def test_formats_in_chunks_of_any_size(fmt: int, step: int) -> None:
    summary = walk(archive(MANY, fmt), step)
    assert summary.entries == len(MANY)
    assert summary.content_bytes == 11 + 1000 + 512
    assert summary.unpacked == len(archive(MANY, fmt))
    assert summary.files.passwd == b"root:x:0:0\n"


def test_ustar_prefix() -> None:
    info = member("etc/" + "x" * 90 + "/" + "y" * 90)
    assert walk(archive([(info, b"1")], tarfile.USTAR_FORMAT)).entries == 1


def test_a_large_member_in_base_256_and_in_pax() -> None:
    """10 GiB, more than 11 octal digits hold: the header says so, the data pass without being kept."""
    for fmt in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        info = member("big")
        info.size = 10 << 30
        walker = TarWalker("x", captured_names(Branding()))
        walker.feed(info.tobuf(fmt))
        chunk = bytes(64 << 20)
        for _ in range(160):
            walker.feed(chunk)
        walker.feed(bytes(1024))
        assert walker.finish().content_bytes == 10 << 30


def test_captured_files() -> None:
    wanted = {
        "etc/passwd": b"passwd",
        "./etc/group": b"group",
        "/etc/shadow": b"shadow",
        "etc/fstab": b"",
        "etc/hosts": b"hosts",
        "etc/provisioning/imgmeta.json": b"{}",
        "boot/norm_boot": b"K" * 100_000,
        SYSTEMD: b"init",
    }
    files = walk(archive((member(name), content) for name, content in wanted.items())).files
    assert (files.passwd, files.group, files.shadow, files.fstab) == (b"passwd", b"group", b"shadow", b"")
    assert (files.hosts, files.has_network) == (b"hosts", False)
    assert files.imgmeta == b"{}"
    assert files.kernel_start == b"K" * 65536
    assert files.has_init


def test_nothing_to_capture() -> None:
    files = walk(archive([(member("a"), b"1"), (member("etc/passwd2"), b"1"), (member("x/etc/passwd"), b"1")])).files
    assert (files.passwd, files.group, files.shadow, files.fstab, files.imgmeta) == (None,) * 5
    assert files.kernel_start is None
    assert not files.has_init


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("./etc/systemd/network/a.network", tarfile.REGTYPE, True),
        ("etc/systemd/network/73-usb.link", tarfile.SYMTYPE, True),
        ("etc/systemd/network/a.network", tarfile.DIRTYPE, False),
        ("etc/systemd/network/README", tarfile.REGTYPE, False),
        ("etc/systemd/network/a.network.d/b.conf", tarfile.REGTYPE, False),
        ("usr/lib/systemd/network/a.network", tarfile.REGTYPE, False),
    ],
)
def test_network_files_of_the_image(name: str, kind: bytes, found: bool) -> None:
    assert walk(archive([(member(name, kind, "/dev/null"), b"")])).files.has_network == found


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("./usr/lib/modules/6.1.0-gprov.7.a1/modules.dep", tarfile.REGTYPE, ("6.1.0-gprov.7.a1",)),
        ("lib/modules/6.1.0/modules.dep", tarfile.REGTYPE, ("6.1.0",)),
        ("lib/modules/6.1.0/modules.dep", tarfile.DIRTYPE, ()),
        ("lib/modules/6.1.0/kernel/modules.dep", tarfile.REGTYPE, ()),
        ("lib/modules/6.1.0/modules.dep.bin", tarfile.REGTYPE, ()),
        ("srv/lib/modules/6.1.0/modules.dep", tarfile.REGTYPE, ()),
    ],
)
def test_releases_of_which_the_image_holds_modules(name: str, kind: bytes, found: tuple[str, ...]) -> None:
    assert walk(archive([(member(name, kind), b"")])).files.module_releases == found


def test_imgmeta_only_within_the_first_mebibyte() -> None:
    for filler, found in ((900_000, True), (1 << 20, False)):
        data = archive([(member("filler"), bytes(filler)), (member("etc/provisioning/imgmeta.json"), b"{}")])
        assert (walk(data).files.imgmeta is not None) == found


@pytest.mark.parametrize("name", ["lib/systemd/systemd", "./" + SYSTEMD])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE])
def test_init(name: str, kind: bytes) -> None:
    assert walk(archive([(member(name, kind, "x"), b"")])).files.has_init


def test_later_members_win() -> None:
    one = archive([(member("etc/passwd"), b"old"), (member(SYSTEMD), b"x")])
    two = archive([(member("./etc/passwd"), b"new"), (member(SYSTEMD, tarfile.DIRTYPE), b"")])
    files = walk(one + two).files
    assert files.passwd == b"new"
    assert not files.has_init


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.LNKTYPE, "./boot/vmlinuz-6.1"),
        (tarfile.SYMTYPE, "vmlinuz-6.1"),
        (tarfile.SYMTYPE, "/boot/vmlinuz-6.1"),
        (tarfile.SYMTYPE, "../boot/vmlinuz"),
    ],
)
def test_the_kernel_may_be_a_link(kind: bytes, target: str) -> None:
    data = archive(
        [
            (member("boot", tarfile.DIRTYPE), b""),
            (member("boot/vmlinuz-6.1"), b"KERNEL"),
            (member("boot/vmlinuz", tarfile.SYMTYPE, "vmlinuz-6.1"), b""),
            (member("boot/norm_boot", kind, target), b""),
        ]
    )
    assert walk(data).files.kernel_start == b"KERNEL"


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.REGTYPE])
def test_a_link_that_is_replaced_counts_no_more(kind: bytes) -> None:
    old = [(member("boot/a"), b"KERNEL"), (member("boot/norm_boot", tarfile.SYMTYPE, "a"), b"")]
    files = walk(archive([*old, (member("boot/norm_boot", kind), b"")])).files
    assert files.kernel_start == (b"" if kind == tarfile.REGTYPE else None)


def test_a_link_to_itself_is_not_a_kernel() -> None:
    data = archive([(member("boot/norm_boot", tarfile.SYMTYPE, "norm_boot"), b"")])
    assert walk(data).files.kernel_start is None


def test_members_are_captured_where_tar_writes_them() -> None:
    usr_merged = [(member("usr/lib/systemd", tarfile.DIRTYPE), b""), (member("lib", tarfile.SYMTYPE, "usr/lib"), b"")]
    data = archive([*usr_merged, (member("lib/systemd/systemd"), b"x"), (member("etc/passwd"), b"good")])
    assert walk(data).files.has_init
    alias = [(member("etc/passwd"), b"good"), (member("alias", tarfile.SYMTYPE, "etc"), b"")]
    assert walk(archive([*alias, (member("alias/passwd"), b"evil")])).files.passwd == b"evil"
    assert walk(archive([*alias, (member("alias/systemd/network/a.network"), b"")])).files.has_network
    inner = [(member("etc/real", tarfile.DIRTYPE), b""), (member("etc/provisioning", tarfile.SYMTYPE, "real"), b"")]
    assert walk(archive([*inner, (member("etc/provisioning/imgmeta.json"), b"{}")])).files.imgmeta is None


@pytest.mark.parametrize("name", ["etc", "./boot"])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.REGTYPE])
def test_folders_of_captured_members_are_folders(name: str, kind: bytes) -> None:
    usr = [(member(f"usr/{name}", tarfile.DIRTYPE), b""), (member("l", tarfile.SYMTYPE, "usr/etc"), b"")]
    assert "has to be a folder" in refused(archive([*usr, (member(name, kind, "l"), b"")]))


def test_a_dumped_folder_replaces_a_captured_file() -> None:
    data = bytearray(archive([(member("etc/passwd"), b"")]))
    data[156:157] = b"D"
    assert walk(archive([(member("etc/passwd"), b"good")]) + with_checksum(data)).files.passwd is None


def test_a_hard_link_keeps_the_content_of_a_replaced_file() -> None:
    link = [(member("etc/group"), b"old"), (member("etc/passwd", tarfile.LNKTYPE, "etc/group"), b"")]
    files = walk(archive([*link, (member("etc/group"), b"new")])).files
    assert (files.passwd, files.group) == (b"old", b"new")


def test_a_hard_link_to_a_symbolic_link_leads_elsewhere() -> None:
    """The text of the link counts from the folder of each of its names."""
    files = [(member("boot/x"), b"kernel"), (member("etc/x"), b"x"), (member("boot/l", tarfile.SYMTYPE, "x"), b"")]
    assert walk(archive([*files, (member("etc/passwd", tarfile.LNKTYPE, "boot/l"), b"")])).files.passwd is None


def test_init_may_be_a_hard_link() -> None:
    assert walk(archive([(member("init"), b"x"), (member(SYSTEMD, tarfile.LNKTYPE, "init"), b"")])).files.has_init


def test_a_link_up_from_a_folder_that_may_be_a_link_is_not_followed() -> None:
    """From the folder srv/a, ".." leads to srv."""
    folders = [(member("srv/a", tarfile.DIRTYPE), b""), (member("etc/l", tarfile.SYMTYPE, "../srv/a"), b"")]
    links = [(member("etc/group"), b"good"), (member("etc/passwd", tarfile.SYMTYPE, "l/../group"), b"")]
    assert walk(archive([*folders, *links])).files.passwd is None


def refused(data: bytes) -> str:
    with pytest.raises(IntegrityFault) as caught:
        walk(data)
    return str(caught.value)


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/..", "a/.."])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_names_that_leave_the_target(name: str, kind: bytes) -> None:
    said = refused(archive([(member("ok"), b"12"), (member(name, kind), b"")]))
    assert name in said
    assert "offset 1024 of the archive" in said


def test_dots_that_stay() -> None:
    names = ["..x", "a..b/...", "./.hidden", "/etc/x", "a//b", "a/./b", ".a/b"]
    assert walk(archive((member(name), b"") for name in names)).entries == len(names)


def test_hard_links() -> None:
    assert "not in the archive before it" in refused(archive([(member("l", tarfile.LNKTYPE, "etc/shadow"), b"")]))
    assert "would leave" in refused(archive([(member("l", tarfile.LNKTYPE, "../etc/shadow"), b"")]))
    through = [(member("d", tarfile.DIRTYPE), b""), (member("d/f"), b""), (member("s", tarfile.SYMTYPE, "d"), b"")]
    assert walk(archive([*through, (member("l", tarfile.LNKTYPE, "s/f"), b"")])).entries == 4


@pytest.mark.parametrize("target", ["/tmp", "../../tmp", "x/../y"])
def test_members_through_a_link_that_leads_out(target: str) -> None:
    """tar holds such a link back, and then cannot make what would be below it."""
    link = (member("./a/link", tarfile.SYMTYPE, target), b"")
    said = refused(archive([link, (member("a/link/deep/file"), b"1")]))
    assert "'a/link/deep/file' would be written through the symbolic link 'a/link'" in said
    replaced = (member("a/link", tarfile.DIRTYPE), b"")
    assert "replace a symbolic link" in refused(archive([link, (member("a/linked"), b""), replaced]))
    inner = [(member("a/b", tarfile.DIRTYPE), b""), (member("a/link", tarfile.SYMTYPE, "b"), b"")]
    assert walk(archive([*inner, (member("a/link/file"), b"1")])).entries == 3


@pytest.mark.parametrize("kind", [b"M", b"N", b"A", b"Z", b"\xff"])
def test_types_that_no_root_file_system_has(kind: bytes) -> None:
    data = bytearray(archive([(member("x"), b"")]))
    data[156:157] = kind
    assert "has the type" in refused(with_checksum(data))


@pytest.mark.parametrize("content", [b"", bytes(1024)])
def test_a_volume_label_is_refused(content: bytes) -> None:
    """tar skips its data and gives it the extended headers before it: the members that follow would not be those that
    were verified."""
    data = bytearray(archive([(member("label"), content), (member("x"), b"")]))
    data[156:157] = b"V"
    assert "has the type 'V'" in refused(with_checksum(data))
    header = with_checksum(data)[:512]
    long = archive([(member(LONG), b"")])
    assert "has the type 'V'" in refused(long[:1024] + header + long[1024:])


def with_checksum(data: bytearray) -> bytes:
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


def test_data_where_none_can_be() -> None:
    data = bytearray(archive([(member("d", tarfile.DIRTYPE), b"")]))
    data[124:136] = b"00000000010\0"
    assert "without data" in refused(with_checksum(data))


@pytest.mark.parametrize(
    "field", [b"0000000000x\0", b"00000000008\0", b"-0000000001\0", b"\xff" * 12, b"0000000_001\0"]
)
def test_invalid_sizes(field: bytes) -> None:
    data = bytearray(archive([(member("f"), b"")]))
    data[124:136] = field
    assert "number" in refused(with_checksum(data))


@pytest.mark.parametrize(
    "record",
    [b"x path=a\n", b"8 path=a\n", b"99 path=a\n", b"10 path=aa", b"9 path:aa\n", b"0 a=\n", b"\xc2\xb2 a=\n"],
)
def test_malformed_extended_headers(record: bytes) -> None:
    data = bytearray(archive([(member("x"), record), (member("y"), b"")]))
    data[156:157] = b"x"
    assert "extended header" in refused(with_checksum(data))


@pytest.mark.parametrize(
    "key", ["path", "size", "linkpath", "GNU.sparse.major", "SCHILY.xattr.user.a", "SCHILY.acl.access"]
)
def test_global_headers_that_concern_every_member(key: str) -> None:
    def made(headers: dict[str, str]) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT, pax_headers=headers) as tar:
            tar.addfile(member("x"))
        return out.getvalue()

    assert f"sets {key!r} for all members" in refused(made({key: "7"}))
    assert walk(made({"comment": "made by hand"})).entries == 1


def test_huge_extended_header_is_refused_before_it_is_kept() -> None:
    data = bytearray(archive([(member("x"), b"1")]))
    data[156:157] = b"x"
    data[124:136] = b"77777777777\0"
    assert "extended header has 8589934591 bytes" in refused(with_checksum(data))


def test_huge_passwd_is_refused_before_it_is_kept() -> None:
    data = bytearray(archive([(member("etc/passwd"), b"")]))
    data[124:136] = b"77777777777\0"
    assert "more than such a file can have" in refused(with_checksum(data))


def test_every_truncated_archive_is_refused(root_tar: bytes) -> None:
    """Cut anywhere, between two members as well. One block of zeros is the shortest end of an archive."""
    end = len(root_tar.rstrip(b"\0")) // 512 * 512 + 512
    for size in range(0, len(root_tar), 16):
        if size >= end + 512 and size % 512 == 0:
            assert walk(root_tar[:size]).entries == 2
        else:
            assert "cut" in refused(root_tar[:size]) or size == 0


def test_cut_between_an_extended_header_and_its_member() -> None:
    data = archive([(member("a"), b"1"), (member(LONG), b"1")])
    assert "not followed by its member" in refused(data[: 1024 + 1024])
    assert "followed by the end" in refused(data[: 1024 + 1024] + bytes(1024))


def test_no_members() -> None:
    assert "holds no members" in refused(bytes(10240))


def test_garbage_behind_the_archive(root_tar: bytes) -> None:
    assert "no tar header" in refused(root_tar + b"garbage!" * 64)
    assert "within a block" in refused(root_tar + b"garbage!")


def test_concatenated_archives(root_tar: bytes) -> None:
    summary = walk(root_tar + root_tar)
    assert (summary.entries, summary.unpacked) == (4, 2 * len(root_tar))


def test_the_second_of_two_archives_must_end_too(root_tar: bytes) -> None:
    assert "end mark" in refused(root_tar + root_tar[:1024])


def old_gnu_sparse(regions: int) -> bytes:
    """An old GNU sparse member of so many regions of 512 bytes with holes between them, and a hole at its end; then a
    file."""
    numbers = [(place * 8192, 512) for place in range(regions)] + [(2 << 20, 0)]
    entries = [b"%011o\0%011o\0" % region for region in numbers]
    sparse = bytearray(archive([(member("sparse"), b"d" * 512 * regions)])[: 512 + 512 * regions])
    sparse[156:157] = b"S"
    sparse[257:265] = b"ustar  \0"
    sparse[386:482] = b"".join(entries[:4]).ljust(96, b"\0")
    sparse[482] = len(entries) > 4
    sparse[483:495] = b"%011o\0" % (2 << 20)
    maps = [entries[start : start + 21] for start in range(4, len(entries), 21)]
    extra = b"".join(
        b"".join(one).ljust(504, b"\0") + bytes((number < len(maps) - 1,)) + bytes(7) for number, one in enumerate(maps)
    )
    header = bytearray(with_checksum(sparse))
    return bytes(header[:512]) + extra + bytes(header[512:]) + archive([(member("after"), b"!")])


@pytest.mark.parametrize("regions", [1, 3, 4, 24, 25, 60])
def test_old_gnu_sparse_files(regions: int) -> None:
    summary = walk(old_gnu_sparse(regions), 100)
    assert (summary.entries, summary.content_bytes) == (2, 2097152 + 1)


def test_pax_sparse_files() -> None:
    info = member("GNUSparseFile.0/sparse")
    info.pax_headers = {"GNU.sparse.name": "etc/sparse", "GNU.sparse.realsize": "5000000", "GNU.sparse.major": "1"}
    info.pax_headers["GNU.sparse.minor"] = "0"
    data = b"2\n4096\n512\n5000000\n0\n".ljust(512, b"\0") + bytes(512)
    summary = walk(archive([(info, data)]), 100)
    assert summary.content_bytes == 5_000_000
    assert summary.needs.allocated == (1 + 2) * 4096  # of the file, the root and etc
    info.pax_headers["GNU.sparse.name"] = "boot/norm_boot"
    assert "stored as a sparse file" in refused(archive([(info, data)]))


@pytest.mark.parametrize("kind", [b"S", b"D", b"2", b"5", b"6"])
@pytest.mark.parametrize("key", ["GNU.sparse.name", "GNU.sparse.numblocks", "GNU.sparse.major", "GNU.sparse.unheard"])
def test_sparse_keywords_of_what_is_no_regular_file(kind: bytes, key: str) -> None:
    info = member("x", target="y")
    info.pax_headers = {key: "1"}
    data = bytearray(archive([(info, b"")]))
    header = bytearray(old_gnu_sparse(1)[:512] if kind == b"S" else data[1024:1536])
    header[156:157] = kind
    rest = bytes(512) * (kind == b"S") + archive([(member("after"), b"")])
    assert "and is no regular file" in refused(bytes(data[:1024]) + with_checksum(header) + rest)


def test_spans_of_the_members_that_matter() -> None:
    data = archive([(member("a"), b"1"), (member("./etc/passwd"), b"2" * 600), (member("b"), b"")])
    walker = TarWalker("x", captured_names(Branding()))
    walker.feed(data)
    (span,) = walker.spans
    assert (span.name, span.start, span.end) == (b"etc/passwd", 1024, 1024 + 512 + 1024)
    assert walk(data[: span.start] + data[span.end :]).entries == 2


@given(st.binary(min_size=512, max_size=512))
def test_checksum_is_the_sum_of_the_bytes(data: bytes) -> None:
    plain = data[:148] + b" " * 8 + data[156:]
    for total in (sum(plain), sum(byte - 256 * (byte >= 128) for byte in plain)):
        if total >= 0:
            assert checksum_matches(data[:148] + b"%06o\0 " % total + data[156:])
            assert not checksum_matches(data[:148] + b"%06o\0 " % (total + 65521) + data[156:])


@given(st.integers(0, 2**80))
def test_numbers(value: int) -> None:
    assert number(b"\x80" + value.to_bytes(11, "big")) == value
    if value < 8**11:
        assert number(b"%011o\0" % value) == number(b"%11o " % value) == value
    with pytest.raises(Malformed):
        number(b"\xff" + value.to_bytes(11, "big"))


@given(data=st.data(), step=st.sampled_from([300, 512, 4096]))
def test_mutated_archives(data: st.DataObject, step: int) -> None:
    """A summary or a GprovError, whatever the bytes are."""
    changed = bytearray(archive(MANY, data.draw(st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at : at + data.draw(st.integers(0, 12))] = data.draw(st.binary(max_size=12))
        start = at // 512 * 512
        if data.draw(st.booleans()) and start + 512 <= len(changed):
            changed[start : start + 512] = with_checksum(changed[start : start + 512])
    try:
        summary = walk(bytes(changed), step)
    except GprovError:
        return
    assert summary.unpacked == len(changed)


@given(st.binary(max_size=1500))
def test_arbitrary_bytes(data: bytes) -> None:
    with pytest.raises(GprovError):
        walk(data)

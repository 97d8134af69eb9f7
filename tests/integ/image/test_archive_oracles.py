"""Files made by xz(1) and tar(1): our reading of them against theirs."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.linux.archive import XzTarArchives
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.cli.main import main
from gprov.domain.branding import Branding
from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.tar_summary import TarSummary
from gprov.domain.formats.image.tar_walk import TarWalker
from gprov.domain.formats.image.xz_layout import read_layout
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.decoding import MAX_ARCHIVE
from gprov.domain.image.verify import verify_image

SHA256 = "--check=sha256"


def run(*argv: str, stdin: bytes | None = None) -> bytes:
    return subprocess.run(argv, input=stdin, capture_output=True, check=True).stdout


def xz(data: bytes, *options: str) -> bytes:
    return run("xz", "-c", *options, stdin=data)


@pytest.fixture(scope="module")
def tar() -> bytes:
    """Some 3 MB, part of which does not compress."""
    return run("tar", "-c", "-C", "/usr/lib/python3.11", "--exclude=*.pyc", "json", "email", "asyncio", "http")


def listed(path: Path) -> list[tuple[int, int, int, int, int]]:
    """Blocks as listed by xz: stream, offset, size with padding, unpacked size, header size."""
    blocks = []
    for line in run("xz", "--robot", "--list", "-vv", str(path)).decode().splitlines():
        if line.startswith("block"):
            column = line.split("\t")
            # block, stream, number in stream, number in file, offset, offset unpacked, size, size unpacked, ratio,
            # check, check value, header size
            blocks.append((int(column[1]), int(column[4]), int(column[6]), int(column[7]), int(column[11])))
    return blocks


WRITERS: dict[str, Callable[[bytes], bytes]] = {
    "threads": lambda tar: xz(tar, "-T2", SHA256, "--block-size=256KiB"),
    "single": lambda tar: xz(tar, "-T1", SHA256),
    "blocks by one thread": lambda tar: xz(tar, "-T1", SHA256, "--block-list=1000,70000,0"),
    "streams": lambda tar: b"".join(xz(tar[at : at + 500_000], SHA256) for at in range(0, len(tar), 500_000)),
    "padded streams": lambda tar: xz(tar[:10000], SHA256) + bytes(4096) + xz(tar[10000:], SHA256) + bytes(4),
    "with an empty stream": lambda tar: xz(b"", SHA256) + xz(tar, SHA256),
    "bcj": lambda tar: xz(tar, SHA256, "--x86", "--lzma2=dict=64KiB"),
    "delta": lambda tar: xz(tar, SHA256, "--delta=dist=4", "--arm", "--lzma2=preset=0"),
    "extreme": lambda tar: xz(tar, "-9e", SHA256),
    "concatenated archives": lambda tar: xz(tar + tar, "-0", SHA256),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_layout_and_verdict(writer: str, tar: bytes, tmp_path: Path) -> None:
    data = WRITERS[writer](tar)
    path = tmp_path / "x.upd"
    path.write_bytes(data)
    layout = read_layout("x", len(data), lambda offset, size: data[offset : offset + size])
    ours = [(b.stream, b.offset, b.end - b.offset, b.uncompressed_size, b.header_size) for b in layout.blocks]
    assert ours == listed(path)
    archives = XzTarArchives(SystemProcesses(), workers=2)
    found = archives.verify(str(path), lambda _done, _total: None, MAX_ARCHIVE)
    assert found == verify_image(str(path), data)
    assert found.unpacked == len(run("xz", "-dc", str(path)))
    names = run("tar", "-t", "-i", "-f", str(path)).splitlines()
    assert found.entries == len(names)


@pytest.mark.parametrize("check", ["none", "crc32", "crc64"])
def test_other_checks(check: str, tar: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = tmp_path / "second.upd"
    second.write_bytes(xz(tar[:51200], "-0", SHA256) + xz(tar[51200:], "-0", f"--check={check}"))
    first = tmp_path / "first.upd"
    first.write_bytes(xz(tar, "-0", f"--check={check}"))
    run("xz", "--test", "-qq", str(second))  # xz itself finds nothing wrong
    assert main(["image", "verify", str(second), str(first)]) == 1
    one, other = capsys.readouterr().out.splitlines()
    name = {"none": "none", "crc32": "CRC32", "crc64": "CRC64"}[check]
    assert re.search(rf"stream 2 must have the check SHA-256, has {name} \(offset [1-9]\d+\)", one)
    assert f"stream 1 must have the check SHA-256, has {name} (offset 0)" in other


def test_cut_at_a_member_boundary(tar: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``tar -i`` unpacks such an archive without complaint."""
    at = 512 + int(tar[124:135], 8)
    cut = tmp_path / "cut.upd"
    cut.write_bytes(xz(tar[: (at + 511) // 512 * 512], SHA256))
    assert run("tar", "-t", "-i", "-f", str(cut))
    assert main(["image", "verify", str(cut)]) == 1
    assert "its end mark (a block of zeros) is missing" in capsys.readouterr().out


def test_random_damage_to_real_files(tar: bytes, tmp_path: Path) -> None:
    """Whatever xz --test refuses is refused; what it accepts has the same content."""
    data = xz(tar[: 2 << 20].ljust((2 << 20) + 1024, b"\0"), "-T2", "-1", SHA256, "--block-size=256KiB")
    chance = random.Random(7)
    for _ in range(60):
        damaged = bytearray(data)
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        test = subprocess.run(["xz", "-dc"], input=bytes(damaged), capture_output=True, check=False)
        path = tmp_path / "x.upd"
        path.write_bytes(damaged)
        if test.returncode:
            with pytest.raises(IntegrityFault):
                XzTarArchives(SystemProcesses()).verify(str(path), lambda _done, _total: None, MAX_ARCHIVE)


@pytest.mark.parametrize("fmt", ["gnu", "posix", "ustar", "v7", "oldgnu"])
def test_formats_of_tar(fmt: str, root: Path) -> None:
    # The older two have no room for large ids and long names, the oldest none for devices.
    options = ["--exclude=nnnn*"] if fmt in ("v7", "ustar") else ["--sparse"]
    options += ["--exclude=./dev"] if fmt == "v7" else []
    made = run("tar", "-c", f"--format={fmt}", "-C", str(root), *options, ".")
    summary = walked(made)
    listing = run("tar", "-t", "-v", "-f", "-", stdin=made).decode().splitlines()
    assert summary.entries == len(listing)
    assert summary.content_bytes == sum(int(line.split()[2]) for line in listing if line[0] == "-")
    assert summary.unpacked == len(made)


@pytest.mark.parametrize("version", ["0.0", "0.1", "1.0"])
def test_sparse_versions(version: str, root: Path) -> None:
    options = ["--format=pax", "--sparse", f"--sparse-version={version}", "-C", str(root)]
    summary = walked(run("tar", "-c", *options, "var/sparse", "etc/passwd"))
    assert (summary.entries, summary.files.passwd) == (2, (root / "etc/passwd").read_bytes())
    assert summary.content_bytes == (8 << 20) + len(summary.files.passwd or b"")


def walked(data: bytes) -> TarSummary:
    walker = TarWalker("x", captured_names(Branding()))
    walker.feed(data)
    return walker.finish()


@pytest.mark.parametrize("case", ["symlink that leads out", "hard link to nothing", "name that leaves"])
def test_archives_that_tar_refuses_are_refused_by_verification(case: str, tmp_path: Path) -> None:
    """tar finds out when it unpacks: too late for a unit whose disk is already wiped."""
    one, two, out, made = (tmp_path / name for name in ("one", "two", "out", "x.tar"))
    for folder in (one, two, out):
        folder.mkdir()
    match case:
        case "symlink that leads out":
            (one / "link").symlink_to("/tmp")
            (two / "link").mkdir()
            (two / "link/file").touch()
            run("tar", "-c", "-f", str(made), "-C", str(one), "link", "-C", str(two), "link/file")
        case "hard link to nothing":
            (one / "a").touch()
            os.link(one / "a", one / "b")
            run("tar", "-c", "-f", str(made), "-C", str(one), "a", "b")
            run("tar", "--delete", "-f", str(made), "a")
        case _:
            (one / "a").touch()
            run("tar", "-c", "-P", "-f", str(made), "-C", str(one), "--transform=s,^,../,", "a")
    theirs = subprocess.run(["tar", "-x", "-i", "-f", str(made), "-C", str(out)], capture_output=True, check=False)
    assert theirs.returncode == 2
    with pytest.raises(IntegrityFault):
        walked(made.read_bytes())


def test_kernel_as_file_sees_it(make_kernel: Callable[[str], bytes], tmp_path: Path) -> None:
    path = tmp_path / "kernel"
    path.write_bytes(make_kernel("6.1.9-gprov (me@here) #7 SMP PREEMPT_DYNAMIC now"))
    said = run("file", str(path)).decode()
    assert "Linux kernel x86 boot executable bzImage, version 6.1.9-gprov (me@here) #7 SMP" in said
    assert main(["kernel", "info", str(path)]) == 0

"""Programs and folders that an adopter adds by data: a small specification, unpacked and entered."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses

PROCESSES = SystemProcesses()
CHECKOUT = Path(__file__).parents[3]
SPECIFICATION = """
[common]
start = "os:getpid"
modules = ["os"]
applets = ["busybox"]
[common.programs]
busybox = "busybox-static"
[common.links]
"/usr/bin/sh" = "busybox"
[common.copies]
"/opt/vendor" = "vendor"
"/usr/local/bin/board-config" = "vendor/board-config"
[normal]
[mfg]
[mfg.libraries_32]
"libm.so.6" = "libc6-i386"
"""
# Without headers of a 32-bit libc, which Debian has in another package.
PROGRAM = """
extern int puts(const char *);
extern void exit(int);
void _start(void) { puts("thirty-two bits, dynamic"); exit(0); }
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")


def build(specification: Path, output: Path) -> str:
    """Return what --report printed."""
    command = ("build", "initramfs", "--flavor", "mfg", "--level", "1", "--report")
    done = PROCESSES.run(
        (
            sys.executable,
            "-m",
            "gprov.apps.host.cli.main",
            *command,
            "--spec",
            str(specification),
            "--output",
            str(output),
        ),
        cwd=str(CHECKOUT),
        env={"HOME": os.path.expanduser("~"), "PYTHONPATH": str(CHECKOUT)},
    )
    return done.output.decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A specification and a vendor's folder beside it."""
    folder = tmp_path_factory.mktemp("adopter")
    (folder / "initramfs.toml").write_text(SPECIFICATION)
    vendor = folder / "vendor"
    (vendor / "data").mkdir(parents=True)
    (vendor / "data/board.ini").write_text("mode = ahci\n")
    (vendor / "data/board.ini").chmod(0o600)
    (vendor / "board-config").write_text('#!/bin/sh -e\ncat "/opt/vendor/data/board.ini"\n')
    (vendor / "board-config").chmod(0o755)
    (vendor / "program.c").write_text(PROGRAM)
    options = ("-m32", "-nostdlib", "-fno-stack-protector", "-fno-pic", "-no-pie")
    loader = "-Wl,-dynamic-linker,/lib/ld-linux.so.2"
    PROCESSES.run(("gcc", *options, "program.c", "-o", "program32", loader, "/usr/lib32/libc.so.6"), cwd=str(vendor))
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> str:
    return build(folder / "initramfs.toml", folder / "out.zst")


@pytest.fixture(scope="module")
def root(folder: Path, report: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    raw = PROCESSES.run(("zstd", "-d", "-c"), stdin=(folder / "out.zst").read_bytes()).output
    PROCESSES.run(("cpio", "--extract", "--quiet"), stdin=raw, cwd=str(root))
    return root


def inside(root: Path, *command: str) -> bytes:
    return PROCESSES.run(("chroot", str(root), *command)).output


def test_a_folder_and_a_single_file_keep_their_permissions(root: Path) -> None:
    assert (root / "opt/vendor/data/board.ini").stat().st_mode & 0o777 == 0o600
    assert inside(root, "board-config") == b"mode = ahci\n"


def test_a_dynamic_32_bit_program_runs(root: Path) -> None:
    assert inside(root, "/opt/vendor/program32") == b"thirty-two bits, dynamic\n"
    assert (root / "usr/lib/libm.so.6").is_file()


def test_the_report_lists_programs_applets_copies_and_libraries(report: str) -> None:
    lines = [line.split() for line in report.splitlines()]
    assert any(line[1:] == ["busybox"] and line[0].replace(",", "").isdecimal() for line in lines)
    assert any(line[1:] == ["links", "busybox"] and int(line[0]) > 200 for line in lines)
    names = {" ".join(line[1:]) for line in lines}
    assert {"/opt/vendor", "/usr/local/bin/board-config", "libc.so.6 (32-bit)", "libc.so.6"} <= names


def test_a_script_for_a_shell_that_is_not_there_ends_the_build(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "adopter"
    shutil.copytree(folder, copy)
    (copy / "vendor/board-config").write_text("#!/bin/bash\n")
    done = PROCESSES.run(
        (
            sys.executable, "-m", "gprov.apps.host.cli.main", "build", "initramfs", "--flavor", "mfg",
            "--spec", str(copy / "initramfs.toml"), "--output", str(tmp_path / "out"),
        ),
        cwd=str(CHECKOUT),
        env={"HOME": os.path.expanduser("~"), "PYTHONPATH": str(CHECKOUT)},
        check=False,
    )  # fmt: skip
    assert done.status == 1
    assert b"board-config: its first line names /bin/bash, which is not in the initramfs" in done.errors
    assert not (tmp_path / "out").exists()

"""Two builds from one record, in two folders with empty caches, are equal: a small kernel, compiled twice.

The second machine is another one as far as a build could notice: another place and length of all paths, another name
of the host, another time, other permissions of new files, another number of compilers, another hash seed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
NORMAL = ["--flavor", "normal", "--level", "1"]
# A kernel that is linked with an initramfs, and starts on nothing.
SMALL = """\
CONFIG_LOCALVERSION="-small"
# CONFIG_LOCALVERSION_AUTO is not set
CONFIG_BLK_DEV_INITRD=y
CONFIG_INITRAMFS_SOURCE="initramfs.cpio.zst"
CONFIG_RD_ZSTD=y
CONFIG_KERNEL_ZSTD=y
CONFIG_64BIT=y
CONFIG_PRINTK=y
CONFIG_BUG=y
CONFIG_KALLSYMS=y
"""
MODULES = """\
CONFIG_MODULES=y
# CONFIG_MODULE_SIG is not set
"""
OWN = """\
CONFIG_IKCONFIG=y
CONFIG_CRC7=m
"""

pytestmark = [pytest.mark.nightly, pytest.mark.skipif(os.geteuid() != 0, reason="unshare needs root")]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the settings of a small kernel."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "x86_64.config").write_text(SMALL)
    (folder / "modules.config").write_text(MODULES)
    (folder / "own.config").write_text(OWN)
    (folder / "kernel.toml").write_text('fragments = ["own"]\nmodules = true\nbudget.base = 9\n')
    return folder


def build(
    place: Path, cache: Path, options: Sequence[str], *, elsewhere: bool = False, number: str = "7"
) -> subprocess.CompletedProcess[str]:
    words = ["--config", str(place / "x86_64.config"), "--settings", str(place / "kernel.toml"), *options]
    command = [sys.executable, "-m", "gprov.apps.host.cli.main", "build", "kernel", *words]
    env = {
        "GPROV_CACHE": str(cache), "BUILD_NUMBER": number, "PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT),
        "HOME": "/root",
    }  # fmt: skip
    if elsewhere:
        command = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere; umask 077; exec "$@"', "sh", *command]
        env |= {
            "PYTHONHASHSEED": "3",
            "TZ": "Asia/Tokyo",
            "LANG": "de_DE.UTF-8",
            "HOME": "/nonexistent",
            "USER": "other",
        }
    done = subprocess.run(command, cwd=cache.parent, env=env, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done


@pytest.fixture(scope="module")
def first(place: Path) -> Path:
    """A folder with a kernel of number 7, its record, its archive of modules, and the cache that it left."""
    folder = place / "first"
    folder.mkdir()
    options = [*NORMAL, "--jobs", "2", "--output", "kernel", "--record", "record.json", "--system-tree", "system.tar"]
    assert build(place, folder / "cache", options).returncode == 0
    return folder


@pytest.fixture(scope="module")
def second(place: Path, first: Path) -> Path:
    """As ``first``, from its record, elsewhere."""
    folder = place / "another/place/with/a/longer/path"
    folder.mkdir(parents=True)
    options = ["--from-record", str(first / "record.json"), "--record", "record.json", "--output", "kernel"]
    options += ["--jobs", "3", "--system-tree", "system.tar"]
    assert build(place, folder / "c", options, elsewhere=True).returncode == 0
    return folder


@pytest.mark.parametrize("name", ["kernel", "record.json", "system.tar"])
def test_two_builds_from_one_record_are_equal(first: Path, second: Path, name: str) -> None:
    assert (first / name).read_bytes() == (second / name).read_bytes()


def test_the_record_is_of_this_kernel(first: Path) -> None:
    record = json.loads((first / "record.json").read_text())
    shown = subprocess.run(["sha256sum", str(first / "kernel")], capture_output=True, check=True, text=True).stdout
    assert record["Result"]["Sha256"] == shown[:64]
    assert record["Result"]["Size"] == (first / "kernel").stat().st_size
    assert record["Result"]["Modules"]
    paths = {row["Path"] for row in record["Initramfs"]}
    assert {"/init", "/usr/bin/busybox", "/usr/lib/python3.11/json/decoder.pyc"} <= paths
    assert {"busybox-static", "python3.11-minimal"} <= {row["Name"] for row in record["Packages"]}


def test_a_kernel_that_was_linked_again_is_as_one_that_was_compiled(place: Path, first: Path, second: Path) -> None:
    """The cache of the first build has objects of number 7; that of the second one is removed."""
    for kind in ("trees", "kernels", "modules"):
        shutil.rmtree(second / "c" / kind)
    made = []
    for folder, cache in ((first, "cache"), (second, "c")):
        options = [*NORMAL, "--output", "eight", "--record", "eight.json"]
        assert build(place, folder / cache, options, number="8").returncode == 0
        made.append((folder / "eight").read_bytes())
    assert made[0] == made[1]
    assert made[0] != (first / "kernel").read_bytes()


def test_another_input_is_refused_before_anything_is_compiled(place: Path, first: Path) -> None:
    record = json.loads((first / "record.json").read_text())
    [make] = [row for row in record["Toolchain"] if row["Name"] == "make"]
    version, make["Version"] = make["Version"], "4.2-1"
    (place / "other.json").write_text(json.dumps(record))
    options = ["--from-record", str(place / "other.json"), "--output", "refused"]
    done = build(place, first / "cache", options, number="9")
    assert done.returncode == 1
    assert f"package make: recorded 4.2-1, here {version}" in done.stderr
    assert "option BUILD_NUMBER: recorded 7, here 9" in done.stderr
    assert "apt-get install --allow-downgrades make=4.2-1" in done.stderr
    assert "kernel: " not in done.stderr
    assert not (first / "refused").exists()

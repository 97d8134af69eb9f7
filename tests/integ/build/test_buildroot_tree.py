"""The freeze of a tree laid out as Buildroot's, with the files of this host: the same initramfs as the host's own.

Debian's files in Buildroot's places: libraries in /usr/lib, packages of Python in site-packages, applets of busybox as
links, databases where Buildroot has them. What Buildroot itself builds is not here (docs/how-to/build.md, "With
Buildroot").
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from gprov.apps.host.initramfs.sources import GRUB_FOLDER, PYTHON
from gprov.apps.host.initramfs.spec import Flavor, parse_spec
from tests.integ.build.test_initramfs import CHECKOUT, EVERY_MODULE, PROCESSES, build, inside

TREE = CHECKOUT / "buildroot"
PROGRAMS = ("/usr/sbin", "/usr/bin")

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root"),
]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("target")
    for folder in ("usr/bin", "usr/sbin", "usr/share/hwdata", "etc/udev", "usr/lib"):
        (root / folder).mkdir(parents=True)
    for link, place in {
        "bin": "usr/bin",
        "sbin": "usr/sbin",
        "lib": "usr/lib",
        "lib64": "lib",
        "usr/lib64": "lib",
    }.items():
        (root / link).symlink_to(place)
    python = root / "usr/lib" / PYTHON
    copy(sysconfig.get_path("stdlib"), python)
    (python / "site-packages").mkdir(exist_ok=True)
    copy(str(CHECKOUT / "gprov"), python / "site-packages/gprov")
    for folder in (path for path in sys.path if path.endswith("site-packages")):
        copy(folder, python / "site-packages")
    spec = parse_spec((TREE / "initramfs.toml").read_text(), Flavor.MFG)
    for program in (*spec.programs, PYTHON):
        found = next(path for folder in PROGRAMS if os.path.exists(path := f"{folder}/{program}"))
        copy(os.path.realpath(found), root / found.lstrip("/"))
    for library in Path("/usr/lib/x86_64-linux-gnu").glob("*.so*"):
        if library.is_file():
            copy(str(library.resolve()), root / "usr/lib" / library.name)
    for name in PROCESSES.run(("busybox", "--list")).output.decode().split():
        if not any((root / folder.lstrip("/") / name).exists() for folder in PROGRAMS):
            (root / "usr/bin" / name).symlink_to("busybox")
    copy("/usr/share/misc/pci.ids", root / "usr/share/hwdata/pci.ids")
    copy("/usr/lib/udev/hwdb.d", root / "etc/udev/hwdb.d")
    return root


def copy(source: str, target: Path) -> None:
    """A file, or a folder with all that it holds."""
    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=True, copy_function=_same_file, dirs_exist_ok=True)
    else:
        _same_file(source, str(target))


def _same_file(source: str, target: str) -> None:
    """Another name for the file where the file system allows it: half a GB would be copied."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def test_the_same_initramfs_as_of_the_host(target: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.toml"
    names.write_text((TREE / "names.toml").read_text().partition("[libraries]")[0])
    archive = tmp_path / "tree.cpio"
    command = ("-m", "gprov.apps.host.initramfs.for_buildroot", "freeze", "--root", str(target), "--grub", GRUB_FOLDER)
    options = ("--names", str(names), "--spec", str(TREE / "initramfs.toml"), "--flavor", Flavor.MFG)
    env = {"PYTHONPATH": str(CHECKOUT), "PATH": os.environ["PATH"]}
    PROCESSES.run((sys.executable, *command, *options, "--output", str(archive)), env=env, timeout=600)
    build(Flavor.MFG, tmp_path / "host.cpio.zst")
    compared = PROCESSES.run(
        (sys.executable, "-m", "gprov.apps.host.cli.main", "build", "compare", "--json", str(archive), "host.cpio.zst"),
        cwd=str(tmp_path),
        env=env,
    )
    result = json.loads(compared.output)
    assert [row for row in result["differences"] if not row["due_to"]] == []
    assert result["differences"] == []
    root = tmp_path / "root"
    root.mkdir()
    PROCESSES.run(("cpio", "--extract", "--quiet"), stdin=archive.read_bytes(), cwd=str(root))
    assert inside(str(root), f"/usr/bin/{PYTHON}", "-ISB", "-c", EVERY_MODULE) == "\n"
    code = "from pyudev import Context; import ctypes.util; print(ctypes.util.find_library('udev'))"
    assert inside(str(root), f"/usr/bin/{PYTHON}", "-ISB", "-c", code) == "libudev.so.1\n"

"""A normal boot with the adapters of a unit, on a disk of its own: what it imports and starts. No time is measured."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integ.disk.conftest import MakeDisk

CHECKOUT = Path(__file__).parents[3]
PROGRAM = Path(__file__).parent / "normal_boot_program.py"
SPECIFICATION = CHECKOUT / "buildroot/initramfs.toml"
LABEL = "NORMALBOOT"
# Of the modules that the initramfs replaces, those that the program has replaced, too.
_IMPORTED = ("dataclasses", "dependency_injector", "typing_extensions")
# What the interpreter imports before, or has built in.
_BEFORE = ("encodings", "zipimport", "__main__")


@pytest.fixture
def normal_boot(make_disk: MakeDisk, mount_point: Path, tool: Callable[..., str]) -> tuple[list[str], list[str]]:
    """Names of what it started, and of the modules that it imported."""
    disk = make_disk(64 << 20)
    tool("mke2fs", "-q", "-F", "-t", "ext4", "-L", LABEL, disk.node)
    tool("mount", disk.node, str(mount_point))
    (mount_point / "boot.normal").touch()
    tool("umount", str(mount_point))
    replaced = tomllib.loads(SPECIFICATION.read_text())["common"]["replace"]
    modules = [f"{name}={SPECIFICATION.parent / file}" for name, file in replaced.items() if name in _IMPORTED]
    argv = ("unshare", "--mount", "--propagation", "private", os.path.realpath(sys.executable), "-ISB", str(PROGRAM))
    environment = {"PATH": "/usr/sbin:/usr/bin", "real_root": f"LABEL={LABEL}"}
    done = subprocess.run(
        (*argv, str(CHECKOUT), disk.node, str(mount_point), *modules),
        capture_output=True, text=True, check=False, timeout=120, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    started, *imported = done.stdout.splitlines()
    return started.split(), imported


def test_it_imports_the_modules_that_the_initramfs_has_in_one_file(normal_boot: tuple[list[str], list[str]]) -> None:
    """A module more is time on every boot. If it has to be, the list in the specification gets it, too."""
    started, imported = normal_boot
    listed = set(tomllib.loads(SPECIFICATION.read_text())["common"]["boot_modules"])
    own = {name for name in imported if name.partition(".")[0] == "gprov"}
    assert sorted(own ^ {name for name in listed if name.partition(".")[0] == "gprov"}) == []
    # Of the standard library, other versions have other modules.
    python_modules = {name for name in imported if name.partition(".")[0] not in _BEFORE} - own
    unlisted = python_modules - listed - set(sys.builtin_module_names) - _FROZEN - _COMPILED
    assert sys.version_info[:2] != (3, 11) or sorted(unlisted) == []
    assert started == []


# In the interpreter itself; see Python/frozen.c.
_FROZEN = {
    *("_collections_abc", "_frozen_importlib", "_frozen_importlib_external", "abc", "codecs", "genericpath", "io"),
    *("os", "os.path", "posixpath", "stat", "typing.io", "typing.re"),
}
_COMPILED = {"_ctypes", "_typing", "mmap", "termios"}

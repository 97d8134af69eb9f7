from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from gprov.apps.host.initramfs.spec import Flavor, parse_spec
from gprov.domain.errors import BadInput

OURS = Path(__file__).parents[3] / "buildroot/initramfs.toml"

GOOD = """
[common]
start = "app.main:run"
modules = ["os"]
[common.programs]
tar = "tar"
[common.folders]
"/tmp" = "1777"
[common.devices]
"/dev/console" = "c 5 1 0600"
[common.scripts]
"/sbin/x" = "#!/bin/y"
[normal]
modules = ["json"]
[mfg]
modules = ["requests"]
[mfg.programs]
"mkfs.fat" = "dosfstools"
"""


def test_flavor_is_the_union_of_both_tables() -> None:
    spec = parse_spec(GOOD, Flavor.MFG)
    assert spec.start == "app.main:run"
    assert spec.modules == ("os", "requests")
    assert spec.programs == {"tar": "tar", "mkfs.fat": "dosfstools"}
    assert parse_spec(GOOD, Flavor.NORMAL).modules == ("os", "json")


def test_nodes_have_their_types_and_permissions() -> None:
    nodes = {node.path: node for node in parse_spec(GOOD, Flavor.NORMAL).nodes}
    assert nodes["tmp"].mode == stat.S_IFDIR | 0o1777
    assert nodes["dev/console"].mode == stat.S_IFCHR | 0o600
    assert nodes["dev/console"].device == (5, 1)
    assert nodes["sbin/x"].mode == stat.S_IFREG | 0o755


def test_all_problems_at_once() -> None:
    text = """
    [common]
    start = "app.main"
    modules = "os"
    typo = 1
    [common.folders]
    "tmp" = "1777"
    "/a" = "9"
    [common.devices]
    "/dev/null" = "c 1"
    [common.copies]
    "opt/x" = "x"
    [common.databases]
    "y" = "y"
    [other]
    """
    with pytest.raises(BadInput) as caught:
        parse_spec(text, Flavor.NORMAL)
    places = {problem.place for problem in caught.value.problems}
    assert places == {
        "other", "normal", "start", "common.modules", "common.typo", "common.folders.tmp", "common.folders./a",
        "common.devices./dev/null", "common.copies.opt/x", "common.databases.y",
    }  # fmt: skip


def test_invalid_toml() -> None:
    with pytest.raises(BadInput):
        parse_spec("[common", Flavor.NORMAL)


@pytest.mark.parametrize("flavor", list(Flavor))
def test_project_specification(flavor: Flavor) -> None:
    spec = parse_spec(OURS.read_text(), flavor)
    nodes = {node.path: node for node in spec.nodes}
    # The kernel gives /dev/console to /init; Python needs urandom before devtmpfs is mounted.
    assert nodes["dev/console"].device == (5, 1)
    assert nodes["dev/urandom"].device == (1, 9)
    # A shell as process 1 would be a dead unit: the kernel must find something that reboots before it.
    assert b"reboot" in nodes["usr/sbin/init"].content
    assert all((OURS.parent / file).is_file() for file in spec.replace.values())


def test_provisioning_is_only_in_its_own_flavor() -> None:
    assert "gprov.apps.mfg.main" in parse_spec(OURS.read_text(), Flavor.NORMAL).exclude
    assert "gprov.apps.mfg" in parse_spec(OURS.read_text(), Flavor.MFG).packages


def test_only_the_provisioning_flavor_has_programs_for_steps() -> None:
    normal, mfg = (parse_spec(OURS.read_text(), flavor) for flavor in (Flavor.NORMAL, Flavor.MFG))
    assert (normal.applets, mfg.applets) == ((), ("busybox",))
    added = set(mfg.programs) - set(normal.programs)
    assert {"xz", "dmidecode", "hdparm", "ipmitool", "lspci", "lsusb", "efibootmgr", "nvme", "sgdisk"} <= added
    assert (normal.databases, normal.usb_names) == ({}, ())


def test_the_document_lists_the_programs_for_steps() -> None:
    """The table in docs/how-to/build.md is made from the specification; the failure shows the table to put there."""
    normal, mfg = (parse_spec(OURS.read_text(), flavor) for flavor in (Flavor.NORMAL, Flavor.MFG))
    rows = "\n".join(f"| `{name}` | `{package}` |" for name, package in sorted(mfg.programs.items()))
    databases = "\n".join(f"| `{path}` | `{package}` |" for path, package in sorted(mfg.databases.items()))
    table = f"| program or database | Debian package |\n|---|---|\n{rows}\n{databases}\n"
    assert set(normal.programs) < set(mfg.programs)
    assert table in (OURS.parents[1] / "docs/how-to/build.md").read_text(), table


@pytest.mark.parametrize("flavor", Flavor)
def test_packages_of_the_specification_are_installed_by_the_setup(flavor: Flavor) -> None:
    spec = parse_spec(OURS.read_text(), flavor)
    essential = {"util-linux", "libblkid1", "libc6", "libcrypt1", "libgcc-s1", "libudev1"}
    packages = {*spec.programs.values(), *spec.libraries.values(), *spec.libraries_32.values()}
    assert {*packages, *spec.databases.values()} - essential <= installed_by_setup()


def test_packages_that_the_document_of_the_lab_names_are_installed_by_the_setup() -> None:
    text = (OURS.parents[1] / "docs/how-to/lab.md").read_text()
    section = " ".join(text[text.index("## What it needs") : text.index("## Network boot")].split())
    named = " ".join(re.findall(r"`([a-z0-9. -]+)`", section[: section.index("Building the root")])).split()
    assert {"qemu-system-x86", "chromium", "openipmi"} <= set(named)
    assert set(named) - {"perl", "--bmc", "--tpm"} <= installed_by_setup()


def installed_by_setup() -> set[str]:
    return set((OURS.parents[1] / "requirements/debian.txt").read_text().split())

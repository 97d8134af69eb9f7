"""The external tree in a tree of Buildroot: ``make buildroot BUILDROOT=/path``. Not part of ``make test``, since
Buildroot is in no package registry.

Buildroot's own tools judge: check-package, Kconfig, show-info, legal-info. Nothing is downloaded or compiled.
"""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TREE = ROOT / "buildroot"
BUILDROOT = Path(os.environ["BUILDROOT"])
DEFCONFIGS = sorted(path.name for path in (TREE / "configs").iterdir())
SYMBOLS = (ROOT / "tests/unit/build/buildroot_symbols.txt").read_text().split()
# What the flavours have in their tree, whatever else Buildroot needs for it.
COMMON = {
    "busybox",
    "dosfstools",
    "e2fsprogs",
    "gprov",
    "linux",
    "mdadm",
    "python-dependency-injector",
    "python3",
    "tar",
}
STEPS = {"dmidecode", "efibootmgr", "gptfdisk", "hdparm", "ipmitool", "ipmiutil", "nvme", "pciutils", "usbutils"}


def run(*command: str, cwd: Path = BUILDROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def make(output: Path, *targets: str) -> str:
    return run("make", "-s", f"O={output}", f"BR2_EXTERNAL={TREE}", *targets)


@pytest.fixture(scope="module", params=DEFCONFIGS)
def output(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    said = make(folder, request.param)
    assert "warning" not in said.lower()
    assert "recursive" not in said.lower()
    return folder


def test_check_package_finds_nothing() -> None:
    """Needs the Python packages flake8 and python-magic for the Python that the path has as ``python3``."""
    files = [str(path) for name in ("package", "configs", "board", "patches") for path in (TREE / name).rglob("*")]
    files = [path for path in files if Path(path).is_file()]
    tops = [str(TREE / name) for name in ("Config.in", "external.desc", "external.mk")]
    run("utils/check-package", "--br2-external", *tops, *files)


def test_the_symbols_that_we_use_exist() -> None:
    found = {
        symbol
        for path in BUILDROOT.rglob("Config*.in*")
        if path.is_file()
        for symbol in re.findall(r"^\s*(?:menu)?config (BR2_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(found) > 5000
    assert set(SYMBOLS) - found == set()


def test_a_configuration_is_what_it_says(output: Path) -> None:
    """Kconfig drops lines whose dependencies are missing without a message."""
    wanted = (TREE / "configs" / output.name.rstrip("0123456789")).read_text().splitlines()
    assert set(wanted) <= set((output / ".config").read_text().splitlines())


def test_show_info(output: Path) -> None:
    packages = json.loads(make(output, "show-info"))
    assert packages.keys() >= COMMON
    is_mfg = "mfg" in output.name
    assert (packages.keys() >= STEPS) == is_mfg
    assert bool(STEPS & packages.keys()) == is_mfg
    assert packages["gprov"]["licenses"] == "MIT"
    assert "host-gprov" in packages["gprov"]["dependencies"]
    targets = [name for name, each in packages.items() if each["type"] == "target" and not each["virtual"]]
    unknown = [name for name in targets if packages[name].get("licenses", "unknown") == "unknown"]
    assert [name for name in unknown if not name.startswith(("skeleton", "toolchain", "ifupdown"))] == []


def test_legal_info_of_our_own_package(output: Path) -> None:
    """Of the others it needs their sources: ``make legal-info`` where these can be downloaded."""
    # Without a tar of Buildroot's own, which is for reproducible archives of downloads.
    make(output, "BR2_TAR_HOST_DEPENDENCY=", "legal-info-prepare", "gprov-legal-info")
    rows = list(csv.reader((output / "legal-info/manifest.csv").read_text().splitlines()))
    assert ["gprov", "0.1.0", "MIT", "LICENSE"] in [row[:4] for row in rows]

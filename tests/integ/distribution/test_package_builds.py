"""`gprov build kernel` from the Debian packages, in a minimal Debian: what it says without the programs, and a small
kernel with them."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from distribution.programs import PACKAGES, programs_of
from gprov import __version__
from tests.integ.build.test_reproducible import SMALL
from tests.integ.distribution.minimal_debian import MinimalDebian, make_minimal_debian
from tests.integ.distribution.test_packages import TOOLS, run

pytestmark = [
    pytest.mark.nightly,  # minutes: Debian with compilers and emulators is installed, a kernel compiled
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason=f"needs root, {', '.join(TOOLS)}"
    ),
]
COMMAND = (
    *("env", "BUILD_NUMBER=7", "GPROV_CACHE=/tmp/cache"),
    *("gprov", "build", "kernel", "--flavor", "normal", "--level", "1", "--output", "/tmp/out/norm_boot"),
)


def installed(packages: dict[str, Path], root: Path, depends: str, *names: str) -> MinimalDebian:
    made = make_minimal_debian(root, depends)
    for name in names:
        shutil.copy(packages[name], root / f"{name}.deb")
        made.run("dpkg", "--install", f"/{name}.deb")
    return made


@pytest.fixture
def plain(packages: dict[str, Path], tmp_path: Path) -> Iterator[MinimalDebian]:
    """With the package gprov only."""
    depends = run("dpkg-deb", "--field", packages["gprov"], "Depends").strip()
    yield installed(packages, tmp_path / "plain", depends, "gprov")
    shutil.rmtree(tmp_path / "plain")


@pytest.fixture
def whole(packages: dict[str, Path], tmp_path: Path) -> Iterator[MinimalDebian]:
    """With gprov-lab, too."""
    fields = (run("dpkg-deb", "--field", packages[name], "Depends").strip() for name in ("gprov", "gprov-lab"))
    depends = ", ".join(each for field in fields for each in field.split(", ") if not each.startswith("gprov "))
    yield installed(packages, tmp_path / "whole", depends, "gprov", "gprov-lab")
    shutil.rmtree(tmp_path / "whole")


def test_without_compilers_the_message_names_their_packages(plain: MinimalDebian) -> None:
    """All of them, and none that gprov-lab would not bring: directly, or as what a kernel's compiler is made of."""
    said = plain.run(*COMMAND, expected=3)
    found = re.search(r"not installed; apt-get install ([a-z0-9. -]+)", said)
    assert found, said
    named = set(found[1].split())
    assert {"bc", "bison", "flex", "gcc", "libelf-dev", "linux-source-6.1", "make"} <= named
    assert named - set(programs_of(PACKAGES.read_text())) <= {"binutils", "gcc", "make", "perl"}  # of build-essential
    assert not (plain.root / "tmp/out").exists()
    assert not (plain.root / "tmp/cache").exists()


def test_a_small_kernel_with_a_record(whole: MinimalDebian) -> None:
    settings = whole.root / "tmp/settings"
    settings.mkdir()
    (settings / "x86_64.config").write_text(SMALL)
    (settings / "kernel.toml").write_text("budget.base = 9\n")
    own = ("--config", "/tmp/settings/x86_64.config", "--settings", "/tmp/settings/kernel.toml")
    whole.run(*COMMAND, *own, "--record", "/tmp/out/record.json")
    facts = json.loads(whole.run("gprov", "kernel", "info", "--json", "/tmp/out/norm_boot"))
    assert facts["build_number"] == 7
    record = json.loads((whole.root / "tmp/out/record.json").read_text())
    assert record["Gprov"]["Version"] == __version__
    shown = run("sha256sum", whole.root / "tmp/out/norm_boot")
    assert record["Result"]["Sha256"] == shown[:64]
    names = {row["Name"] for row in record["Packages"]}
    assert {"busybox-static", "e2fsprogs", "mdadm"} <= names

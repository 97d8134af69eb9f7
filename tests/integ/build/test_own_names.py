"""An initramfs with the platform table and the names of an adopter, unpacked and entered."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.own_names import MODULE, TABLE

PROCESSES = SystemProcesses()
CHECKOUT = Path(__file__).parents[3]
ADOPTER = CHECKOUT / "examples/adopter/acme"
# What /init would start: the container as the start module leaves it.
STARTED = f"""
import {MODULE} as module
found = []
module.start = found.append
module.main()
[unit] = found
print(unit.branding().image_prefix, unit.branding().recovery_label)
print(*[platform.code_name for platform in unit.platforms()])
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")


def build(output: Path, *options: str) -> Path:
    """Return the folder with the unpacked initramfs."""
    command = ("build", "initramfs", "--flavor", "normal", "--level", "1", "--output", str(output), *options)
    env = {"HOME": os.path.expanduser("~"), "PYTHONPATH": str(CHECKOUT)}
    PROCESSES.run((sys.executable, "-m", "gprov.apps.host.cli.main", *command), cwd=str(CHECKOUT), env=env)
    root = output.with_suffix(".root")
    root.mkdir()
    raw = PROCESSES.run(("zstd", "-d", "-c"), stdin=output.read_bytes()).output
    PROCESSES.run(("cpio", "--extract", "--quiet"), stdin=raw, cwd=str(root))
    return root


def started(root: Path) -> str:
    words = ("chroot", str(root), "/usr/bin/python3.11", "-ISBc", STARTED)
    return PROCESSES.run(words, env={"PATH": "/usr/sbin:/usr/bin"}).output.decode()


def test_a_unit_starts_with_table_and_names_of_the_adopter(tmp_path: Path) -> None:
    table = ADOPTER / "appliance.json"
    options = ("--platforms", str(table), "--branding", str(ADOPTER / "branding.json"))
    root = build(tmp_path / "own", *options)
    assert f"from {MODULE} import main" in (root / "init").read_text()
    assert (root / TABLE[1:]).read_bytes() == table.read_bytes()
    names = json.loads((ADOPTER / "branding.json").read_text())
    codes = [entry["DevCodeName"] for entry in json.loads(table.read_text())["Variants"]]
    label = names.get("recovery_label", "RECOVERY")
    assert started(root) == f"{names['image_prefix']} {label}\n{' '.join(codes)}\n"
    # Neither clock nor the folder in which the start module was made is in it.
    again = build(tmp_path / "again", *options)
    assert (tmp_path / "own").read_bytes() == (tmp_path / "again").read_bytes()
    assert (again / "init").exists()


def test_names_without_a_table(tmp_path: Path) -> None:
    branding = tmp_path / "names.toml"
    branding.write_text('image_prefix = "it\'s \\\\ mine."\n')
    root = build(tmp_path / "own", "--branding", str(branding))
    assert not (root / TABLE[1:]).exists()
    assert started(root).startswith("it's \\ mine. RECOVERY\nQEMU-mfg-test ")

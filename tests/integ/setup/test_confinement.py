"""The service's restrictions leave the server what it needs: system calls that it makes, as strace sees them, are among
those that the unit file allows, as systemd-analyze explains its groups."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from tests.integ.setup.commands import SECONDS, free_port, gprov, running_server
from tests.integ.setup.simulated_unit import life
from tests.integ.setup.test_setup import RANGE, fill_in

TOOLS = ("strace", "systemd-analyze")

pytestmark = [
    pytest.mark.nightly,  # traced programs are slow
    pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="needs strace and systemd"),
]


def calls(group: str) -> set[str]:
    """System calls of a group of systemd.exec(5)."""
    command = ["systemd-analyze", "syscall-filter", group, "--no-pager"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    found: set[str] = set()
    for line in printed.splitlines()[1:]:
        name = line.strip()
        if name and not name.startswith("#"):
            found |= calls(name) if name.startswith("@") else {name}
    return found


def allowed(unit: str) -> set[str]:
    """By the lines of SystemCallFilter, in their order."""
    found: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        groups = {call for group in line.lstrip("~").split() for call in calls(group)}
        found = found - groups if line.startswith("~") else found | groups
    return found


def test_every_system_call_of_a_provisioning_is_allowed(tmp_path: Path) -> None:
    server = f"http://127.0.0.1:{free_port()}"
    kernel = build_kernel(100)
    data, key, trace = tmp_path / "factory", tmp_path / "server.key", tmp_path / "trace"
    files: list[str | Path] = []
    for name, content in ((IMAGE_NAME, build_image(kernel)), ("norm_boot", kernel), ("provision.pxe", kernel)):
        (tmp_path / name).write_bytes(content)
        files += ["--file", tmp_path / name]
    gprov("server", "init", data, "--server", server, *RANGE, "--key-file", key, *files)
    fill_in(data)
    with running_server(data, "--key-file", str(key), under=("strace", "-D", "-f", "-qq", "-o", str(trace))):
        life({"mfgurl": f"{server}/files/manufData.json"})
    assert list((data / "documents").iterdir())
    made = set(re.findall(r"^[0-9]+ +([a-z0-9_]+)\(", trace.read_text(), re.MULTILINE))
    assert {"accept4", "openat", "fsync"} <= made
    assert made - allowed((data / "gprov-server.service").read_text()) == set()

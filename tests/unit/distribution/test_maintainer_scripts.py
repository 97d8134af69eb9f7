"""What the package does to factory servers that run while it is upgraded or removed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "debian"
RELOADED = "systemctl --system daemon-reload"
SERVERS = "gprov-server@*.service"


def actions(tmp_path: Path, script: str, *words: str, systemd: bool = True) -> list[str]:
    """Commands that the script runs, in order, on a host with these programs."""
    log, programs, run = tmp_path / "log", tmp_path / "bin", tmp_path / "run"
    programs.mkdir()
    for name in ("systemctl", "deb-systemd-invoke", "py3compile", "py3clean"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{log}\n')
        (programs / name).chmod(0o755)
    if systemd:
        run.mkdir()
    text = (SCRIPTS / script).read_text()
    assert "/run/systemd/system" in text
    command = ["sh", "-c", text.replace("/run/systemd/system", str(run)), script, *words]
    subprocess.run(command, env={"PATH": f"{programs}:{os.defpath}"}, check=True, timeout=60)
    return [line for line in log.read_text().splitlines() if not line.startswith("py3")]


def test_an_upgrade_restarts_running_servers(tmp_path: Path) -> None:
    assert actions(tmp_path, "gprov.postinst", "configure", "0.1.0") == [
        RELOADED,
        f"deb-systemd-invoke try-restart {SERVERS}",
    ]


def test_removal_stops_servers(tmp_path: Path) -> None:
    assert actions(tmp_path, "gprov.prerm", "remove") == [f"deb-systemd-invoke stop {SERVERS}"]


@pytest.mark.parametrize(
    ("script", "words", "systemd"),
    [
        ("gprov.postinst", ("configure", ""), True),  # the first installation
        ("gprov.postinst", ("configure",), True),
        ("gprov.postinst", ("configure", "0.1.0"), False),
        ("gprov.prerm", ("upgrade", "0.2.0"), True),  # postinst starts them again, with the new version
        ("gprov.prerm", ("remove",), False),
    ],
)
def test_otherwise_servers_are_left_alone(tmp_path: Path, script: str, words: tuple[str, ...], systemd: bool) -> None:
    assert actions(tmp_path, script, *words, systemd=systemd) == []

"""A folder that stands for a unit, and the agent on it as a process of its own (``gprov-update --root DIR``)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from gprov.domain.boot.boot_counts import REQUEST_KINDS
from gprov.domain.boot.boot_request import RestoreRequested, parse_boot_request
from gprov.domain.branding import Branding

SECONDS = 60.0
PLATFORM = "QEMU"
OLD = f"{Branding().image_prefix}2026-01-01.1.upd"


class FolderUnit:
    """``serial``: also its name on the server. ``url``: of the server, or of a proxy in front of it. ``chain``: trust
    chain of its kernel, which enforces signatures. ``restore`` is the part of a restore that the agent sees."""

    def __init__(self, root: Path, serial: str, url: str, chain: Path, config: str = "") -> None:
        self.root = root
        self.serial = serial
        self._chain = chain
        self._boots = 0
        self.write("etc/provisioning/platform_facts.json", json.dumps({"Serial": serial, "DevCodeName": PLATFORM}))
        self.write("etc/provisioning/update.toml", f'server = "{url}"\nallow_http = true\n{config}')
        self.write(f"mnt/RECOVERY/Image/{OLD}", "an old image")
        self.install(OLD)
        self.start()

    def write(self, path: str, content: str | bytes, mode: int = 0o600) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        target.chmod(mode)

    @property
    def images(self) -> set[str]:
        return {path.name for path in (self.root / "mnt/RECOVERY/Image").iterdir()}

    @property
    def requested(self) -> str:
        """File name of the image that the next start restores, "" for none."""
        path = self.root / "etc/provisioning/boot_request"
        if not path.exists():
            return ""
        request = parse_boot_request(path.name, path.read_bytes())
        assert isinstance(request, RestoreRequested)
        assert request.serial == self.serial
        return request.named

    def install(self, image: str) -> None:
        """The system of this image is on PRIMARY."""
        for tag in self.root.glob("*.disktag"):
            tag.unlink()
        self.write(f"{image.removesuffix('.upd')}.disktag", "")

    def start(self) -> None:
        """A start of the unit: what /init, the kernel and gprov-boot-good leave. What is requested is restored."""
        self._boots += 1
        if named := self.requested:
            (self.root / "etc/provisioning/boot_request").unlink()
            self.install(named)
        shutil.rmtree(self.root / "run", ignore_errors=True)
        self.write("run/gprov-requests", REQUEST_KINDS)
        self.write("run/gprov/trust/policy", "enforce\n")
        self.write("run/gprov/trust/trust.chain", self._chain.read_bytes())
        self.write("proc/sys/kernel/random/boot_id", f"boot-{self._boots}\n")
        self.write("etc/provisioning/boots_started", f"{self._boots}\n")
        self.write("etc/provisioning/boots_confirmed", f"{self._boots} {self._boots}\n")

    def agent(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._argv(*words), env=_environment(), capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def once(self) -> str:
        """What the agent said; it must not have failed."""
        done = self.agent("once")
        assert done.returncode in (0, 1), done.stderr
        return done.stderr

    def begin(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(self._argv(*words), env=_environment(), stderr=subprocess.PIPE, text=True)

    def status(self) -> dict[str, Any]:
        done = self.agent("status", "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def _argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "gprov.apps.update", "--root", str(self.root), *words]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(SECONDS)
    if process.stderr is not None:
        process.stderr.close()

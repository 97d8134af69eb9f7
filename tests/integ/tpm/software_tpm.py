"""The TPM of swtpm, and tpm2-tools as independent reader of it."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

NV_INDEX = "0x01500020"
PERSISTENT = "0x81000005"
SECONDS = 30.0


@dataclass
class SoftwareTpm:
    """Serves on the Unix socket ``path``, and its control channel on ``path`` + ".ctrl", where tpm2-tools look."""

    path: str

    def connect(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(SECONDS)
        try:
            made.connect(self.path)
        except OSError:
            made.close()
            raise
        return made

    def tool(self, *words: str) -> str:
        """A program of tpm2-tools."""
        done = self._run(words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *words: str) -> str:
        """A program of tpm2-tools that must fail; what it states about that."""
        done = self._run(words)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def _run(self, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        tcti = f"swtpm:path={self.path}"
        environment = {**os.environ, "TPM2TOOLS_TCTI": tcti}
        return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def handles(self, kind: str) -> str:
        return self.tool("tpm2_getcap", f"handles-{kind}")

    def attribute(self, name: str) -> str:
        """Of the permanent attributes: "0" or "1"."""
        return self.tool("tpm2_getcap", "properties-variable").split(f"{name}:")[1].split()[0]


def own(tpm: SoftwareTpm, folder: Path) -> None:
    """What an operating system leaves: an NV index, a persistent key, passwords of two hierarchies."""
    tpm.tool("tpm2_createprimary", "-C", "o", "-c", str(folder / "key"))
    tpm.tool("tpm2_evictcontrol", "-C", "o", "-c", str(folder / "key"), PERSISTENT)
    tpm.tool("tpm2_nvdefine", "-C", "o", "-s", "32", NV_INDEX)
    tpm.tool("tpm2_changeauth", "-c", "owner", "secret")
    assert NV_INDEX[2:].lstrip("0") in tpm.handles("nv-index").lower()
    assert PERSISTENT in tpm.handles("persistent").lower()


@contextmanager
def tpm_on_socket(state: Path) -> Iterator[SoftwareTpm]:
    """A TPM that was powered on and started. ``state``: folder of its non-volatile memory."""
    with TemporaryDirectory(prefix="swtpm-") as folder:
        path = f"{folder}/tpm"
        command = [
            *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--flags", "not-need-init,startup-clear"),
            *("--server", f"type=unixio,path={path}", "--ctrl", f"type=unixio,path={path}.ctrl"),
        ]
        tpm = SoftwareTpm(path)
        with _running(command):
            _await(lambda: _require(Path(path).is_socket() and Path(f"{path}.ctrl").is_socket()))
            yield tpm


@contextmanager
def tpm_for_qemu(state: Path, channel: Path) -> Iterator[tuple[str, ...]]:
    """The TPM of one run of QEMU, which powers it on; QEMU's arguments. ``channel``: path of a Unix socket, short."""
    with _running(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl", f"type=unixio,path={channel}"]):
        _await(lambda: _require(channel.is_socket()))
        chip = ("-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm0")
        yield ("-chardev", f"socket,id=tpm,path={channel}", *chip)


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(SECONDS)


def _require(condition: bool) -> None:
    if not condition:
        raise OSError


def _await(attempt: Callable[[], None]) -> None:
    """Until it raises no OSError."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            attempt()
        except OSError:
            assert time.monotonic() < end
            threading.Event().wait(0.05)
        else:
            return

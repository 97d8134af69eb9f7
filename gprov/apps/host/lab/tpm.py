"""The TPM of a virtual unit: swtpm, reached by QEMU. Its non-volatile memory is in the unit's folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file
from gprov.domain.errors import DeviceMissing, ToolFailed
from gprov.ports.process import Processes, Running

_PROGRAM = "swtpm"
_PRIVATE_FOLDER = 0o700
_START_SECONDS = 20.0
_ASK_SECONDS = 0.05


@contextmanager
def simulated_tpm(processes: Processes, folder: str, channel: str) -> Iterator[None]:
    """Run a TPM 2.0 while the context lasts; QEMU powers it on. ``folder``: of its memory, which is made; ``channel``:
    path of its Unix socket. Raises DeviceMissing if it is not installed, ToolFailed."""
    if processes.which(_PROGRAM) is None:
        raise DeviceMissing(_PROGRAM, "is not installed; apt-get install swtpm")
    with os_errors_translated(folder):
        os.makedirs(folder, mode=_PRIVATE_FOLDER, exist_ok=True)
    log = f"{channel}.log"
    command = (_PROGRAM, "socket", "--tpm2", "--tpmstate", f"dir={folder}", "--ctrl", f"type=unixio,path={channel}")
    with processes.start(command, log=log) as running:
        if not _listens(running, channel):
            raise ToolFailed(_PROGRAM, "did not start", output=read_file(log).decode(errors="replace"))
        yield
        running.kill()


def _listens(running: Running, channel: str) -> bool:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and running.poll() is None:
        if os.path.exists(channel):
            return True
        time.sleep(_ASK_SECONDS)
    return False

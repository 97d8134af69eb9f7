"""A TPM of swtpm behind the Linux adapter: this kernel has no TPM, so swtpm listens on TCP, and a pseudo terminal
stands for the device file."""

from __future__ import annotations

import os
import socket
import struct
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gprov.adapters.linux.firmware.tpm import LinuxTpm
from tests.integ.tpm.software_tpm import SECONDS, SoftwareTpm, tpm_on_network


@dataclass
class TpmOnTerminal(SoftwareTpm):
    """``node`` stands for the device file, ``device`` for its folder in sysfs."""

    node: str
    device: Path

    @property
    def adapter(self) -> LinuxTpm:
        return LinuxTpm(str(self.device), (self.node,))


def _received(read: int | socket.socket) -> bytes:
    """One command or reply: its header states its size. Empty at the end."""
    data = b""
    while len(data) < 6 or len(data) < struct.unpack_from(">I", data, 2)[0]:
        part = os.read(read, 4096) if isinstance(read, int) else read.recv(4096)
        if not part:
            return b""
        data += part
    return data


def _relay(master: int, port: int) -> None:
    while True:
        try:
            command = _received(master)
        except OSError:  # the terminal is closed
            return
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as tpm:
            tpm.sendall(command)
            os.write(master, _received(tpm))


@contextmanager
def tpm_on_terminal(folder: Path) -> Iterator[TpmOnTerminal]:
    """A TPM that was powered on and started. ``folder``: keeps its non-volatile memory."""
    state, device = folder / "state", folder / "tpm0"
    state.mkdir(exist_ok=True)
    device.mkdir(exist_ok=True)
    (device / "tpm_version_major").write_text("2\n")
    with tpm_on_network(state) as server:
        master, slave = os.openpty()
        tty.setraw(slave)
        threading.Thread(target=_relay, args=(master, server.port), daemon=True).start()
        yield TpmOnTerminal(server.port, os.ttyname(slave), device)
        os.close(slave)
        os.close(master)

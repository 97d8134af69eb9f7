"""A TPM of swtpm behind the Linux adapter: this kernel has no TPM, so swtpm listens on a socket, and a pseudo terminal
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
from tests.integ.tpm.software_tpm import SECONDS, SoftwareTpm, tpm_on_socket


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


def _relay(master: int, server: SoftwareTpm) -> None:
    while True:
        try:
            command = _received(master)
        except OSError:  # the terminal is closed
            return
        with server.connect() as tpm:
            tpm.sendall(command)
            os.write(master, _received(tpm))


@contextmanager
def tpm_on_terminal(folder: Path) -> Iterator[TpmOnTerminal]:
    """A TPM that was powered on and started. ``folder``: keeps its non-volatile memory."""
    state, device = folder / "state", folder / "tpm0"
    state.mkdir(exist_ok=True)
    device.mkdir(exist_ok=True)
    (device / "tpm_version_major").write_text("2\n")
    with tpm_on_socket(state) as server:
        master, slave = os.openpty()
        tty.setraw(slave)
        relay = threading.Thread(target=_relay, args=(master, server), daemon=True)
        relay.start()
        # Under one name also after a restart: the terminal may then have another one.
        node = folder / "tpmrm0"
        node.unlink(missing_ok=True)
        node.symlink_to(os.ttyname(slave))
        yield TpmOnTerminal(server.path, str(node), device)
        os.close(slave)
        # Its number must not become that of the next terminal while this one is read.
        relay.join(SECONDS)
        os.close(master)

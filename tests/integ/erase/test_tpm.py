"""The TPM is cleared: our adapter and codecs against the TPM of swtpm, with tpm2-tools as independent reader.

This kernel has no TPM: swtpm listens on TCP, and a pseudo terminal stands for the device file.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.firmware.tpm import LinuxTpm
from gprov.apps.unit.execution.erase.tpm_clearing import TpmClearing
from gprov.domain.erase.report import OptionResult, OptionStatus
from gprov.domain.formats.tpm.commands import clear
from gprov.domain.formats.tpm.replies import parse_reply
from tests.integ.erase.software_tpm import PERSISTENT, SECONDS, SoftwareTpm, own, tpm_on_network


@dataclass
class TpmOnTerminal(SoftwareTpm):
    """``node`` stands for the device file, ``device`` for its folder in sysfs."""

    node: str
    device: Path

    def clear(self) -> OptionResult:
        return TpmClearing(LinuxTpm(str(self.device), (self.node,)), FakeClock()).run()


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


@pytest.fixture
def tpm(tmp_path: Path) -> Iterator[TpmOnTerminal]:
    state, device = tmp_path / "state", tmp_path / "tpm0"
    state.mkdir()
    device.mkdir()
    (device / "tpm_version_major").write_text("2\n")
    with tpm_on_network(state) as server:
        master, slave = os.openpty()
        tty.setraw(slave)
        threading.Thread(target=_relay, args=(master, server.port), daemon=True).start()
        yield TpmOnTerminal(server.port, os.ttyname(slave), device)
        os.close(slave)
        os.close(master)


def test_nothing_of_an_owner_is_left(tpm: TpmOnTerminal, tmp_path: Path) -> None:
    own(tpm, tmp_path)
    result = tpm.clear()
    assert result.status is OptionStatus.DONE, result
    assert "1 persistent object" in result.detail
    assert "a password of the owner hierarchy" in result.detail
    assert tpm.handles("nv-index").strip() == ""
    assert tpm.handles("persistent").strip() == ""
    attributes = tpm.tool("tpm2_getcap", "properties-variable")
    assert attributes.split("ownerAuthSet:")[1].split()[0] == "0"
    # Again, of a TPM that is empty.
    assert tpm.clear().status is OptionStatus.DONE


@pytest.mark.parametrize(
    ("protect", "reason"),
    [
        (("tpm2_changeauth", "-c", "lockout", "secret"), "password of its lockout hierarchy"),
        (("tpm2_clearcontrol", "-C", "l", "s"), "TPM2_Clear is disabled"),
    ],
    ids=["password", "disabled"],
)
def test_a_protected_tpm_is_as_it_was_and_the_reason_is_stated(
    tpm: TpmOnTerminal, tmp_path: Path, protect: tuple[str, ...], reason: str
) -> None:
    own(tpm, tmp_path)
    tpm.tool(*protect)
    result = tpm.clear()
    assert result.status is OptionStatus.FAILED
    assert reason in result.detail
    assert PERSISTENT in tpm.handles("persistent").lower()
    if protect[0] == "tpm2_changeauth":
        # No attempt was counted: the password still works.
        tpm.tool("tpm2_clear", "-c", "l", "secret")


def test_the_response_codes_are_those_of_the_tpm(tpm: TpmOnTerminal) -> None:
    """Sent although the TPM states that it is protected."""
    device = LinuxTpm(str(tpm.device), (tpm.node,))
    tpm.tool("tpm2_clearcontrol", "-C", "l", "s")
    assert "TPM_RC_DISABLED" in parse_reply(device.send(clear())).describe()
    tpm.tool("tpm2_clearcontrol", "-C", "p", "c")
    tpm.tool("tpm2_changeauth", "-c", "lockout", "secret")
    texts = [parse_reply(device.send(clear())).describe() for _ in range(2)]
    assert "password of its lockout hierarchy" in texts[0]
    assert "TPM_RC_LOCKOUT" in texts[1] or "password" in texts[1]

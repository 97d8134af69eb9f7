"""Simulated drives behind QEMU, as seen by the kernel of units, by hdparm and sg3-utils, and by gprov's protocols.

QEMU (scsi-block) passes commands on, but converts sense data of descriptor format to fixed format, which drops the
registers of an ATA device. ``ATA-BARE`` is such a drive; the others return fixed format, in which ATA Security can be
followed, but not ATA sanitize, whose state is in the upper half of COUNT.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.drives.faults import AtaFaults, BridgeFaults, DriveFaults
from gprov.adapters.fake.drives.scsi import ScsiDrive, ScsiModel
from tests.integ.erase.iscsi.clock import FastClock
from tests.integ.erase.iscsi.file_store import FileStore
from tests.integ.erase.iscsi.session import Drive
from tests.integ.erase.iscsi.target import IscsiTarget

SIZE = 16 << 20
RATE = 20.0
SCRIPT = Path(__file__).parent / "vm/use_drives.py"
MARK = "GUEST-REPORT "
SECURITY_ERASE_UNIT = 0xF4
ATA = {
    "ATA-TOOLS": AtaFaults(),
    "ATA-OURS": AtaFaults(),
    "ATA-BARE": AtaFaults(),
    "ATA-LIAR": AtaFaults(erase_does_nothing=True),
    "ATA-FROZEN": AtaFaults(frozen_at_power_on=True),
    "ATA-LOCKED": AtaFaults(locked_by=b"stranger"),
}
SCSI = {
    "SCSI-TOOLS": DriveFaults(),
    "SCSI-OURS": DriveFaults(),
    "SCSI-LIAR": DriveFaults(erase_does_nothing=True),
    "SCSI-FAILS": DriveFaults(sanitize_fails=True),
    "SCSI-DIES": DriveFaults(dies_at=0.5),
}
GONE, KEPT = [False] * 3, [True] * 3

Guest = Callable[..., str]

pytestmark = [
    pytest.mark.vm,
    pytest.mark.nightly,
    pytest.mark.skipif(shutil.which("qemu-system-x86_64") is None, reason="needs qemu-system-x86"),
    pytest.mark.skipif(shutil.which("sg_sanitize") is None, reason="needs sg3-utils"),
    pytest.mark.skipif(shutil.which("hdparm") is None, reason="needs hdparm"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the guest reads all files of this machine"),
]


def ata_drive(number: int, name: str, store: FileStore) -> SatDrive:
    model = AtaModel(serial=name, sectors=SIZE // 512, wwn=0x5000C50000000100 + number)
    return SatDrive(FastClock(RATE), store, model, ATA[name], BridgeFaults(fixed_sense=name != "ATA-BARE"))


def scsi_drive(number: int, name: str, store: FileStore) -> ScsiDrive:
    model = ScsiModel(serial=name, blocks=SIZE // 512, wwn=0x5000C50000000200 + number)
    return ScsiDrive(FastClock(RATE), store, model, SCSI[name])


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[dict[str, FileStore]]:
    with ExitStack() as stack:
        names = (*ATA, *SCSI)
        yield {name: stack.enter_context(closing(FileStore(tmp_path / name, SIZE))) for name in names}


@pytest.fixture
def ata_drives(stores: dict[str, FileStore]) -> dict[str, SatDrive]:
    return {name: ata_drive(i, name, stores[name]) for i, name in enumerate(ATA)}


@pytest.fixture
def scsi_drives(stores: dict[str, FileStore]) -> dict[str, ScsiDrive]:
    return {name: scsi_drive(i, name, stores[name]) for i, name in enumerate(SCSI)}


@pytest.fixture
def targets(ata_drives: dict[str, SatDrive], scsi_drives: dict[str, ScsiDrive]) -> Iterator[dict[str, IscsiTarget]]:
    with ExitStack() as stack:
        drives: dict[str, Drive] = {**ata_drives, **scsi_drives}
        yield {name: stack.enter_context(IscsiTarget(drive, name.lower())) for name, drive in drives.items()}


@pytest.fixture
def guest_disks(targets: dict[str, IscsiTarget]) -> list[str]:
    arguments = ["-device", "virtio-scsi-pci,id=scsi"]
    for name, target in targets.items():
        arguments += ["-drive", f"if=none,id={name},file={target.url},format=raw"]
        arguments += ["-device", f"scsi-block,bus=scsi.0,drive={name}"]
    return arguments


def test_tools_and_protocols_on_drives_of_every_kind(guest: Guest, ata_drives: dict[str, SatDrive]) -> None:
    console = guest(sys.executable, str(SCRIPT), seconds=400)
    report = next(line for line in console.splitlines() if line.startswith(MARK))
    facts: dict[str, Any] = json.loads(report.removeprefix(MARK))
    check_hdparm(facts, ata_drives)
    check_sg3_utils(facts["sg"])
    check_security(facts, ata_drives)
    check_scsi(facts)


def check_hdparm(facts: dict[str, Any], drives: dict[str, SatDrive]) -> None:
    """States as hdparm shows them. Its exit status is 0 even for a command that a drive aborted."""
    new, _, owned, _, erased, _, _, again = facts["hdparm ATA-TOOLS"]
    for output in (new, owned, erased, again):
        assert "2min for SECURITY ERASE UNIT. 2min for ENHANCED SECURITY ERASE UNIT." in output
        assert "Checksum: correct" in output
    assert [security(output) for output in (new, owned, erased, again)] == [set(), {"enabled"}, set(), set()]
    erases = [command for command in drives["ATA-TOOLS"].device.received if command.opcode == SECURITY_ERASE_UNIT]
    assert len(erases) == 2
    frozen, _ = facts["hdparm ATA-FROZEN"]
    assert security(frozen) == {"frozen"}
    assert drives["ATA-FROZEN"].device.security.state == "SEC2"
    locked, _ = facts["hdparm ATA-LOCKED"]
    assert security(locked) == {"enabled", "locked"}
    assert drives["ATA-LOCKED"].device.security.state == "SEC4"


def security(output: str) -> set[str]:
    """What of the security state hdparm -I shows without "not"."""
    return set(re.findall(r"^\t\t(enabled|locked|frozen|expired: security count)\r?$", output, re.MULTILINE))


def check_sg3_utils(outputs: list[str]) -> None:
    """FORMAT UNIT is accepted and leaves the data; SANITIZE is in progress, then the data are gone."""
    supported, formatted, after_format, sanitized, progress, *turs, after_sanitize = outputs
    assert "Sanitize, block erase" in supported
    assert "Command is supported [conforming to SCSI standard]" in supported
    assert formatted.endswith("exit status 0")
    assert after_format == "former content: True"
    assert sanitized.endswith("exit status 0")
    assert re.search(r"Progress indication: \d+\.\d+% done", progress)
    assert "device not ready" in turs[0]
    assert turs[-1].endswith("exit status 0")
    assert after_sanitize == "former content: False"


def check_security(facts: dict[str, Any], drives: dict[str, SatDrive]) -> None:
    for name in ("ATA-OURS", "ATA-BARE"):
        assert [(one["status"], one["left"]) for one in facts[name][:2]] == [("completed", GONE)] * 2
        assert facts[name][0]["offers"] == {"ata-security-normal": 120.0, "ata-security-enhanced": 120.0}
        assert drives[name].device.security.state == "SEC1"
    lost = "the return registers are not passed on"
    for one in facts["ATA-BARE"][2:]:
        assert (one["status"], one["left"]) == ("refused", KEPT)
        assert lost in one["detail"]
    assert lost in facts["ATA-BARE"][0]["refusals"]["ata-sanitize-block"]
    assert "were not transported" in facts["ATA-OURS"][0]["refusals"]["ata-sanitize-block"]
    # The drive reports success; only a comparison shows that the data are there.
    assert [(one["status"], one["left"]) for one in facts["ATA-LIAR"]] == [("completed", KEPT)]
    for one in facts["ATA-FROZEN"]:
        assert (one["status"], one["offers"], one["left"]) == ("refused", {}, KEPT)
        assert "frozen" in one["detail"]
    for one in facts["ATA-LOCKED"]:
        assert (one["status"], one["offers"]) == ("refused", {})
        assert "locked with a password" in one["detail"]
        assert one["unwritable"]


def check_scsi(facts: dict[str, Any]) -> None:
    for one in facts["SCSI-OURS"]:
        assert (one["status"], one["left"]) == ("completed", GONE)
        assert set(one["offers"]) == {"scsi-sanitize-crypto", "scsi-sanitize-block", "scsi-sanitize-overwrite"}
    assert [(one["status"], one["left"]) for one in facts["SCSI-LIAR"]] == [("completed", KEPT)]
    assert [(one["status"], one["left"]) for one in facts["SCSI-FAILS"]] == [("failed", KEPT)]
    assert "sanitize operation failed" in facts["SCSI-FAILS"][0]["detail"]
    assert facts["SCSI-DIES"][0]["status"] == "failed"

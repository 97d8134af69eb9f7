"""Runs in the guest: real tools and gprov's protocols erase the drives that are named by their serials. Prints what
each reported as JSON."""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import time
from collections.abc import Callable

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.drive_commands import IoctlDriveCommands, IoctlDriveQueries
from gprov.domain.disk.model import Disk
from gprov.domain.erase.drive_io import DriveReply, DriveRequest, Protocol, Result, ScsiCommand, Wait, Waited
from gprov.domain.erase.scsi.drive import erase
from gprov.domain.erase.scsi.report import report
from gprov.domain.erase.techniques import Technique
from gprov.domain.errors import GprovError

MARK = "GUEST-REPORT "
CONTENT = b"former content  " * 256
OFFSETS = (0, 3 << 20, (16 << 20) - len(CONTENT))
# Seconds of the drives' clocks in a second of the guest.
RATE = 20.0
LIMIT = 60.0
PASSWORD = ("--user-master", "u")
SANITIZE_ATA = ("ata-sanitize-block", "ata-sanitize-overwrite", "ata-sanitize-crypto")
SECURITY = ("ata-security-normal", "ata-security-enhanced")
SANITIZE_SCSI = ("scsi-sanitize-block", "scsi-sanitize-overwrite", "scsi-sanitize-crypto")
# By serial: techniques of gprov.
ERASED = {
    "ATA-OURS": SECURITY,
    "ATA-BARE": (*SECURITY, *SANITIZE_ATA),
    "ATA-LIAR": ("ata-security-normal",),
    "ATA-FROZEN": SECURITY,
    "ATA-LOCKED": SECURITY,
    "SCSI-OURS": SANITIZE_SCSI,
    "SCSI-LIAR": ("scsi-sanitize-block",),
    "SCSI-FAILS": ("scsi-sanitize-block",),
    "SCSI-DIES": ("scsi-sanitize-crypto",),
}
HDPARM = {
    "ATA-TOOLS": (
        ("-I",),
        (*PASSWORD, "--security-set-pass", "secret"),
        ("-I",),
        (*PASSWORD, "--security-erase", "secret"),
        ("-I",),
        (*PASSWORD, "--security-set-pass", "secret"),
        (*PASSWORD, "--security-erase-enhanced", "secret"),
        ("-I",),
    ),
    "ATA-FROZEN": (("-I",), (*PASSWORD, "--security-set-pass", "secret")),
    "ATA-LOCKED": (("-I",), (*PASSWORD, "--security-unlock", "wrong")),
}
SG = (
    ("sg_opcodes", "--opcode=0x48,2"),
    ("sg_format", "--format", "--quick", "--early"),
    ("sg_sanitize", "--block", "--quick", "--early"),
    ("sg_requests", "--progress", "--num=1"),
    ("sg_turs",),
)


def main() -> None:
    disks = {disk.serial: disk for disk in SysfsBlockDevices().disks()}
    facts: dict[str, object] = {}
    for serial, calls in HDPARM.items():
        facts[f"hdparm {serial}"] = [called(disks[serial], ("hdparm", *call)) for call in calls]
    facts["sg"] = with_sg3_utils(disks["SCSI-TOOLS"])
    for serial, techniques in ERASED.items():
        facts[serial] = [ours(disks[serial], Technique(name)) for name in techniques]
    print(f"\n{MARK}{json.dumps(facts)}", flush=True)


def called(disk: Disk, argv: tuple[str, ...]) -> str:
    done = subprocess.run(
        (*argv, disk.node), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False
    )
    return f"{done.stdout}\nexit status {done.returncode}"


def with_sg3_utils(disk: Disk) -> list[str]:
    """Output of all calls, of the last until the drive is ready."""
    write(disk)
    outputs = []
    for argv in SG:
        outputs.append(called(disk, argv))
        if argv[0] == "sg_format":
            outputs.append(f"former content: {read(disk, OFFSETS[1]) == CONTENT}")
    end = time.monotonic() + LIMIT
    while not outputs[-1].endswith("exit status 0") and time.monotonic() < end:
        time.sleep(0.2)
        outputs.append(called(disk, SG[-1]))
    IoctlDriveCommands().reread(disk)
    return [*outputs, f"former content: {read(disk, OFFSETS[1]) == CONTENT}"]


def ours(disk: Disk, technique: Technique) -> dict[str, object]:
    queries, commands = IoctlDriveQueries(), IoctlDriveCommands()
    seen = run(report(), lambda command: queries.scsi(disk, command))
    problem = write(disk)
    result = run(erase(technique), lambda command: commands.scsi(disk, command))
    return {
        "status": result.status.value,
        "detail": result.detail,
        "offers": {offer.technique.value: offer.seconds for offer in seen.offers},
        "refusals": {refusal.technique.value: refusal.reason for refusal in seen.refusals},
        "unwritable": problem,
        "left": left(commands, disk),
    }


def left(commands: IoctlDriveCommands, disk: Disk) -> list[bool | str]:
    """For each offset, whether the former content is there; or why it cannot be read."""
    try:
        commands.reread(disk)
        return [read(disk, offset) == CONTENT for offset in OFFSETS]
    except (GprovError, OSError) as error:
        return [str(error)]


def run(protocol: Protocol[Result], scsi: Callable[[ScsiCommand], DriveReply]) -> Result:
    end = time.monotonic() + LIMIT
    reply: DriveReply | None = None
    while True:
        try:
            request: DriveRequest = next(protocol) if reply is None else protocol.send(reply)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        if isinstance(request, ScsiCommand):
            reply = scsi(request)
        else:
            assert isinstance(request, Wait)
            time.sleep(request.seconds / RATE)
            reply = Waited(time.monotonic() >= end)


def write(disk: Disk) -> str:
    """Former content, past the cache; why not."""
    try:
        fd = os.open(disk.node, os.O_WRONLY | os.O_DIRECT)
        try:
            buffer = mmap.mmap(-1, len(CONTENT))
            buffer.write(CONTENT)
            for offset in OFFSETS:
                os.pwrite(fd, buffer, offset)
        finally:
            os.close(fd)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def read(disk: Disk, offset: int) -> bytes:
    with open(disk.node, "rb") as file:
        file.seek(offset)
        return file.read(len(CONTENT))


main()

"""What a cut leaves on a disk is what QEMU itself leaves of the same requests."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.inspection import ExpectedContent, check_restored_unit
from gprov.apps.host.lab.powercut import DiskCut, PowerCut, UnflushedOutcome, apply_cut
from gprov.apps.host.lab.recording import Instant, Recording, log_file
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import raw_view
from gprov.domain.boot.firmware import FirmwareKind

pytestmark = pytest.mark.vm

SECTOR, CLUSTER, SPAN = 512, 1 << 16, 16 << 20
COUNT = 60


def requests(seed: int) -> list[str]:
    """For qemu-io: of data and of zeros, from a sector to many clusters, aligned and not. Whole clusters are discarded:
    what a part of one holds then is QEMU's choice."""
    dice = random.Random(seed)

    def one() -> str:
        size = dice.choice([SECTOR, 4096, CLUSTER, dice.randrange(1, 1200) * SECTOR])
        offset = dice.randrange((SPAN - size) // SECTOR) * SECTOR
        kind = dice.choice(["write -P {}", "write -P {}", "write -P 0", "write -z", "discard"])
        if kind == "discard":
            offset, size = offset // CLUSTER * CLUSTER, max(size // CLUSTER, 1) * CLUSTER
        return f"{kind.format(dice.randrange(1, 255))} {offset} {size}"

    return [one() for _ in range(COUNT)]


def told(disk: str, commands: Sequence[str], log: str = "") -> None:
    node = f"driver=qcow2,discard=unmap,file.filename={disk}"
    if log:
        Path(log).touch()
        qcow2 = f"file.driver=qcow2,file.discard=unmap,file.file.filename={disk}"
        node = f"driver=blklogwrites,discard=unmap,{qcow2},log.driver=file,log.filename={log}"
    argv = ["qemu-io", "-t", "writeback", "--image-opts", node]
    done = subprocess.run(argv, input="\n".join(commands), text=True, check=True, timeout=60, capture_output=True)
    assert "failed" not in done.stdout + done.stderr


@pytest.mark.parametrize("seed", [1, 2])
def test_replayed_requests_give_the_content_written_by_qemu(tmp_path: Path, seed: int) -> None:
    processes = SystemProcesses()
    unit = VirtualUnit.create(str(tmp_path / "unit"), unit_spec("sata", FirmwareKind.BIOS), processes)
    for file in unit.disk_files():
        told(file, [f"write -P 255 0 {SPAN}"])
    commands = requests(seed)
    folder = tmp_path / "recording"
    folder.mkdir()
    names = [disk.name for disk in unit.machine().disks]
    recorded = unit.overlay(str(tmp_path / "recorded"), processes)
    for name, file in zip(names, recorded.disk_files(), strict=True):
        told(file, commands, log_file(str(folder), name))
    (folder / "recording.json").write_text(json.dumps({"disks": names, "looks": []}))
    recording = Recording.open(str(folder))
    assert [sum(entry.size > 0 for entry in log[:COUNT]) for log in recording.logs] == [COUNT, COUNT]

    counts = (COUNT, COUNT // 2)  # the first disk was told everything, the other half
    halves = [DiskCut(count // 2, 0, arrived(recording, disk, count)) for disk, count in enumerate(counts)]
    left = unit.overlay(str(tmp_path / "left"), processes)
    apply_cut(processes, recording, PowerCut(Instant(counts, 0, 0), UnflushedOutcome.ALL, tuple(halves)), left)
    wanted = unit.overlay(str(tmp_path / "wanted"), processes)
    for file, count in zip(wanted.disk_files(), counts, strict=True):
        told(file, commands[:count])
    for found, expected in zip(left.disk_files(), wanted.disk_files(), strict=True):
        subprocess.run(["qemu-img", "compare", "-q", found, expected], check=True, timeout=60)


def arrived(recording: Recording, disk: int, count: int) -> tuple[tuple[int, int], ...]:
    """All of the second half."""
    log = recording.logs[disk]
    return tuple((index, log[index].size) for index in range(count // 2, count) if log[index].size)


def test_blank_disks_are_reported_as_problems(tmp_path: Path) -> None:
    processes = SystemProcesses()
    unit = VirtualUnit.create(str(tmp_path / "unit"), unit_spec("sata", FirmwareKind.BIOS), processes)
    expected = ExpectedContent(primary={}, varying=frozenset(), images={}, kernel="", older_kernel="")
    blank = check_restored_unit(processes, unit, expected)
    assert [problem.partition(":")[0] for problem in blank] == ["PRIMARY", "RECOVERY"]
    assert all("does not contain a recognized partition table" in problem for problem in blank)
    for file in unit.disk_files():
        with raw_view(processes, file, writable=True) as view:
            subprocess.run(["sfdisk", "-q", view], input="label: gpt\n", text=True, check=True, timeout=60)
    empty = check_restored_unit(processes, unit, expected)
    assert all("finds 0 partitions, expected" in problem for problem in empty)
    assert len(empty) == 2


def test_a_view_ends_in_an_orderly_way_whatever_happens_meanwhile(tmp_path: Path) -> None:
    disk = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"], check=True, timeout=60)
    seen: list[str] = []
    with pytest.raises(LookupError, match="in the middle"):
        fail_in_a_view(str(disk), seen)
    assert seen[0] not in Path("/proc/self/mounts").read_text()
    assert not Path(seen[0]).parent.exists()


def fail_in_a_view(disk: str, seen: list[str]) -> None:
    with raw_view(SystemProcesses(), disk) as view:
        seen.append(view)
        raise LookupError("in the middle")

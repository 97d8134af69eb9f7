"""A RECOVERY on NTFS becomes one that gprov uses, as docs/how-to/takeover.md says; `gprov takeover check` judges
both."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.apps.host.cli.main import main
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.disk.recovery import why_not_recovery
from tests.gprovision import volumes
from tests.integ.docs.blocks import Kind, blocks_of

MakeDisk = Callable[..., Disk]
Tool = Callable[..., str]
NAME = "WIDGET.LNX.SHINY.2024-02-01.0002.upd"
DOCUMENT = Path(__file__).parents[3] / "docs/how-to/takeover.md"


def volume(disk: Disk) -> Volume:
    contents = SysfsBlockDevices(include_loop=True).contents(disk.node)
    return Volume(disk=disk, node=disk.node, device=disk.device, contents=contents)


def fill(folder: Path) -> None:
    (folder / "Image").mkdir()
    (folder / "Image" / NAME).write_bytes(build_image(build_kernel(9)))
    (folder / "norm_boot").write_bytes(build_kernel(9))
    (folder / "insecure.storage").write_bytes(volumes.PLAIN_TEXT)


def checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, tuple[str, str]]]:
    status = main(["takeover", "check", str(folder), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["blocked"] == bool(status)
    return status, {each["subject"]: (each["weight"], each["text"]) for each in found["findings"]}


def way_out() -> str:
    """The commands of the document, in its order."""
    section = DOCUMENT.read_text().split("## RECOVERY on NTFS or FAT\n")[1].split("\n## ")[0]
    [commands] = [block.text for block in blocks_of(section) if block.kind is Kind.ELSEWHERE]
    return commands


def test_another_file_system_is_named_and_the_way_out_gives_a_recovery(
    make_disk: MakeDisk, mount_point: Path, tool: Tool, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    disk = make_disk(64 * MIB)
    tool("mkfs.ntfs", "-q", "-F", "-L", "RECOVERY", disk.node)
    tool("ntfs-3g", disk.node, str(mount_point))
    fill(mount_point)
    assert "holds ntfs, must be" in why_not_recovery(volume(disk))
    status, found = checked(mount_point, capsys)
    assert status == 1
    weight, text = found["file system"]
    assert weight == "blocks"
    assert "make it ext3" in text

    script = way_out().replace("/srv/recovery", str(tmp_path / "copy")).replace("/mnt/RECOVERY", str(mount_point))
    script = script.replace("$(findfs LABEL=RECOVERY)", disk.node)
    lines = [line for line in script.splitlines() if "mkfs.ext3" in line or "cp -a" in line]
    assert len(lines) == 3
    text = "\n".join([f"node={disk.node}", *lines])
    # As a person pastes it: a line that failed does not keep the next ones from running.
    subprocess.run(["sh", "-c", text.replace(str(tmp_path), "/proc")], capture_output=True, check=False)
    assert volume(disk).contents.kind == "ntfs", "without a copy nothing is made anew"
    done = subprocess.run(["sh", "-xc", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    made = volume(disk)
    assert (made.contents.kind, made.contents.label) == ("ext3", "RECOVERY")
    assert why_not_recovery(made) == ""
    status, found = checked(mount_point, capsys)
    assert status == 0, found
    assert found["file system"] == ("fine", "ext3")
    assert found["kernel of the newest image"][0] == "fine"
    assert "root folder" not in found


def test_a_damaged_image_blocks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a copy of RECOVERY, which no file system is mounted at."""
    fill(tmp_path)
    image = tmp_path / "Image" / NAME
    image.write_bytes(image.read_bytes()[:-100])
    status, found = checked(tmp_path, capsys)
    assert status == 1
    assert found[f"Image/{NAME}"][0] == "blocks"
    assert found["file system"][0] == "note"
    assert volumes.PASSWORD not in str(found)

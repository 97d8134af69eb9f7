"""Looking into disk images and changing them, checked with the tools that made them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lab.volumes import ext_volume, partitions, raw_view, remove_flag
from gprov.domain.errors import DeviceMissing, ToolFailed

pytestmark = pytest.mark.device

MIB = 1 << 20
START = 4 * MIB
PROCESSES = SystemProcesses()


def tool(*argv: str, stdin: str = "") -> str:
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def unit(tmp_path: Path) -> VirtualUnit:
    """PRIMARY has one ext4 volume with the flag file, a folder and a file of 3 MiB."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("no /dev/fuse")
    content = tmp_path / "content"
    (content / "Image").mkdir(parents=True)
    (content / "boot.normal").touch()
    (content / "Image" / "a.upd").write_bytes(bytes(range(256)) * (3 * MIB // 256))
    unit = VirtualUnit.create(
        str(tmp_path / "unit"), VirtualUnitSpec(primary_size=64 * MIB, recovery_size=8 * MIB), PROCESSES
    )
    with raw_view(PROCESSES, unit.primary(), writable=True) as view:
        tool("sfdisk", "--quiet", view, stdin=f"label: gpt\nstart={START // 512}, name=root\n")
        tool("mke2fs", "-q", "-t", "ext4", "-E", f"offset={START}", "-d", str(content), view, "32M")
    return unit


def test_data_written_through_a_view_is_in_the_image(unit: VirtualUnit, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    tool("qemu-img", "convert", "-O", "raw", unit.primary(), str(raw))
    assert raw.stat().st_size == 64 * MIB
    assert '"label": "gpt"' in tool("sfdisk", "--json", str(raw))


def test_partitions(unit: VirtualUnit) -> None:
    with raw_view(PROCESSES, unit.primary()) as view:
        (found,) = partitions(PROCESSES, view)
    assert (found.number, found.start, found.name) == (1, START, "root")
    assert found.size > 50 * MIB


def test_a_disk_without_a_table_has_no_partitions_to_tell(unit: VirtualUnit) -> None:
    with raw_view(PROCESSES, unit.recovery) as view, pytest.raises(ToolFailed):
        partitions(PROCESSES, view)


def test_reading(unit: VirtualUnit) -> None:
    with ext_volume(PROCESSES, unit.primary(), 1) as volume:
        assert volume.names("/") == ("Image", "boot.normal", "lost+found")
        assert volume.has("/boot.normal")
        assert not volume.has("/Image/b.upd")
        assert volume.read("/Image/a.upd") == bytes(range(256)) * (3 * MIB // 256)
        with pytest.raises(DeviceMissing):
            volume.read("/nothing")


def test_changing(unit: VirtualUnit, tmp_path: Path) -> None:
    added = tmp_path / "added"
    added.write_bytes(b"more" * 100_000)
    with ext_volume(PROCESSES, unit.primary(), 1, writable=True) as volume:
        volume.add(str(added), "/Image/b.upd")
        volume.remove("/Image/a.upd")
        with pytest.raises(DeviceMissing):
            volume.remove("/Image/a.upd")
    with raw_view(PROCESSES, unit.primary()) as view:
        tool("e2fsck", "-fn", f"{view}?offset={START}")
        assert tool("debugfs", "-R", "cat /Image/b.upd", f"{view}?offset={START}") == "more" * 100_000
    with ext_volume(PROCESSES, unit.primary(), 1) as volume:
        assert volume.names("/Image") == ("b.upd",)


def test_corrupting_one_byte(unit: VirtualUnit) -> None:
    position = 2 * MIB + 77
    with ext_volume(PROCESSES, unit.primary(), 1, writable=True) as volume:
        before = volume.read("/Image/a.upd")
        volume.corrupt("/Image/a.upd", position)
    with ext_volume(PROCESSES, unit.primary(), 1) as volume:
        after = volume.read("/Image/a.upd")
    assert [index for index in range(len(before)) if before[index] != after[index]] == [position]


def test_removing_the_flag_file(unit: VirtualUnit, tmp_path: Path) -> None:
    overlay = unit.overlay(str(tmp_path / "overlay"), PROCESSES)
    remove_flag(PROCESSES, overlay)
    remove_flag(PROCESSES, overlay)  # already gone
    for each, there in ((overlay, False), (unit, True)):
        with ext_volume(PROCESSES, each.primary(), 1) as volume:
            assert volume.has("/boot.normal") is there


def test_a_unit_that_was_never_restored_has_no_flag_to_remove(tmp_path: Path) -> None:
    blank = VirtualUnit.create(str(tmp_path / "blank"), VirtualUnitSpec(primary_size=MIB, recovery_size=MIB), PROCESSES)
    remove_flag(PROCESSES, blank)


def test_a_unit_is_for_its_owner_only(unit: VirtualUnit) -> None:
    assert os.stat(unit.folder).st_mode & 0o777 == 0o700
    for path in (*unit.disk_files(), unit.variables):
        assert os.stat(path).st_mode & 0o777 == 0o600


def test_an_opened_unit_is_the_one_that_was_made(unit: VirtualUnit, tmp_path: Path) -> None:
    assert VirtualUnit.open(unit.folder).spec == unit.spec
    with pytest.raises(DeviceMissing, match="holds no unit"):
        VirtualUnit.open(str(tmp_path))


def test_a_new_unit_in_the_folder_of_another_is_unknown_to_its_factory(unit: VirtualUnit) -> None:
    os.makedirs(unit.path("server/store"))
    Path(unit.path("server/store/factory.sqlite")).write_bytes(b"LAB0001 is sealed")
    Path(unit.path("notes")).write_text("kept")
    VirtualUnit.create(unit.folder, unit.spec, PROCESSES)
    assert not os.path.exists(unit.path("server"))
    assert Path(unit.path("notes")).read_text() == "kept"

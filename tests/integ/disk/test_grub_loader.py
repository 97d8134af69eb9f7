"""Disks of BIOS units, as GRUB's own tools see them: the loader, the volumes that it reads, the texts that it runs."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.disk.partition import PartedPartitioner
from gprov.adapters.linux.filesystem.tools import make_command
from gprov.adapters.linux.system.clock import SystemClock
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.initramfs.grub import MAX_CORE, make_loader
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.install import Loader, core_location
from gprov.domain.boot.grub.menus import core_script, normal_menu, recovery_menu
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import GIB, PartitionTable
from gprov.domain.disk.model import Disk, FileSystemKind, FileSystemSpec
from gprov.domain.disk.plan_layout import primary_table, recovery_table

MakeDisk = Callable[..., Disk]
SPECIFICATION = tomllib.loads((Path(__file__).parents[3] / "buildroot/initramfs.toml").read_text())["common"]
SETUP = "/usr/lib/grub/i386-pc/grub-bios-setup"
LABEL_UUID = "0b1c2d3e-1111-5222-8333-444455556666"
SMALL, HUGE = 8 * GIB, 3072 * GIB

pytestmark = pytest.mark.skipif(not Path(SETUP).exists(), reason="needs grub-pc-bin and grub-common")


def tool(*argv: str, **environment: str) -> str:
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, f"{argv}: {done.returncode} {done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def loader() -> Loader:
    return make_loader(SystemProcesses(), SPECIFICATION["loader"], Branding())


@contextmanager
def mounted(node: str, kind: str, point: Path) -> Iterator[Path]:
    point.mkdir(exist_ok=True)
    tool("mount", "-t", kind, node, str(point))
    try:
        yield point
    finally:
        tool("umount", str(point))


def test_the_loader_is_made_the_same_each_time_and_fits(loader: Loader) -> None:
    assert make_loader(SystemProcesses(), SPECIFICATION["loader"], Branding()) == loader
    assert len(loader.core) <= MAX_CORE // 2
    assert loader.boot == Path("/usr/lib/grub/i386-pc/boot.img").read_bytes()


PLANS: dict[str, tuple[int, Callable[[int], PartitionTable]]] = {
    "primary": (SMALL, lambda size: primary_table(FirmwareKind.BIOS, size, raid=False)),
    "primary-raid": (SMALL, lambda size: primary_table(FirmwareKind.BIOS, size, raid=True)),
    "primary-huge": (HUGE, lambda size: primary_table(FirmwareKind.BIOS, size, raid=False)),
    "recovery": (SMALL, lambda size: recovery_table(FirmwareKind.BIOS, size)),
    "recovery-huge": (HUGE, lambda size: recovery_table(FirmwareKind.BIOS, size)),
}


@pytest.mark.parametrize("name", PLANS)
def test_grub_bios_setup_writes_the_same_bytes(
    name: str, loader: Loader, make_disk: MakeDisk, blocks: SysfsBlockDevices, tmp_path: Path
) -> None:
    size, plan = PLANS[name]
    disk = make_disk(size)
    table = plan(disk.size)
    written = PartedPartitioner(blocks, SystemClock()).write(disk, table, loader)
    end = core_location(table).offset + core_location(table).capacity
    ours = head(disk.node, end)
    assert tool("sfdisk", "--verify", disk.node)
    # It asks for a file system on that disk, from which it takes its files.
    node = written.partitions[0 if len(written.partitions) == 1 else len(written.partitions) - 1].node
    tool("mke2fs", "-q", "-F", "-t", "ext2", node, "100M")
    with mounted(node, "ext2", tmp_path / "grub") as folder:
        (folder / "boot.img").write_bytes(loader.boot)
        (folder / "core.img").write_bytes(loader.core)
        (folder / "device.map").write_text(f"(hd0) {disk.node}\n")
        spoil(disk.node, core_location(table).offset)
        assert head(disk.node, end) != ours
        setup = (SETUP, "--no-rs-codes", "--skip-fs-probe", "--directory", str(folder))
        tool(*setup, "--device-map", str(folder / "device.map"), disk.node)
    assert head(disk.node, end) == ours


def head(node: str, size: int) -> bytes:
    tool("sync")
    with open(node, "rb") as file:
        return file.read(size)


def spoil(node: str, core: int) -> None:
    """Overwrite all code, but not the table."""
    with open(node, "r+b") as file:
        file.write(bytes(440))
        file.seek(core)
        file.write(bytes(4096))
        file.flush()
        os.fsync(file.fileno())


@pytest.mark.parametrize("kind", [FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.EXT4])
def test_grub_reads_volumes_made_by_gprov(kind: FileSystemKind, make_disk: MakeDisk, tmp_path: Path) -> None:
    """With the configuration of units, which decides over features that GRUB may not know."""
    disk = make_disk(200 << 20)
    config = tmp_path / "mke2fs.conf"
    config.write_text(SPECIFICATION["files"]["/etc/mke2fs.conf"])
    spec = FileSystemSpec(kind=kind, label="BOOT", reserved_percent=0, uuid=LABEL_UUID)
    tool(*make_command(disk.node, spec), MKE2FS_CONFIG=str(config))
    with mounted(disk.node, kind.value, tmp_path / "volume") as folder:
        (folder / "gprov").mkdir()
        (folder / "gprov/normal.cfg").write_text("what GRUB must find\n")
    assert tool("grub-fstest", disk.node, "cat", "(loop0)/gprov/normal.cfg") == "what GRUB must find\n"
    assert LABEL_UUID in tool("blkid", "-p", disk.node)


@pytest.mark.parametrize("arguments", ["", 'console=ttyS0,115200 PROVISION_KEY_WINDOW=0 a="b c;d" e={$f}'])
def test_grub_understands_our_texts(arguments: str, tmp_path: Path) -> None:
    names = Branding()
    texts = {
        "core": core_script(names),
        "normal": normal_menu(names, LABEL_UUID, arguments, [LABEL_UUID]),
        "recovery": recovery_menu(names, arguments),
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.write_text(text)
        tool("grub-script-check", str(path))

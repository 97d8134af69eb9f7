"""A virtual unit as gprovision leaves it: its disks made by sfdisk, mke2fs and mkdosfs with gprovision's options, its
boot entries as efibootmgr writes them.

The old kernel has the header of one and no code: it cannot be started, and no stage may need it.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from virt.firmware.efi.efivar import EfiVar
from virt.firmware.varstore.edk2 import Edk2VarStore

from gprov.adapters.fake.archive.artifacts import build_kernel
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.machine import DirectKernel
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.domain.boot.firmware import FirmwareKind
from tests.gprovision import menus, volumes

MIB = 1 << 20
OLD_BUILD = 1
_FIRST = 2048 * 512
_BOOT_SIZE = 200 * MIB
_LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
_ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
_NV_BS_RT = 7
_LOADER_SECTORS = 63


@dataclass(frozen=True)
class Grub4Dos:
    """``folder`` has ``grldr``, and ``bootlace64.com``, which writes its first stage into a disk."""

    folder: Path

    def files(self) -> dict[str, bytes]:
        return {volumes.LOADER_FILE: (self.folder / "grldr").read_bytes()}

    def install(self, disk: Path) -> None:
        program = disk.with_name("bootlace")
        shutil.copy(self.folder / "bootlace64.com", program)
        program.chmod(0o700)
        _run(str(program), "--no-backup-mbr", "--boot-prevmbr-last", "--time-out=0", str(disk))


@dataclass(frozen=True)
class EarlierUnit:
    """``arguments``: kernel arguments of this unit's menus, entries and ``fr.data``. ``loader``: None to leave grub4dos
    away: firmware starts nothing then on BIOS."""

    firmware: FirmwareKind
    images: Mapping[str, bytes]
    arguments: str
    loader: Grub4Dos | None = None

    def make(self, folder: Path) -> VirtualUnit:
        unit = VirtualUnit.create(str(folder), unit_spec("small", self.firmware), SystemProcesses())
        self._make_recovery(folder, unit)
        self._make_primary(folder, unit)
        if self.firmware is FirmwareKind.UEFI:
            _write_entries(unit, folder / "recovery.raw", self.arguments)
        for name in ("recovery.raw", "primary.raw"):
            (folder / name).unlink()
        return unit

    def menu_start(self, kernel: Path) -> DirectKernel:
        """What ``GPROVHDD.boot`` of the boot partition starts. ``kernel``: a copy of the one beside it."""
        return DirectKernel(str(kernel), (f"real_root=UUID={volumes.PRIMARY_UUID}", *self.arguments.split()))

    def _make_recovery(self, folder: Path, unit: VirtualUnit) -> None:
        disk, size = folder / "recovery.raw", unit.spec.recovery_size
        files = {f"Image/{name}": content for name, content in self.images.items()}
        files |= {path.lstrip("/"): content for path, content in volumes.LOGS.items()}
        files |= {"log/recovery_history.json": volumes.HISTORY, "fr.data": volumes.options(self.arguments)}
        files["insecure.storage"] = volumes.PLAIN_TEXT
        tree = folder / "tree"
        if self.firmware is FirmwareKind.BIOS:
            _table(disk, size, "label: dos\nstart=2048, type=83, bootable\n")
            files |= self._loader_files() | {"norm_boot": build_kernel(OLD_BUILD, "4.19.114-norm_boot")}
            files["GPROVFBK.boot"] = menus.fallback_menu(self.arguments)
            _fill(tree, files, volumes.ADMIN)
            _ext(disk, _FIRST, size - _FIRST, tree, "-L", "RECOVERY", "-t", "ext3")
            self._install(disk)
        else:
            esp = f"start=2048, size={_BOOT_SIZE // 512}, type={_ESP_TYPE}, name=ESP"
            second = _FIRST + _BOOT_SIZE
            _table(disk, size, f"label: gpt\n{esp}\nstart={second // 512}, type={_LINUX}, name=recovery\n")
            _fill(tree, files, volumes.ADMIN)
            (tree / "ESP").mkdir()
            (tree / "norm_boot").symlink_to("ESP/norm_boot")
            _ext(disk, second, size - second - MIB, tree, "-L", "RECOVERY", "-t", "ext3")
            _fat(disk, _FIRST, _BOOT_SIZE, {"norm_boot": build_kernel(OLD_BUILD, "4.19.114-norm_boot")})
        _convert(disk, unit.recovery)

    def _make_primary(self, folder: Path, unit: VirtualUnit) -> None:
        disk, size = folder / "primary.raw", unit.spec.primary_size
        tree = folder / "tree"
        start = _FIRST
        if self.firmware is FirmwareKind.BIOS:
            start += _BOOT_SIZE
            boot = f"start=2048, size={_BOOT_SIZE // 512}, type=83"
            _table(disk, size, f"label: dos\n{boot}\nstart={start // 512}, type=83\n")
            files = self._loader_files() | {"norm_boot": build_kernel(OLD_BUILD, "4.19.114-norm_boot")}
            files["GPROVHDD.boot"] = menus.primary_menu(volumes.PRIMARY_UUID, self.arguments)
            _fill(tree, files, 0)
            _ext(disk, _FIRST, _BOOT_SIZE, tree, "-L", volumes.BOOT_LABEL.format(0), "-t", "ext3")
            self._install(disk)
        else:
            _table(disk, size, f"label: gpt\nstart=2048, type={_LINUX}, name=PRIMARY\n")
        # Without boot.normal: a restore was requested.
        _fill(tree, {f"{volumes.EARLIER_IMAGE}.disktag": b"", "srv/data": b"years of work"}, 0)
        identity = ("-U", volumes.PRIMARY_UUID, "-L", "PRIMARY")
        _ext(disk, start, size - start - MIB, tree, *identity, "-t", "ext4", "-O", "encrypt")
        _convert(disk, unit.primary())

    def _loader_files(self) -> dict[str, bytes]:
        loader = self.loader.files() if self.loader else {volumes.LOADER_FILE: b"grub4dos is not here\n"}
        return loader | {"menu.lst": menus.first_menu(self.arguments)}

    def _install(self, disk: Path) -> None:
        if self.loader is not None:
            self.loader.install(disk)


def first_sectors(view: str) -> bytes:
    """Those before the first partition, without the partition table: the loader's."""
    with open(view, "rb") as file:
        content = file.read(_LOADER_SECTORS * 512)
    return content[:440] + content[512:]


def _write_entries(unit: VirtualUnit, recovery: Path, arguments: str) -> None:
    """In the order in which gprovision made them: only the last one is in BootOrder, before what was there."""
    table = json.loads(_run("sfdisk", "--json", str(recovery)))["partitiontable"]
    part_id = uuid.UUID(table["partitions"][0]["uuid"])
    partition = struct.pack("<BBHIQQ16sBB", 4, 1, 42, 1, _FIRST // 512, _BOOT_SIZE // 512, part_id.bytes_le, 2, 2)
    path_text = "\\norm_boot\0".encode("utf-16-le")
    file = struct.pack("<BBH", 4, 4, 4 + len(path_text)) + path_text
    path = partition + file + bytes.fromhex("7fff0400")
    store = Edk2VarStore(unit.variables)
    variables = store.get_varlist()
    entries = (
        ("Data Erase (DANGER!)", "DATA_ERASE=1"),
        ("Forced Factory Restore", arguments),
        ("Normal Boot", f"{arguments} real_root=LABEL=PRIMARY "),
    )
    for number, (name, text) in enumerate(entries):
        head = struct.pack("<IH", 1, len(path)) + f"{name}\0".encode("utf-16-le")
        key = f"Boot{number:04X}"
        variables[key] = EfiVar(key, attr=_NV_BS_RT, data=head + path + text.encode("utf-16-le"))
    variables["BootOrder"] = EfiVar("BootOrder", attr=_NV_BS_RT, data=struct.pack("<H", 2))
    store.write_varstore(unit.variables, variables)


def _table(disk: Path, size: int, script: str) -> None:
    disk.touch()
    os.truncate(disk, size)
    _run("sfdisk", "--quiet", str(disk), stdin=script)


def _fill(tree: Path, files: Mapping[str, bytes], owner: int) -> None:
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    for name, content in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content)
    for parent, folders, names in os.walk(tree):
        for name in (parent, *(os.path.join(parent, each) for each in (*folders, *names))):
            os.chown(name, owner, owner)


def _ext(disk: Path, start: int, size: int, tree: Path, *options: str) -> None:
    offset = ("-E", f"offset={start},lazy_itable_init=1,root_owner={tree.stat().st_uid}:{tree.stat().st_gid}")
    _run("mke2fs", "-q", "-m", "1", *options, *offset, "-d", str(tree), str(disk), f"{size >> 10}k")


def _fat(disk: Path, start: int, size: int, files: Mapping[str, bytes]) -> None:
    volume = disk.with_name("esp")
    volume.touch()
    os.truncate(volume, size)
    _run("mkdosfs", "-n", "ESP", str(volume))
    for name, content in files.items():
        source = volume.with_name("source")
        source.write_bytes(content)
        _run("mcopy", "-i", str(volume), str(source), f"::{name}")
        source.unlink()
    _run("dd", f"if={volume}", f"of={disk}", "bs=1M", f"seek={start // MIB}", "conv=notrunc,sparse", "status=none")
    volume.unlink()


def _convert(raw: Path, target: str) -> None:
    _run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), target)


def _run(*argv: str, stdin: str = "") -> str:
    environment = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, f"{argv}: {done.returncode} {done.stderr}"
    return done.stdout

"""What is on the disks of a unit that is off, by tools that are not ours (sfdisk, e2fsprogs, dosfstools, mtools).

Nothing is mounted, and no code of the unit's own takes part.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gprov.apps.build.hostfiles import translated
from gprov.apps.lab.products import file_digest
from gprov.apps.lab.unit import Unit
from gprov.apps.lab.volumes import Slice, partitions, raw_view
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.errors import GprovError, ToolFailed
from gprov.ports.process import Processes

_FSCK_SECONDS = 300.0
_RAID_KINDS = ("A19D880F-05FC-4D3B-A006-743F0F84911E", "fd")
# A volume that was not unmounted says so until somebody checks it, and the kernel mounts it all the same.
_HARMLESS = r"""(?mx)
    ^fsck\.fat\ .*$ | ^Dirty\ bit\ is\ set.*$ | ^\ *Automatically\ removing\ dirty\ bit\.$
    | ^There\ are\ differences\ between\ boot\ sector\ and\ its\ backup\.$ | ^This\ is\ mostly\ harmless\..*$
    | ^\ *65:01/00$ | ^\ *Not\ automatically\ fixing\ this\.$ | ^Leaving\ filesystem\ unchanged\.$
    | ^Free\ cluster\ summary\ wrong.*$ | ^\ *Auto-correcting\.$ | ^.*:\ \d+\ files,\ \d+/\d+\ clusters$
"""
_MD_MAGIC = 0xA92B4EFC
_MD_SUPERBLOCK = 4096  # metadata 1.2
_MD_DATA_OFFSET = 128

# Path → what it is: mode, owner, and digest of the content or target of the link.
Manifest = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a unit must hold once it is restored. ``primary``: the tree as an undisturbed restore and start left it;
    ``varying``: paths in it whose content differs each time. ``images``: SHA-256 by name; ``kernel``: that of
    RECOVERY's copies."""

    primary: Manifest
    varying: frozenset[str]
    images: Mapping[str, str]
    kernel: str


def manifest(folder: str) -> dict[str, str]:
    """Of all that is below a folder of the host."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            found[os.path.relpath(path, folder)] = _facts(path)
    return found


def primary_tree(processes: Processes, unit: Unit) -> dict[str, str]:
    """Manifest of PRIMARY. Raises ToolFailed, DeviceFault."""
    with _work_folder() as folder, _primary(processes, unit) as (view, offset):
        tree = os.path.join(folder, "tree")
        os.mkdir(tree)
        processes.run(("debugfs", "-R", f"rdump / {tree}", f"{view}?offset={offset}"), timeout=_FSCK_SECONDS)
        found = manifest(tree)
    found.pop("lost+found", None)
    return found


def judge(processes: Processes, unit: Unit, expected: Expected) -> list[str]:
    """Everything that is wrong with a restored unit, in words."""
    problems: list[str] = []
    for name, look in (("PRIMARY", _judge_primary), ("RECOVERY", _judge_recovery)):
        try:
            problems += [f"{name}: {problem}" for problem in look(processes, unit, expected)]
        except GprovError as error:
            problems.append(f"{name}: {error}")
    return problems


def _judge_primary(processes: Processes, unit: Unit, expected: Expected) -> Iterator[str]:
    for index in range(len(unit.spec.primaries)):
        with raw_view(processes, unit.primary(index)) as view:
            yield from _table_problems(processes, view)
            if unit.spec.firmware is FirmwareKind.BIOS:
                yield from _boot_partition_problems(processes, view, expected)
    with _primary(processes, unit) as (view, offset):
        yield from _ext_problems(processes, f"{view}?offset={offset}")
    found = primary_tree(processes, unit)
    if Branding().flag_file not in found:
        yield "has no flag file"
    for path in sorted(set(found) | set(expected.primary)):
        if path not in found:
            yield f"lacks {path}"
        elif path not in expected.primary:
            yield f"has {path} besides"
        elif not _same(found[path], expected.primary[path], varying=path in expected.varying):
            yield f"{path} is {found[path]}, not {expected.primary[path]}"


def _same(found: str, wanted: str, *, varying: bool) -> bool:
    """Of what varies, only kind, owner and mode are compared."""
    return found.split()[:3] == wanted.split()[:3] if varying else found == wanted


def _boot_partition_problems(processes: Processes, view: str, expected: Expected) -> Iterator[str]:
    boot = _partitions(processes, view, 2)[-2]
    device = f"{view}?offset={boot.start}"
    yield from _ext_problems(processes, device)
    yield from _file_problems(processes, device, f"/{Branding().boot_kernel}", expected.kernel)


def _judge_recovery(processes: Processes, unit: Unit, expected: Expected) -> Iterator[str]:
    branding = Branding()
    with raw_view(processes, unit.recovery) as view:
        yield from _table_problems(processes, view)
        parts = _partitions(processes, view, 1)
        device = f"{view}?offset={parts[-1].start}"
        yield from _ext_problems(processes, device)
        for name, digest in expected.images.items():
            yield from _file_problems(processes, device, f"/Image/{name}", digest)
        if unit.spec.firmware is FirmwareKind.BIOS:
            for path in (f"/{branding.boot_kernel}", f"/gprov/{branding.boot_kernel}"):
                yield from _file_problems(processes, device, path, expected.kernel)
        else:
            yield from _esp_problems(processes, view, parts[0], expected)


def _partitions(processes: Processes, view: str, least: int) -> tuple[Slice, ...]:
    found = partitions(processes, view)
    if len(found) < least:
        raise ToolFailed("sfdisk", f"finds {len(found)} partitions")
    return found


def _table_problems(processes: Processes, view: str) -> Iterator[str]:
    done = processes.run(("sfdisk", "--verify", view), check=False)
    if done.status or b"No errors detected" not in done.output:
        yield f"sfdisk --verify: {_words(done.output + done.errors)}"


def _ext_problems(processes: Processes, device: str) -> Iterator[str]:
    done = processes.run(("e2fsck", "-f", "-n", device), check=False, timeout=_FSCK_SECONDS)
    if done.status:
        yield f"e2fsck: {_words(done.output + done.errors)}"


def _file_problems(processes: Processes, device: str, path: str, digest: str) -> Iterator[str]:
    done = processes.run(("debugfs", "-R", f"cat {path}", device), timeout=_FSCK_SECONDS)
    found = hashlib.sha256(done.output).hexdigest()
    if found != digest:
        yield f"{path} has {len(done.output)} bytes of {found}, not {digest}"


def _esp_problems(processes: Processes, view: str, esp: Slice, expected: Expected) -> Iterator[str]:
    with _work_folder() as folder:
        copy = os.path.join(folder, "esp")
        _copy_part(view, esp, copy)
        done = processes.run(("fsck.fat", "-n", copy), check=False, timeout=_FSCK_SECONDS)
        said = re.sub(_HARMLESS, "", (done.output + done.errors).decode(errors="replace")).strip()
        if said and done.status:
            yield f"fsck.fat: {_words(said.encode())}"
        for path in (Branding().boot_kernel, "EFI/BOOT/BOOTX64.EFI"):
            target = os.path.join(folder, "kernel")
            try:
                processes.run(("mcopy", "-n", "-o", "-i", copy, f"::/{path}", target))
            except ToolFailed as failed:
                yield f"{path}: {failed}"
                continue
            found = file_digest(target)
            if found != expected.kernel:
                yield f"{path} has {os.path.getsize(target)} bytes of {found}, not {expected.kernel}"


def _copy_part(view: str, part: Slice, target: str) -> None:
    piece = 1 << 20
    with translated(target), open(view, "rb") as source, open(target, "wb") as file:
        source.seek(part.start)
        file.truncate(part.size)
        for start in range(0, part.size, piece):
            data = source.read(min(piece, part.size - start))
            if data.count(0) != len(data):
                file.seek(start)
                file.write(data)


@contextmanager
def _primary(processes: Processes, unit: Unit) -> Iterator[tuple[str, int]]:
    """Raw view and offset of PRIMARY's file system; of a RAID 1, that in the first member."""
    with raw_view(processes, unit.primary()) as view:
        part = _partitions(processes, view, 1)[-1]
        offset = part.start
        if part.kind in _RAID_KINDS:
            offset += _data_offset(view, part.start)
        yield view, offset


def _data_offset(view: str, start: int) -> int:
    """Bytes from the start of an array's member to its data (kernel: include/uapi/linux/raid/md_p.h)."""
    with translated(view), open(view, "rb") as file:
        file.seek(start + _MD_SUPERBLOCK)
        block = file.read(256)
    if struct.unpack_from("<I", block)[0] != _MD_MAGIC:
        raise ToolFailed("md superblock", f"none at {start + _MD_SUPERBLOCK}")
    sectors: int = struct.unpack_from("<Q", block, _MD_DATA_OFFSET)[0]
    return sectors * 512


def _facts(path: str) -> str:
    status = os.lstat(path)
    owner = f"{status.st_uid}:{status.st_gid}"
    if stat.S_ISLNK(status.st_mode):
        return f"link {owner} {os.readlink(path)}"
    mode = f"{stat.S_IMODE(status.st_mode):o}"
    if stat.S_ISREG(status.st_mode):
        return f"file {owner} {mode} {status.st_size} {file_digest(path)}"
    return f"{stat.S_IFMT(status.st_mode):o} {owner} {mode}"


@contextmanager
def _work_folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="gprov-outside-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _words(output: bytes) -> str:
    text = output.decode(errors="replace")
    return re.sub(r"\s+", " ", text).strip()[:600]

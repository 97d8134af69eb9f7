"""Checks the disks of a stopped unit: after a restore, and RECOVERY after a power cut."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.apps.host.lab.external_tools import (
    Manifest,
    ext_digest,
    ext_problems,
    ext_tree,
    fat_digest,
    fat_problems,
    grub_digest,
    partition_copy,
    repair_problems,
    table_problems,
)
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import Slice, partitions, raw_view
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.errors import GprovError, ToolFailed
from gprov.domain.recovery_files import IMAGE_FOLDER
from gprov.ports.process import Processes

_RAID_KINDS = ("A19D880F-05FC-4D3B-A006-743F0F84911E", "fd")
_MD_MAGIC = 0xA92B4EFC
_MD_SUPERBLOCK = 4096  # metadata 1.2
_MD_DATA_OFFSET = 128
_ESP_KERNELS = (Branding().boot_kernel, "EFI/BOOT/BOOTX64.EFI")
_RECOVERY_KERNELS = (f"/{Branding().boot_kernel}", f"/gprov/{Branding().boot_kernel}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedContent:
    """Content of a restored unit. ``primary``: the tree after an undisturbed restore and start; ``varying``: paths in
    it whose content differs each time. ``images``: SHA-256 by name; ``kernel``: SHA-256 of RECOVERY's copies,
    ``older_kernel``: the same before the restore."""

    primary: Manifest
    varying: frozenset[str]
    images: Mapping[str, str]
    kernel: str
    older_kernel: str


def primary_tree(processes: Processes, unit: VirtualUnit) -> dict[str, str]:
    """Return the manifest of PRIMARY. Raises ToolFailed, DeviceFault."""
    with _primary(processes, unit) as device:
        return ext_tree(processes, device)


def check_restored_unit(processes: Processes, unit: VirtualUnit, expected: ExpectedContent) -> list[str]:
    """Return all problems of a restored unit, as text."""
    primary = _checked("PRIMARY", lambda: _check_primary(processes, unit, expected))
    return [*primary, *_checked("RECOVERY", lambda: _check_recovery(processes, unit, expected))]


def check_recovery_after_cut(processes: Processes, unit: VirtualUnit, expected: ExpectedContent) -> list[str]:
    """Return the problems of RECOVERY after a cut of a restore, before anything was started."""
    return _checked("RECOVERY", lambda: _check_cut_recovery(processes, unit, expected))


def _checked(name: str, check: Callable[[], Iterator[str]]) -> list[str]:
    problems = []
    try:
        problems += [f"{name}: {problem}" for problem in check()]
    except GprovError as error:
        problems.append(f"{name}: {error}")
    return problems


def _check_primary(processes: Processes, unit: VirtualUnit, expected: ExpectedContent) -> Iterator[str]:
    for index in range(len(unit.spec.primaries)):
        with raw_view(processes, unit.primary(index)) as view:
            yield from table_problems(processes, view)
            if unit.spec.firmware is FirmwareKind.BIOS:
                device = f"{view}?offset={_partitions(processes, view, 2)[-2].start}"
                yield from ext_problems(processes, device)
                yield from _ext_file(processes, device, f"/{Branding().boot_kernel}", expected.kernel)
    with _primary(processes, unit) as device:
        yield from ext_problems(processes, device)
    found = primary_tree(processes, unit)
    if Branding().flag_file not in found:
        yield "has no flag file"
    for path in sorted(set(found) | set(expected.primary)):
        if path not in found:
            yield f"lacks {path}"
        elif path not in expected.primary:
            yield f"has the unexpected path {path}"
        elif not _same(found[path], expected.primary[path], varying=path in expected.varying):
            yield f"{path} is {found[path]}, not {expected.primary[path]}"


def _same(found: str, expected: str, *, varying: bool) -> bool:
    """Compare two facts of a manifest; for varying files only kind, owner and mode."""
    return found.split()[:3] == expected.split()[:3] if varying else found == expected


def _check_recovery(processes: Processes, unit: VirtualUnit, expected: ExpectedContent) -> Iterator[str]:
    with raw_view(processes, unit.recovery) as view:
        yield from table_problems(processes, view)
        parts = _partitions(processes, view, 1)
        device = f"{view}?offset={parts[-1].start}"
        yield from ext_problems(processes, device)
        for name, digest in expected.images.items():
            yield from _ext_file(processes, device, f"/{IMAGE_FOLDER}/{name}", digest)
        if unit.spec.firmware is FirmwareKind.BIOS:
            for path in _RECOVERY_KERNELS:
                yield from _ext_file(processes, device, path, expected.kernel)
            return
        with partition_copy(view, parts[0]) as esp:
            yield from fat_problems(processes, esp)
            for path in _ESP_KERNELS:
                yield from _wrong(path, fat_digest(processes, esp, path), expected.kernel)


def _check_cut_recovery(processes: Processes, unit: VirtualUnit, expected: ExpectedContent) -> Iterator[str]:
    """Check that the images are intact, and that firmware or GRUB (without the journal) can read a whole kernel."""
    with raw_view(processes, unit.recovery) as view:
        yield from table_problems(processes, view)
        parts = _partitions(processes, view, 1)
        if unit.spec.firmware is FirmwareKind.BIOS:
            kernels = [grub_digest(processes, view, parts[-1], path) for path in _RECOVERY_KERNELS]
        else:
            with partition_copy(view, parts[0]) as esp:
                kernels = [fat_digest(processes, esp, path) for path in _ESP_KERNELS]
        if not {expected.kernel, expected.older_kernel} & set(kernels):
            yield f"no whole kernel: {', '.join(kernels)}"
        # On a copy: e2fsck 1.47 loses the offset after it has replayed the journal.
        with partition_copy(view, parts[-1]) as copy:
            yield from repair_problems(processes, copy)
            for name, digest in expected.images.items():
                yield from _ext_file(processes, copy, f"/{IMAGE_FOLDER}/{name}", digest)


def _partitions(processes: Processes, view: str, minimum: int) -> tuple[Slice, ...]:
    found = partitions(processes, view)
    if len(found) < minimum:
        raise ToolFailed("sfdisk", f"finds {len(found)} partitions, expected at least {minimum}")
    return found


def _ext_file(processes: Processes, device: str, path: str, digest: str) -> Iterator[str]:
    return _wrong(path, ext_digest(processes, device, path), digest)


def _wrong(path: str, found: str, digest: str) -> Iterator[str]:
    if found != digest:
        yield f"{path} is {found or 'not readable'}, not {digest}"


@contextmanager
def _primary(processes: Processes, unit: VirtualUnit) -> Iterator[str]:
    """Yield the path and offset of PRIMARY's file system; of a RAID 1, that in the first member."""
    with raw_view(processes, unit.primary()) as view:
        part = _partitions(processes, view, 1)[-1]
        offset = part.start
        if part.kind in _RAID_KINDS:
            offset += _data_offset(view, part.start)
        yield f"{view}?offset={offset}"


def _data_offset(view: str, start: int) -> int:
    """Return the bytes from the start of an array member to its data (kernel: include/uapi/linux/raid/md_p.h)."""
    with os_errors_translated(view), open(view, "rb") as file:
        file.seek(start + _MD_SUPERBLOCK)
        block = file.read(256)
    if struct.unpack_from("<I", block)[0] != _MD_MAGIC:
        raise ToolFailed("md superblock", f"none at {start + _MD_SUPERBLOCK}")
    sectors: int = struct.unpack_from("<Q", block, _MD_DATA_OFFSET)[0]
    return sectors * 512

"""Switch root: all checks first, then moving mounts, then exec of the real init.

The initramfs is the kernel's rootfs: it cannot be unmounted and pivot_root(2) rejects it. The new root is therefore
moved over it, and the content of the initramfs is deleted to release its memory (Linux
``Documentation/filesystems/ramfs-rootfs-initramfs.rst``).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence

from gprov.adapters.linux.files.remove_tree import empty_folder
from gprov.adapters.linux.ioctl import libc
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.adapters.linux.system.signals import restore_signals
from gprov.domain.errors import DeviceFault, DeviceMissing

# Kernel file systems that the real init expects to be mounted, or uses if they are.
MOVED_MOUNTS = ("/dev", "/proc", "/sys", "/run")
_RAM_FILE_SYSTEMS = frozenset({libc.RAMFS_MAGIC, libc.TMPFS_MAGIC})


def switch_root(target: str, init: str, arguments: Sequence[str] = ()) -> None:
    """Execute ``init`` in the file system mounted at ``target``. Does not return.

    Raises DeviceFault with nothing changed if ``target`` is not a mount point or ``init`` is not a program in it; with
    all mounts moved back if a move fails.
    """
    target = target.rstrip("/")
    _require_mount_point(target)
    _require_program(target, init)
    old_root = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _move_all(target)
        _empty_initramfs(old_root)
    finally:
        os.close(old_root)
    restore_signals()
    try:
        os.execve(init, [init, *arguments], environment_for_init(os.environ))  # noqa: S606 (to become init is the task)
    except OSError as exc:
        raise fault_from_oserror(init, "cannot become this program", exc) from exc


def environment_for_init(environment: Mapping[str, str]) -> dict[str, str]:
    """The kernel's environment, without the variables of the frozen program's loader and of Python."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("LD_LIBRARY_PATH", "_PYI_", "_MEI", "PYINSTALLER_", "PYTHON"))
    }
    original = environment.get("LD_LIBRARY_PATH_ORIG")
    return {**kept, "LD_LIBRARY_PATH": original} if original else kept


def _require_mount_point(target: str) -> None:
    if not target or any(target == path or target.startswith(f"{path}/") for path in MOVED_MOUNTS):
        raise DeviceFault(target or "/", "switch root: cannot move this folder into itself")
    if not os.path.isdir(target):
        raise DeviceMissing(target, "switch root: no such folder")
    if not os.path.ismount(target):
        raise DeviceFault(target, "switch root: nothing is mounted there")


def _require_program(target: str, init: str) -> None:
    """Links are resolved as they will be with ``target`` as root."""
    root = os.open(target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        program = libc.open_in_root(root, init, os.O_PATH)
    except OSError as exc:
        raise fault_from_oserror(f"{target}{init}", "cannot start", exc) from exc
    finally:
        os.close(root)
    try:
        mode = os.fstat(program).st_mode
    finally:
        os.close(program)
    if not stat.S_ISREG(mode) or not mode & 0o111:
        raise DeviceFault(f"{target}{init}", "cannot start: is not an executable file")


def _move_all(target: str) -> None:
    moved: list[str] = []
    try:
        for path in MOVED_MOUNTS:
            if os.path.ismount(path):
                os.makedirs(f"{target}{path}", exist_ok=True)
                libc.mount(path, f"{target}{path}", flags=libc.MountFlag.MOVE)
                moved.append(path)
        os.chdir(target)
        libc.mount(".", "/", flags=libc.MountFlag.MOVE)
    except OSError as exc:
        _move_back(target, moved)
        raise fault_from_oserror(target, "switch root failed", exc) from exc
    try:
        os.chroot(".")
        os.chdir("/")
    except OSError as exc:
        raise fault_from_oserror(target, "is mounted over the root, but cannot become it", exc) from exc


def _move_back(target: str, moved: Sequence[str]) -> None:
    try:
        os.chdir("/")
        for path in reversed(moved):
            libc.mount(f"{target}{path}", path, flags=libc.MountFlag.MOVE)
    except OSError as exc:
        raise fault_from_oserror(target, "switch root failed, and the moved mounts cannot be moved back", exc) from exc


def _empty_initramfs(old_root: int) -> None:
    """Delete the content of the initramfs. Only file systems in memory are emptied."""
    if libc.file_system_magic(old_root) in _RAM_FILE_SYSTEMS:
        empty_folder(old_root)

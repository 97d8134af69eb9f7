"""Menus for grub4dos, the boot loader of BIOS units that gprovision installed.

Its code stays in the first sectors of such a unit's RECOVERY disk, with ``menu.lst`` on RECOVERY. That menu looks for
``GPROVHDD.boot`` on all volumes, then for ``GPROVFBK.boot``, and continues with the file that it finds; else it starts
the kernel on RECOVERY without arguments, which requests a restore. Without a ``GPROVHDD.boot`` on the restored disks,
a unit whose BIOS starts the RECOVERY disk first would be restored at every start.

Sources: gprovision, pkg/recovery/disk/bootable.go (names and search order); README_GRUB4DOS.txt (commands). grub4dos
reads ext2 and ext3, and replays no journal.
"""

from __future__ import annotations

from gprov.domain.boot.args import FALLBACK_ARGUMENT
from gprov.domain.boot.grub.menus import RECOVERY_TITLE, SECOND_COPY_TITLE, checked_words, second_kernel
from gprov.domain.branding import Branding

FIRST_MENU = "menu.lst"
PRIMARY_MENU = "GPROVHDD.boot"
FALLBACK_MENU = "GPROVFBK.boot"


def grub4dos_primary_menu(branding: Branding, primary_uuid: str, extra_arguments: str) -> str:
    """``GPROVHDD.boot`` of a boot partition: the kernel beside it, else the kernels on RECOVERY.
    Raises BadInput for arguments that a menu cannot pass."""
    kernel = _kernel(branding.boot_kernel, f"real_root=UUID={primary_uuid}", extra_arguments)
    normal = _entry(branding.normal_entry, PRIMARY_MENU, kernel)
    return _menu(normal, *_recovery_entries(branding, extra_arguments))


def grub4dos_fallback_menu(branding: Branding, extra_arguments: str) -> str:
    """``GPROVFBK.boot`` of RECOVERY. Its entries mark a fallback boot; those of gprovision requested a restore.
    Raises BadInput."""
    return _menu(*_recovery_entries(branding, extra_arguments))


def _recovery_entries(branding: Branding, extra_arguments: str) -> tuple[str, str]:
    fallback = f"{branding.environment_prefix}{FALLBACK_ARGUMENT}=1"
    first = _kernel(branding.boot_kernel, fallback, extra_arguments)
    second = _kernel(second_kernel(branding), fallback, extra_arguments)
    return _entry(RECOVERY_TITLE, FALLBACK_MENU, first), _entry(SECOND_COPY_TITLE, FALLBACK_MENU, second)


def _menu(*entries: str) -> str:
    fallbacks = " ".join(str(index) for index in range(1, len(entries)))
    return "\n".join(["timeout 0", "default 0", f"fallback {fallbacks}", *entries]) + "\n"


def _entry(title: str, beside: str, kernel: str) -> str:
    """``beside``: a file that only the volume with this kernel holds."""
    return f"\ntitle {title}\nfind --set-root /{beside}\n{kernel}"


def _kernel(path: str, purpose: str, extra_arguments: str) -> str:
    """grub4dos passes the line on as it is; the kernel reads double quotes around blanks. Raises BadInput."""
    words = (f'"{word}"' if " " in word else word for word in checked_words(extra_arguments))
    return " ".join((f"kernel /{path} quiet {purpose}", *words))

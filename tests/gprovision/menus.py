"""The menus of grub4dos that gprovision writes. ``arguments`` take the place of its ``quiet``."""

from __future__ import annotations

QUIET = "quiet"
_NOT_FIRST = "if not %@root:~5,1%==0 && root (hd0,0)"


def first_menu(arguments: str = QUIET) -> bytes:
    """``menu.lst``, beside ``grldr`` on RECOVERY and on each boot partition."""
    return f"""timeout 1
default 0
fallback 1

title Detecting active bootmedia
errorcheck off
root (hd0,0)
find --set-root /GPROVHDD.boot
{_NOT_FIRST}
if exist /GPROVHDD.boot && configfile /GPROVHDD.boot
root (hd0,0)
find --set-root /GPROVFBK.boot
{_NOT_FIRST}
configfile /GPROVFBK.boot
errorcheck on

title Recovery
errorcheck off
root (hd0,0)
find --set-root /norm_boot
{_NOT_FIRST}
errorcheck on
kernel /norm_boot {arguments}
""".encode()


def fallback_menu(arguments: str = QUIET) -> bytes:
    """``GPROVFBK.boot`` on RECOVERY."""
    return f"""timeout 0
default 0

title Recovery
errorcheck off
find --set-root /GPROVFBK.boot
{_NOT_FIRST}
errorcheck on
kernel /norm_boot {arguments}
""".encode()


def primary_menu(primary_uuid: str, arguments: str = QUIET) -> bytes:
    """``GPROVHDD.boot`` on a boot partition."""
    return f"""timeout 0
default 0
fallback 1

title Normal
find --set-root /norm_boot
{_NOT_FIRST}
kernel /norm_boot real_root=UUID={primary_uuid} {arguments}

title Recovery
find --set-root /norm_boot
{_NOT_FIRST}
kernel /norm_boot {arguments}
""".encode()

"""Who started a kernel that was given no arguments?

A start without ``real_root`` and ``DATA_ERASE`` asks for a restore: that is what the ``Forced Factory Restore`` entry
does. But a firmware that has lost its NVRAM finds the fallback loader on the ESP by itself and starts it without
arguments too, and some firmware forgets the arguments of an entry. Nobody asked for anything then, and the unit must
boot normally if it can.
"""

from __future__ import annotations

from collections.abc import Mapping

from gprov.domain.boot.bootvars import BOOT_CURRENT, entry_name, numbers_in
from gprov.domain.boot.devicepath import is_network_path
from gprov.domain.boot.firmware import Variable
from gprov.domain.boot.loadoption import parse_load_option, read_description
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput

# Where firmware looks on an ESP when no boot entry works (UEFI specification 2.10, 3.5.1.1), from the ESP's root.
FALLBACK_LOADER = "EFI/BOOT/BOOTX64.EFI"


def started_by_fallback(variables: Mapping[str, Variable], branding: Branding) -> bool:
    """Was this start without arguments nobody's wish? For machines with UEFI only: elsewhere there is no such fallback.

    BootCurrent tells which entry was started. A wish is our restore entry, or an entry that loads over the network: a
    server then handed out the kernel and chose its arguments. Everything else is not: no BootCurrent, an entry that
    does not exist or makes no sense, one that the firmware made up for a disk, and any other entry of ours, whose
    arguments must have been lost.
    """
    current = numbers_in(variables, BOOT_CURRENT)
    entry = variables.get(entry_name(current[0])) if len(current) == 1 else None
    if entry is None:
        return True
    if read_description(entry.data) == branding.restore_entry:
        return False
    try:
        return not is_network_path(parse_load_option(entry.data).path)
    except BadInput:
        return True

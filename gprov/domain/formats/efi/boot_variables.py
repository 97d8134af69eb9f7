"""The boot manager's variables (UEFI specification 2.10, 3.3): names, and lists of entry numbers.

``Boot####`` (four upper-case hex digits) hold load options; BootOrder is a list of u16 numbers, BootNext and
BootCurrent are one u16 each. A snapshot of them is a mapping from name to variable, of the global vendor GUID only.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping

from gprov.domain.errors import DeviceFault
from gprov.domain.formats.efi.variables import Variable

BOOT_ORDER = "BootOrder"
BOOT_NEXT = "BootNext"
BOOT_CURRENT = "BootCurrent"

# Non-volatile, with boot-service and run-time access: what every variable of ours is
NV_BS_RT = 0x7

_ENTRY = re.compile(r"Boot([0-9A-F]{4})", re.ASCII)


def entry_name(number: int) -> str:
    return f"Boot{number:04X}"


def entry_number(name: str) -> int | None:
    match = _ENTRY.fullmatch(name)
    return int(match[1], 16) if match else None


def boot_entries(variables: Mapping[str, Variable]) -> dict[int, Variable]:
    """The load options of a snapshot, by number."""
    numbers = {name: entry_number(name) for name in sorted(variables)}
    return {number: variables[name] for name, number in numbers.items() if number is not None}


def parse_numbers(data: bytes) -> tuple[int, ...]:
    """A list of entry numbers; half a number at the end is ignored."""
    count = len(data) // 2
    return struct.unpack(f"<{count}H", data[: 2 * count])


def serialise_numbers(numbers: Iterable[int]) -> bytes:
    return b"".join(struct.pack("<H", number) for number in numbers)


def numbers_in(variables: Mapping[str, Variable], name: str) -> tuple[int, ...]:
    """What BootOrder, BootNext or BootCurrent says; empty if it is not there."""
    variable = variables.get(name)
    return parse_numbers(variable.data) if variable else ()


def free_numbers(variables: Mapping[str, Variable], count: int, minimum: int = 0) -> tuple[int, ...]:
    """The lowest numbers, from ``least`` on, that no entry has and that no list speaks of: a number left in BootOrder
    by an entry that is gone would give a new entry a place there. Raises DeviceFault if there are too few."""
    used = set(boot_entries(variables))
    for name in (BOOT_ORDER, BOOT_NEXT, BOOT_CURRENT):
        used.update(numbers_in(variables, name))
    free = [number for number in range(minimum, minimum + len(used) + count) if number not in used][:count]
    if free and free[-1] > 0xFFFF:
        raise DeviceFault("NVRAM", "every boot entry number is taken")
    return tuple(free)

"""Which firmware variables an erase removes: those that earlier systems of the machine left, and those that a person
named. What is not known to be an owner's stays: firmware may need it to start the machine.

Boot entries: those that load a file from a partition that does not exist any more. Entries of gprov, entries that the
firmware made (a whole device, the network, its own programs, the fallback loader of a medium), the one that this start
came from, and those that cannot be understood stay.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gprov.domain.boot.entries import DeleteVariable, SetVariable, VariableChange
from gprov.domain.erase.variable_choice import VariableChoice
from gprov.domain.errors import BadInput
from gprov.domain.formats.efi.boot_variables import (
    BOOT_CURRENT,
    BOOT_NEXT,
    BOOT_ORDER,
    boot_entries,
    entry_name,
    numbers_in,
    serialise_numbers,
)
from gprov.domain.formats.efi.device_nodes import DevicePath, FilePath, HardDrive, SignatureKind
from gprov.domain.formats.efi.load_option import parse_load_option, read_description
from gprov.domain.formats.efi.variables import EFI_GLOBAL, Variable, VariableName

# All variables of these vendors are of an operating system.
_SYSTEMS: Mapping[str, str] = {
    # LINUX_EFI_CRASH_GUID, include/linux/efi.h; written by drivers/firmware/efi/efi-pstore.c
    "cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0": "log of a crashed Linux kernel",
    # The Boot Loader Interface of systemd
    "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f": "state of systemd's boot loader",
}
_NON_VOLATILE = 0x1
# UEFI specification 2.10, 3.5.1.1: what firmware starts from a medium that no entry names.
_FALLBACK = re.compile(r"\\EFI\\BOOT\\BOOT[A-Z0-9]+\.EFI", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Removal:
    name: VariableName
    why: str


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """``lists``: changes of BootOrder and BootNext, to be made first: no list then names an entry that does not exist.
    ``note``: what is left, and why; may be empty."""

    removals: tuple[Removal, ...]
    lists: tuple[VariableChange, ...]
    note: str = ""


def plan_removals(
    variables: Mapping[VariableName, Variable],
    choices: Sequence[VariableChoice],
    own_entries: Iterable[str],
    partitions: Iterable[str],
) -> RemovalPlan:
    """``variables``: all of the firmware; one that cannot be read has no attributes and no data. ``own_entries``:
    descriptions of gprov's boot entries. ``partitions``: UUIDs of those that exist, as the kernel writes them; with an
    empty one among them it is not known which exist, and all boot entries stay."""
    others = tuple(_of_systems(variables, choices))
    existing = frozenset(uuid.lower() for uuid in partitions)
    if "" in existing:
        return RemovalPlan(others, (), "all boot entries stay: there is a partition whose UUID is not known")
    snapshot = {name.name: variable for name, variable in variables.items() if name.vendor == EFI_GLOBAL}
    foreign = _foreign_entries(snapshot, frozenset(own_entries), existing)
    entries = (Removal(VariableName(entry_name(number)), why) for number, why in foreign.items())
    return RemovalPlan((*entries, *others), tuple(_list_changes(snapshot, foreign)))


def _of_systems(variables: Mapping[VariableName, Variable], choices: Sequence[VariableChoice]) -> Iterator[Removal]:
    """A volatile variable is gone after the next start anyway."""
    for name, variable in variables.items():
        if variable.data and not variable.attributes & _NON_VOLATILE:
            continue
        if why := _SYSTEMS.get(name.vendor):
            yield Removal(name, why)
        elif any(choice.covers(name) for choice in choices):
            yield Removal(name, "named in the options")


def _foreign_entries(
    snapshot: Mapping[str, Variable], own: frozenset[str], partitions: frozenset[str]
) -> dict[int, str]:
    """Numbers of the entries to remove, with reasons."""
    current = numbers_in(snapshot, BOOT_CURRENT)
    found = {}
    for number, variable in boot_entries(snapshot).items():
        description = read_description(variable.data)
        if number in current or description in own:
            continue
        try:
            path = parse_load_option(variable.data).path
        except BadInput:
            continue
        if (partition := _loads_from(path)) and partition not in partitions:
            found[number] = f"boot entry {description!r}, of a partition that does not exist"
    return found


def _loads_from(path: DevicePath) -> str:
    """UUID of the partition that an entry loads a file from, as the kernel writes it; "" for other entries, and for the
    fallback loader."""
    drive = next((node for node in path if isinstance(node, HardDrive)), None)
    file = path[-1] if path and isinstance(path[-1], FilePath) else None
    if drive is None or file is None or _FALLBACK.fullmatch(file.path.replace("/", "\\")):
        return ""
    if drive.signature_kind is SignatureKind.MBR:
        return f"{struct.unpack_from('<I', drive.signature)[0]:08x}-{drive.number:02x}"
    return drive.guid


def _list_changes(snapshot: Mapping[str, Variable], removed: Mapping[int, str]) -> Iterator[VariableChange]:
    order = numbers_in(snapshot, BOOT_ORDER)
    kept = [number for number in order if number not in removed]
    if len(kept) != len(order):
        attributes = snapshot[BOOT_ORDER].attributes
        data = serialise_numbers(kept)
        yield SetVariable(BOOT_ORDER, Variable(attributes, data)) if data else DeleteVariable(BOOT_ORDER)
    if any(number in removed for number in numbers_in(snapshot, BOOT_NEXT)):
        yield DeleteVariable(BOOT_NEXT)

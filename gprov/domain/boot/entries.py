"""UEFI boot entries: which we want, how they differ from what NVRAM holds, and which writes make it so.

An entry is ours if it bears one of our descriptions. Ours are corrected, superfluous ones removed; all others, and
their order in BootOrder, are left alone. Nothing that is already right is written: NVRAM wears.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gprov.domain.boot.args import without_mode_arguments
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, InternalError
from gprov.domain.formats.efi.boot_variables import (
    BOOT_CURRENT,
    BOOT_NEXT,
    BOOT_ORDER,
    NV_BS_RT,
    boot_entries,
    entry_name,
    entry_number,
    free_numbers,
    numbers_in,
    parse_numbers,
    serialise_numbers,
)
from gprov.domain.formats.efi.device_nodes import DevicePath, FilePath, Node, gpt_partition, is_network_path
from gprov.domain.formats.efi.load_option import (
    LoadOption,
    decode_arguments,
    describe_load_option,
    encode_arguments,
    parse_load_option,
    read_description,
    serialise_load_option,
)
from gprov.domain.formats.efi.variables import Variable

# Entries that BootOrder does not list get numbers from here on. Firmware that finds a new device gives it the lowest
# number that BootOrder does not list, whether or not an entry has it (EDK II, BmGetFreeOptionNumber): below, ours would
# be overwritten. No machine has so many devices to boot.
UNLISTED_FROM = 0x80


@dataclass(frozen=True, slots=True)
class EspLocation:
    """The EFI system partition. ``start_lba``, ``size_lba`` in logical blocks of its disk; GUID as text."""

    partition_number: int
    start_lba: int
    size_lba: int
    partition_guid: str


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """``in_order``: one that the firmware tries by itself; the others are for a person in the firmware's menu."""

    description: str
    device_path: DevicePath
    arguments: str
    in_order: bool

    def variable(self) -> Variable:
        """Raises BadInput if the arguments are none that the kernel would read whole."""
        option = LoadOption(self.description, self.device_path, encode_arguments(self.arguments))
        return Variable(NV_BS_RT, serialise_load_option(option))


@dataclass(frozen=True, slots=True)
class SetVariable:
    """``name`` within the global vendor GUID."""

    name: str
    variable: Variable

    def describe(self) -> str:
        if entry_number(self.name) is not None:
            return f"set {self.name} to {describe_load_option(self.variable.data)}"
        numbers = ",".join(f"{number:04X}" for number in parse_numbers(self.variable.data))
        return f"set {self.name} to {numbers or 'nothing'}"


@dataclass(frozen=True, slots=True)
class DeleteVariable:
    name: str

    def describe(self) -> str:
        return f"delete {self.name}"


VariableChange = SetVariable | DeleteVariable


def planned_entries(branding: Branding, esp: EspLocation, extra_arguments: str) -> tuple[PlannedEntry, ...]:
    """Ours. ``extra_arguments`` go to the entries that boot and restore, without words that would make them something
    else. Raises BadInput for a GUID or arguments that cannot be stored."""
    partition = gpt_partition(esp.partition_number, esp.start_lba, esp.size_lba, esp.partition_guid)
    path = (partition, FilePath("\\" + branding.boot_kernel))
    extras = without_mode_arguments(extra_arguments)
    normal = f"quiet real_root=LABEL={branding.primary_label} {extras}".strip()
    entries = (
        PlannedEntry(branding.normal_entry, path, normal, in_order=True),
        PlannedEntry(branding.restore_entry, path, f"quiet {extras}".strip(), in_order=False),
        PlannedEntry(branding.erase_entry, path, "DATA_ERASE=1", in_order=False),
    )
    for entry in entries:
        entry.variable()
    return entries


def reconcile(existing: Mapping[str, Variable], wanted: Sequence[PlannedEntry]) -> tuple[VariableChange, ...]:
    """The writes that turn ``existing`` into what is wanted, none if it is so already.

    In their order, any of them may be the last before a power cut: entries are written before BootOrder names them, and
    removed only after it no longer does. An entry that is wrong is overwritten under its own number, which a
    firmware does in one piece. Raises BadInput (arguments), DeviceFault (no number left).
    """
    entries = boot_entries(existing)
    order = numbers_in(existing, BOOT_ORDER)
    descriptions = {entry.description for entry in wanted}
    if len(descriptions) != len(wanted):
        raise InternalError("two boot entries are to have the same description")
    ours = {number for number, variable in entries.items() if read_description(variable.data) in descriptions}
    free = iter(free_numbers(existing, len(wanted)))
    unlisted = iter(free_numbers(existing, len(wanted), UNLISTED_FROM))
    changes: list[VariableChange] = []
    kept: list[int] = []
    for entry in wanted:
        number = _best(entry, entries, ours, order)
        if number is None or not _is_right(entries[number], entry):
            number = next(free if entry.in_order else unlisted) if number is None else number
            changes.append(SetVariable(entry_name(number), entry.variable()))
        kept.append(number)
    first = [number for number, entry in zip(kept, wanted, strict=True) if entry.in_order]
    new_order = [*first, *(number for number in order if number not in ours and number not in first)]
    changes.extend(_order_change(existing, serialise_numbers(new_order)))
    superfluous = sorted(ours - set(kept))
    if any(number in superfluous for number in numbers_in(existing, BOOT_NEXT)):
        changes.append(DeleteVariable(BOOT_NEXT))
    changes.extend(DeleteVariable(entry_name(number)) for number in superfluous)
    return tuple(changes)


def started_by_fallback(variables: Mapping[str, Variable], branding: Branding) -> bool:
    """Was a start without arguments nobody's wish? ``variables``: BootCurrent and the entries; empty on BIOS.

    A start without ``real_root`` and ``DATA_ERASE`` asks for a restore: that is what our restore entry does. But a
    firmware that has lost its NVRAM finds the fallback loader on the ESP by itself and starts it without arguments
    too, and some firmware forgets the arguments of an entry.

    BootCurrent tells which entry was started. A wish is our restore entry, or an entry that loads over the network: a
    server then handed out the kernel and chose its arguments. Everything else is not: no BootCurrent, an entry that
    does not exist or makes no sense, one that the firmware made up for a disk, and any other entry of ours, whose
    arguments must have been lost. Where there are no variables at all, a boot loader of ours chose.
    """
    current = numbers_in(variables, BOOT_CURRENT)
    entry = variables.get(entry_name(current[0])) if len(current) == 1 else None
    if entry is None:
        return bool(variables)
    if read_description(entry.data) == branding.restore_entry:
        return False
    try:
        return not is_network_path(parse_load_option(entry.data).path)
    except BadInput:
        return True


def _best(entry: PlannedEntry, entries: Mapping[int, Variable], ours: set[int], order: Sequence[int]) -> int | None:
    """The number of the entry to keep: one that is right, else one that the firmware tries early, else the lowest.

    One with other attributes cannot be overwritten (SetVariable refuses), so it is no candidate unless it is right.
    """
    candidates = [
        number
        for number in ours
        if read_description(entries[number].data) == entry.description
        and (entries[number].attributes == NV_BS_RT or _is_right(entries[number], entry))
    ]

    def rank(number: int) -> tuple[bool, int, int]:
        place = order.index(number) if number in order else len(order)
        return not _is_right(entries[number], entry), place, number

    return min(candidates, key=rank, default=None)


def _is_right(variable: Variable, entry: PlannedEntry) -> bool:
    """Does it do what is wanted? Firmware may have set further attributes or put the way to the disk in front."""
    try:
        option = parse_load_option(variable.data)
        arguments = decode_arguments(option.data)
    except BadInput:
        return False
    return (
        variable.attributes & NV_BS_RT == NV_BS_RT
        and option.description == entry.description
        and option.active
        and arguments.split() == entry.arguments.split()
        and _same_file(option.path, entry.device_path)
    )


def _same_file(path: DevicePath, wanted: DevicePath) -> bool:
    tail = path[-len(wanted) :] if wanted else path
    return [_comparable(node) for node in tail] == [_comparable(node) for node in wanted]


def _comparable(node: Node) -> Node:
    """File names on FAT have no case, and firmware writes either separator."""
    return FilePath(node.path.replace("/", "\\").lower()) if isinstance(node, FilePath) else node


def _order_change(existing: Mapping[str, Variable], data: bytes) -> tuple[SetVariable, ...]:
    old = existing.get(BOOT_ORDER)
    if old is not None and old.data == data:
        return ()
    attributes = NV_BS_RT if old is None else old.attributes
    return (SetVariable(BOOT_ORDER, Variable(attributes, data)),)

"""UEFI boot entries: compares the planned entries with NVRAM and computes the writes that reconcile them.

Entries with one of gprov's descriptions are corrected, and superfluous ones removed. All other entries, and their order
in BootOrder, are left alone. Correct variables are not written again, to limit NVRAM wear.
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

# Entries that BootOrder does not list get numbers from here on. For a new device, firmware uses the lowest number that
# BootOrder does not list, even if an entry has it (EDK II, BmGetFreeOptionNumber), and would overwrite an unlisted
# entry with a low number. No machine has so many bootable devices.
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
    """``in_order``: listed in BootOrder. Other entries can only be selected in the firmware's boot menu."""

    description: str
    device_path: DevicePath
    arguments: str
    in_order: bool

    def variable(self) -> Variable:
        """Raises BadInput for arguments that the kernel would not read completely."""
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
    """The boot entries of a unit. ``extra_arguments`` are added to all, without mode arguments: the erase needs the
    console on which a person confirms it.
    Raises BadInput for a GUID or arguments that cannot be stored."""
    partition = gpt_partition(esp.partition_number, esp.start_lba, esp.size_lba, esp.partition_guid)
    path = (partition, FilePath("\\" + branding.boot_kernel))
    extras = without_mode_arguments(extra_arguments)
    normal = f"quiet real_root=LABEL={branding.primary_label} {extras}".strip()
    entries = (
        PlannedEntry(branding.normal_entry, path, normal, in_order=True),
        PlannedEntry(branding.restore_entry, path, f"quiet {extras}".strip(), in_order=False),
        PlannedEntry(branding.erase_entry, path, f"DATA_ERASE=1 {extras}".strip(), in_order=False),
    )
    for entry in entries:
        entry.variable()
    return entries


def reconcile(existing: Mapping[str, Variable], wanted: Sequence[PlannedEntry]) -> tuple[VariableChange, ...]:
    """Return the writes that turn ``existing`` into the planned state; empty if it is correct already.

    A power cut between any two of them is harmless: entries are written before BootOrder lists them, and deleted after
    it no longer does. A wrong entry is overwritten under its own number, which is atomic in firmware.
    Raises BadInput (arguments), DeviceFault (no number left).
    """
    entries = boot_entries(existing)
    order = numbers_in(existing, BOOT_ORDER)
    descriptions = {entry.description for entry in wanted}
    if len(descriptions) != len(wanted):
        raise InternalError("two planned boot entries have the same description")
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
    """Whether a boot without arguments was started by the fallback loader and not requested by a person.

    ``variables``: BootCurrent and the entries; empty on BIOS. A boot without ``real_root`` and ``DATA_ERASE`` requests
    a restore, as the restore entry does. But firmware that has lost its NVRAM starts the fallback loader on the ESP
    without arguments too, and some firmware loses the arguments of an entry.

    BootCurrent names the entry that was started. Requested: the restore entry, and an entry that loads over the
    network (the boot server chose the arguments). Not requested: no BootCurrent, an entry that does not exist or cannot
    be parsed, an entry that the firmware generated for a disk, and gprov's other entries, whose arguments were lost.
    Without any variables the boot loader passed the arguments: requested.
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
    """Number of the entry to keep: a correct one, else the first in BootOrder, else the lowest number.

    An incorrect entry with other attributes is not a candidate: SetVariable refuses to overwrite it.
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
    """Whether the stored entry starts the same file with the same arguments. Firmware may have set further attributes
    or prepended the hardware path of the disk."""
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
    """Normal form for comparison: FAT ignores case, and firmware writes either path separator."""
    return FilePath(node.path.replace("/", "\\").lower()) if isinstance(node, FilePath) else node


def _order_change(existing: Mapping[str, Variable], data: bytes) -> tuple[SetVariable, ...]:
    old = existing.get(BOOT_ORDER)
    if old is not None and old.data == data:
        return ()
    attributes = NV_BS_RT if old is None else old.attributes
    return (SetVariable(BOOT_ORDER, Variable(attributes, data)),)

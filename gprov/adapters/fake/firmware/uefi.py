"""Start of the simulated firmware. UEFI: follow BootOrder to a kernel on an ESP, with the arguments of that entry.
BIOS: ``bios.py``."""

from __future__ import annotations

from gprov.adapters.fake.firmware.bios import bios_start
from gprov.adapters.fake.firmware.grub import shown_menus
from gprov.adapters.fake.firmware.secure_boot import starts
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakeDisk, FakePartition
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.errors import BadInput, DeviceMissing
from gprov.domain.formats.bzimage import parse_whole
from gprov.domain.formats.efi.boot_variables import (
    BOOT_CURRENT,
    BOOT_NEXT,
    BOOT_ORDER,
    NV_BS_RT,
    entry_name,
    entry_number,
    numbers_in,
    serialise_numbers,
)
from gprov.domain.formats.efi.device_nodes import DevicePath, FilePath, HardDrive
from gprov.domain.formats.efi.load_option import decode_arguments, parse_load_option, read_description
from gprov.domain.formats.efi.variables import Variable, VariableName

_FALLBACK = "/EFI/BOOT/BOOTX64.EFI"


def firmware_start(machine: SimulatedMachine) -> dict[str, str]:
    """Return the kernel arguments (as init reads them) of the system that the firmware starts, and set BootCurrent.

    Raises DeviceMissing if nothing can be started: a real unit would then try the network, or stop.
    """
    if machine.firmware is FirmwareKind.BIOS:
        return bios_start(machine)
    # Firmware creates this variable at each start, whatever NVRAM contains.
    machine.nvram[VariableName("BootOptionSupport")] = Variable(6, b"\x13\x03\0\0")
    variables = {name.name: variable for name, variable in machine.nvram.items()}
    order = (*numbers_in(variables, BOOT_NEXT), *numbers_in(variables, BOOT_ORDER))
    machine.nvram.pop(VariableName(BOOT_NEXT), None)
    for number in order:
        variable = variables.get(entry_name(number))
        if variable is None:
            continue
        try:
            option = parse_load_option(variable.data)
        except BadInput:
            continue
        if _kernel_is_there(machine, option.path):
            machine.nvram[VariableName(BOOT_CURRENT)] = Variable(6, serialise_numbers([number]))
            return _environment(decode_arguments(option.data))
    machine.nvram.pop(VariableName(BOOT_CURRENT), None)
    if any(_is_kernel(machine, part, _FALLBACK) for _, part in _esps(machine)):
        return {}
    raise DeviceMissing("firmware", "no boot entry and no fallback loader can be started")


def record_foreign_start(machine: SimulatedMachine, number: int | None) -> None:
    """Record a start of something else than a unit's kernel: by the entry with this number, or, with None, without an
    entry."""
    if number is None:
        machine.nvram.pop(VariableName(BOOT_CURRENT), None)
    else:
        machine.nvram[VariableName(BOOT_CURRENT)] = Variable(6, serialise_numbers([number]))


def select_boot_entry(machine: SimulatedMachine, description: str, submenu_entry: str = "") -> None:
    """Select the entry to start next, as an operator does in the boot menu of firmware or loader. ``submenu_entry``:
    entry of the submenu that opens then. Raises DeviceMissing if no menu shows it."""
    if machine.firmware is FirmwareKind.BIOS:
        if not any(f'"{description}"' in menu for menu in shown_menus(machine)):
            raise DeviceMissing("loader", f"has no entry {description!r} in any menu")
        machine.menu_choice = (description, submenu_entry) if submenu_entry else (description,)
        return
    for name, variable in machine.nvram.items():
        number = entry_number(name.name)
        if number is not None and read_description(variable.data) == description:
            machine.nvram[VariableName(BOOT_NEXT)] = Variable(NV_BS_RT, serialise_numbers([number]))
            return
    raise DeviceMissing("firmware", f"has no boot entry {description!r}")


def _kernel_is_there(machine: SimulatedMachine, path: DevicePath) -> bool:
    drive = next((node for node in path if isinstance(node, HardDrive)), None)
    file = next((node for node in path if isinstance(node, FilePath)), None)
    if drive is None or file is None:
        return False
    for _, part in _esps(machine):
        if part.uuid.lower() == drive.guid and part.volume is not None:
            return _is_kernel(machine, part, file.path.replace("\\", "/"))
    return False


def _is_kernel(machine: SimulatedMachine, part: FakePartition, path: str) -> bool:
    """The firmware skips files that are not valid kernels, or, under Secure Boot, not signed."""
    node = part.volume.current.get(path) if part.volume is not None else None
    if node is None:
        return False
    try:
        parse_whole(node.content)
    except BadInput:
        return False
    return starts(machine, node.content)


def _esps(machine: SimulatedMachine) -> list[tuple[FakeDisk, FakePartition]]:
    return [
        (disk, part)
        for disk in machine.present()
        for part in disk.partitions
        if part.volume is not None and part.volume.kind is FileSystemKind.VFAT
    ]


def _environment(command_line: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in command_line.split() if "=" in word)

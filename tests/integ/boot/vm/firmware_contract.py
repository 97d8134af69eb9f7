"""What every Firmware adapter must do. Runs on the host against the fake and in a virtual machine against efivarfs.

No assert statements: in the initramfs they are compiled away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.ports.destructive.variable_writer import VariableWriter
from gprov.ports.firmware import Firmware

VENDOR = "5f2f1d5e-6f3a-4c52-8f5c-7f0f4d1f0a11"  # made for this test
BOOT = VariableName("Boot0F0F")
OWN = VariableName("GprovTest", VENDOR)
# A load option that the kernel takes for one: "x", End of path
OPTION = b"\x01\0\0\0\x04\0x\0\0\0\x7f\xff\x04\0"


class WholeFirmware(Firmware, VariableWriter, Protocol):
    """Both ports: what one writes, the other reads."""


class Broken(Exception):
    """The adapter does not keep the contract."""


def expect(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise Broken(f"{what}: got {got!r}, wanted {wanted!r}")


def what_is_written_is_read_and_listed(firmware: WholeFirmware) -> None:
    firmware.write(BOOT, Variable(7, OPTION))
    expect("variable", firmware.read(BOOT), Variable(7, OPTION))
    expect("listed", BOOT in firmware.variables(), True)


def a_value_is_replaced_whole(firmware: WholeFirmware) -> None:
    firmware.write(BOOT, Variable(7, OPTION + b"a\0r\0g\0s\0"))
    firmware.write(BOOT, Variable(7, OPTION))
    expect("shorter value", firmware.read(BOOT), Variable(7, OPTION))
    firmware.write(BOOT, Variable(7, OPTION + b"q\0"))
    expect("longer value", firmware.read(BOOT), Variable(7, OPTION + b"q\0"))


def what_is_deleted_is_gone(firmware: WholeFirmware) -> None:
    firmware.write(BOOT, Variable(7, OPTION))
    firmware.delete(BOOT)
    expect("variable", firmware.read(BOOT), None)
    expect("listed", BOOT in firmware.variables(), False)
    firmware.delete(BOOT)


def what_never_was_is_none(firmware: WholeFirmware) -> None:
    expect("variable", firmware.read(VariableName("Boot0EEE")), None)


def variables_of_unknown_vendors_can_be_changed(firmware: WholeFirmware) -> None:
    """efivarfs protects them with the immutable flag."""
    firmware.write(OWN, Variable(7, b"first"))
    firmware.write(OWN, Variable(7, b"second, which is longer"))
    expect("variable", firmware.read(OWN), Variable(7, b"second, which is longer"))
    firmware.delete(OWN)
    expect("variable", firmware.read(OWN), None)


def variables_are_sorted(firmware: WholeFirmware) -> None:
    firmware.write(OWN, Variable(7, b"x"))
    firmware.write(BOOT, Variable(7, OPTION))
    names = [(name.vendor, name.name) for name in firmware.variables()]
    expect("names", names, sorted(names))
    firmware.delete(OWN)


CONTRACT: tuple[Callable[[WholeFirmware], None], ...] = (
    what_is_written_is_read_and_listed,
    a_value_is_replaced_whole,
    what_is_deleted_is_gone,
    what_never_was_is_none,
    variables_of_unknown_vendors_can_be_changed,
    variables_are_sorted,
)


def clean(firmware: WholeFirmware) -> None:
    for name in (BOOT, OWN):
        firmware.delete(name)

"""SMBIOS tables of simulated machines (DSP0134 3.3), built from a description of the machine."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

END_OF_TABLE = 127
_MIB = 1 << 20
_ENTRY_SIZE = 24
_DUMP_OFFSET = 32


def build_structure(number: int, handle: int, formatted: bytes, strings: Sequence[str] = ()) -> bytes:
    """One structure. ``formatted`` is what follows the 4 bytes of the header."""
    texts = b"".join(text.encode("ascii", "replace") + b"\0" for text in strings) or b"\0"
    return struct.pack("<BBH", number, 4 + len(formatted), handle) + formatted + texts + b"\0"


def end_of_table(handle: int = 0xFEFF) -> bytes:
    return build_structure(END_OF_TABLE, handle, b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeSystem:
    """What the table of a machine is made from. Empty texts are not specified in the table.

    ``board``: manufacturer, product, serial number of the base board, None for the system's own; ``chassis``:
    manufacturer, serial; ``bios``: vendor, version, date; ``cpus``: version of the processor in each used socket;
    ``modules``: bytes of each memory slot, 0 for an empty one.
    """

    manufacturer: str = "GPROV_QEMU"
    product: str = "mfg_test"
    serial: str = "SIM00001"
    sku: str = ""
    version: str = "1"
    family: str = ""
    uuid: bytes = bytes(range(1, 17))
    board: tuple[str, str, str] | None = None
    chassis: tuple[str, str] = ("GPROV", "")
    bios: tuple[str, str, str] = ("GPROV", "1.0", "01/02/2024")
    cpus: Sequence[str] = ("Simulated CPU",)
    empty_sockets: int = 0
    modules: Sequence[int] = (1 << 30,)


_SYSTEM = FakeSystem()


def build_table(system: FakeSystem = _SYSTEM) -> bytes:
    """A raw table (types 0, 1, 2, 3, 4, 17 and 127)."""
    own = (system.manufacturer, system.product, system.version, system.serial)
    parts = [_bios(system.bios), _system(own, system.uuid, (system.sku, system.family))]
    parts.append(_board(system.board or (system.manufacturer, system.product, system.serial)))
    parts.append(_chassis(system.chassis))
    sockets = [*system.cpus, *[""] * system.empty_sockets]
    parts.extend(_processor(index, cpu, index < len(system.cpus)) for index, cpu in enumerate(sockets))
    parts.extend(_module(index, size) for index, size in enumerate(system.modules))
    return b"".join(parts) + end_of_table()


def build_dump(table: bytes, version: tuple[int, int] = (3, 3)) -> bytes:
    """A file as ``dmidecode --dump-bin`` writes it: 64-bit entry point, table at offset 32."""
    fixed = struct.pack("<BBBBBBIQ", _ENTRY_SIZE, *version, 0, 1, 0, len(table), _DUMP_OFFSET)
    checksum = -(sum(b"_SM3_") + sum(fixed)) & 0xFF
    return (b"_SM3_" + bytes([checksum]) + fixed).ljust(_DUMP_OFFSET, b"\0") + table


class _Strings:
    """The string set of one structure: ``add`` gives the number of a text, 0 for an empty one."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, text: str) -> int:
        if not text:
            return 0
        self.texts.append(text)
        return len(self.texts)


def _bios(bios: tuple[str, str, str]) -> bytes:
    strings = _Strings()
    vendor, version, date = (strings.add(text) for text in bios)
    formatted = struct.pack("<BBHBBQBBBBBBH", vendor, version, 0, date, 0xFF, 0x08, 0, 0x08, 1, 0, 0xFF, 0xFF, 16)
    return build_structure(0, 0x0000, formatted, strings.texts)


def _system(texts: tuple[str, str, str, str], uuid: bytes, more: tuple[str, str]) -> bytes:
    strings = _Strings()
    first = bytes(strings.add(text) for text in texts)
    last = bytes(strings.add(text) for text in more)
    return build_structure(1, 0x0100, first + uuid + b"\x06" + last, strings.texts)


def _board(board: tuple[str, str, str]) -> bytes:
    strings = _Strings()
    manufacturer, product, serial = (strings.add(text) for text in board)
    formatted = struct.pack("<BBBBBBBHBB", manufacturer, product, 0, serial, 0, 0x01, 0, 0x0300, 0x0A, 0)
    return build_structure(2, 0x0200, formatted, strings.texts)


def _chassis(chassis: tuple[str, str]) -> bytes:
    strings = _Strings()
    manufacturer, serial = (strings.add(text) for text in chassis)
    formatted = struct.pack("<BBBBBBBBBIBBBBB", manufacturer, 0x17, 0, serial, 0, 3, 3, 3, 2, 0, 1, 1, 0, 0, 0)
    return build_structure(3, 0x0300, formatted, strings.texts)


def _processor(index: int, version: str, populated: bool) -> bytes:
    strings = _Strings()
    socket, maker, name = strings.add(f"CPU {index}"), strings.add("GPROV"), strings.add(version)
    head = struct.pack("<BBBBQB", socket, 0x03, 0x02, maker, 0, name)
    clocks = struct.pack("<BHHHBB", 0, 0, 2000, 2000, 0x41 if populated else 0, 0x01)
    caches = struct.pack("<HHHBBB", 0xFFFF, 0xFFFF, 0xFFFF, 0, 0, 0)
    return build_structure(4, 0x0400 + index, head + clocks + caches + bytes([1, 1, 1, 4, 0]), strings.texts)


def _module(index: int, size: int) -> bytes:
    strings = _Strings()
    locator = strings.add(f"DIMM {index}")
    megabytes = size // _MIB
    short, extended = (megabytes, 0) if megabytes < 0x7FFF else (0x7FFF, megabytes)
    head = struct.pack("<HHHHHBBBBBH", 0x1000, 0xFFFE, 64, 64, short, 0x09, 0, locator, 0, 0x1A, 0x80)
    tail = struct.pack("<HBBBBBIHHHH", 2400, 0, 0, 0, 0, 1, extended, 2400, 0, 0, 0)
    return build_structure(17, 0x1100 + index, head + tail, strings.texts)

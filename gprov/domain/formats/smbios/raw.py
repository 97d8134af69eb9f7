"""An SMBIOS table as text that shows every byte, for a log."""

from __future__ import annotations

from gprov.domain.formats.smbios.table import SmbiosTable


def raw_lines(table: SmbiosTable) -> tuple[str, ...]:
    """A line for each structure: handle, type, formatted area in hexadecimal, strings."""
    return tuple(
        f"SMBIOS handle 0x{one.handle:04x}, type {one.type}: {one.formatted.hex()} {list(one.strings)}"
        for one in table.structures
    )

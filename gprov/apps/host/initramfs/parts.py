"""Parts of an initramfs: to which program, library or database a file belongs, for the report of ``gprov build``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from typing_extensions import override


class PartKind(Enum):
    """The values are headings of the report; the order is its order."""

    PROGRAM = "programs"
    APPLETS = "commands that are links to another program"
    DATABASE = "databases"
    COPY = "copies"
    LIBRARY = "libraries"
    PYTHON = "Python"
    OTHER = "other files"


@dataclass(frozen=True, slots=True)
class Part:
    """``name``: of the program, library, package or folder."""

    kind: PartKind
    name: str

    @override
    def __str__(self) -> str:
        return f"{self.name} ({self.kind.value})"


CONFIGURATION = Part(PartKind.OTHER, "configuration")
FOLDERS = Part(PartKind.OTHER, "folders")
BOOT_LOADER = Part(PartKind.OTHER, "boot loader")
FIRMWARE = Part(PartKind.OTHER, "firmware of devices")
INTERPRETER = Part(PartKind.PYTHON, "interpreter")
STANDARD_LIBRARY = Part(PartKind.PYTHON, "standard library")


@dataclass(frozen=True, slots=True)
class PartSize:
    """``size``: bytes of content; ``files``: number of nodes, links included."""

    part: Part
    size: int
    files: int


def report_lines(sizes: Sequence[PartSize]) -> list[str]:
    """A table: for each kind its bytes, then its parts, largest first. Parts that are links have their number."""
    lines: list[str] = []
    for kind in PartKind:
        found = [each for each in sizes if each.part.kind is kind and (each.size or kind is PartKind.APPLETS)]
        if not found:
            continue
        lines.append(f"{sum(each.size for each in found):>12,}  {kind.value}: {len(found)}")
        for each in sorted(found, key=lambda each: (-each.size, each.part.name)):
            shown = f"{each.files} links" if kind is PartKind.APPLETS else f"{each.size:,}"
            lines.append(f"{shown:>14}  {each.part.name}")
    return lines

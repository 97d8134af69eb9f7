"""``/etc/fstab`` as values and as text (fstab(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FstabEntry:
    """``source`` as ``LABEL=…``, ``UUID=…`` or a path, unescaped. ``passno``: order of checks at boot, 0 for none."""

    source: str
    target: str
    kind: str
    options: tuple[str, ...] = ("defaults",)
    passno: int = 0
    dump: int = 0


def render(entries: Iterable[FstabEntry]) -> str:
    """The file's text. Blanks, tabs, line ends, backslashes and # in a field become octal escapes."""
    return "".join(_line(entry) for entry in entries)


def _line(entry: FstabEntry) -> str:
    fields = (entry.source, entry.target, entry.kind, ",".join(entry.options))
    return " ".join((*map(_escaped, fields), str(entry.dump), str(entry.passno))) + "\n"


def _escaped(field: str) -> str:
    return re.sub(r"[ \t\n\r\\#]", lambda hit: f"\\{ord(hit[0]):03o}", field)

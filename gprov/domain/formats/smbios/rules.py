"""How a field of an SMBIOS structure becomes dmidecode's text: the parts that field tables are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.domain.formats.smbios.enum_names import EnumNames
from gprov.domain.formats.smbios.table import Structure

# None: the structure does not tell
Decode = Callable[[Structure], str | None]
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB", "ZB")


@dataclass(frozen=True, slots=True)
class Rule:
    """A label, and the length of the formatted area from which on dmidecode prints it."""

    label: str
    needs: int
    decode: Decode

    def value(self, structure: Structure) -> str | None:
        return self.decode(structure) if structure.length >= self.needs else None


def texts(needs: int, labels: str, first: int) -> tuple[Rule, ...]:
    """Strings whose numbers stand in consecutive bytes from ``first`` on."""
    return tuple(Rule(label, needs, text(first + index)) for index, label in enumerate(labels.split("|")))


def text(offset: int) -> Decode:
    return lambda structure: structure.text(offset)


def word(words: EnumNames, offset: int, mask: int = 0xFF, shift: int = 0) -> Decode:
    return lambda structure: words.name_of(structure.number(offset) >> shift & mask)


def number(
    offset: int, size: int = 1, *, form: str = "{}", special: dict[int, str] | None = None, absent: int | None = None
) -> Decode:
    """A number in the format ``form``; some numbers mean a word, and one may mean that there is nothing to tell."""
    words = special or {}

    def decode(structure: Structure) -> str | None:
        value = structure.number(offset, size)
        return None if value == absent else words.get(value, form.format(value))

    return decode


def release(offset: int) -> Decode:
    """Major and minor number of a version in two bytes; 0xFF in either: not told."""

    def decode(structure: Structure) -> str | None:
        major, minor = structure.number(offset), structure.number(offset + 1)
        return None if 0xFF in (major, minor) else f"{major}.{minor}"

    return decode


def megahertz(offset: int) -> Decode:
    return number(offset, 2, form="{} MHz", special={0: "Unknown"})


def size_text(size: int, unit: int = 0) -> str:
    """A size in the largest unit that fits, or the one below if the next ten bits are not all zero.
    ``unit``: what ``size`` counts, 0 bytes, 1 KiB, 2 MiB."""
    power = max(0, (size.bit_length() - 1) // 10)
    if power and size >> 10 * (power - 1) & 0x3FF:
        power -= 1
    return f"{size >> 10 * power} {_UNITS[power + unit]}"

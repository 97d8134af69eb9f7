"""The 256 words of IDENTIFY DEVICE data. Words are little-endian; texts have the first character in the high byte."""

from __future__ import annotations

import struct

from gprov.domain.formats.printable import printable_text

_WORDS = struct.Struct("<256H")
# Bits 14 and 15 of a word whose contents are valid.
_VALID = 0b01


class IdentifyWords:
    """``raw``: 512 bytes."""

    __slots__ = ("_words",)

    def __init__(self, raw: bytes) -> None:
        self._words: tuple[int, ...] = _WORDS.unpack(raw)

    def __getitem__(self, index: int) -> int:
        return self._words[index]

    def bit(self, index: int, bit: int) -> bool:
        """A bit of a word; a word of only ones is not implemented (what an open bus reads as)."""
        word = self._words[index]
        return word != 0xFFFF and bool(word >> bit & 1)

    def valid(self, index: int) -> bool:
        """Bits 14 and 15 state that the word is valid."""
        return self._words[index] >> 14 == _VALID

    def feature(self, index: int, bit: int) -> bool:
        """A bit of words 82 and 83 (supported feature sets), which are valid if bits 14 and 15 of word 83 say so."""
        return self.valid(83) and self.bit(index, bit)

    def extended_feature(self, index: int, bit: int) -> bool:
        """A bit of word 119 (further supported feature sets)."""
        return self.valid(119) and self.bit(index, bit)

    def number(self, index: int, count: int) -> int:
        """``count`` words as a number, least significant word first."""
        return sum(word << 16 * place for place, word in enumerate(self._words[index : index + count]))

    def text(self, index: int, count: int) -> str:
        """``count`` words as a text, without surrounding blanks and zeros."""
        raw = b"".join(word.to_bytes(2) for word in self._words[index : index + count])
        return printable_text(raw.decode("ascii", errors="replace").strip(" \0"))

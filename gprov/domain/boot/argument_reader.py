"""Reads typed values of kernel arguments. A malformed value never stops a boot: the default is used instead, and a note
is added."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

YES_WORDS = ("1", "yes", "true", "on")
NO_WORDS = ("0", "no", "false", "off")

_MAX_SECONDS = 86400.0
# A USB string has at most 126 characters.
_MAX_PLAIN = 126

E = TypeVar("E", bound=Enum)


class ArgumentReader:
    """Reads typed values of single arguments. ``notes``: one sentence per malformed argument."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.notes: list[str] = []

    def text(self, key: str) -> str:
        return self._environment.get(key, "").strip()

    def plain(self, key: str) -> str:
        """A text that an argument can repeat in quotes."""
        text = self.text(key)
        if len(text) > _MAX_PLAIN or not text.isascii() or not text.isprintable() or '"' in text:
            self._note(key, text, f"at most {_MAX_PLAIN} printable ASCII characters without quotes")
            return ""
        return text

    def word(self, key: str, words: Mapping[str, E], default: E, *, strip: str = "") -> E:
        text = self.text(key)
        if not text:
            return default
        found = words.get(text.lower().strip(strip) if strip else text.lower())
        if found is None:
            self._note(key, text, f"one of {', '.join(word for word in words if word)}")
            return default
        return found

    def is_word(self, key: str, word: str) -> bool:
        text = self.text(key)
        if text and text.lower() != word:
            self._note(key, text, word)
        return text.lower() == word

    def switch(self, key: str) -> bool:
        """Return False for "0", "no", "false", "off" or an empty value, else True (compatible with gprovision)."""
        return self.text(key).lower() not in ("", *NO_WORDS)

    def seconds(self, key: str, default: float) -> float:
        value = self.optional_seconds(key)
        return default if value is None else value

    def optional_seconds(self, key: str) -> float | None:
        text = self.text(key)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value <= _MAX_SECONDS:
            self._note(key, text, f"seconds, 0 to {_MAX_SECONDS:g}")
            return None
        return value

    def _note(self, key: str, text: str, expected: str) -> None:
        self.notes.append(f"kernel argument {key}={text[:80]!r} is ignored: not {expected}")

"""JSON values: their type, which texts and numbers are taken, and how a message names what stands there instead.

A document can hold more than can be stored, shown or written back: escapes that are no characters, endless digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Json = Mapping[str, "Json"] | Sequence["Json"] | str | int | float | bool | None
# Larger numbers mean nothing here, and could not be written back: Python refuses to print what has too many digits.
_MAX_INTEGER = 2**63 - 1


def as_text(value: Json) -> str | None:
    """None if it is no text, or torn."""
    return value if isinstance(value, str) and not has_lone_surrogate(value) else None


def has_lone_surrogate(text: str) -> bool:
    """Escapes can make text that no file and no terminal takes."""
    return any("\ud800" <= character <= "\udfff" for character in text)


def as_integer(value: Json) -> int | None:
    """Also what is written with a fraction of zero. None if it is no such number, or has more than 63 bits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) <= _MAX_INTEGER else None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return None


def is_list(value: Json) -> bool:
    return isinstance(value, list)


def kind_of(value: Json) -> str:
    """What stands there, in a few words: text is cut."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text {value[:40]!r}"
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        return "a number of more than 63 bits"
    if isinstance(value, (int, float)):
        return f"number {value}"
    return "an object" if isinstance(value, Mapping) else "a list"

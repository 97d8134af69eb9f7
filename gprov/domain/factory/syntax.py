"""Limits and characters of what messages hold, and the conversions that make a text or address fit them."""

from __future__ import annotations

import re

MAX_BODY = 2 << 20  # bytes of one request, everything included
MAX_EVENTS = 500  # in one batch
MAX_BATCH_TEXT = 256 << 10  # characters of all events of a batch as a client makes it; 6 bytes each at worst
MAX_TEXT = 8 << 10  # characters of one log line
MAX_LABEL = 500  # characters of a step's description or a task's name
MAX_SERIAL = 64
MAX_NAME = 100  # characters of a document's or platform's name
MAX_DOCUMENT = 256 << 10  # characters of a document
MAX_REPORT = 1 << 20  # characters of an erase report
MAX_NICS = 64
MAX_PASSWORD = 128
MAX_NUMBER = 2**63 - 1  # what an SQL integer holds; as nanoseconds it lasts until the year 2262

# Regular expressions that match as a whole, in the common part of the dialects of Python and of JSON Schema (ECMA-262).
PRINTABLE = "[!-~]([ -~]*[!-~])?"
SESSION = "[0-9a-f]{32}"
DIGEST = "[0-9a-f]{64}"
MAC = "[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}"
# Control characters, besides tab and line ends, act on the terminal that a log is shown on.
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
CLEAN = f"[^{_CONTROLS}]*"
# Half a surrogate pair is no character and has no UTF-8.
UNCLEAN = re.compile(rf"[{_CONTROLS}\ud800-\udfff]")

_MAC = re.compile(MAC)
_PRINTABLE = re.compile(PRINTABLE)


def clean(text: str, most: int) -> str:
    """The text with unprintable characters replaced, cut to ``most`` characters with a note of that at its end."""
    if len(text) > most:
        note = f" … (cut, was {len(text)} characters)"
        text = text[: most - len(note)] + note
    return UNCLEAN.sub("\ufffd", text)


def mac(text: str) -> str | None:
    """The address in lower case with colons; None if the text is not a MAC address."""
    return text.lower().replace("-", ":") if _MAC.fullmatch(text) else None


def is_serial(text: str) -> bool:
    """Whether a unit can report with it as its serial number."""
    return len(text) <= MAX_SERIAL and _PRINTABLE.fullmatch(text) is not None


def whole_number(text: str, least: int, most: int) -> int | None:
    """Of decimal digits, no more than ``most`` has; None if the text is no such number, or not within these bounds."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if least <= number <= most else None

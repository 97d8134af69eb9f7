"""What may stand in a message: sizes, characters, and the texts that a client makes fit.

The server refuses what breaks these rules; the client's encoders never produce it. Both sides read them here.
"""

from __future__ import annotations

import re

from gprov.domain.formats.json.object import JsonObject

MAX_BODY = 2 << 20  # bytes of one request, everything included
MAX_EVENTS = 500  # in one batch
MAX_BATCH_TEXT = 256 << 10  # characters of all events of a batch as a client makes it; 6 bytes each at worst
MAX_TEXT = 8 << 10  # characters of one log line
MAX_LABEL = 500  # characters of a step's description or a task's name
MAX_SERIAL = 64
MAX_NAME = 100  # characters of a document's or platform's name
MAX_DOCUMENT = 256 << 10  # characters of a document
MAX_NICS = 64
MAX_NUMBER = 2**63 - 1  # what an SQL integer holds; as nanoseconds it lasts until the year 2262

_PRINTABLE = re.compile(r"[\x20-\x7e]*\Z")
_SESSION = re.compile(r"[0-9a-f]{32}\Z")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}\Z")
# Control characters (besides tab and line ends) would act on the terminal of whoever reads a log; half a
# surrogate pair is no character at all and has no UTF-8.
_UNCLEAN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(text: str, most: int) -> str:
    """The text with unprintable characters replaced and cut to ``most`` characters, saying so at its end."""
    if len(text) > most:
        note = f" … (cut, was {len(text)} characters)"
        text = text[: most - len(note)] + note
    return _UNCLEAN.sub("\ufffd", text)


def free_text(obj: JsonObject, key: str, most: int) -> str:
    """Log text or a document: any clean text of at most ``most`` characters, several lines and emptiness included."""
    if not obj.has(key):
        obj.problem(key, "is missing")
        return ""
    text = obj.text(key)
    if len(text) > most:
        obj.problem(key, f"must have at most {most} characters, has {len(text)}")
        return ""
    found = _UNCLEAN.search(text)
    if found:
        obj.problem(key, f"holds the unprintable character U+{ord(found.group()):04X}")
        return ""
    return text


def name(obj: JsonObject, key: str, most: int = MAX_NAME) -> str:
    """A name: printable ASCII, neither empty nor with blanks at its ends."""
    text = obj.text(key, required=True)
    if len(text) > most:
        obj.problem(key, f"must have at most {most} characters, has {len(text)}")
    elif not _PRINTABLE.match(text):
        obj.problem(key, "must be printable ASCII")
    elif text.strip() and text != text.strip():
        obj.problem(key, "must not begin or end with a blank")
    return text


def serial(obj: JsonObject) -> str:
    """A serial number. Anything printable goes: real ones have slashes, dots and blanks inside."""
    return name(obj, "serial", MAX_SERIAL)


def session(obj: JsonObject) -> str:
    """The unguessable name of one run of a client: 32 hex digits in lower case."""
    text = obj.text("session", required=True)
    if text.strip() and not _SESSION.match(text):
        obj.problem("session", "must be 32 hex digits in lower case")
    return text


def mac(text: str) -> str | None:
    """The address in lower case with colons; None if it is none."""
    lower = text.lower().replace("-", ":")
    return lower if _MAC.match(lower) else None

"""Kinds of member that erase reports and certificates have, besides those of the factory's messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from typing_extensions import override

from gprov.domain.factory.fields import Kind, LogText, Schema, Text
from gprov.domain.factory.syntax import MAX_NUMBER
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json

_INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = 12
MAX_LINE = 500

# Text of drives and messages. Writing replaces control characters and cuts what is too long, with a note of that.
LINE = LogText(MAX_LINE)
SHA256 = Text(64, "[0-9a-f]{64}", "must be 64 hex digits in lower case")


def rfc3339(time_ns: int) -> str:
    """``time_ns``: UTC, nanoseconds since 1970. The text has nine fractional digits and ends with Z."""
    seconds, rest = divmod(min(max(time_ns, 0), MAX_NUMBER), 10**9)
    return f"{(_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]}.{rest:09d}Z"


def parse_rfc3339(text: str) -> int | None:
    """Inverse of ``rfc3339``; None for any other text."""
    if not re.fullmatch(_INSTANT, text):
        return None
    try:
        # Not strptime(): it imports a module that no import statement names, and that the initramfs may lack.
        instant = datetime.fromisoformat(f"{text[:19]}+00:00")
    except ValueError:
        return None
    time_ns = (instant - _EPOCH) // timedelta(seconds=1) * 10**9 + int(text[20:29])
    return time_ns if 0 <= time_ns <= MAX_NUMBER else None


class Instant(Kind[int]):
    """UTC, nanoseconds since 1970; written as RFC 3339."""

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> int:
        text = obj.text(key, required=required)
        found = parse_rfc3339(text)
        if found is None and text.strip():
            obj.problem(key, f"must be a time like {rfc3339(0)}, is {text[:40]!r}")
        return found or 0

    @override
    def write(self, value: int) -> Json:
        return rfc3339(value)

    @override
    def schema(self) -> Schema:
        return {"type": "string", "format": "date-time", "pattern": f"^{_INSTANT}$(?!\\n)"}


@dataclass(frozen=True)
class Number(Kind[float]):
    """From 0 to ``maximum``, with 12 decimal places. Writing makes it fit."""

    maximum: float

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> float:
        return obj.number(key, required=required, minimum=0.0, maximum=self.maximum)

    @override
    def write(self, value: float) -> Json:
        # A value that is no number compares as false with everything, and becomes 0.
        return round(min(float(value), self.maximum), _DIGITS) if value > 0 else 0.0

    @override
    def schema(self) -> Schema:
        return {"type": "number", "minimum": 0, "maximum": self.maximum}


class Blank(Kind[None]):
    """Always null: for a person to complete on paper."""

    @override
    def read(self, obj: JsonObject, key: str, required: bool) -> None:
        if obj.has(key):
            obj.problem(key, "must be null: gprov makes no such decision")

    @override
    def write(self, value: None) -> Json:
        return None

    @override
    def schema(self) -> Schema:
        return {"type": "null"}


INSTANT = Instant()
SHARE = Number(1.0)
SECONDS = Number(1e9)
BLANK = Blank()

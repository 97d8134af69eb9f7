"""Bytes as they read after decoding or joining, with the place in the original of each byte.

Each view takes time in proportion to the content: its pattern matches at most some bytes at a time.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

# Substitution, or None to leave a match as it is.
_Decode = Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class View:
    """Segment ``i`` of ``content`` begins at ``places[i]`` and comes from ``sources[i]`` of the parent's content on.
    Odd segments replace all of their source, even ones are equal to it."""

    content: bytes
    places: list[int]
    sources: list[int]
    parent: View | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original that a part of ``content`` (not empty) comes from."""
        first = self._segment(start)
        begin = self.sources[first] + (0 if first % 2 else start - self.places[first])
        last = self._segment(end - 1)
        stop = self.sources[last + 1] if last % 2 else self.sources[last] + end - self.places[last]
        return self.parent.span(begin, stop) if self.parent is not None else (begin, stop)

    def _segment(self, place: int) -> int:
        return bisect_right(self.places, place) - 1


def plain_view(content: bytes) -> View:
    return View(content, [0], [0])


def decoded_views(plain: View) -> list[View]:
    """Of percent-encoded text (RFC 3986), and of text in which characters are escaped by backslashes: JSON (RFC 8259),
    C, shells. Views that differ in nothing are left out."""
    views = (_substituted(plain, _PERCENT, _percent_decoded), _substituted(plain, _ESCAPE, _unescaped))
    return [view for view in views if len(view.places) > 1]


def joined_base64(parent: View) -> View:
    """Line breaks left out, the URL alphabet replaced by the standard one (RFC 4648)."""
    standard = View(parent.content.translate(_STANDARD), [0], [0], parent)
    return _substituted(standard, _LINE_BREAK, lambda _: b"")


def joined_hex(parent: View) -> View:
    """Lower case, with nothing between the digits of one byte and of the next."""
    lower = View(parent.content.lower(), [0], [0], parent)
    return _substituted(lower, _HEX_SEPARATOR, lambda _: b"")


_STANDARD = bytes.maketrans(b"-_", b"+/")
_LINE_BREAK = re.compile(rb"(?<=[A-Za-z0-9+/])\r?\n[ \t]{0,16}(?=[A-Za-z0-9+/])")
_HEX_SEPARATOR = re.compile(rb"(?<=[0-9a-f]{2})(?:[:,;\s-]{1,3}(?:0x)?|0x)(?=[0-9a-f]{2})")
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")
# A quote within quotes of a shell ('\'' and '"'"'), pairs of surrogates, numbers, and all other single characters.
_ESCAPE = re.compile(
    rb"""'\\''|'"'"'"""
    rb"|\\(?:u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}"
    rb"|x[0-9A-Fa-f]{2}|[0-3][0-7]{2}|[^\n])"
)
_SINGLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f", b"a": b"\a", b"v": b"\v", b"e": b"\x1b"}


def _substituted(parent: View, pattern: re.Pattern[bytes], decode: _Decode) -> View:
    content = parent.content
    pieces: list[bytes] = []
    places, sources = [0], [0]
    done = size = 0
    for match in pattern.finditer(content):
        new = decode(match[0])
        if new is None:
            continue
        start, end = match.span()
        size += start - done
        pieces += (content[done:start], new)
        places += (size, size + len(new))
        sources += (start, end)
        size += len(new)
        done = end
    pieces.append(content[done:])
    return View(b"".join(pieces), places, sources, parent)


def _percent_decoded(match: bytes) -> bytes:
    return bytes.fromhex(match[1:].decode("ascii"))


def _unescaped(match: bytes) -> bytes | None:
    if match[:1] == b"'":
        return b"'"
    kind, digits = match[1:2], match[2:].decode("ascii", "replace")
    if kind == b"u" and len(match) == 12:
        return (bytes.fromhex(digits[:4]) + bytes.fromhex(digits[6:])).decode("utf-16-be").encode()
    if kind in b"uU" and digits:
        return chr(int(digits, 16)).encode("utf-8", "surrogatepass") if int(digits, 16) < 0x110000 else None
    if kind == b"x" and digits:
        return bytes.fromhex(digits)
    if digits:
        return bytes([int(match[1:], 8)])
    return _SINGLE.get(kind, kind)

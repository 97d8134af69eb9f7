"""Removes passwords from the output of programs, as they are and in the forms in which programs print them.

Forms: another letter case (letters outside of ASCII: all in it, or all swapped); base64 (RFC 4648, both alphabets, also
within a longer text such as ``user:password``, over several lines); hexadecimal digits, also separated;
percent-encoding; escapes of JSON, C and shells; and UTF-16 and Latin-1 of all of these. Of one encoding within another
(JSON in base64), only base64 and hexadecimal digits within percent-encoding or escapes are found.

The time is in proportion to the output: literal texts are searched in views of it (``scrub_views``).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from gprov.domain.mfg.scrub_views import View, decoded_views, joined_base64, joined_hex, plain_view

HIDDEN = "***"
# Characters. A shorter password is found only as it is: its other forms are too likely to be parts of other texts.
LEAST_ENCODED = 4

_HIDDEN = HIDDEN.encode()
_ENCODINGS = ("utf-8", "latin-1", "utf-16-le")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NO_DIGIT = 64
_VALUES = bytes(_BASE64.find(octet) if octet in _BASE64 else _NO_DIGIT for octet in range(256))
# Bytes of a form per byte of the password, at most. (Hexadecimal digits with three separators and 0x have 7, the same
# percent-encoded 20.)
_GROWTH = 32
_STEP = 1 << 18

Span = tuple[int, int]


def scrub(output: bytes, secrets: Iterable[str]) -> bytes:
    """The output with all passwords replaced by ``***``, including those that overlap."""
    scrubber = StreamScrubber(secrets)
    return scrubber.feed(output) + scrubber.finish()


class StreamScrubber:
    """The same for output that arrives in pieces, which may end within a password. Of what arrived, as much is held
    back as the longest form of a password has, and a piece."""

    PIECE: ClassVar[int] = 1 << 18

    def __init__(self, secrets: Iterable[str]) -> None:
        known = frozenset(secrets) - {""}
        self._needles = _Needles(known)
        longest = max((len(raw) for secret in known for raw in _spellings(secret)), default=0)
        self._held_back = longest * _GROWTH
        self._waiting = bytearray()
        self._hidden = 0  # bytes of ``_waiting`` that belong to a password already replaced

    def feed(self, piece: bytes) -> bytes:
        """The scrubbed output that is complete; it lags behind."""
        done = []
        for start in range(0, len(piece), _STEP):
            self._waiting += piece[start : start + _STEP]
            if len(self._waiting) >= self.PIECE + 2 * self._held_back:
                done.append(self._take(self._cut()))
        return b"".join(done)

    def finish(self) -> bytes:
        """The rest."""
        return self._take(len(self._waiting))

    def _cut(self) -> int:
        """Where to cut: not within a row of backslashes, of which the last may or may not begin an escape."""
        cut = len(self._waiting) - self._held_back
        row = cut - len(self._waiting[:cut].rstrip(b"\\"))
        return cut - row if row < self._held_back else cut

    def _take(self, cut: int) -> bytes:
        content = bytes(self._waiting)
        spans = _merged([(0, self._hidden), *self._needles.spans(content)])
        pieces: list[bytes] = []
        done = 0
        hidden = 0
        for start, end in spans:
            if start >= cut:
                break
            pieces.append(content[done:start])
            if start or not self._hidden:
                pieces.append(_HIDDEN)
            done = min(end, cut)
            hidden = end - done
        pieces.append(content[done:cut])
        del self._waiting[:cut]
        self._hidden = hidden
        return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class _Base64:
    """Digits that a password determines wholly, and bits of the digits beside them that it determines: value and
    mask."""

    digits: bytes
    before: tuple[int, int] | None
    after: tuple[int, int] | None

    def spans(self, content: bytes) -> Iterator[Span]:
        for begin, stop in _occurrences(content, self.digits):
            start = begin - (self.before is not None)
            end = stop + (self.after is not None)
            if start < 0 or end > len(content):
                continue
            if (self.before is None or _fits(content[start], self.before)) and (
                self.after is None or _fits(content[stop], self.after)
            ):
                padding = content[end : end + 2]
                yield start, end + len(padding) - len(padding.lstrip(b"="))


class _Needles:
    """What to search for, by the view in which it is searched."""

    def __init__(self, secrets: frozenset[str]) -> None:
        self._short = [secret.encode("utf-8", "surrogatepass") for secret in secrets if len(secret) < LEAST_ENCODED]
        spellings = sorted({raw for secret in secrets if len(secret) >= LEAST_ENCODED for raw in _spellings(secret)})
        plain = {raw.lower() for raw in spellings}
        self._plain = sorted(plain | {raw.replace(b" ", b"+") for raw in plain})  # blanks in forms are plus signs
        self._hex = sorted({raw.hex().encode() for raw in spellings})
        self._base64 = [_base64(raw, offset) for raw in spellings for offset in range(3)]

    def spans(self, content: bytes) -> Iterator[Span]:
        """Of the content, in any order."""
        for needle in self._short:
            yield from _merged(_occurrences(content, needle))
        if not self._plain:
            return
        whole = plain_view(content)
        for view in (whole, *decoded_views(whole)):
            lower = view.content.lower()
            for needle in self._plain:
                yield from _placed(view, _occurrences(lower, needle))
            digits = joined_hex(view)
            for needle in self._hex:
                yield from _placed(digits, _occurrences(digits.content, needle))
            base64 = joined_base64(view)
            for form in self._base64:
                yield from _placed(base64, form.spans(base64.content))


def _spellings(secret: str) -> Iterator[bytes]:
    for text in (secret, secret.lower(), secret.upper(), secret.swapcase()):
        for encoding in _ENCODINGS:
            try:
                yield text.encode(encoding, "strict" if encoding == "latin-1" else "surrogatepass")
            except UnicodeEncodeError:
                continue  # no program prints it in this encoding


def _base64(raw: bytes, offset: int) -> _Base64:
    """``offset``: bytes before the password, modulo 3."""
    digits = b64encode(bytes(offset) + raw)
    first, last = 8 * offset, 8 * (offset + len(raw))  # bits
    begin, end = -(-first // 6), last // 6
    before = (_VALUES[digits[begin - 1]], (1 << (6 * begin - first)) - 1) if first % 6 else None
    after = (_VALUES[digits[end]], 0x3F & -(1 << (6 * (end + 1) - last))) if last % 6 else None
    return _Base64(digits[begin:end], before, after)


def _fits(digit: int, bits: tuple[int, int]) -> bool:
    value, mask = bits
    return _VALUES[digit] != _NO_DIGIT and _VALUES[digit] & mask == value & mask


def _occurrences(content: bytes, needle: bytes) -> Iterator[Span]:
    """All, also those that overlap. ``bytes.find`` takes linear time."""
    start = content.find(needle)
    while start >= 0:
        yield start, start + len(needle)
        start = content.find(needle, start + 1)


def _placed(view: View, found: Iterable[Span]) -> Iterator[Span]:
    """In the original. Merged first: a text of one repeated character has as many occurrences as characters."""
    return (view.span(start, end) for start, end in _merged_ascending(found))


def _merged(spans: Iterable[Span]) -> list[Span]:
    return list(_merged_ascending(sorted(span for span in spans if span[0] < span[1])))


def _merged_ascending(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans that overlap become one. Those that only touch are two passwords."""
    begin = stop = -1
    for start, end in spans:
        if start < stop:
            stop = max(stop, end)
            continue
        if stop > begin:
            yield begin, stop
        begin, stop = start, end
    if stop > begin:
        yield begin, stop

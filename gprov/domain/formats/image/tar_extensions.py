"""What extended headers (pax, and GNU's for long names) say of the member that follows them."""

from __future__ import annotations

import re

from gprov.domain.formats.image.tar_attributes import concerns_attributes
from gprov.domain.formats.image.tar_fields import MAX_ID, MAX_SECONDS, Malformed, decimal, pax_number, pax_pairs, text

_GLOBAL_KEYS = (b"path", b"size", b"linkpath")
_GLOBAL = b"g"
_PATHS = (b"path", b"linkpath", b"GNU.sparse.name")
# tar stops at what it does not understand of these, when it is too late.
_TIMES = (b"mtime", b"atime", b"ctime")
_IDS = (b"uid", b"gid")
_TIME = re.compile(rb"(-?[0-9]{1,20})(?:\.[0-9]{0,20})?")
_VOLUME, _VOLUME_LABEL = b"GNU.volume.", b"GNU.volume.label"


class Extensions:
    """Gathered until their member comes, then cleared. ``start``: offset of the first of them, None if there is none.
    ``pairs``: keywords and values of the pax header, in order; ``pax``: by keyword.

    ``takers``: for each type of extended header, who takes its payload.
    """

    def __init__(self) -> None:
        self.start: int | None = None
        self.pax: dict[bytes, bytes] = {}
        self.pairs: list[tuple[bytes, bytes]] = []
        self._types = b""  # of those that are here
        self._long_name = b""
        self._long_link = b""
        self._global_owner = False
        # X is what Solaris writes for x.
        self.takers = {
            b"x": self._take_pax,
            b"X": self._take_pax,
            b"g": self._take_global,
            b"L": self._take_name,
            b"K": self._take_link,
        }

    def begin(self, offset: int, kind: bytes) -> None:
        """An extended header of this type stands at ``offset``. Of two of one type, readers take the first, the last or
        both: what would be written is not what was verified."""
        kind = b"x" if kind == b"X" else kind
        if kind in self._types and kind != _GLOBAL:
            raise Malformed("two extended headers of one type for one member")
        self._types += kind
        if self.start is None:
            self.start = offset

    def clear(self) -> None:
        self.start = None
        self.pax = {}
        self.pairs = []
        self._types = b""
        self._long_name = self._long_link = b""

    @property
    def pending(self) -> bool:
        """Is there something that waits for its member?"""
        return bool(self.pax or self._long_name or self._long_link)

    @property
    def name(self) -> bytes:
        """Empty if the header has it."""
        return self.pax.get(b"GNU.sparse.name") or self.pax.get(b"path") or self._long_name

    @property
    def link(self) -> bytes:
        """Target of a link; empty if the header has it."""
        return self.pax.get(b"linkpath") or self._long_link

    def size(self, in_header: int) -> int:
        """Bytes of data in the archive."""
        told = pax_number(self.pax, b"size")
        return in_header if told is None else told

    def owner(self, in_header: int) -> int | None:
        """Its uid; None if a global header sets one, which reaches into all members that follow."""
        told = pax_number(self.pax, b"uid")
        return None if self._global_owner else in_header if told is None else told

    def time(self, in_header: int) -> int:
        """Modification time, in whole seconds since 1970."""
        told = self.pax.get(b"mtime")
        return in_header if told is None else pax_time(b"mtime", told)

    def _take_pax(self, payload: bytes) -> None:
        self.pairs = pax_pairs(payload)
        self.pax = dict(self.pairs)
        for key, value in self.pairs:
            _check(key, value)

    def _take_global(self, payload: bytes) -> None:
        """Concerns all members that follow; what would change where they go, how long they are or what they have
        besides has no use here."""
        for key, value in pax_pairs(payload):
            if key in _GLOBAL_KEYS or key.startswith(b"GNU.sparse") or concerns_attributes(key):
                raise Malformed(f"a global extended header sets {key.decode(errors='replace')!r} for all members")
            _check(key, value)
            self._global_owner = self._global_owner or key == b"uid"
        if not self.pending:
            self.clear()

    def _take_name(self, payload: bytes) -> None:
        self._long_name = _require_text(text(payload), "a long name")

    def _take_link(self, payload: bytes) -> None:
        self._long_link = _require_text(text(payload), "a long link")


def pax_time(key: bytes, value: bytes) -> int:
    """Whole seconds, rounded towards the past."""
    match = _TIME.fullmatch(value)
    if match is None or abs(int(match[1])) >= MAX_SECONDS:
        raise Malformed(f"extended header: {key.decode()} is {value[:40]!r}, not a number that a time can be")
    seconds = int(match[1])
    fraction = value.partition(b".")[2].strip(b"0")
    return seconds - 1 if fraction and value.startswith(b"-") else seconds


def _check(key: bytes, value: bytes) -> None:
    """What tar reads of a record. Others it passes over."""
    if key in _TIMES:
        pax_time(key, value)
    elif key in _IDS:
        decimal(value, key.decode(), MAX_ID)
    elif key in _PATHS:
        _require_text(value, key.decode())
    elif key.startswith(_VOLUME) and key != _VOLUME_LABEL:
        raise Malformed("this is a part of an archive on several volumes")


def _require_text(value: bytes, subject: str) -> bytes:
    if not value or b"\0" in value:
        raise Malformed(f"extended header: {subject} is empty or holds a null byte")
    return value

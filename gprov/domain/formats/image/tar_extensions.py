"""What extended headers (pax, and GNU's for long names) say of the member that follows them."""

from __future__ import annotations

import re

from gprov.domain.formats.image.tar_fields import Malformed, pax_number, pax_records, text

_GLOBAL_KEYS = (b"path", b"size", b"linkpath")
_GLOBAL = b"g"
_PATHS = (b"path", b"linkpath", b"GNU.sparse.name")
# tar stops at what it does not understand of these, when it is too late.
_NUMBERS = (b"mtime", b"atime", b"ctime", b"uid", b"gid")
_NUMBER = re.compile(rb"-?[0-9]{1,20}(\.[0-9]{0,20})?")


class Extensions:
    """Gathered until their member comes, then cleared. ``start``: offset of the first of them, None if there is none.

    ``takers``: for each type of extended header, who takes its payload.
    """

    def __init__(self) -> None:
        self.start: int | None = None
        self.pax: dict[bytes, bytes] = {}
        self._types = b""  # of those that are here
        self._long_name = b""
        self._long_link = b""
        self.takers = {b"x": self._take_pax, b"g": self._take_global, b"L": self._take_name, b"K": self._take_link}

    def begin(self, offset: int, kind: bytes) -> None:
        """An extended header of this type stands at ``offset``. Of two of one type, readers take the first, the last or
        both: what would be written is not what was verified."""
        if kind in self._types and kind != _GLOBAL:
            raise Malformed("two extended headers of one type for one member")
        self._types += kind
        if self.start is None:
            self.start = offset

    def clear(self) -> None:
        self.start = None
        self.pax = {}
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

    def _take_pax(self, payload: bytes) -> None:
        self.pax = pax_records(payload)
        for key in _PATHS:
            _require_text(self.pax.get(key, b"x"), key.decode())
        for key in _NUMBERS:
            if not _NUMBER.fullmatch(self.pax.get(key, b"0")):
                raise Malformed(f"extended header: {key.decode()} is {self.pax[key][:40]!r}, not a number")

    def _take_global(self, payload: bytes) -> None:
        """Concerns all members that follow; what would change where they go or how long they are has no use here."""
        for key in pax_records(payload):
            if key in _GLOBAL_KEYS or key.startswith(b"GNU.sparse"):
                raise Malformed(f"a global extended header sets {key.decode(errors='replace')} for all members")
        if not self.pending:
            self.clear()

    def _take_name(self, payload: bytes) -> None:
        self._long_name = _require_text(text(payload), "a long name")

    def _take_link(self, payload: bytes) -> None:
        self._long_link = _require_text(text(payload), "a long link")


def _require_text(value: bytes, what: str) -> bytes:
    if not value or b"\0" in value:
        raise Malformed(f"extended header: {what} is empty or holds a null byte")
    return value

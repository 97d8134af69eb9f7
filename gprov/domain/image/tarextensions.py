"""What extended headers (pax, and GNU's for long names) say of the member that follows them."""

from __future__ import annotations

from gprov.domain.image.tarfields import Malformed, pax_number, pax_records, text

_GLOBAL_KEYS = (b"path", b"size", b"linkpath")


class Extensions:
    """Gathered until their member comes, then cleared. ``start``: offset of the first of them, None if there is none.

    ``takers``: for each type of extended header, who takes its payload.
    """

    def __init__(self) -> None:
        self.start: int | None = None
        self.pax: dict[bytes, bytes] = {}
        self._long_name = b""
        self._long_link = b""
        self.takers = {b"x": self._take_pax, b"g": self._take_global, b"L": self._take_name, b"K": self._take_link}

    def begin(self, offset: int) -> None:
        """An extended header stands at ``offset``."""
        if self.start is None:
            self.start = offset

    def clear(self) -> None:
        self.start = None
        self.pax = {}
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
        self.pax = {**self.pax, **pax_records(payload)}

    def _take_global(self, payload: bytes) -> None:
        """Concerns all members that follow; what would change where they go or how long they are has no use here."""
        for key in pax_records(payload):
            if key in _GLOBAL_KEYS or key.startswith(b"GNU.sparse"):
                raise Malformed(f"a global extended header sets {key.decode(errors='replace')} for all members")
        if not self.pending:
            self.start = None

    def _take_name(self, payload: bytes) -> None:
        self._long_name = text(payload)

    def _take_link(self, payload: bytes) -> None:
        self._long_link = text(payload)

"""Why a client's message is refused though it is valid: too much of its kind, or no room."""

from __future__ import annotations

from gprov.domain.errors import GprovError


class TooMany(GprovError):
    """``wait_ns``: when it may be accepted."""

    def __init__(self, what: str, wait_ns: int) -> None:
        super().__init__(f"too many {what}; try again later")
        self.wait_ns = wait_ns


class NoRoom(GprovError):
    """The store takes no more of this kind, until a person makes room."""

"""What a TPM 2.0 states about its owner's data, before and after it is cleared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gprov.domain.formats.tpm.commands import FIRST_OF_PLATFORM

# TPMA_PERMANENT (TCG TPM 2.0 Library, Part 2, 8.6)
_OWNER_PASSWORD = 1 << 0
_ENDORSEMENT_PASSWORD = 1 << 1
_LOCKOUT_PASSWORD = 1 << 2
_CLEAR_DISABLED = 1 << 8


@dataclass(frozen=True, slots=True)
class TpmState:
    """``permanent``: TPMA_PERMANENT. ``persistent``: handles of persistent objects."""

    permanent: int
    persistent: tuple[int, ...]

    @property
    def why_not_clear(self) -> str:
        """Why TPM2_Clear by an operating system is not possible, "" if it is. It is then not tried: a wrong password of
        the lockout hierarchy locks that hierarchy, often for a day."""
        if self.permanent & _LOCKOUT_PASSWORD:
            return "the password of its lockout hierarchy is set"
        if self.permanent & _CLEAR_DISABLED:
            return "TPM2_Clear is disabled (TPM2_ClearControl)"
        return ""

    @property
    def left(self) -> tuple[str, ...]:
        """Data of an owner that are still there; empty after TPM2_Clear."""
        return tuple(self._left())

    def describe(self) -> str:
        """Data of an owner, in words."""
        return ", ".join(self.left) or "no password and no persistent object of an owner"

    def _left(self) -> Iterator[str]:
        for bit, hierarchy in (
            (_OWNER_PASSWORD, "owner"),
            (_ENDORSEMENT_PASSWORD, "endorsement"),
            (_LOCKOUT_PASSWORD, "lockout"),
        ):
            if self.permanent & bit:
                yield f"a password of the {hierarchy} hierarchy"
        count = len(_of_owner(self.persistent))
        if count:
            yield f"{count} persistent {'object' if count == 1 else 'objects'}"


def _of_owner(handles: Sequence[int]) -> tuple[int, ...]:
    return tuple(handle for handle in handles if handle < FIRST_OF_PLATFORM)

"""A store of numbers that never go down."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.trust.ratchets import RatchetValues, StoredRatchets


class Ratchets(Protocol):
    def read(self) -> StoredRatchets:
        """What is stored; zeros in a store that holds nothing yet. A number that is damaged does not hide the others.
        Raises BadInput for a store that answers what it must not, DeviceFault."""

    def raise_to(self, values: RatchetValues) -> None:
        """After this returns, each number is durably at least that of ``values``; a higher one stays as it is. A power
        cut leaves each number as before or as after. Raises as ``read``, DeviceFault."""

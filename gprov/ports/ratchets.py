"""A store of numbers that never go down."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.trust.ratchets import RatchetValues


class Ratchets(Protocol):
    def read(self) -> RatchetValues:
        """What is stored; zeros in a store that holds nothing yet. Raises BadInput for content that is damaged,
        DeviceFault."""

    def raise_to(self, values: RatchetValues) -> None:
        """After this returns, each number is durably at least that of ``values``; a higher one stays as it is. A power
        cut leaves each number as before or as after. Raises as ``read``, DeviceFault."""

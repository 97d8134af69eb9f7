"""Numbers of stores that the running system cannot read, or need not."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from gprov.domain.trust.ratchets import RatchetValues, serialise_ratchets
from gprov.ports.ratchets import Ratchets


def serialised_numbers(stores: Iterable[Ratchets]) -> bytes:
    """The largest of each. Raises BadInput, DeviceFault."""
    return serialise_ratchets(
        reduce(RatchetValues.raised_to, (store.read().values for store in stores), RatchetValues())
    )

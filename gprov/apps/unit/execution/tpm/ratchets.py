"""Ratchets in the TPM of the unit."""

from __future__ import annotations

from typing_extensions import override

from gprov.apps.unit.execution.tpm.nv_ratchet import raise_number, read_number
from gprov.apps.unit.execution.tpm.opening import conversation_with
from gprov.domain.errors import DeviceMissing
from gprov.domain.trust.ratchets import RatchetValues, StoredRatchets
from gprov.ports.clock import Clock
from gprov.ports.destructive.tpm import Tpm
from gprov.ports.ratchets import Ratchets

# In the range of the owner of the machine (TCG Registry of Reserved TPM 2.0 Handles and Localities, 2.2).
SECURITY_FLOOR_INDEX = 0x01806770
TRUST_VERSION_INDEX = 0x01806771


class TpmRatchets(Ratchets):
    """They can be raised only before the cap. An index that was replaced, or whose definition was not finished by its
    first value, is a problem of its own number alone; ``raise_to`` makes it anew. Without a TPM 2.0 nothing is stored,
    and ``raise_to`` raises DeviceMissing. Also raises BadInput for replies that are damaged."""

    def __init__(self, tpm: Tpm, clock: Clock) -> None:
        self._tpm = tpm
        self._clock = clock

    @override
    def read(self) -> StoredRatchets:
        try:
            with conversation_with(self._tpm, self._clock) as conversation:
                floor = read_number(conversation, SECURITY_FLOOR_INDEX)
                version = read_number(conversation, TRUST_VERSION_INDEX)
        except DeviceMissing:
            return StoredRatchets(RatchetValues())
        problems = tuple(one.problem for one in (floor, version) if one.problem)
        return StoredRatchets(RatchetValues(floor.value or 0, version.value or 0), problems)

    @override
    def raise_to(self, values: RatchetValues) -> None:
        with conversation_with(self._tpm, self._clock) as conversation:
            raise_number(conversation, SECURITY_FLOOR_INDEX, values.security_floor)
            raise_number(conversation, TRUST_VERSION_INDEX, values.trust_version)

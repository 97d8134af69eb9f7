"""Ratchets in the TPM of the unit."""

from __future__ import annotations

from typing_extensions import override

from gprov.apps.unit.execution.tpm.conversation import TPM
from gprov.apps.unit.execution.tpm.nv_ratchet import raise_number, read_number
from gprov.apps.unit.execution.tpm.opening import conversation_with
from gprov.domain.errors import BadInput, DeviceMissing, Problem
from gprov.domain.trust.ratchets import RatchetValues
from gprov.ports.clock import Clock
from gprov.ports.destructive.tpm import Tpm
from gprov.ports.ratchets import Ratchets

# In the range of the owner of the machine (TCG Registry of Reserved TPM 2.0 Handles and Localities, 2.2).
SECURITY_FLOOR_INDEX = 0x01806770
TRUST_VERSION_INDEX = 0x01806771


class TpmRatchets(Ratchets):
    """They can be raised only before the cap. ``read`` raises BadInput for an index that was replaced, or whose
    definition was not finished by its first value; ``raise_to`` makes such an index anew, and raises DeviceMissing
    without a TPM 2.0. Nothing is stored there."""

    def __init__(self, tpm: Tpm, clock: Clock) -> None:
        self._tpm = tpm
        self._clock = clock

    @override
    def read(self) -> RatchetValues:
        try:
            with conversation_with(self._tpm, self._clock) as conversation:
                found = [read_number(conversation, index) for index in (SECURITY_FLOOR_INDEX, TRUST_VERSION_INDEX)]
        except DeviceMissing:
            return RatchetValues()
        problems = [Problem("", one.problem) for one in found if one.problem]
        if problems:
            raise BadInput(TPM, problems)
        floor, version = (one.value or 0 for one in found)
        return RatchetValues(floor, version)

    @override
    def raise_to(self, values: RatchetValues) -> None:
        with conversation_with(self._tpm, self._clock) as conversation:
            raise_number(conversation, SECURITY_FLOOR_INDEX, values.security_floor)
            raise_number(conversation, TRUST_VERSION_INDEX, values.trust_version)

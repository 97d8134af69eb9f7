"""Clears the TPM: by TPM2_Clear, or, where that is not possible, by a request to the firmware."""

from __future__ import annotations

from gprov.apps.unit.execution.tpm.conversation import TpmConversation
from gprov.domain.erase.report import OptionResult, OptionStatus
from gprov.domain.erase.tpm_state import TpmState
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.domain.formats.tpm.commands import FIRST_PERSISTENT, PERMANENT, Capability, clear, get_capability
from gprov.domain.formats.tpm.replies import SUCCESS, parse_handles, parse_properties
from gprov.ports.clock import Clock
from gprov.ports.destructive.tpm import Tpm

OPTION = "TPM"
_TPM_2 = 2
_MOST_HANDLES = 64


class TpmClearing:
    def __init__(self, tpm: Tpm, clock: Clock) -> None:
        self._tpm = tpm
        self._clock = clock

    def run(self) -> OptionResult:
        """DONE only if the TPM itself states afterwards that nothing of an owner is left. Never raises GprovError."""
        try:
            version = self._tpm.version()
            if version is None:
                return _result(
                    OptionStatus.NOT_PRESENT,
                    "the kernel finds no TPM; one that is switched off in the firmware is as it was",
                )
            if version != _TPM_2:
                return self._by_firmware(f"it is a TPM {version}.x, which an operating system cannot clear")
            return self._clear()
        except (DeviceFault, BadInput) as error:
            return _result(OptionStatus.FAILED, str(error))

    def _clear(self) -> OptionResult:
        with self._tpm.open() as channel:
            conversation = TpmConversation(channel, self._clock)
            before = _state(conversation)
            reason = before.why_not_clear
            if not reason:
                reply = conversation.send(clear())
                if reply.code == SUCCESS:
                    return _cleared(before, _state(conversation))
                reason = f"TPM2_Clear: {reply.describe('lockout')}"
        return self._by_firmware(reason)

    def _by_firmware(self, reason: str) -> OptionResult:
        try:
            stated = self._tpm.request_clear()
        except DeviceMissing as missing:
            return _result(OptionStatus.FAILED, f"not cleared: {reason}; {missing.reason}. Clear it in the setup")
        except DeviceFault as fault:
            return _result(OptionStatus.FAILED, f"not cleared: {reason}; {fault}. Clear it in the setup")
        return _result(
            OptionStatus.PENDING,
            f"not cleared yet: {reason}; the firmware was asked to do it at the next start, where a person may have to "
            f"confirm it ({stated})",
        )


def _cleared(before: TpmState, after: TpmState) -> OptionResult:
    """``after``: what the TPM states after it has accepted TPM2_Clear."""
    if after.left:
        return _result(OptionStatus.FAILED, f"TPM2_Clear was accepted, but there are still: {after.describe()}")
    return _result(
        OptionStatus.DONE,
        f"cleared by TPM2_Clear; before: {before.describe()}; after: {after.describe()}. Data that the "
        "manufacturer put there (endorsement certificates, objects of the firmware) stay",
    )


def _state(conversation: TpmConversation) -> TpmState:
    """Raises DeviceFault, BadInput."""
    asked = get_capability(Capability.TPM_PROPERTIES, PERMANENT, 1)
    properties = parse_properties(conversation.ask("TPM2_GetCapability", asked))
    if PERMANENT not in properties:
        raise DeviceFault(OPTION, "does not state its permanent attributes")
    asked = get_capability(Capability.HANDLES, FIRST_PERSISTENT, _MOST_HANDLES)
    return TpmState(properties[PERMANENT], parse_handles(conversation.ask("TPM2_GetCapability", asked)))


def _result(status: OptionStatus, detail: str) -> OptionResult:
    return OptionResult(OPTION, status, detail)

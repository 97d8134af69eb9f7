"""Clears the TPM: by TPM2_Clear, or, where that is not possible, by a request to the firmware."""

from __future__ import annotations

from gprov.domain.erase.report import OptionResult, OptionStatus
from gprov.domain.erase.tpm_state import TpmState
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.domain.formats.tpm.commands import FIRST_PERSISTENT, PERMANENT, Capability, clear, get_capability
from gprov.domain.formats.tpm.replies import SUCCESS, TpmReply, parse_handles, parse_properties, parse_reply
from gprov.ports.clock import Clock
from gprov.ports.destructive.tpm import Tpm

OPTION = "TPM"
_TPM_2 = 2
# A TPM that tests itself, or saves its NVRAM, asks for the command again.
_ATTEMPTS = 20
_PAUSE = 1.0
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
        before = self._state()
        if reason := before.why_not_clear:
            return self._by_firmware(reason)
        reply = self._send(clear())
        if reply.code != SUCCESS:
            return self._by_firmware(f"TPM2_Clear: {reply.describe()}")
        after = self._state()
        if after.left:
            return _result(OptionStatus.FAILED, f"TPM2_Clear was accepted, but there are still: {after.describe()}")
        return _result(
            OptionStatus.DONE,
            f"cleared by TPM2_Clear; before: {before.describe()}; after: {after.describe()}. Data that the "
            "manufacturer put there (endorsement certificates, objects of the firmware) stay",
        )

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

    def _state(self) -> TpmState:
        """Raises DeviceFault, BadInput."""
        properties = parse_properties(self._ask(get_capability(Capability.TPM_PROPERTIES, PERMANENT, 1)))
        if PERMANENT not in properties:
            raise DeviceFault(OPTION, "does not state its permanent attributes")
        handles = parse_handles(self._ask(get_capability(Capability.HANDLES, FIRST_PERSISTENT, _MOST_HANDLES)))
        return TpmState(properties[PERMANENT], handles)

    def _ask(self, command: bytes) -> bytes:
        reply = self._send(command)
        if reply.code != SUCCESS:
            raise DeviceFault(OPTION, f"TPM2_GetCapability: {reply.describe()}")
        return reply.content

    def _send(self, command: bytes) -> TpmReply:
        reply = parse_reply(self._tpm.send(command))
        for _ in range(_ATTEMPTS):
            if not reply.try_later:
                break
            self._clock.sleep(_PAUSE)
            reply = parse_reply(self._tpm.send(command))
        return reply


def _result(status: OptionStatus, detail: str) -> OptionResult:
    return OptionResult(OPTION, status, detail)

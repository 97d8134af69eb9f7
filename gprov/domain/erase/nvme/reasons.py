"""Why a technique cannot be used on an NVMe drive now."""

from __future__ import annotations

from collections.abc import Mapping

from gprov.domain.erase.nvme.facts import DriveFacts
from gprov.domain.erase.nvme.requests import Unanswered
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.nvme.commands import MAX_FORMAT_INDEX, SanitizeAction, SecureErase
from gprov.domain.formats.nvme.controller import SANITIZE_BLOCK, SANITIZE_CRYPTO
from gprov.domain.formats.nvme.sanitize_log import SanitizeLog, SanitizeState

SANITIZE_ACTIONS: Mapping[Technique, SanitizeAction] = {
    Technique.NVME_SANITIZE_CRYPTO: SanitizeAction.CRYPTO_ERASE,
    Technique.NVME_SANITIZE_BLOCK: SanitizeAction.BLOCK_ERASE,
}
FORMAT_SETTINGS: Mapping[Technique, SecureErase] = {
    Technique.NVME_FORMAT_CRYPTO: SecureErase.CRYPTO,
    Technique.NVME_FORMAT_USER: SecureErase.USER_DATA,
}
NVME_TECHNIQUES = (*SANITIZE_ACTIONS, *FORMAT_SETTINGS)

_CAPABILITIES = {SanitizeAction.CRYPTO_ERASE: SANITIZE_CRYPTO, SanitizeAction.BLOCK_ERASE: SANITIZE_BLOCK}


def reason_against(technique: Technique, facts: DriveFacts) -> str:
    """ "" if nothing that the drive reports is against the technique."""
    if technique in SANITIZE_ACTIONS:
        specific = _against_sanitize(SANITIZE_ACTIONS[technique], facts)
    elif technique in FORMAT_SETTINGS:
        specific = _against_format(FORMAT_SETTINGS[technique], facts)
    else:
        return "not a technique of NVMe drives"
    return specific or _against_both(facts)


def failure_mode(log: SanitizeLog | Unanswered | None) -> str:
    """What ends the failure mode of a drive whose last sanitize operation failed; "" if it did not fail."""
    if not isinstance(log, SanitizeLog) or log.state is not SanitizeState.FAILED:
        return ""
    if log.parameters is not None and log.parameters.unrestricted:
        return "the last sanitize operation failed; another one or the Exit Failure Mode command ends the failure mode"
    return "the last sanitize operation failed; only another one that succeeds ends the failure mode"


def _against_sanitize(action: SanitizeAction, facts: DriveFacts) -> str:
    if not facts.controller.sanicap & _CAPABILITIES[action]:
        return "the controller does not support this sanitize operation (SANICAP)"
    if isinstance(facts.log, Unanswered):
        return f"the state of the drive is unknown: {facts.log.reason}"
    return _against_other_namespaces(facts, "Sanitize erases all namespaces of the drive")


def _against_format(erase: SecureErase, facts: DriveFacts) -> str:
    if not facts.controller.has_format:
        return "the controller does not support Format NVM (OACS)"
    if erase is SecureErase.CRYPTO and not facts.controller.has_crypto_format:
        return "the controller does not support cryptographic erase with Format NVM (FNA)"
    if facts.namespace.format_index > MAX_FORMAT_INDEX:
        return f"Format NVM cannot keep LBA format {facts.namespace.format_index}: its index needs a host setting"
    if isinstance(facts.log, SanitizeLog) and facts.log.state is SanitizeState.FAILED:
        parameters = facts.log.parameters
        if parameters is None or not parameters.unrestricted:
            return failure_mode(facts.log)
    if facts.controller.format_erases_all_namespaces:
        return _against_other_namespaces(facts, "Format NVM of this drive erases all its namespaces (FNA)")
    return ""


def _against_other_namespaces(facts: DriveFacts, effect: str) -> str:
    if isinstance(facts.others, Unanswered):
        return f"{effect}, and these are unknown: {facts.others.reason}"
    if facts.others:
        shown = ", ".join(map(str, facts.others[:8])) + (", …" if len(facts.others) > 8 else "")
        return f"{effect}, and namespace {shown} must keep its data"
    return ""


def _against_both(facts: DriveFacts) -> str:
    if not facts.in_scope:
        return f"namespace {facts.number} must keep its data"
    if isinstance(facts.log, SanitizeLog) and facts.log.state is SanitizeState.IN_PROGRESS:
        return f"a sanitize operation is in progress ({facts.log.progress:.0%})"
    if facts.namespace.percent_to_format:
        return f"a format is in progress ({facts.namespace.percent_to_format} % remain)"
    if facts.namespace.write_protected:
        return "the namespace is write protected"
    return ""

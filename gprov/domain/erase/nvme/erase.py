"""Erase of an NVMe drive by one technique."""

from __future__ import annotations

from gprov.domain.erase.drive_io import Protocol
from gprov.domain.erase.nvme.format import erase_by_format
from gprov.domain.erase.nvme.reasons import FORMAT_SETTINGS, SANITIZE_ACTIONS
from gprov.domain.erase.nvme.sanitize import erase_by_sanitize, resume_sanitize
from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.nvme.sanitize_log import SanitizeLog


def erase(technique: Technique, namespace: int, namespaces_in_scope: frozenset[int]) -> Protocol[TechniqueResult]:
    """Destroys data: of the namespace ``namespace``, or of all namespaces of the drive if the technique does that and
    all are in ``namespaces_in_scope``; otherwise REFUSED. The drive is asked again for all that ``report`` states."""
    if technique in SANITIZE_ACTIONS:
        return (yield from erase_by_sanitize(technique, namespace, namespaces_in_scope))
    if technique in FORMAT_SETTINGS:
        return (yield from erase_by_format(technique, namespace, namespaces_in_scope))
    return TechniqueResult(technique, TechniqueStatus.REFUSED, "not a technique of NVMe drives")


def resume(technique: Technique, before: SanitizeLog | None = None) -> Protocol[TechniqueResult]:
    """Follow a technique that was begun before a restart of the machine. Only Sanitize continues; it sends no command
    that destroys data. ``before``: the sanitize status log before the technique was begun, if it was kept."""
    if technique in SANITIZE_ACTIONS:
        return (yield from resume_sanitize(technique, before))
    return TechniqueResult(technique, TechniqueStatus.FAILED, "it does not continue after a restart; repeat it")

"""Short constructors of technique results."""

from __future__ import annotations

from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.techniques import Technique


def completed(technique: Technique, detail: str) -> TechniqueResult:
    return TechniqueResult(technique, TechniqueStatus.COMPLETED, detail)


def refused(technique: Technique, detail: str) -> TechniqueResult:
    return TechniqueResult(technique, TechniqueStatus.REFUSED, detail)


def failed(technique: Technique, detail: str) -> TechniqueResult:
    return TechniqueResult(technique, TechniqueStatus.FAILED, detail)

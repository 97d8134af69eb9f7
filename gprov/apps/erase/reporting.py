"""The report of an erase: kept on RECOVERY, and sent to the factory server."""

from __future__ import annotations

from gprov.apps.erase.ports import ErasePorts
from gprov.apps.unit.composition.context import UnitContext
from gprov.domain.erase.outcome import DiskOutcome
from gprov.domain.erase.questions import outcome_text
from gprov.domain.erase.scope import Scope
from gprov.domain.platform.identify import Unit


def report_erase(
    ports: ErasePorts, unit: Unit | None, scope: Scope, outcomes: tuple[DiskOutcome, ...], context: UnitContext
) -> None:
    """Log the outcome of every disk."""
    for outcome in outcomes:
        context.bus.log(outcome_text(outcome))

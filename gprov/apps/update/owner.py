"""What a person at the unit decides: ``gprov-update confirm``, ``deny`` and ``forget``."""

from __future__ import annotations

from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.consent import Consent
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.apps.update.records import StateFile, read_state
from gprov.apps.update.system import SystemRecords
from gprov.domain.errors import ExitCode, RefusedByPolicy
from gprov.domain.update.decision import Offered, OwnerDecision
from gprov.domain.update.state import Phase, UpdateState
from gprov.ports.files import Files


def decide(files: Files, paths: UpdatePaths, bus: EventBus, action: str, *, agreed: bool) -> int:
    """About the files that the server offers by this action now. Raises RefusedByPolicy, BadInput for a state that is
    damaged, DeviceFault."""
    consent = Consent(files, paths, bus)
    question = consent.question()
    if question is None or question.action != action:
        question = _offered(read_state(files, paths), action)
    consent.decide(OwnerDecision(question, agreed))
    bus.message(f"action {action}: {'confirmed' if agreed else 'denied'}; the agent acts on it within seconds")
    return ExitCode.DONE


def _offered(state: UpdateState | None, action: str) -> Offered:
    if state is None or state.action != action:
        raise RefusedByPolicy(f"action {action} cannot be decided: the server has not offered it to this unit")
    if state.phase in (Phase.REQUESTED, Phase.ENDED):
        how = "its restore is requested" if state.phase is Phase.REQUESTED else "it has ended"
        raise RefusedByPolicy(f"action {action} cannot be decided any more: {how}")
    return Offered(action, state.identity)


def forget(ports: UpdatePorts, paths: UpdatePaths, bus: EventBus) -> int:
    """Forget the last action, so that the same one can be done again. Raises RefusedByPolicy if its restore is
    requested, DeviceFault."""
    from gprov.apps.update.composition import context
    from gprov.apps.update.placement import ImagePlacement

    record = StateFile(ports.files, paths, bus)
    state = record.value
    if state is None:
        bus.message("there is no action to forget")
        return ExitCode.DONE
    unit = context(paths, bus)
    system = SystemRecords(ports.files, ports.clock, paths, unit)
    if state.phase is Phase.REQUESTED and state.boot == system.boot:
        how = "restart the unit, or cancel the action on the server"
        raise RefusedByPolicy(f"action {state.action}: its restore is requested: {how}")
    placement = ImagePlacement(ports.files, system, paths, unit)
    if state.is_open:
        system.withdraw(state.image)
        placement.clean_up(state, system.running)
    placement.remove_part(state.image)
    record.forget()
    Consent(ports.files, paths, bus).forget_all()
    bus.message(f"action {state.action} is forgotten; the server may offer it again")
    return ExitCode.DONE

"""What a person at the unit decides: ``gprov-update confirm``, ``deny`` and ``forget``."""

from __future__ import annotations

from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.apps.update.records import StateFile, write_decision
from gprov.apps.update.system import SystemRecords
from gprov.domain.errors import ExitCode, RefusedByPolicy
from gprov.domain.update.decision import OwnerDecision
from gprov.domain.update.state import Phase
from gprov.ports.files import Files


def decide(files: Files, paths: UpdatePaths, bus: EventBus, action: str, *, agreed: bool) -> int:
    """Raises RefusedByPolicy, DeviceFault."""
    state = StateFile(files, paths, bus).value
    if state is not None and state.action == action and state.phase in (Phase.REQUESTED, Phase.ENDED):
        how = "its restore is requested" if state.phase is Phase.REQUESTED else "it has ended"
        raise RefusedByPolicy(f"action {action} cannot be decided any more: {how}")
    write_decision(files, paths, OwnerDecision(action, agreed))
    bus.message(f"action {action}: {'confirmed' if agreed else 'denied'}; the agent acts on it within seconds")
    return ExitCode.DONE


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
    ports.files.remove(paths.decision)
    bus.message(f"action {state.action} is forgotten; the server may offer it again")
    return ExitCode.DONE

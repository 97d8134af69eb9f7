"""``gprov-update status``: the action that the unit works on, or has ended last."""

from __future__ import annotations

import json
import sys

from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.composition import context
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.apps.update.records import StateFile
from gprov.apps.update.settings import read_config
from gprov.apps.update.system import SystemRecords
from gprov.domain.errors import ExitCode
from gprov.domain.update.state import UpdateState
from gprov.domain.update.window import describe_windows


def show_status(ports: UpdatePorts, paths: UpdatePaths, bus: EventBus, *, as_json: bool) -> int:
    """Raises GprovError."""
    config = read_config(ports.files, paths)
    system = SystemRecords(ports.files, ports.clock, paths, context(paths, bus))
    state = StateFile(ports.files, paths, bus).value
    facts: dict[str, object] = {
        "server": config.server,
        "running": system.running,
        "window": describe_windows(config.windows),
        "confirm": config.confirm.value,
        "requested": system.pending(),
        **_action(state),
    }
    if as_json:
        json.dump(facts, sys.stdout, indent=1)
        sys.stdout.write("\n")
        return ExitCode.DONE
    for key, value in facts.items():
        lines = value if isinstance(value, list) else [value]
        for line in lines:
            sys.stdout.write(f"{key}={line}\n")
    return ExitCode.DONE


def _action(state: UpdateState | None) -> dict[str, object]:
    if state is None:
        return {"action": ""}
    answer = state.answer
    return {
        "action": state.action,
        "phase": state.phase.value,
        "image": state.image,
        "previous": state.previous,
        "result": answer.result.value if answer is not None else "",
        "details": list(answer.details) if answer is not None else [],
        "answered": "yes" if state.answered else "no",
    }

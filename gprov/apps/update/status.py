"""``gprov-update status``: the action that the unit works on, or has ended last."""

from __future__ import annotations

import json
import sys

from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.composition import context
from gprov.apps.update.consent import Consent
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.apps.update.records import read_state
from gprov.apps.update.settings import read_config
from gprov.apps.update.system import SystemRecords
from gprov.domain.errors import ExitCode
from gprov.domain.update.state import UpdateState
from gprov.domain.update.window import describe_windows

_WORDS = {True: "yes", False: "no"}


def show_status(ports: UpdatePorts, paths: UpdatePaths, bus: EventBus, *, as_json: bool) -> int:
    """Raises GprovError."""
    facts = status_facts(ports, paths, bus)
    if as_json:
        json.dump(facts, sys.stdout, indent=1)
        sys.stdout.write("\n")
        return ExitCode.DONE
    for key, value in facts.items():
        texts = value if isinstance(value, list) else [_WORDS.get(value, value) if isinstance(value, bool) else value]
        for text in texts:
            sys.stdout.write(f"{key}={text}\n")
    return ExitCode.DONE


def status_facts(ports: UpdatePorts, paths: UpdatePaths, bus: EventBus) -> dict[str, object]:
    """All keys are there, whatever is known. Raises GprovError."""
    config = read_config(ports.files, paths)
    system = SystemRecords(ports.files, ports.clock, paths, context(paths, bus))
    state, question = read_state(ports.files, paths), Consent(ports.files, paths, bus).question()
    return {
        "server": config.server,
        "running": system.running,
        "window": describe_windows(config.windows),
        "confirm": config.confirm.value,
        "requested": system.pending(),
        "asked": question.action if question is not None else "",
        **_action(state),
    }


def _action(state: UpdateState | None) -> dict[str, object]:
    answer = state.answer if state is not None else None
    return {
        "action": state.action if state is not None else "",
        "phase": state.phase.value if state is not None else "",
        "image": state.image if state is not None else "",
        "previous": state.previous if state is not None else "",
        "result": answer.result.value if answer is not None else "",
        "details": list(answer.details) if answer is not None else [],
        "answered": state is not None and state.answered,
    }

"""Showing the boot menu to whoever stands there."""

from __future__ import annotations

from gprov.domain.boot.menu import (
    Choose,
    Choosing,
    Confirm,
    Confirming,
    MenuState,
    Outcome,
    answered,
    chosen,
    prompt,
)
from gprov.ports.operator import Operator


def run_menu(operator: Operator) -> Outcome:
    """Show the boot menu until it has an outcome."""
    state: MenuState = Choosing()
    while isinstance(state, Choosing | Confirming):
        asked = prompt(state)
        if isinstance(state, Choosing) and isinstance(asked, Choose):
            state = chosen(state, operator.choose(asked.title, asked.items, asked.seconds))
        elif isinstance(state, Confirming) and isinstance(asked, Confirm):
            state = answered(state, operator.confirm(asked.question, asked.seconds))
    return state

"""Showing the boot menu to the operator."""

from __future__ import annotations

from gprov.domain.boot.boot_menu import (
    Choose,
    Choosing,
    Confirm,
    Confirming,
    MenuState,
    Outcome,
    after_choice,
    after_confirmation,
    prompt,
)
from gprov.ports.operator import Operator


def run_menu(operator: Operator) -> Outcome:
    """Show the boot menu until it has an outcome."""
    state: MenuState = Choosing()
    while isinstance(state, Choosing | Confirming):
        request = prompt(state)
        if isinstance(state, Choosing) and isinstance(request, Choose):
            state = after_choice(state, operator.choose(request.title, request.items, request.seconds))
        elif isinstance(state, Confirming) and isinstance(request, Confirm):
            state = after_confirmation(state, operator.confirm(request.question, request.seconds))
    return state

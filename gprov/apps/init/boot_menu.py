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
    after_image_menu,
    prompt,
)
from gprov.ports.operator import Operator


def run_menu(operator: Operator, image_menus_left: int) -> Outcome:
    """Show the boot menu until it has an outcome. ``image_menus_left``: how often the menu of images was left without a
    choice during this boot."""
    state: MenuState = after_image_menu(image_menus_left) if image_menus_left else Choosing()
    while isinstance(state, Choosing | Confirming):
        request = prompt(state)
        if isinstance(state, Choosing) and isinstance(request, Choose):
            state = after_choice(state, operator.choose(request.title, request.items, request.seconds))
        elif isinstance(state, Confirming) and isinstance(request, Confirm):
            state = after_confirmation(state, operator.confirm(request.question, request.seconds))
    return state

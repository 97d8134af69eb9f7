"""Confirmation of an erase by a person, or by the serial number in the kernel arguments of a unit without operator."""

from __future__ import annotations

from gprov.domain.boot.args import BootArguments
from gprov.domain.erase.consequence import CONSEQUENCE, FIRST_SECONDS, SECOND_SECONDS
from gprov.domain.erase.questions import first_question
from gprov.domain.erase.request import EraseRequest
from gprov.domain.erase.scope import Scope
from gprov.ports.operator import Operator


def confirmed_by_arguments(arguments: BootArguments, serial: str) -> bool:
    """Whether the kernel arguments name this unit: arguments that were copied from another unit do not erase it."""
    return bool(serial) and arguments.erase_serial == serial


def confirmed_by_person(operator: Operator, serial: str, scope: Scope, request: EraseRequest) -> bool:
    """Ask twice. False without an operator, and after a timeout."""
    if not operator.is_present:
        return False
    return operator.confirm(first_question(serial, scope, request), FIRST_SECONDS) and operator.confirm(
        CONSEQUENCE, SECOND_SECONDS
    )

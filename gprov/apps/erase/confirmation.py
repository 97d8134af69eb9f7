"""Confirmation of an erase by a person, or by the serial number in what asks for it, on a unit without operator."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.boot.args import BootArguments, EraseMode
from gprov.domain.boot.boot_request import EraseRequested
from gprov.domain.erase.consequence import CONSEQUENCE, FIRST_SECONDS, SECOND_SECONDS
from gprov.domain.erase.questions import first_question
from gprov.domain.erase.request import EraseRequest
from gprov.domain.erase.scope import Scope
from gprov.ports.operator import Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedErase:
    """What was asked for besides a choice in the boot menu. ``serial``: of the unit that may be erased without a
    person's confirmation, "" if none is named. ``options``: ``gprov.domain.erase.request_text``. ``again``: a new erase
    may begin if an interrupted one cannot go on."""

    serial: str
    options: str
    again: bool

    @staticmethod
    def by_arguments(arguments: BootArguments) -> AskedErase:
        again = arguments.erase is EraseMode.REQUESTED
        return AskedErase(serial=arguments.erase_serial, options=arguments.erase_options, again=again)

    @staticmethod
    def by_system(request: EraseRequested) -> AskedErase:
        return AskedErase(serial=request.serial, options=request.options, again=True)

    def confirms(self, serial: str) -> bool:
        """Whether it names this unit: what was copied from another unit does not erase this one."""
        return bool(serial) and self.serial == serial


def confirmed_by_person(operator: Operator, serial: str, scope: Scope, request: EraseRequest) -> bool:
    """Ask twice. False without an operator, and after a timeout."""
    if not operator.is_present:
        return False
    return operator.confirm(first_question(serial, scope, request), FIRST_SECONDS) and operator.confirm(
        CONSEQUENCE, SECOND_SECONDS
    )

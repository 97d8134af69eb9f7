"""Whether an erase may begin that RECOVERY cannot record: after a power cut it would not go on, and its report would be
kept nowhere."""

from __future__ import annotations

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.erase.consequence import SECOND_SECONDS
from gprov.domain.erase.questions import unrecorded_question
from gprov.domain.erase.request import EraseRequest
from gprov.domain.errors import DeviceFault
from gprov.ports.operator import Operator


def may_begin_unrecorded(
    fault: DeviceFault, request: EraseRequest, operator: Operator, bus: EventBus, *, by_person: bool
) -> bool:
    """``fault``: why the record could not be written. True with the option ``unrecorded:yes``, or after a person
    confirmed it; False if a person declines. Raises DeviceFault if there is neither: nothing was changed."""
    if request.unrecorded:
        bus.warning(f"RECOVERY cannot be written, and the options of the erase allow that: {fault}")
        return True
    if by_person:
        return operator.confirm(unrecorded_question(str(fault)), SECOND_SECONDS)
    raise DeviceFault(
        fault.subject,
        f"the data erase was not begun: {fault.reason}. Without a record it would not go on after a power cut; allow "
        "that with DATA_ERASE_OPTIONS=unrecorded:yes, or repair RECOVERY",
        errno=fault.errno,
    )

"""The options of an erase that concern the machine: variables of its firmware, and its TPM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gprov.apps.unit.execution.erase import tpm_clearing, variable_removal
from gprov.apps.unit.execution.erase.machine import MachineEraser
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.erase.report import OptionResult, OptionStatus
from gprov.domain.erase.request import EraseRequest
from gprov.domain.formats.efi.variables import VariableName


def erase_machine_data(
    machine: MachineEraser,
    request: EraseRequest,
    bus: EventBus,
    planned_before: Sequence[VariableName] = (),
    planned: Callable[[tuple[VariableName, ...]], None] = lambda _: None,
) -> tuple[OptionResult, ...]:
    """Carry out what the request asks for; results for the report. ``planned_before``, ``planned``: see
    ``MachineEraser.remove_variables``."""
    results: list[OptionResult] = []
    if request.clear_uefi_variables:
        results += machine.remove_variables(request.uefi_variables, planned_before, planned)
    else:
        results.append(_not_requested(variable_removal.OPTION))
    if request.clear_tpm:
        results.append(machine.clear_tpm())
    else:
        results.append(_not_requested(tpm_clearing.OPTION))
    for result in results:
        if result.status in (OptionStatus.FAILED, OptionStatus.PENDING):
            bus.warning(_text(result))
        else:
            bus.log(_text(result))
    return tuple(results)


def not_tried(request: EraseRequest, reason: str) -> tuple[OptionResult, ...]:
    """The results if the erase ended before. ``reason``: why."""

    def result(name: str, wanted: bool) -> OptionResult:
        return OptionResult(name, OptionStatus.FAILED, reason) if wanted else _not_requested(name)

    return (
        result(variable_removal.OPTION, request.clear_uefi_variables),
        result(tpm_clearing.OPTION, request.clear_tpm),
    )


def failures(results: Sequence[OptionResult]) -> Iterator[str]:
    """What was asked for and is not done; empty if all is. What the firmware does at the next start counts as done."""
    for result in results:
        if result.status is OptionStatus.FAILED and result.name in (variable_removal.OPTION, tpm_clearing.OPTION):
            yield _text(result)


def _not_requested(name: str) -> OptionResult:
    return OptionResult(name, OptionStatus.NOT_REQUESTED, "")


def _text(result: OptionResult) -> str:
    return f"{result.name}: {result.status.value}{': ' if result.detail else ''}{result.detail}"

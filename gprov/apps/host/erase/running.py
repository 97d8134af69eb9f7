"""Runs a planned erase on a bench machine, and makes its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from typing_extensions import override

from gprov.apps.erase.machine_data import erase_machine_data, not_tried
from gprov.apps.erase.survey import free_drives, plan_erasures
from gprov.apps.host.erase.container import BenchContainer
from gprov.apps.host.erase.planning import BenchPlan
from gprov.apps.host.erase.stop import Stop
from gprov.apps.unit.execution.erase.observer import ErasureObserver
from gprov.domain.disk.model import Disk
from gprov.domain.erase.outcome import DiskOutcome
from gprov.domain.erase.record import DiskProgress
from gprov.domain.erase.report import ErasureReport, OptionResult, UnitIdentity
from gprov.domain.erase.report_making import ErasureFacts, make_report
from gprov.domain.erase.scope import Scope
from gprov.domain.errors import GprovError
from gprov.domain.formats.smbios.dmidecode_keywords import keyword
from gprov.domain.formats.smbios.table import parse_table

# Called with a task, and how much of it is done of how much.
Shown = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class BenchErasure:
    """``outcomes``: one per disk, in the order of the plans. ``machine``: results of what concerns this machine."""

    outcomes: tuple[DiskOutcome, ...]
    machine: tuple[OptionResult, ...]
    report: ErasureReport


class _Observer(ErasureObserver):
    """There is no RECOVERY: an interrupted erase begins anew."""

    def __init__(self, stop: Stop, shown: Shown) -> None:
        self._stop = stop
        self._shown = shown

    @override
    def begun(self, disk: Disk, progress: DiskProgress) -> None:
        self._stop.check()

    @override
    def advanced(self, disk: Disk, progress: DiskProgress) -> None:
        self._stop.check()

    @override
    def shown(self, disk: Disk, task: str, done: int, total: int) -> None:
        self._stop.check()
        self._shown(f"{disk.node}: {task}", done, total)


def run_bench(
    container: BenchContainer,
    plans: tuple[BenchPlan, ...],
    scope: Scope,
    operator: str,
    stop: Stop,
    shown: Shown,
) -> BenchErasure:
    """Returns when the work on all disks has ended, also after a request to stop. ``operator``: name for the report."""
    clock = container.clock()
    started = clock.now_ns()
    erasures = tuple(plan.erasure for plan in plans)
    if any(erasure.report.password_set for erasure in erasures):
        disks, request, ports = tuple(one.disk for one in erasures), erasures[0].request, container.erase_ports()
        free_drives(ports, disks, container.bus())
        erasures = plan_erasures(ports, disks, request, None, container.bus())
    outcomes = container.erasure_runner().erase(erasures, _Observer(stop, shown))
    request = erasures[0].request
    if stop.requested:
        machine = not_tried(request, "interrupted before it was tried")
    else:
        machine = erase_machine_data(container.machine_eraser(), request, container.bus())
    facts = ErasureFacts(
        unit=_machine(container),
        operator=operator,
        started_ns=started,
        ended_ns=clock.now_ns(),
        requested=request.level,
        outcomes=outcomes,
        out_of_scope=tuple((one.disk, one.reason) for one in scope.left_out),
        options=machine,
    )
    return BenchErasure(outcomes, machine, make_report(facts))


def _machine(container: BenchContainer) -> UnitIdentity:
    """The machine that carried out the erase, as its SMBIOS table names it; empty without one."""
    try:
        table = parse_table(container.smbios().structures())
    except GprovError:
        return UnitIdentity("", "", "", "")

    def text(name: str) -> str:
        return next(iter(keyword(table, name)), "").strip()

    return UnitIdentity(text("system-serial-number"), "", text("system-manufacturer"), text("system-product-name"))

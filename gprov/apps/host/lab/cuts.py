"""Power cuts on units in virtual machines: cut, start until the system runs, check the disks from outside.

Seed and number of a cut, together with the recording of the stage, determine everything that is done:

    replayed   the media are set to a state that a power cut may leave (``powercut``)
    twice      as replayed, and QEMU is killed during the restore that follows
    killed     QEMU is killed in the middle of the stage
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from gprov.apps.host.initramfs.hostfiles import fresh_folder, os_errors_translated, read_file, write_file
from gprov.apps.host.lab.factory import LabFactory, factory_for
from gprov.apps.host.lab.factory_server import copy_data
from gprov.apps.host.lab.guest_messages import milestones
from gprov.apps.host.lab.inspection import check_recovery_after_cut, check_restored_unit
from gprov.apps.host.lab.lifecycle import PROVISIONED, UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel, Durability, Machine
from gprov.apps.host.lab.powercut import apply_cut, choose_cut
from gprov.apps.host.lab.runner import ProgressCallback, Runner
from gprov.apps.host.lab.scenario import CutScenario, CutStage
from gprov.apps.host.lab.stage import StageRunner
from gprov.apps.host.lab.starts import Kill, Start, Starter, start_until_running
from gprov.apps.host.lab.unit import SERVER, VirtualUnit
from gprov.domain.errors import DeviceMissing, GprovError
from gprov.domain.events import ProcessState
from gprov.ports.process import Processes

_KILL_SECONDS = 2.0  # the longest delay after the chosen length of console output
_KILLED = "killed"


class CutMethod(Enum):
    REPLAYED = "replayed"
    TWICE = "twice"
    KILLED = "killed"


_METHODS = {
    CutStage.RESTORE: (CutMethod.REPLAYED, CutMethod.KILLED, CutMethod.REPLAYED, CutMethod.TWICE, CutMethod.REPLAYED),
    CutStage.PROVISION: (CutMethod.REPLAYED, CutMethod.KILLED, CutMethod.REPLAYED),
}


@dataclass(kw_only=True)
class CutResult:
    """``problems``: empty if the unit is as it must be. ``folder``: disks and logs, kept if there are problems.
    ``missed``: the stage ended before QEMU was killed, so no power was cut."""

    number: int
    method: CutMethod
    cut: str
    folder: str
    starts: list[Start] = field(default_factory=list)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    missed: bool = False


class PowerCuts:
    def __init__(self, processes: Processes, runner: Runner, stages: StageRunner, report: ProgressCallback) -> None:
        self._processes = processes
        self._runner = runner
        self._stages = stages
        self._report = report

    def inspect(self, scenario: CutScenario, seed: str, number: int, folder: str) -> CutResult:
        """Check RECOVERY after the cut with this number. Only the RECOVERY disk is made, and nothing is started."""
        began = time.monotonic()
        cut = choose_cut(scenario.recording, random.Random(f"{seed} {scenario.stage.value} {number}"))
        result = CutResult(number=number, method=CutMethod.REPLAYED, cut=cut.describe(), folder=folder)
        fresh_folder(folder)
        try:
            left = scenario.unit.overlay(folder, self._processes)
            apply_cut(self._processes, scenario.recording, cut, left, only="recovery")
            result.problems += check_recovery_after_cut(self._processes, left, scenario.expected)
        except GprovError as error:  # a failure of the lab itself; the other cuts continue
            result.problems.append("\n".join((f"the lab failed: {error}", *error.details())))
        result.seconds = time.monotonic() - began
        if result.problems:
            self._report(f"cut {number}: {result.cut}: {'; '.join(result.problems)}")
        else:
            with os_errors_translated(folder):
                shutil.rmtree(folder)
        return result

    def cut(self, scenario: CutScenario, seed: str, number: int, folder: str, cpus: int = 2) -> CutResult:
        """Make and check the cut with this number. Its folder is kept only if there are problems. ``cpus``: virtual
        processors of the units."""
        began = time.monotonic()
        methods = _METHODS[scenario.stage]
        result = CutResult(number=number, method=methods[number % len(methods)], cut="", folder=folder)
        cut_run = _CutRun(self._processes, self._runner, self._stages, scenario, fresh_folder(folder), cpus)
        try:
            cut_run.run(result, random.Random(f"{seed} {scenario.stage.value} {number}"))
        except GprovError as error:  # a failure of the lab itself; the other cuts continue
            result.problems.append("\n".join((f"the lab failed: {error}", *error.details())))
        result.seconds = time.monotonic() - began
        verdict = "; ".join(result.problems) or "no problems"
        lines = "".join(f"\n    {start.describe()}" for start in result.starts)
        self._report(f"cut {number} ({result.method.value}): {result.cut}{lines}\n  {result.seconds:.0f} s: {verdict}")
        if result.problems:
            cut_run.keep()
            write_file(os.path.join(folder, "problems.txt"), "\n".join([result.cut, *result.problems, ""]).encode())
        else:
            with os_errors_translated(folder):
                shutil.rmtree(folder)
        return result


class _CutRun:
    """One cut. Its folder holds ``cut/``: the unit after the cut; ``unit/``: an overlay of it that is started;
    ``again/``: an overlay that is provisioned again."""

    def __init__(
        self,
        processes: Processes,
        runner: Runner,
        stages: StageRunner,
        scenario: CutScenario,
        folder: str,
        cpus: int,
    ) -> None:
        self._processes = processes
        self._stages = stages
        self._starter = Starter(runner, cpus)
        self._scenario = scenario
        self._folder = folder
        self._cpus = cpus

    def run(self, result: CutResult, rng: random.Random) -> None:
        """Raises GprovError if the lab fails."""
        left = self._scenario.unit.overlay(os.path.join(self._folder, "cut"), self._processes)
        earlier_milestones = self._cut(result, left, rng)
        if self._scenario.stage is CutStage.PROVISION:
            self._check_unprovisioned(result, left, earlier_milestones)
            self._check_provisioned_again(result, left, earlier_milestones)
        else:
            self._check_restored(result, left, earlier_milestones, rng)

    def keep(self) -> None:
        """Make what the cut left independent of the subject, which may go."""
        try:
            left = VirtualUnit.open(os.path.join(self._folder, "cut"))
        except DeviceMissing:  # the cut failed before the folder was complete
            return
        left.detach(self._processes)

    def _cut(self, result: CutResult, left: VirtualUnit, rng: random.Random) -> list[str]:
        """Cut the stage. Return the names of the milestones reached before."""
        scenario = self._scenario
        cut = choose_cut(scenario.recording, rng)
        if result.method is not CutMethod.KILLED:
            result.cut = cut.describe()
            apply_cut(self._processes, scenario.recording, cut, left)
            if scenario.stage is CutStage.RESTORE:
                result.problems += check_recovery_after_cut(self._processes, left, scenario.expected)
            return _milestone_names(read_file(scenario.serial_log)[: cut.instant.console_bytes])
        machine = left.machine(Durability.HONOUR_FLUSH)
        delay = rng.random() * _KILL_SECONDS
        if scenario.stage is CutStage.PROVISION:
            with factory_for(self._processes, left, "") as factory:
                kill = self._kill(self._provisioning(machine, factory), left, cut.instant.console_bytes, delay)
        else:
            kill = self._kill(replace(machine, cpus=self._cpus), left, cut.instant.console_bytes, delay)
        result.cut, result.missed = kill.how, kill.missed
        return _milestone_names(read_file(left.serial_log(_KILLED)))

    def _check_restored(
        self, result: CutResult, left: VirtualUnit, earlier_milestones: Sequence[str], rng: random.Random
    ) -> None:
        unit = left.overlay(os.path.join(self._folder, "unit"), self._processes)
        if result.method is CutMethod.TWICE:
            instant = choose_cut(self._scenario.recording, rng).instant
            machine = replace(unit.machine(Durability.HONOUR_FLUSH), cpus=self._cpus)
            again = self._kill(machine, unit, instant.console_bytes, rng.random() * _KILL_SECONDS)
            result.cut = f"{result.cut}; then {again.how}"
            earlier_milestones = [*earlier_milestones, *_milestone_names(read_file(unit.serial_log(_KILLED)))]
        if self._starts_until_running(result, unit, earlier_milestones):
            result.problems += check_restored_unit(self._processes, unit, self._scenario.expected)

    def _starts_until_running(self, result: CutResult, unit: VirtualUnit, earlier_milestones: Sequence[str]) -> bool:
        """Start the unit until its system runs. Return whether it runs without problems."""
        starts, problems = start_until_running(
            lambda number: self._starter.start(unit, f"start{number}"), earlier_milestones
        )
        result.starts += starts
        result.problems += problems
        return not problems

    def _check_unprovisioned(self, result: CutResult, left: VirtualUnit, earlier_milestones: Sequence[str]) -> None:
        """Start the unit without a factory. An incomplete unit must have nothing to start or report a failure."""
        unit = left.overlay(os.path.join(self._folder, "unit"), self._processes)
        if self._starts_until_running(result, unit, ()):
            result.problems += check_restored_unit(self._processes, unit, self._scenario.expected)
            return
        last = result.starts[-1]
        if ProcessState.MFG_SUCCEEDED.value not in earlier_milestones and (last.nothing_bootable or last.failures):
            result.problems.clear()

    def _check_provisioned_again(self, result: CutResult, left: VirtualUnit, earlier_milestones: Sequence[str]) -> None:
        """Provision again, with the data of the first factory server, if any; it refuses a unit that it has sealed."""
        unit = left.overlay(os.path.join(self._folder, "again"), self._processes)
        if os.path.isdir(left.path(SERVER)):
            if ProcessState.MFG_SUCCEEDED.value in earlier_milestones:
                return
            copy_data(left.path(SERVER), unit.path(SERVER))
        with factory_for(self._processes, unit, "") as factory:
            machine = self._provisioning(unit.machine(), factory)
            again = self._stages.run("again", machine, unit.serial_log("again"), PROVISIONED)
            if not again.passed:
                result.problems.append(f"cannot be provisioned again: {again.reason}")
            elif self._starts_until_running(result, unit, ()):
                result.problems += check_restored_unit(self._processes, unit, self._scenario.expected)

    def _provisioning(self, machine: Machine, factory: LabFactory) -> Machine:
        """Return the machine with the provisioning kernel. It keeps two processors, as the hardware specification
        requires."""
        products = self._scenario.products
        factory.server.publish(products.published(), self._scenario.unit.spec)
        arguments = (*factory.server.arguments, *UNIT_ARGUMENTS)
        return machine.booting(DirectKernel(products.provision_kernel, arguments))

    def _kill(self, machine: Machine, unit: VirtualUnit, console_bytes: int, delay: float) -> Kill:
        return self._starter.kill(machine, unit.serial_log(_KILLED), console_bytes, delay)


def _milestone_names(console: bytes) -> list[str]:
    return [each.name for each in milestones(console)]

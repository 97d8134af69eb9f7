"""Power cuts on units in virtual machines: cut, start until the unit rests, and have its disks judged from outside.

A cut has a number, and what is done is decided by seed and number alone, on the recording of a stage:

    replayed   the media are put into a state that a cut may leave (``powercut``)
    twice      the same, and the restore that follows is killed
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

from gprov.apps.host.initramfs.hostfiles import fresh_folder, read_file, translated, write_file
from gprov.apps.host.lab.channel import milestones
from gprov.apps.host.lab.factory import Factory, factory_for
from gprov.apps.host.lab.lifecycle import PROVISIONED, UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel, Durability, Machine
from gprov.apps.host.lab.outside import judge, judge_instant
from gprov.apps.host.lab.powercut import apply_cut, choose_cut
from gprov.apps.host.lab.runner import Note, Runner
from gprov.apps.host.lab.stage import StageRunner
from gprov.apps.host.lab.starts import Kill, Start, Starter, settle
from gprov.apps.host.lab.subject import CutStage, Subject
from gprov.apps.host.lab.unit import SERVER, Unit
from gprov.domain.errors import DeviceMissing, GprovError
from gprov.domain.events import ProcessState
from gprov.ports.process import Processes

_KILL_SECONDS = 2.0  # at most so long after the console said what was chosen
_KILLED = "killed"


class Manner(Enum):
    REPLAYED = "replayed"
    TWICE = "twice"
    KILLED = "killed"


_MANNERS = {
    CutStage.RESTORE: (Manner.REPLAYED, Manner.KILLED, Manner.REPLAYED, Manner.TWICE, Manner.REPLAYED),
    CutStage.PROVISION: (Manner.REPLAYED, Manner.KILLED, Manner.REPLAYED),
}


@dataclass(kw_only=True)
class CutResult:
    """``problems``: what is wrong, empty if nothing. ``folder``: where disks and logs are kept if something is.
    ``missed``: the stage came to its end before it was killed, so no power was cut."""

    number: int
    manner: Manner
    cut: str
    folder: str
    starts: list[Start] = field(default_factory=list)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    missed: bool = False


class PowerCuts:
    def __init__(self, processes: Processes, runner: Runner, stages: StageRunner, note: Note) -> None:
        self._processes = processes
        self._runner = runner
        self._stages = stages
        self._note = note

    def look(self, subject: Subject, seed: str, number: int, folder: str) -> CutResult:
        """What the cut with this number left of RECOVERY, which is all that is made of it, and nothing is started."""
        began = time.monotonic()
        cut = choose_cut(subject.recording, random.Random(f"{seed} {subject.stage.value} {number}"))
        result = CutResult(number=number, manner=Manner.REPLAYED, cut=cut.describe(), folder=folder)
        fresh_folder(folder)
        try:
            left = subject.unit.overlay(folder, self._processes)
            apply_cut(self._processes, subject.recording, cut, left, only="recovery")
            result.problems += judge_instant(self._processes, left, subject.expected)
        except GprovError as error:  # of the lab itself; other cuts may go better
            result.problems.append(f"could not be judged: {error}")
        result.seconds = time.monotonic() - began
        if result.problems:
            self._note(f"cut {number}: {result.cut}: {'; '.join(result.problems)}")
        else:
            with translated(folder):
                shutil.rmtree(folder)
        return result

    def cut(self, subject: Subject, seed: str, number: int, folder: str, cpus: int = 2) -> CutResult:
        """The cut with this number. Its folder stays only if something is wrong. ``cpus``: of the units."""
        began = time.monotonic()
        manners = _MANNERS[subject.stage]
        result = CutResult(number=number, manner=manners[number % len(manners)], cut="", folder=folder)
        trial = _Trial(self._processes, self._runner, self._stages, subject, fresh_folder(folder), cpus)
        try:
            trial.run(result, random.Random(f"{seed} {subject.stage.value} {number}"))
        except GprovError as error:  # of the lab itself; other cuts may go better
            result.problems.append(f"could not be judged: {error}")
        result.seconds = time.monotonic() - began
        verdict = "; ".join(result.problems) or "well"
        lines = "".join(f"\n    {start.describe()}" for start in result.starts)
        self._note(f"cut {number} ({result.manner.value}): {result.cut}{lines}\n  {result.seconds:.0f} s: {verdict}")
        if result.problems:
            trial.keep()
            write_file(os.path.join(folder, "problems.txt"), "\n".join([result.cut, *result.problems, ""]).encode())
        else:
            with translated(folder):
                shutil.rmtree(folder)
        return result


class _Trial:
    """One cut. In its folder: ``cut/``, the unit as the cut left it; ``unit/``, as it is started then; ``again/``,
    as it is provisioned again."""

    def __init__(
        self,
        processes: Processes,
        runner: Runner,
        stages: StageRunner,
        subject: Subject,
        folder: str,
        cpus: int,
    ) -> None:
        self._processes = processes
        self._stages = stages
        self._starter = Starter(runner, cpus)
        self._subject = subject
        self._folder = folder
        self._cpus = cpus

    def run(self, result: CutResult, chance: random.Random) -> None:
        """Raises GprovError if the lab fails."""
        left = self._subject.unit.overlay(os.path.join(self._folder, "cut"), self._processes)
        told = self._cut(result, left, chance)
        if self._subject.stage is CutStage.PROVISION:
            self._without_factory(result, left, told)
            self._provisioned_again(result, left, told)
        else:
            self._restored(result, left, told, chance)

    def keep(self) -> None:
        """Make what the cut left independent of the subject, which may go."""
        try:
            left = Unit.open(os.path.join(self._folder, "cut"))
        except DeviceMissing:  # it did not get so far
            return
        for file in left.disk_files():
            self._processes.run(("qemu-img", "rebase", "-f", "qcow2", "-b", "", file))

    def _cut(self, result: CutResult, left: Unit, chance: random.Random) -> list[str]:
        """Cut the stage. Returns what the unit had said until then."""
        subject = self._subject
        cut = choose_cut(subject.recording, chance)
        if result.manner is not Manner.KILLED:
            result.cut = cut.describe()
            apply_cut(self._processes, subject.recording, cut, left)
            if subject.stage is CutStage.RESTORE:
                result.problems += judge_instant(self._processes, left, subject.expected)
            return _said(read_file(subject.serial_log)[: cut.instant.said])
        machine = left.machine(Durability.HONEST)
        delay = chance.random() * _KILL_SECONDS
        if subject.stage is CutStage.PROVISION:
            with factory_for(self._processes, left, "") as factory:
                kill = self._kill(self._provisioning(machine, factory), left, cut.instant.said, delay)
        else:
            kill = self._kill(replace(machine, cpus=self._cpus), left, cut.instant.said, delay)
        result.cut, result.missed = kill.how, kill.missed
        return _said(read_file(left.serial_log(_KILLED)))

    def _restored(self, result: CutResult, left: Unit, told: Sequence[str], chance: random.Random) -> None:
        unit = left.overlay(os.path.join(self._folder, "unit"), self._processes)
        if result.manner is Manner.TWICE:
            instant = choose_cut(self._subject.recording, chance).instant
            machine = replace(unit.machine(Durability.HONEST), cpus=self._cpus)
            again = self._kill(machine, unit, instant.said, chance.random() * _KILL_SECONDS)
            result.cut = f"{result.cut}; then {again.how}"
            told = [*told, *_said(read_file(unit.serial_log(_KILLED)))]
        if self._settled(result, unit, told):
            result.problems += judge(self._processes, unit, self._subject.expected)

    def _settled(self, result: CutResult, unit: Unit, told: Sequence[str]) -> bool:
        """Does its system run, in the end, as it should?"""
        starts, problems = settle(lambda number: self._starter.start(unit, f"start{number}"), told)
        result.starts += starts
        result.problems += problems
        return not problems

    def _without_factory(self, result: CutResult, left: Unit, told: Sequence[str]) -> None:
        """A unit that was not provisioned to its end says so, has nothing to start, or is complete all the same."""
        unit = left.overlay(os.path.join(self._folder, "unit"), self._processes)
        if self._settled(result, unit, ()):
            result.problems += judge(self._processes, unit, self._subject.expected)
            return
        last = result.starts[-1]
        if ProcessState.MFG_SUCCEEDED.value not in told and (last.nothing or last.failures):
            result.problems.clear()

    def _provisioned_again(self, result: CutResult, left: Unit, told: Sequence[str]) -> None:
        """With the server that knows the unit already, if there is one; it refuses a unit that was provisioned."""
        unit = left.overlay(os.path.join(self._folder, "again"), self._processes)
        if os.path.isdir(left.path(SERVER)):
            if ProcessState.MFG_SUCCEEDED.value in told:
                return
            with translated(unit.folder):
                shutil.copytree(left.path(SERVER), unit.path(SERVER))
        with factory_for(self._processes, unit, "") as factory:
            machine = self._provisioning(unit.machine(), factory)
            again = self._stages.run("again", machine, unit.serial_log("again"), PROVISIONED)
            if not again.passed:
                result.problems.append(f"cannot be provisioned again: {again.reason}")
            elif self._settled(result, unit, ()):
                result.problems += judge(self._processes, unit, self._subject.expected)

    def _provisioning(self, machine: Machine, factory: Factory) -> Machine:
        """With two processors, as its specification wants it."""
        products = self._subject.products
        factory.origin.publish(products.published(), self._subject.unit.spec)
        arguments = (f"mfgurl={factory.origin.manuf_url}", *UNIT_ARGUMENTS)
        return machine.booting(DirectKernel(products.provision_kernel, arguments))

    def _kill(self, machine: Machine, unit: Unit, said: int, delay: float) -> Kill:
        return self._starter.kill(machine, unit.serial_log(_KILLED), said, delay)


def _said(console: bytes) -> list[str]:
    return [each.name for each in milestones(console)]

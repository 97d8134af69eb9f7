"""Replaying a script on the simulated machine, step by step; the rules are checked after each step."""

from __future__ import annotations

from dataclasses import dataclass, field

from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.system.clock import SeededRandomness
from gprov.apps.host.simulation.cut_campaign import LONGEST_START, MOST_STARTS
from gprov.apps.host.simulation.fault_injection import Say, inject
from gprov.apps.host.simulation.invariants import (
    recovery_problems,
    report_problems,
    secret_problems,
    system_problems,
)
from gprov.apps.host.simulation.machine_shapes import simulated
from gprov.apps.host.simulation.pauses import AnnouncedPauses
from gprov.apps.host.simulation.script import Script, Step, Verb
from gprov.domain.errors import DeviceMissing, GprovError

# Before a restore, and before the next start: a day each.
_LONGEST_PAUSES = 2 * 24 * 3600.0


@dataclass
class Replay:
    """One unit and the script that is replayed on it. ``problems``: one sentence per rule that was broken, with the
    step after which it was. ``say``: gets the transcript, line by line."""

    script: Script
    say: Say = lambda _: None
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = simulated(self.script.firmware, self.script.disks, self.script.seed)
        self.provisioned = False
        self._pauses = AnnouncedPauses()
        self.world.sinks = (self._pauses,)
        self._cut_at = -1
        self._erases = False
        self._writes: dict[str, int] = {}

    def run(self) -> list[str]:
        """Replay all steps, then start the unit until its system runs. Returns the problems."""
        for step in self.script.steps:
            self.say(f"== {step.describe()}")
            self.step(step)
        self.say("== until the unit rests")
        self.rest()
        return self.problems

    def step(self, step: Step) -> None:
        if step.verb in (Verb.PROVISION, Verb.START, Verb.CUT):
            self._power(step)
        else:
            self._erases = self._erases or (step.verb is Verb.KEYS and step.what == "erase")
            inject(self.world, step, self.say)
        self._check(step.describe())

    def _power(self, step: Step) -> None:
        """A step that turns the machine on."""
        if step.verb is Verb.CUT:
            self._cut(step)
        else:
            self._start(provision=step.verb is Verb.PROVISION)

    def rest(self) -> None:
        """Remove all faults; then the system must run after a bounded number of starts."""
        machine = self.world.machine
        machine.faults.clear()
        for disk in machine.disks:
            disk.detached = False
        self.world.origin.faults.clear()
        self.world.origin.down = self.world.factory.down = False
        machine.keys.clear()
        machine.operator_present = False
        for _ in range(MOST_STARTS):
            if self._start() == StopReason.SWITCHED_ROOT.value:
                break
        else:
            self.problems.append(f"the system does not run after {MOST_STARTS} starts")
        self._check("at rest")

    def _start(self, *, provision: bool = False) -> str:
        """Power on once; returns how the start ended. A machine that is not provisioned and finds nothing to start
        starts over the network."""
        world, machine = self.world, self.world.machine
        if machine.switched_to is not None:
            machine.restart()
        reported, began = len(world.factory.states), machine.clock.total_elapsed
        self._pauses.seconds = 0.0
        ended, over_network = "nothing to start", provision
        self._writes = {disk.serial: disk.writes for disk in machine.disks}
        machine.hook = self._hook
        try:
            if not provision:
                try:
                    ended = world.boot().value
                except DeviceMissing as missing:
                    lost = self.provisioned and self._is_gone("recovery")  # every start needs RECOVERY
                    if self.provisioned and not lost:
                        self.problems.append(f"nothing to start: {missing}")
                    over_network = not lost
            if over_network:
                self.provisioned = False
                ended = world.provision().value
                self.provisioned = ended == StopReason.REBOOT.value
        except GprovError as error:
            ended = f"failed: {error}"
            machine.restart()
        finally:
            machine.hook = None
            self._cut_at = -1
        seconds = machine.clock.total_elapsed - began
        self.say(f"   {ended} after {seconds:g} s")
        self.problems += report_problems(world, world.factory.states[reported:])
        if seconds - self._pauses.seconds > LONGEST_START:
            self.problems.append(f"a start took {seconds:g} s")
        if self._pauses.seconds > _LONGEST_PAUSES:
            self.problems.append(f"a start was to wait for {self._pauses.seconds:g} s")
        return ended

    def _is_gone(self, serial: str) -> bool:
        return any(disk.detached for disk in self.world.machine.disks if disk.serial == serial)

    def _hook(self, operation: str) -> None:
        machine = self.world.machine
        self.say(f"   {operation}")
        changed = [disk.serial for disk in machine.disks if disk.writes != self._writes[disk.serial]]
        if (
            self.provisioned
            and not self._erases
            and not machine.verified
            and any(serial != "recovery" for serial in changed)
        ):
            self.problems.append(f"{', '.join(changed)} changed before an image was verified ({operation})")
        if self._cut_at == 0:
            self.say("   *** power cut")
            raise MachineStopped(StopReason.POWER_CUT)
        self._cut_at -= 1

    def _cut(self, step: Step) -> None:
        machine = self.world.machine
        torn = "torn" in step.options
        machine.torn_cuts = torn
        machine.random = SeededRandomness(step.number("torn"))
        self._cut_at = step.number("at")
        self._start(provision=step.what == "provision")
        machine.torn_cuts = False

    def _check(self, where: str) -> None:
        world = self.world
        found = [*system_problems(world), *secret_problems(world)]
        if self.provisioned:
            found += recovery_problems(world)
        new = [text for text in dict.fromkeys(found) if not any(text in known for known in self.problems)]
        self.problems += [f"{text} (after: {where})" for text in new]

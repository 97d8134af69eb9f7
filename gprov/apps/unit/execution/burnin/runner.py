"""Runs a burn-in: phases of loads, watched by sensors, a time limit and a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from gprov.apps.unit.execution.burnin.measuring import Measurements
from gprov.apps.unit.execution.burnin.ports import BurnInPorts
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import Disk
from gprov.domain.errors import DeviceFault, GprovError, HardwareMismatch, Problem, ToolMissing
from gprov.domain.estimate import FRACTION
from gprov.domain.events import OperationPhase, OperationReport
from gprov.domain.mfg.burnin.judge import Found, judge, not_measured, too_hot, unmeasured
from gprov.domain.mfg.burnin.loads import Load, LoadResult, WriteLoad
from gprov.domain.mfg.burnin.plan import BurnInPlan, Phase, Resources, plan_burn_in
from gprov.domain.mfg.burnin.readings import Readings
from gprov.domain.mfg.burnin.report import BurnInReport
from gprov.domain.mfg.burnin.spec import BurnInSpec
from gprov.domain.platform.inventory import Inventory
from gprov.ports.burnin import RunningLoad
from gprov.ports.clock import Deadline

# Between two looks at the loads, the sensors and the keys. Waiting for a key is the pause.
TICK_SECONDS = 2.0
_CONFIRM_SECONDS = 30.0
_QUESTION = "Abort the burn-in? The unit is not provisioned then."
_REMEDY = "build the provisioning kernel with it: docs/how-to/burn-in.md"


class _Aborted(Exception):
    """Ends the burn-in without a result."""


class _TooHot(Exception):
    """Ends the burn-in with a failure: the unit could be damaged."""


class BurnInRunner:
    def __init__(self, ports: BurnInPorts, bus: EventBus) -> None:
        self._ports = ports
        self._bus = bus

    def plan(self, spec: BurnInSpec, inventory: Inventory, disks: Sequence[Disk]) -> BurnInPlan:
        """``disks``: the data disks. Raises HardwareMismatch (too little memory), DeviceFault."""
        available = self._ports.sensors.available_memory()
        return plan_burn_in(spec, Resources(inventory.cpus.logical, inventory.memory, available), disks)

    def run(self, plan: BurnInPlan) -> BurnInReport:
        """Raises ToolMissing (a program of a load), HardwareMismatch (a limit of something that this machine does not
        measure), DeviceFault: before anything has started. What happens later is in the report."""
        started_ns, started = self._ports.clock.now_ns(), self._ports.clock.monotonic()
        self._require_programs(plan)
        measured = Measurements(self._ports, plan)
        if problems := unmeasured(plan, measured.before):
            raise HardwareMismatch("burn-in: a limit cannot be checked", [Problem("", text) for text in problems])
        run = _Run(self._ports, self._bus, plan, measured)
        reason = run.to_the_end()
        after, fault = _read_again(measured)
        found = Found(
            results=tuple(run.results),
            hottest=measured.hottest,
            hardware_errors=measured.hardware_errors,
            before=measured.before,
            after=after,
        )
        return BurnInReport(
            started_ns=started_ns,
            seconds=self._ports.clock.monotonic() - started,
            tests=tuple(run.tests),
            checks=judge(plan, found),
            notes=(*plan.notes, *not_measured(plan, measured.before)),
            reason=reason or fault,
        )

    def _require_programs(self, plan: BurnInPlan) -> None:
        missing = {self._ports.loads.missing(load) for phase in plan.phases for load in phase.loads} - {""}
        if missing:
            raise ToolMissing(", ".join(sorted(missing)), _REMEDY)


def _read_again(measured: Measurements) -> tuple[Readings | None, str]:
    """The readings at the end, and why there are none."""
    try:
        measured.sample()
        return measured.read(), ""
    except DeviceFault as fault:
        return None, f"sensors are not readable: {fault}"


class _Run:
    """``results``, ``tests``: of the loads that have ended."""

    def __init__(self, ports: BurnInPorts, bus: EventBus, plan: BurnInPlan, measured: Measurements) -> None:
        self._ports = ports
        self._bus = bus
        self._plan = plan
        self._measured = measured
        self._deadline = Deadline(ports.clock, plan.spec.time_limit)
        self.results: list[LoadResult] = []
        self.tests: list[str] = []

    def to_the_end(self) -> str:
        """Why it was aborted, "" if it was not."""
        try:
            for number, phase in enumerate(self._plan.phases, 1):
                title = f"Burn-in {number} of {len(self._plan.phases)}: {phase.name}"
                self._bus.message(f"{title} (any key: abort)")
                with self._reported(f"burn-in: {'; '.join(load.describe() for load in phase.loads)}"):
                    self._phase(phase, title)
        except _TooHot:
            return ""
        except _Aborted as aborted:
            return str(aborted)
        except GprovError as error:
            return str(error)
        return ""

    def _phase(self, phase: Phase, title: str) -> None:
        """Raises _Aborted, _TooHot, DeviceFault."""
        begun = self._ports.clock.monotonic()
        with ExitStack() as stack:
            running: dict[Load, RunningLoad] = {}
            try:
                for load in phase.loads:
                    running[load] = stack.enter_context(self._start(load))
                while running:
                    self._look_at(running)
                    self._watch()
                    elapsed = self._ports.clock.monotonic() - begun
                    self._progress(title, elapsed, phase.seconds)
                    if running and self._ports.operator.key_pressed(TICK_SECONDS):
                        self._ask()
            except (_Aborted, _TooHot, GprovError):
                self._end(running)
                raise
        self._bus.progress(title, FRACTION, FRACTION)

    def _start(self, load: Load) -> AbstractContextManager[RunningLoad]:
        if isinstance(load, WriteLoad):
            return self._ports.write_loads.start(load)
        return self._ports.loads.start(load)

    def _look_at(self, running: dict[Load, RunningLoad]) -> None:
        for load, one in tuple(running.items()):
            result = one.result()
            if result is not None:
                self.results.append(result)
                self.tests.append(load.describe())
                del running[load]

    def _end(self, running: dict[Load, RunningLoad]) -> None:
        """End the loads of a phase that is broken off. What they have found until then counts."""
        for load, one in running.items():
            try:
                result = one.end()
            except GprovError as error:
                self._bus.warning(f"burn-in: what this has found is not known: {load.describe()}: {error}")
                continue
            if result is not None:
                self.results.append(result)

    def _watch(self) -> None:
        limit = self._plan.spec.limits.max_temperature
        for one in too_hot(self._measured.sample(), limit):
            self._bus.warning(f"burn-in: {one.sensor} has {one.celsius:.0f} °C, more than {limit} °C: ended at once")
            raise _TooHot
        if self._deadline.passed:
            raise _Aborted(f"the time limit of {self._plan.spec.time_limit} s has passed without a result")

    def _ask(self) -> None:
        if self._ports.operator.confirm(_QUESTION, _CONFIRM_SECONDS):
            raise _Aborted("by a person at the unit")

    def _progress(self, title: str, elapsed: float, seconds: int) -> None:
        """Against the planned time, or else the time limit; the end is reported by the load only."""
        total = seconds or elapsed + self._deadline.remaining
        share = int(elapsed / total * FRACTION) if total > 0 else 0
        self._bus.progress(title, min(FRACTION - 1, share), FRACTION)

    @contextmanager
    def _reported(self, description: str) -> Iterator[None]:
        clock, started = self._ports.clock, self._ports.clock.monotonic()
        self._bus.operation(OperationReport(description, OperationPhase.STARTED))
        try:
            yield
        except (_Aborted, _TooHot, GprovError) as error:
            text = str(error) or "too hot"
            seconds = clock.monotonic() - started
            self._bus.operation(OperationReport(description, OperationPhase.FAILED, seconds, text))
            raise
        self._bus.operation(OperationReport(description, OperationPhase.DONE, clock.monotonic() - started))

"""Reading sensors and counters during a burn-in."""

from __future__ import annotations

from gprov.apps.unit.execution.burnin.ports import BurnInPorts
from gprov.apps.unit.execution.erase.run_protocol import run_protocol
from gprov.domain.mfg.burnin.health_protocol import read_counters
from gprov.domain.mfg.burnin.plan import BurnInPlan
from gprov.domain.mfg.burnin.readings import Readings, Temperature
from gprov.ports.clock import Deadline

# For the counters of one drive: a busy one answers late.
_DRIVE_SECONDS = 60.0


class Measurements:
    """``before``: the readings at the start. Between ``sample`` calls the highest temperatures and the hardware errors
    are kept: the kernel's log overwrites old lines."""

    def __init__(self, ports: BurnInPorts, plan: BurnInPlan) -> None:
        """Raises DeviceFault."""
        self._ports = ports
        self._plan = plan
        self.before = self.read()
        self._hottest = {one.sensor: one for one in self.before.temperatures}
        self._errors: dict[str, None] = {}

    def read(self) -> Readings:
        """All of them, now. Raises DeviceFault."""
        sensors, clock = self._ports.sensors, self._ports.clock
        return Readings(
            temperatures=sensors.temperatures(),
            memory=sensors.memory_errors(),
            hardware_errors=sensors.hardware_errors(),
            disks=tuple(
                run_protocol(read_counters(disk), self._ports.drives, disk, clock, Deadline(clock, _DRIVE_SECONDS))
                for disk in self._plan.disks
            ),
        )

    def sample(self) -> tuple[Temperature, ...]:
        """Temperatures now. Raises DeviceFault."""
        now = self._ports.sensors.temperatures()
        for one in now:
            if one.sensor not in self._hottest or self._hottest[one.sensor].celsius < one.celsius:
                self._hottest[one.sensor] = one
        known = set(self.before.hardware_errors)
        self._errors.update((line, None) for line in self._ports.sensors.hardware_errors() if line not in known)
        return now

    @property
    def hottest(self) -> tuple[Temperature, ...]:
        return tuple(self._hottest.values())

    @property
    def hardware_errors(self) -> tuple[str, ...]:
        return tuple(self._errors)

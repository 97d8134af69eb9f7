"""Makes the Linux adapters of a burn-in's ports, each imported at its first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.ports.burnin import Loads, Sensors
    from gprov.ports.destructive.write_loads import WriteLoads
    from gprov.ports.process import Processes


def loads(*, processes: Processes) -> Loads:
    from gprov.adapters.linux.burnin.loads import ToolLoads

    return ToolLoads(processes)


def write_loads(*, processes: Processes) -> WriteLoads:
    from gprov.adapters.linux.burnin.loads import FioWriteLoads

    return FioWriteLoads(processes)


def sensors() -> Sensors:
    from gprov.adapters.linux.burnin.sensors import LinuxSensors

    return LinuxSensors()

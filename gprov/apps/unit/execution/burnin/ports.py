"""The ports of a burn-in."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.ports.burnin import Loads, Sensors
from gprov.ports.clock import Clock
from gprov.ports.destructive.write_loads import WriteLoads
from gprov.ports.drives import DriveQueries
from gprov.ports.operator import Operator


@dataclass(frozen=True, kw_only=True)
class BurnInPorts:
    loads: Loads
    write_loads: WriteLoads
    sensors: Sensors
    drives: DriveQueries
    operator: Operator
    clock: Clock

"""Ports of an erase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.execution.erase.machine import MachineEraser
from gprov.apps.unit.execution.erase.runner import ErasureRunner
from gprov.ports.clock import Randomness
from gprov.ports.drives import DiskReader, DriveQueries, UnreadyDrives
from gprov.ports.factory import ErasureRegistry
from gprov.ports.operator import Operator


@dataclass(frozen=True, kw_only=True)
class ErasePorts:
    """``queries``: what drives report about themselves; ``runner``: erases disks; ``machine``: erases what is not on
    them; ``registry_at`` takes the URL of a factory server."""

    flow: FlowPorts
    queries: DriveQueries
    unready: UnreadyDrives
    reader: DiskReader
    runner: ErasureRunner
    machine: MachineEraser
    registry_at: Callable[[str], ErasureRegistry]
    operator: Operator
    randomness: Randomness

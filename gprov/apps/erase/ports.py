"""Ports of an erase."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.execution.erase.runner import ErasureRunner
from gprov.ports.clock import Randomness
from gprov.ports.drives import DiskReader, DriveQueries
from gprov.ports.operator import Operator


@dataclass(frozen=True, kw_only=True)
class ErasePorts:
    """``queries``: what drives report about themselves; ``runner``: erases disks."""

    flow: FlowPorts
    queries: DriveQueries
    reader: DiskReader
    runner: ErasureRunner
    operator: Operator
    randomness: Randomness

"""The ports of provisioning."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.ports.archive import Archives
from gprov.ports.hardware import HardwareInventory
from gprov.ports.network import Http
from gprov.ports.process import Processes
from gprov.ports.secrets import PasswordHasher


@dataclass(frozen=True, kw_only=True)
class MfgPorts(FlowPorts):
    archives: Archives
    http: Http
    inventory: HardwareInventory
    processes: Processes
    hasher: PasswordHasher

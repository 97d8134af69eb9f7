"""The ports of provisioning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.domain.mfg.spec import FirmwareVersions
from gprov.ports.archive import Archives
from gprov.ports.bmc import Bmc
from gprov.ports.clock import Randomness
from gprov.ports.factory import CredentialStore, DocumentStore, Telemetry, TimeSource
from gprov.ports.hardware import HardwareInventory
from gprov.ports.network import Http
from gprov.ports.process import Processes
from gprov.ports.secrets import PasswordHasher


@dataclass(frozen=True)
class FactoryServer:
    """The factory's ports, as one server has them."""

    telemetry: Telemetry
    time: TimeSource
    documents: DocumentStore
    credentials: CredentialStore


@dataclass(frozen=True, kw_only=True)
class MfgPorts(FlowPorts):
    """``time_source_at`` and its like take the URL of a server. ``bmc_versions``: read at the first call; None without
    a BMC that answers."""

    time_source_at: Callable[[str], TimeSource]
    document_store_at: Callable[[str], DocumentStore]
    credential_store_at: Callable[[str], CredentialStore]
    archives: Archives
    bmc: Bmc
    bmc_versions: Callable[[], FirmwareVersions | None]
    http: Http
    inventory: HardwareInventory
    processes: Processes
    hasher: PasswordHasher
    randomness: Randomness

    def server(self, endpoint: str) -> FactoryServer:
        return FactoryServer(
            self.telemetry_at(endpoint),
            self.time_source_at(endpoint),
            self.document_store_at(endpoint),
            self.credential_store_at(endpoint),
        )

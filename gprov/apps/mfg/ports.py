"""The ports of provisioning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.execution.burnin.runner import BurnInRunner
from gprov.domain.mfg.qa.template import QaTemplate
from gprov.domain.mfg.spec import FirmwareVersions
from gprov.ports.archive import Archives
from gprov.ports.bmc import Bmc
from gprov.ports.clock import Randomness
from gprov.ports.config_tool import ConfigTools
from gprov.ports.factory import CredentialStore, DocumentStore, RunHistory, SessionAccess, Telemetry, TimeSource
from gprov.ports.hardware import HardwareInventory
from gprov.ports.network import Http
from gprov.ports.process import Processes
from gprov.ports.secrets import PasswordHasher


@dataclass(frozen=True, kw_only=True)
class FactoryServer:
    """The factory's ports, as one server has them."""

    access: SessionAccess
    telemetry: Telemetry
    time: TimeSource
    documents: DocumentStore
    credentials: CredentialStore
    runs: RunHistory


@dataclass(frozen=True, kw_only=True)
class MfgPorts(FlowPorts):
    """``time_source_at`` and its like take the URL of a server. ``bmc_versions``: read at the first call; None without
    a BMC that answers. ``qa_template`` raises BadInput."""

    time_source_at: Callable[[str], TimeSource]
    document_store_at: Callable[[str], DocumentStore]
    credential_store_at: Callable[[str], CredentialStore]
    run_history_at: Callable[[str], RunHistory]
    archives: Archives
    bmc: Bmc
    bmc_versions: Callable[[], FirmwareVersions | None]
    http: Http
    inventory: HardwareInventory
    processes: Processes
    config_tools: ConfigTools
    hasher: PasswordHasher
    randomness: Randomness
    burn_in_runner: Callable[[], BurnInRunner]
    qa_template: Callable[[], QaTemplate]

    def server(self, endpoint: str) -> FactoryServer:
        return FactoryServer(
            access=self.session_access_at(endpoint),
            telemetry=self.telemetry_at(endpoint),
            time=self.time_source_at(endpoint),
            documents=self.document_store_at(endpoint),
            credentials=self.credential_store_at(endpoint),
            runs=self.run_history_at(endpoint),
        )

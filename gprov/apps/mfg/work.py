"""What provisioning works with: ports, and what is known of the unit once its hardware was found right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.mfg.inspect import Inspection, InspectPorts
from gprov.apps.mfg.steps import StepRunner
from gprov.apps.unit.execution.executor import Tools
from gprov.apps.unit.network.remote_log import RemotePorts
from gprov.apps.unit.recovery.volume import RecoveryPorts
from gprov.domain.mfg.flags import MfgSwitches
from gprov.domain.mfg.manuf import ManufData
from gprov.domain.plan.provision import ProvisionFacts
from gprov.domain.platform.identify import Unit
from gprov.ports.events import EventSink
from gprov.ports.factory import CredentialStore, DocumentStore, Telemetry, TimeSource
from gprov.ports.process import Processes
from gprov.ports.secrets import PasswordHasher


@dataclass(frozen=True)
class FactoryServer:
    telemetry: Telemetry
    time: TimeSource
    documents: DocumentStore
    credentials: CredentialStore


@dataclass(frozen=True)
class FactoryPorts:
    """Each makes a port for the URL of a server."""

    telemetry_at: Callable[[str], Telemetry]
    time_source_at: Callable[[str], TimeSource]
    document_store_at: Callable[[str], DocumentStore]
    credential_store_at: Callable[[str], CredentialStore]

    def server(self, endpoint: str) -> FactoryServer:
        return FactoryServer(
            self.telemetry_at(endpoint),
            self.time_source_at(endpoint),
            self.document_store_at(endpoint),
            self.credential_store_at(endpoint),
        )


@dataclass(frozen=True)
class MfgPorts:
    """``file_sink_at`` makes a log file in a folder."""

    tools: Tools
    recovery: RecoveryPorts
    remote: RemotePorts
    factory: FactoryPorts
    inspect: InspectPorts
    processes: Processes
    hasher: PasswordHasher
    file_sink_at: Callable[[str], EventSink]


@dataclass(frozen=True)
class Work:
    """``inspection``: what was found; ``facts``: what is planned from it."""

    unit: Unit
    data: ManufData
    server: FactoryServer
    inspection: Inspection
    facts: ProvisionFacts
    steps: StepRunner
    switches: MfgSwitches

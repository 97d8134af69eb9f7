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
from gprov.ports.factory import Factory
from gprov.ports.process import Processes
from gprov.ports.secrets import PasswordHasher


@dataclass(frozen=True, kw_only=True)
class MfgPorts:
    """``file_sink_at`` makes a log file in a folder."""

    tools: Tools
    recovery: RecoveryPorts
    remote: RemotePorts
    inspect: InspectPorts
    processes: Processes
    hasher: PasswordHasher
    file_sink_at: Callable[[str], EventSink]


@dataclass(frozen=True, kw_only=True)
class Work:
    """``inspection``: what was found; ``facts``: what is planned from it."""

    unit: Unit
    data: ManufData
    factory: Factory
    inspection: Inspection
    facts: ProvisionFacts
    steps: StepRunner
    switches: MfgSwitches

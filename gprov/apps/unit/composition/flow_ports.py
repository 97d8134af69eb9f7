"""The ports of a flow that works on RECOVERY and reports to a factory server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.execution.executor import Executor
from gprov.apps.unit.network.server_trust import TrustPorts
from gprov.apps.unit.recovery.known_trust import ImageTrustPorts
from gprov.ports.background import Background
from gprov.ports.events import EventSink
from gprov.ports.factory import SessionAccess, Telemetry
from gprov.ports.firmware import SmbiosTable
from gprov.ports.network import Network

TelemetryAt = Callable[[str], Telemetry]
SessionAccessAt = Callable[[str], SessionAccess]
SinkFor = Callable[[Telemetry, str], EventSink]
FileSinkAt = Callable[[str], EventSink]


@dataclass(frozen=True, kw_only=True)
class FlowPorts:
    """Ports of a restore, of provisioning, and of recording a boot failure.

    ``executor`` runs all plans of the flow. ``telemetry_at`` and ``session_access_at`` take the URL of a server,
    ``sink_for`` a sink that sends the events of a unit (serial number) to it, ``file_sink_at`` a log file in a folder.
    """

    volumes: VolumePorts
    executor: Executor
    smbios: SmbiosTable
    network: Network
    trust: TrustPorts
    image_trust: ImageTrustPorts
    background: Background
    telemetry_at: TelemetryAt
    session_access_at: SessionAccessAt
    sink_for: SinkFor
    file_sink_at: FileSinkAt

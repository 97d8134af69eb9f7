"""The simulated network: interfaces, an HTTP origin, a factory that keeps what it was told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from gprov.adapters.fake.files import FakeFiles
from gprov.adapters.fake.machine import SimulatedMachine
from gprov.domain.errors import NetworkFault
from gprov.domain.events import Event, ProcessState
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.domain.unit.nics import Nic
from gprov.ports.factory import Factory
from gprov.ports.network import Fetched, Http, Lease, Network, Reply, TransferProgress


@dataclass
class Origin:
    """What the simulated web server serves: URL → content. ``down``: no answer at all."""

    content: dict[str, bytes] = field(default_factory=dict)
    down: bool = False


class FakeNetwork(Network):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def nics(self) -> tuple[Nic, ...]:
        return tuple(sorted(self._machine.nics, key=lambda nic: nic.name))

    @override
    def connect(self, nics: Sequence[Nic], seconds: float) -> Lease:
        self._machine.touch("connect")
        for nic in nics:
            if nic.carrier and nic in self._machine.nics:
                return Lease(nic.name, "10.0.2.15", 24, "10.0.2.2", ("10.0.2.3",))
        self._machine.clock.sleep(seconds)
        raise NetworkFault(", ".join(nic.name for nic in nics) or "no interface", "no lease")


class FakeHttp(Http):
    def __init__(self, machine: SimulatedMachine, origin: Origin) -> None:
        self._machine = machine
        self._origin = origin
        self._files = FakeFiles(machine)

    @override
    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 16 << 20,
        seconds: float = 30.0,
    ) -> Reply:
        self._machine.touch(f"{method} {url}")
        if self._origin.down:
            self._machine.clock.sleep(seconds)
            raise NetworkFault(url, "no answer")
        content = self._origin.content.get(url)
        if content is None:
            return Reply(404, b"")
        if len(content) > limit:
            raise NetworkFault(url, f"reply is longer than {limit} bytes")
        return Reply(200, content)

    @override
    def download(
        self, url: str, target: str, progress: TransferProgress, *, stall_seconds: float = 60.0, attempts: int = 6
    ) -> Fetched:
        reply = self.request("GET", url, limit=1 << 40, seconds=stall_seconds)
        if reply.status != 200:
            raise NetworkFault(url, f"status {reply.status}")
        progress(len(reply.body), len(reply.body))
        self._files.replace(target, reply.body)
        return Fetched(
            len(reply.body),
            hashlib.sha1(reply.body, usedforsecurity=False).hexdigest(),
            hashlib.sha256(reply.body).hexdigest(),
        )


@dataclass
class FakeFactory(Factory):
    """Keeps everything; ``down`` makes every call fail."""

    down: bool = False
    clock_ns: int = 1_750_000_000_000_000_000
    received: list[Event] = field(default_factory=list)
    states: list[ProcessState] = field(default_factory=list)
    code_names: dict[str, str] = field(default_factory=dict)
    reported_macs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)

    @override
    def events(self, serial: str, events: Sequence[Event]) -> None:
        self._answer()
        self.received.extend(events)

    @override
    def state(self, serial: str, state: ProcessState) -> None:
        self._answer()
        self.states.append(state)

    @override
    def code_name(self, serial: str, code_name: str) -> None:
        self._answer()
        self.code_names[serial] = code_name

    @override
    def macs(self, serial: str, nics: Mapping[str, str], bmc: Sequence[str]) -> None:
        self._answer()
        self.reported_macs[serial] = (*nics.values(), *bmc)

    @override
    def document(self, serial: str, name: str, content: str) -> None:
        self._answer()
        self.documents[name] = content

    @override
    def time_ns(self) -> int:
        self._answer()
        return self.clock_ns

    @override
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        self._answer()
        return Credentials(Secret(f"os-{serial}"), Secret(f"bios-{serial}"), Secret(f"ipmi-{serial}"))

    def _answer(self) -> None:
        if self.down:
            raise NetworkFault("http://factory.invalid", "no answer")

"""The simulated network: interfaces and a web server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from typing_extensions import override

from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.net.server_trust import FakeCertificate, FakeTrust
from gprov.adapters.fake.system.clock import FakeClock
from gprov.domain.errors import NetworkFault
from gprov.domain.unit.lease import DEFAULT, Lease, Route
from gprov.domain.unit.nics import Nic
from gprov.ports.clock import Deadline
from gprov.ports.network import Fetched, Http, Network, Reply, Report, TransferLimits, TransferProgress

_FIRST_PAUSE = 1.0


class ServerFault(Enum):
    """How a web server fails to serve one file."""

    HANGS = "hangs"  # takes the request and sends no reply
    RESETS = "resets"  # breaks the connection half-way; supports Range, so that downloads resume
    NO_RANGE = "no-range"  # breaks the connection half-way; ignores Range, so that downloads restart
    OVERSTATES = "lies"  # sends a Content-Length larger than the body, at every request
    TRUNCATES = "truncated"  # serves half of the file as the whole
    STALE = "stale"  # serves other content


@dataclass(kw_only=True)
class FakeOrigin:
    """Files of the simulated web server by URL. ``certificate``: shown at https URLs. ``down``: no reply at all.
    ``faults``: by URL; ``remaining_breaks``: number of connections still to break. ``requests``: URL and first byte of
    each request."""

    content: dict[str, bytes] = field(default_factory=dict)
    certificate: FakeCertificate | None = None
    down: bool = False
    faults: dict[str, ServerFault] = field(default_factory=dict)
    remaining_breaks: int = 2
    requests: list[tuple[str, int]] = field(default_factory=list)

    def send(self, url: str, start: int, timeout: float, clock: FakeClock) -> tuple[int, bytes, int, bool]:
        """Answer one request for the bytes from ``start``. Returns status, bytes, offset of the first byte, and whether
        the announced length was sent. Raises NetworkFault after ``timeout`` seconds without a reply."""
        self.requests.append((url, start))
        fault, content = self.faults.get(url), self.content.get(url)
        if self.down or fault is ServerFault.HANGS:
            clock.sleep(timeout)
            raise NetworkFault(url, "no answer")
        if content is None:
            return 404, b"", 0, True
        half = content[: len(content) // 2]
        match fault:
            case ServerFault.RESETS | ServerFault.NO_RANGE if self.remaining_breaks > 0:
                self.remaining_breaks -= 1
                begin = start if fault is ServerFault.RESETS else 0
                return 200, half[begin:], begin, False
            case ServerFault.NO_RANGE:
                return 200, content, 0, True
            case ServerFault.OVERSTATES:
                return 200, half, 0, False
            case ServerFault.TRUNCATES:
                return 200, half, 0, True
            case ServerFault.STALE:
                return 200, b"stale " + half, 0, True
            case _:
                return 200, content[start:], start, True


class FakeNetwork(Network):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def nics(self) -> tuple[Nic, ...]:
        return tuple(sorted(self._machine.nics, key=lambda nic: nic.name))

    @override
    def connect(self, nics: Sequence[Nic], seconds: float, report: Report) -> Lease:
        self._machine.begin_write("connect")
        for nic in nics:
            if nic.carrier and nic in self._machine.nics:
                return Lease(
                    interface=nic.name,
                    address="10.0.2.15",
                    prefix=24,
                    routes=(Route(DEFAULT, "10.0.2.2"),),
                    name_servers=("10.0.2.3",),
                )
        self._machine.clock.sleep(seconds)
        raise NetworkFault(", ".join(nic.name for nic in nics) or "no interface", "no lease")


class FakeHttp(Http):
    def __init__(self, machine: SimulatedMachine, origin: FakeOrigin, trust: FakeTrust | None = None) -> None:
        self._machine = machine
        self._origin = origin
        self._trust = trust or FakeTrust(machine, origin)
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
        self._machine.begin_write(f"{method} {url}")
        self._trust.check(url)
        status, content, _, whole = self._origin.send(url, 0, seconds, self._machine.clock)
        if not whole:
            raise NetworkFault(url, "the connection broke")
        if len(content) > limit:
            raise NetworkFault(url, f"reply is longer than {limit} bytes")
        return Reply(status, content)

    @override
    def download(self, url: str, target: str, progress: TransferProgress, limits: TransferLimits) -> Fetched:
        deadline = Deadline(self._machine.clock, limits.seconds)
        content, pause = b"", _FIRST_PAUSE
        for attempt in range(limits.attempts):
            self._machine.begin_write(f"GET {url}")
            self._trust.check(url)
            status, block, begin, whole = self._origin.send(
                url, len(content), limits.stall_seconds, self._machine.clock
            )
            if status != 200:
                raise NetworkFault(url, f"status {status}")
            content = content[:begin] + block
            if len(content) > limits.size:
                self._files.stream(target, b"", whole=True)
                raise NetworkFault(url, f"has {len(content)} bytes: the limit is {limits.size} bytes")
            self._files.stream(target, content, whole=whole)
            if whole:
                progress(len(content), len(content))
                sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
                return Fetched(len(content), sha1, hashlib.sha256(content).hexdigest())
            if deadline.passed:
                raise NetworkFault(url, f"not finished within {deadline.seconds:g} s")
            if attempt < limits.attempts - 1:
                self._machine.clock.sleep(pause)
                pause *= 2
        raise NetworkFault(url, f"the connection broke ({limits.attempts} attempts)")

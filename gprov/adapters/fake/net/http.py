"""HTTP transfers from the simulated web server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from typing_extensions import override

from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.net.origin import Answer, Cut, FakeOrigin, Refused
from gprov.adapters.fake.net.server_trust import FakeTrust
from gprov.domain.errors import NetworkFault
from gprov.ports.network import Fetched, Http, Reply, TransferLimits, TransferProgress, size_problem
from gprov.ports.retry import growing_pauses, retried

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0


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
        try:
            answer = self._origin.send(url, 0, seconds, self._machine.clock)
        except (Cut, Refused) as exc:
            raise NetworkFault(url, str(exc)) from exc
        if answer.encoded:
            raise NetworkFault(url, "sent its answer encoded, which was not asked for")
        if method == "HEAD":
            return Reply(answer.status, b"", answer.announced)
        if answer.endless or len(answer.body) > limit:
            raise NetworkFault(url, f"its answer is longer than {limit} bytes")
        if answer.announced is not None and len(answer.body) < answer.announced:
            raise NetworkFault(url, "the connection ended early")
        return Reply(answer.status, answer.body, answer.announced)

    @override
    def download(self, url: str, target: str, progress: TransferProgress, limits: TransferLimits) -> Fetched:
        transfer = _Transfer(self._machine, self._files, target, limits)
        attempts = limits.attempts

        def attempt() -> bytes:
            self._machine.begin_write(f"GET {url}")
            self._trust.check(url)
            stall = min(limits.stall_seconds, max(0.1, transfer.remaining))
            return transfer.receive(self._origin.send(url, len(transfer.content), stall, self._machine.clock))

        self._files.stream(target, b"", whole=False)
        try:
            content = retried(self._machine.clock, attempt, transfer.pauses(), Cut)
        except Refused as exc:
            raise NetworkFault(url, str(exc)) from exc
        except Cut as exc:
            late = f"not finished within {transfer.seconds:.0f} s: {exc}"
            tries = f" ({attempts} attempts)" if attempts > 1 else ""
            raise NetworkFault(url, f"{exc}{tries}" if transfer.remaining else late) from exc
        progress(len(content), len(content))
        sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        return Fetched(len(content), sha1, hashlib.sha256(content).hexdigest())


class _Transfer:
    """A download in progress."""

    def __init__(self, machine: SimulatedMachine, files: FakeFiles, target: str, limits: TransferLimits) -> None:
        self._clock = machine.clock
        self._files = files
        self._target = target
        self._limits = limits
        self._began = machine.clock.monotonic()
        self._announced = 0
        self.content = b""

    @property
    def seconds(self) -> float:
        return self._limits.seconds_for(self._limits.exact or self._announced or len(self.content))

    @property
    def remaining(self) -> float:
        return max(0.0, self._began + self.seconds - self._clock.monotonic())

    def pauses(self) -> Iterator[float]:
        for pause in growing_pauses(_FIRST_PAUSE, _LONGEST_PAUSE, self._limits.attempts):
            if not self.remaining:
                return
            yield min(pause, self.remaining)

    def receive(self, answer: Answer) -> bytes:
        """The whole content. Raises Cut, Refused."""
        if answer.status != 200:
            raise Refused("not found (404)" if answer.status == 404 else f"answered {answer.status}")
        self._announced = answer.announced or 0
        self._check(self._announced, f"has {self._announced} bytes")
        most = self._limits.room if self._limits.exact is None else min(self._limits.room, self._limits.exact)
        if answer.endless:
            self._check(most + 1, "does not end")
        self.content = self.content[: answer.begin] + answer.body
        if not self._announced:
            self._check(len(self.content), "does not end")
        expected = self._announced or self._limits.exact or len(self.content)
        self._files.stream(self._target, self.content, whole=len(self.content) == expected)
        if len(self.content) != expected:
            raise Cut(f"ended after {len(self.content)} of {expected} bytes")
        return self.content

    def _check(self, size: int, what: str) -> None:
        problem = size_problem(self._limits, size) if size else None
        if problem:
            self.content = b""
            self._files.stream(self._target, b"", whole=True)
            raise Refused(f"{what}, {problem}")

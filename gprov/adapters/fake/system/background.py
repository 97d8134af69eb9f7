"""Background port of a simulated machine: work is done at once, so that runs are reproducible. Work named in
``hanging`` never ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from typing_extensions import override

from gprov.adapters.fake.system.clock import FakeClock
from gprov.ports.background import Background, Task


@dataclass
class _FakeTask(Task):
    clock: FakeClock
    ended: bool

    @override
    def wait(self, seconds: float) -> bool:
        if not self.ended:
            self.clock.sleep(seconds)
        return self.ended


@dataclass
class FakeBackground(Background):
    clock: FakeClock
    hanging: set[str] = field(default_factory=set)

    @override
    def start(self, name: str, work: Callable[[], None]) -> Task:
        if name in self.hanging:
            return _FakeTask(self.clock, ended=False)
        work()
        return _FakeTask(self.clock, ended=True)

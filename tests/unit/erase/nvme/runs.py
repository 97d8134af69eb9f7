"""Runs protocols on simulated drives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from gprov.adapters.fake.drives.nvme import FULL_CONTROLLER, NvmeBehaviour, SimulatedNvmeDrive
from gprov.adapters.fake.system.clock import FakeClock
from gprov.domain.erase.drive_io import DriveReply, NoReply, NvmeCommand, NvmeReply, Protocol, Wait, Waited
from gprov.domain.formats.nvme.commands import Opcode
from gprov.domain.formats.nvme.controller import Controller

Result = TypeVar("Result")
SIZE = 1 << 30
LIMIT = 100_000.0


@dataclass
class Bench:
    """A drive, its clock, and what became of the data. ``data``: by namespace, "old" until they are erased."""

    clock: FakeClock
    drive: SimulatedNvmeDrive
    data: dict[int, str]
    progress: list[float] = field(default_factory=list)

    def run(
        self,
        protocol: Protocol[Result],
        limit: float = LIMIT,
        stop_after: int | None = None,
        answer: Callable[[NvmeCommand], NvmeReply | NoReply] | None = None,
    ) -> Result | None:
        """The result, or None if ``stop_after`` waits came first. ``answer``: instead of the drive."""
        deadline = self.clock.monotonic() + limit
        waits = 0
        reply: DriveReply | None = None
        while True:
            try:
                request = next(protocol) if reply is None else protocol.send(reply)
            except StopIteration as ended:
                result: Result = ended.value
                return result
            match request:
                case Wait():
                    if waits == stop_after:
                        return None
                    waits += 1
                    if request.done is not None:
                        self.progress.append(request.done)
                    self.clock.advance(request.seconds)
                    reply = Waited(self.clock.monotonic() >= deadline)
                case NvmeCommand():
                    reply = (answer or self.drive.nvme)(request)
                case _:
                    raise AssertionError(request)

    def power_cycle(self) -> None:
        self.drive.power_cycle()
        self.clock.restart()

    def sent(self, opcode: Opcode) -> list[NvmeCommand]:
        return [command for command in self.drive.received if command.opcode == opcode]

    @property
    def written_commands(self) -> list[NvmeCommand]:
        """Those that destroy data."""
        return [*self.sent(Opcode.FORMAT_NVM), *self.sent(Opcode.SANITIZE)]


def bench(
    behaviour: NvmeBehaviour | None = None, *, numbers: tuple[int, ...] = (1,), controller: Controller = FULL_CONTROLLER
) -> Bench:
    """A drive with data in each namespace."""
    clock = FakeClock()
    detached = behaviour.detached if behaviour else frozenset()
    data = dict.fromkeys((*numbers, *detached), "old")

    def erased(number: int, _: int | None) -> None:
        data[number] = "gone"

    sizes = dict.fromkeys(numbers, SIZE)
    drive = SimulatedNvmeDrive(clock, sizes, erased, controller=controller, behaviour=behaviour)
    drive.written()
    return Bench(clock, drive, data)

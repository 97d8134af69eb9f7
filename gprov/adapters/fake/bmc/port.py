"""The BMC port on the simulated machine."""

from __future__ import annotations

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.errors import DeadlineExceeded, DeviceMissing
from gprov.domain.formats.ipmi.message import IpmbAddress, Request, Response, parse_response
from gprov.ports.bmc import Bmc

# As long as the driver of the kernel waits.
SILENT_SECONDS = 5.0


class FakeBmc(Bmc):
    """The controller of the machine, if it has one. Power may be cut at each exchange, which is an operation named
    "bmc"."""

    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def exchange(self, request: Request, to: IpmbAddress | None = None) -> Response:
        controller = self._machine.bmc
        if controller is None:
            raise DeviceMissing("/dev/ipmi0", "the simulated machine has no management controller")
        self._machine.begin_write("bmc")
        address = (to.channel, to.slave) if to else None
        content = controller.respond(request.function, request.command, request.data, address)
        if content is None:
            self._machine.clock.advance(SILENT_SECONDS)
            raise DeadlineExceeded("/dev/ipmi0", SILENT_SECONDS)
        return parse_response(content)

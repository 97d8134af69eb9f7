"""Requests to the management controller (BMC) through /dev/ipmi0."""

from __future__ import annotations

import os
import select

from typing_extensions import override

from gprov.adapters.linux.ioctl.ipmi import receive, send_request
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.errors import DeadlineExceeded, DeviceMissing
from gprov.domain.formats.ipmi.message import IpmbAddress, Request, Response, parse_response
from gprov.ports.bmc import Bmc
from gprov.ports.clock import Clock, Deadline

# The kernel's driver repeats a request for some seconds.
RESPONSE_SECONDS = 10.0


class IpmiDevice(Bmc):
    """One request at a time; the device is open only for its duration."""

    def __init__(self, clock: Clock, path: str = "/dev/ipmi0") -> None:
        self._clock = clock
        self._path = path
        self._number = 0

    @override
    def exchange(self, request: Request, to: IpmbAddress | None = None) -> Response:
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError as exc:
            raise DeviceMissing(self._path, "the unit has no management controller, or the kernel no driver") from exc
        except OSError as exc:
            raise fault_from_oserror(self._path, "cannot open", exc) from exc
        try:
            self._number += 1
            send_request(fd, self._number, request, to)
            return parse_response(self._response(fd))
        except OSError as exc:
            raise fault_from_oserror(self._path, "cannot exchange messages", exc) from exc
        finally:
            os.close(fd)

    def _response(self, fd: int) -> bytes:
        deadline = Deadline(self._clock, RESPONSE_SECONDS)
        while not deadline.passed:
            if select.select([fd], [], [], deadline.remaining)[0]:
                received = receive(fd)
                if received is not None and received[0] == self._number:
                    return received[1]
        raise DeadlineExceeded(self._path, RESPONSE_SECONDS)

"""One DHCP client (busybox' udhcpc) on one interface: its process and the pipe for its events."""

from __future__ import annotations

import os
from contextlib import ExitStack

from gprov.adapters.linux.net.configure import program
from gprov.adapters.linux.net.lease import EVENTS_VARIABLE, REQUESTED_OPTIONS, DhcpReport, take_events
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.ports.process import Processes, Running

_RETRY_SECONDS = 2  # between packets: a switch port may stay silent for half a minute after it came up


class DhcpClient:
    """``pipe``: readable when there are events."""

    def __init__(self, interface: str, running: Running, pipe: int, stack: ExitStack) -> None:
        self.interface = interface
        self.running = running
        self.pipe = pipe
        self._stack = stack
        self._received = b""

    def events(self) -> list[DhcpReport]:
        """Events since the last call, without waiting. Raises DeviceFault."""
        try:
            while block := os.read(self.pipe, 1 << 16):
                self._received += block
        except BlockingIOError:
            pass
        except OSError as exc:
            raise fault_from_oserror(self.interface, "cannot read the events of its DHCP client", exc) from exc
        events, self._received = take_events(self._received)
        return events

    @property
    def ended(self) -> str:
        """The end of the output of a client that has exited; "" while it runs."""
        if self.running.poll() is None:
            return ""
        output = self.running.wait(1.0).output.decode(errors="replace").split("\n")
        return f"{self.interface}: udhcpc ended: {' '.join(output[-2:]).strip()}"

    def close(self) -> None:
        """End the process. The interface keeps its configuration."""
        self._stack.close()


def start_client(processes: Processes, interface: str, folder: str, script: str) -> DhcpClient:
    """``folder``: for the pipe. Raises DeviceFault, ToolMissing."""
    path = f"{folder}/{interface}"
    # udhcpc goes on asking until it is ended, so there is one deadline: that of whoever waits.
    argv = [*program(processes, "udhcpc"), "-f", "-i", interface, "-s", script]
    argv += ["-t", "10", "-T", str(_RETRY_SECONDS), "-A", str(_RETRY_SECONDS)]
    argv += [word for option in REQUESTED_OPTIONS for word in ("-O", option)]
    with ExitStack() as stack:
        try:
            os.mkfifo(path, 0o600)
            # For writing too: a pipe without a writer reads as ended.
            pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as exc:
            raise fault_from_oserror(path, "cannot make a pipe", exc) from exc
        stack.callback(os.close, pipe)
        running = stack.enter_context(processes.start(argv, env={EVENTS_VARIABLE: path}))
        return DhcpClient(interface, running, pipe, stack.pop_all())

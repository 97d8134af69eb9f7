"""The management controller of a virtual unit: OpenIPMI's simulator, reached by QEMU and by clients in the network."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file, write_file
from gprov.apps.host.lab.bmc_config import (
    BmcPorts,
    program,
    simulator_arguments,
    simulator_files,
    switched_file,
)
from gprov.domain.errors import DeviceMissing, ToolFailed
from gprov.ports.process import Processes, Running

_HOST = "127.0.0.1"
_PRIVATE_FOLDER, _PROGRAM = 0o700, 0o700
_ATTEMPTS = 3
_START_SECONDS = 20.0
_ASK_SECONDS = 0.2
# The simulator writes changed accounts to its folder once in a second (lanserv/bmc.c, ipmi_emu_tick).
_SAVE_SECONDS = 1.5
# ASF 2.0, section 3.2.4: a presence ping in an RMCP packet without acknowledgement, and the type of its answer.
_PING = bytes((0x06, 0, 0xFF, 0x06)) + (0x11BE).to_bytes(4, "big") + bytes((0x80, 0, 0, 0))
_PONG = 0x40


@dataclass(frozen=True, slots=True)
class SimulatedBmc:
    """A running simulator."""

    folder: str
    ports: BmcPorts

    def switched(self) -> tuple[str, ...]:
        """What was switched since the folder is there, in order: ``identify 255``."""
        try:
            return tuple(read_file(switched_file(self.folder)).decode().splitlines())
        except DeviceMissing:
            return ()


@contextmanager
def simulated_bmc(processes: Processes, folder: str) -> Iterator[SimulatedBmc]:
    """Run a simulator while the context lasts. Its accounts are kept in ``folder``, which is made. Raises
    DeviceMissing if it is not installed, ToolFailed."""
    if processes.which("ipmi_sim") is None:
        raise DeviceMissing("ipmi_sim", "is not installed; apt-get install openipmi")
    with os_errors_translated(folder):
        os.makedirs(folder, mode=_PRIVATE_FOLDER, exist_ok=True)
    with ExitStack() as stack:
        # Another program may take a port before the simulator does.
        started = (_started(stack, processes, folder) for _ in range(_ATTEMPTS))
        ports = next((ports for ports in started if ports is not None), None)
        if ports is None:
            output = read_file(_log(folder)).decode(errors="replace")
            raise ToolFailed("ipmi_sim", "did not start", output=output)
        yield SimulatedBmc(folder, ports)
        time.sleep(_SAVE_SECONDS)


def _started(stack: ExitStack, processes: Processes, folder: str) -> BmcPorts | None:
    """None if it does not answer."""
    ports = BmcPorts(_free_port(socket.SOCK_STREAM), _free_port(socket.SOCK_DGRAM))
    _write(folder, ports)
    running = stack.enter_context(processes.start(simulator_arguments(folder), log=_log(folder)))
    if _answers(running, ports.network):
        return ports
    running.kill()
    return None


def _log(folder: str) -> str:
    return os.path.join(folder, "ipmi_sim.log")


def _write(folder: str, ports: BmcPorts) -> None:
    for path, text in simulator_files(folder, ports).items():
        write_file(path, text.encode())
    with os_errors_translated(folder):
        os.chmod(program(folder), _PROGRAM)


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(running: Running, port: int) -> bool:
    """Ask until the simulator is there."""
    end = time.monotonic() + _START_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(_ASK_SECONDS)
        while time.monotonic() < end and running.poll() is None:
            with suppress(OSError):
                client.sendto(_PING, (_HOST, port))
                answer = client.recv(64)
                if len(answer) > 8 and answer[8] == _PONG:
                    return True
                continue
            time.sleep(_ASK_SECONDS)
    return False

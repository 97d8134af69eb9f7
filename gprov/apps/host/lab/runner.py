"""Runs a virtual machine: starts QEMU, waits until the guest ends, and always ends QEMU."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from enum import Enum

from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file
from gprov.apps.host.lab.argv import Accelerator, HostEndpoints, qemu_arguments
from gprov.apps.host.lab.bmc import SimulatedBmc, simulated_bmc
from gprov.apps.host.lab.disk_argv import disk_device
from gprov.apps.host.lab.guest_messages import GuestMilestone, GuestReport, guest_report, milestones
from gprov.apps.host.lab.machine import Machine, VirtualDisk
from gprov.apps.host.lab.namespace import inside
from gprov.apps.host.lab.qmp import Qmp, QmpClosed, QmpEvent
from gprov.apps.host.lab.screens import attached
from gprov.apps.host.lab.tpm import simulated_tpm
from gprov.apps.host.lcd.station import LcdStation
from gprov.domain.errors import DeadlineExceeded, DeviceFault, DeviceMissing, ToolFailed
from gprov.ports.process import Processes, Running

FIRMWARE_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
SECURE_FIRMWARE_CODE = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
FIRMWARE_VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd"

_START_SECONDS = 30.0
_QUIT_SECONDS = 60.0  # QEMU writes cached data of its disks to the host's disk
_POLL_SECONDS = 0.5  # between two reads of the guest's console log

ProgressCallback = Callable[[str], None]


class Ending(Enum):
    """How a run ended, as reported by QEMU."""

    RESET = "reset"
    POWER_OFF = "power-off"
    TIMEOUT = "timeout"
    CRASHED = "crashed"


class RunningMachine:
    """A running machine. ``console``: path of the Unix socket of its serial line. ``lcd``: its display, None if it has
    none or another program is to be attached to its socket ``lcd_socket``."""

    def __init__(self, running: Running, qmp: Qmp, endpoints: HostEndpoints, lcd: LcdStation | None) -> None:
        self._running = running
        self._endpoints = endpoints
        self._ended: Ending | None = None
        self.qmp = qmp
        self.console = endpoints.console
        self.lcd = lcd
        self.lcd_socket = endpoints.lcd

    def milestones(self) -> tuple[GuestMilestone, ...]:
        return milestones(_log_content(self._endpoints.serial_log))

    def verdict(self) -> GuestReport | None:
        return guest_report(_log_content(self._endpoints.report))

    def wait_end(self, seconds: float, watch: Callable[[], bool] = lambda: True) -> Ending:
        """Wait until the guest resets the machine or powers off, at most ``seconds``; returns at once if it has done so
        before. ``watch`` is called at least every half second; it ends the wait by returning False."""
        if self._ended is not None:
            return self._ended
        end = time.monotonic() + seconds
        while (remaining := end - time.monotonic()) > 0:
            try:
                event = self.qmp.next_event(min(remaining, _POLL_SECONDS))
            except QmpClosed:
                return Ending.CRASHED
            more = watch()
            self._ended = self._ending(event)
            if self._ended is not None:
                return self._ended
            if not more:
                break
        return Ending.TIMEOUT

    def wait_milestone(self, name: str, seconds: float) -> GuestMilestone:
        """Wait until the guest reports a milestone. Raises DeadlineExceeded, DeviceFault if the guest ends before."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = next((each for each in self.milestones() if each.name == name), None)
            if found is not None:
                return found
            if self.wait_end(_POLL_SECONDS) is not Ending.TIMEOUT:
                raise DeviceFault("guest", f"ended before its milestone {name!r}")
        raise DeadlineExceeded(f"milestone {name!r}", seconds)

    def plug(self, disk: VirtualDisk) -> None:
        """Plug a hot-plugged disk of this machine."""
        self.qmp.execute("device_add", disk_device(disk))

    def press_keys(self, *keys: str) -> None:
        """Press and release keys of the PS/2 keyboard at once; names are QEMU's QKeyCode ("ret", "a", "f12")."""
        self.qmp.execute("send-key", {"keys": [{"type": "qcode", "data": key} for key in keys]})

    def cut_power(self) -> None:
        """Kill QEMU, so that it cannot write cached data."""
        self._running.kill()

    def _ending(self, event: QmpEvent | None) -> Ending | None:
        if event is None:
            return None
        if event.name == "SHUTDOWN":
            return {"guest-reset": Ending.RESET, "guest-shutdown": Ending.POWER_OFF}.get(
                str(event.data.get("reason")), Ending.CRASHED
            )
        if event.name == "STOP":  # without a command only after a failure of the accelerator
            status = self.qmp.execute("query-status")
            if isinstance(status, dict) and status.get("status") == "internal-error":
                return Ending.CRASHED
        return None


class Runner:
    """Starts machines. ``accelerator`` is called once per machine."""

    def __init__(
        self, processes: Processes, accelerator: Callable[[], Accelerator], firmware_code: str = FIRMWARE_CODE
    ) -> None:
        self._processes = processes
        self._accelerator = accelerator
        self._firmware_code = firmware_code

    @contextmanager
    def start(self, machine: Machine, serial_log: str, *, attach_lcd: bool = True) -> Iterator[RunningMachine]:
        """Run a machine while the context lasts. QEMU writes the serial output to the new file ``serial_log``. Without
        ``attach_lcd`` a display is not plugged.

        At the end of the context QEMU quits in an orderly way (complete files), or is killed if it does not.
        """
        firmware_code = SECURE_FIRMWARE_CODE if machine.secure_boot else self._firmware_code
        _require_file(firmware_code, "apt-get install ovmf")
        with (
            _sockets_folder() as folder,
            _bmc_of(machine, self._processes) as bmc,
            _tpm_of(machine, self._processes, os.path.join(folder, "tpm")) as tpm,
        ):
            with suppress(FileNotFoundError):
                os.unlink(serial_log)
            endpoints = HostEndpoints(
                bmc_port=bmc.ports.machine if bmc is not None else 0,
                tpm=tpm,
                accelerator=self._accelerator(),
                qmp=os.path.join(folder, "qmp"),
                console=os.path.join(folder, "console"),
                lcd=os.path.join(folder, "lcd"),
                serial_log=serial_log,
                report=os.path.join(folder, "report"),
                firmware_code=firmware_code,
            )
            log = os.path.join(folder, "qemu.log")
            with (
                self._processes.start(
                    (*inside(machine.namespace), *qemu_arguments(machine, endpoints)), log=log
                ) as running,
                _connected(running, endpoints, log) as qmp,
                attached(machine if attach_lcd else replace(machine, lcd=None), endpoints.lcd) as lcd,
            ):
                yield RunningMachine(running, qmp, endpoints, lcd)
                _quit(running, qmp)


@contextmanager
def _bmc_of(machine: Machine, processes: Processes) -> Iterator[SimulatedBmc | None]:
    if not machine.bmc:
        yield None
        return
    with simulated_bmc(processes, machine.bmc) as bmc:
        yield bmc


@contextmanager
def _tpm_of(machine: Machine, processes: Processes, channel: str) -> Iterator[str]:
    """Path of its socket, "" without a TPM."""
    if not machine.tpm:
        yield ""
        return
    with simulated_tpm(processes, machine.tpm, channel):
        yield channel


@contextmanager
def _connected(running: Running, endpoints: HostEndpoints, log: str) -> Iterator[Qmp]:
    try:
        qmp = _connect(running, endpoints.qmp)
    except (DeadlineExceeded, QmpClosed) as exc:
        raise ToolFailed("qemu", "did not start", output=_log_content(log).decode(errors="replace")) from exc
    with qmp:
        yield qmp


def _connect(running: Running, path: str) -> Qmp:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            return Qmp.connect(path, 0.2)
        except DeadlineExceeded:
            if running.poll() is not None or time.monotonic() >= end:
                raise


def _quit(running: Running, qmp: Qmp) -> None:
    with suppress(QmpClosed):
        qmp.execute("quit")
    running.wait(_QUIT_SECONDS)


@contextmanager
def _sockets_folder() -> Iterator[str]:
    """Yield a folder with a short path: paths of Unix sockets have at most 107 bytes."""
    folder = tempfile.mkdtemp(prefix="gprov-lab-", dir="/tmp")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _log_content(path: str) -> bytes:
    try:
        return read_file(path)
    except DeviceMissing:
        return b""


def _require_file(path: str, remedy: str) -> None:
    with os_errors_translated(path):
        if not os.path.exists(path):
            raise DeviceMissing(path, f"is not installed; {remedy}")

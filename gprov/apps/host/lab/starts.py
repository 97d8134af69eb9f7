"""Single starts of a unit: until its system runs, or until QEMU is killed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.apps.host.lab.guest_messages import GuestReport
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.runner import Ending, Runner, RunningMachine
from gprov.apps.host.lab.stage import HANDOVER
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.events import ProcessState

# Deadline of one start, for an emulated processor on a busy host.
START_SECONDS = 420.0
MAX_STARTS = 4
# Time that a unit is watched after it gave up; it restarts only after ten minutes.
_GIVEN_UP_SECONDS = 10.0
# Output of firmware that finds nothing to start; OVMF then starts its built-in shell.
_NOTHING = (b"No bootable option or device was found", b"No bootable device", b"UEFI Interactive Shell")
_SUCCEEDED = ProcessState.FR_SUCCEEDED.value
_FAILED = (ProcessState.FR_FAILED.value, ProcessState.INIT_FAILED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Outcome of a start. ``nothing_bootable``: the firmware found nothing to start."""

    ending: Ending
    milestone_names: tuple[str, ...]
    system: GuestReport | None
    nothing_bootable: bool
    seconds: float

    @property
    def failures(self) -> list[str]:
        """Reported states that stand for a failure."""
        return [name for name in self.milestone_names if name in _FAILED]

    @property
    def outcome(self) -> str:
        return "nothing to start" if self.nothing_bootable else self.ending.value

    def describe(self) -> str:
        return f"{' '.join(self.milestone_names) or 'silent'} → {self.outcome} ({self.seconds:.0f} s)"


@dataclass(frozen=True, slots=True)
class Kill:
    """``how``: description; ``missed``: the machine ended before it was killed."""

    how: str
    missed: bool


def start_until_running(
    start: Callable[[int], Start], earlier_milestones: Sequence[str]
) -> tuple[list[Start], list[str]]:
    """Call ``start(number)``, from 1, until the system runs. ``earlier_milestones``: reported before the first start.

    Returns the starts and the problems. After a report of success the next start must boot the system. A start must
    not report both success and failure."""
    starts: list[Start] = []
    succeeded = _SUCCEEDED in earlier_milestones
    while len(starts) < MAX_STARTS:
        latest = start(len(starts) + 1)
        starts.append(latest)
        if succeeded and HANDOVER not in latest.milestone_names:
            return starts, ["the unit reported success, but did not start its system"]
        succeeded = _SUCCEEDED in latest.milestone_names
        if succeeded and latest.failures:
            return starts, [f"a start reported both {latest.failures[0]} and success"]
        if latest.system is not None and latest.ending is Ending.POWER_OFF:
            return starts, _system_problems(latest.system)
        if latest.nothing_bootable or latest.ending not in (Ending.RESET, Ending.POWER_OFF):
            return starts, [f"start {len(starts)}: {latest.describe()}"]
    return starts, [f"the system does not run after {MAX_STARTS} starts"]


class Starter:
    """Starts units. ``cpus``: number of virtual processors of each machine."""

    def __init__(self, runner: Runner, cpus: int) -> None:
        self._runner = runner
        self._cpus = cpus

    def start(self, unit: VirtualUnit, name: str) -> Start:
        """Start the unit and wait until it ends, gives up or finds nothing to start."""
        began = time.monotonic()
        firmware_log, serial_log = unit.path(f"firmware-{name}.log"), unit.serial_log(name)
        machine = _with_firmware_log(replace(unit.machine(), cpus=self._cpus), firmware_log)
        with self._runner.start(machine, serial_log) as live:
            watch = _StartWatch(live, (serial_log, firmware_log))
            ending = live.wait_end(START_SECONDS, watch.poll)
            milestone_names, system = tuple(each.name for each in live.milestones()), live.verdict()
        return Start(
            ending=ending,
            milestone_names=milestone_names,
            system=system,
            nothing_bootable=watch.nothing_bootable,
            seconds=time.monotonic() - began,
        )

    def kill(self, machine: Machine, serial_log: str, console_bytes: int, delay: float) -> Kill:
        """Start the machine and kill QEMU ``delay`` seconds after the console log has reached ``console_bytes``."""
        with self._runner.start(machine, serial_log) as live:
            ending = live.wait_end(START_SECONDS, lambda: _size(serial_log) < console_bytes)
            if ending is Ending.TIMEOUT:
                ending = live.wait_end(delay)
            if ending is Ending.TIMEOUT:
                live.cut_power()
            reached = " ".join(each.name for each in live.milestones())
        missed = ending is not Ending.TIMEOUT
        how = f"ended by {ending.value} before it was killed" if missed else "killed"
        return Kill(
            f"{how} {delay:.2f} s after {console_bytes} bytes of console output; milestones: {reached or 'none'}",
            missed,
        )


def _system_problems(system: GuestReport) -> list[str]:
    return [
        f"the system reports {name}: {system.facts.get(name)}"
        for name in ("flag", "recovery")
        if system.facts.get(name) is not True
    ]


class _StartWatch:
    def __init__(self, live: RunningMachine, logs: Sequence[str]) -> None:
        self.nothing_bootable = False
        self._live = live
        self._logs = logs
        self._given_up: float | None = None

    def poll(self) -> bool:
        """Return False when waiting longer is of no use."""
        self.nothing_bootable = any(words in _content(log) for log in self._logs for words in _NOTHING)
        if self._given_up is None and any(
            each.name == ProcessState.INIT_FAILED.value for each in self._live.milestones()
        ):
            self._given_up = time.monotonic()
        given_up = self._given_up is not None and time.monotonic() - self._given_up > _GIVEN_UP_SECONDS
        return not (self.nothing_bootable or given_up)


def _with_firmware_log(machine: Machine, log: str) -> Machine:
    """Log the debug port of SeaBIOS, which writes nothing to the serial line."""
    if machine.firmware is not FirmwareKind.BIOS:
        return machine
    sink = ("-chardev", f"file,id=firmware,path={log.replace(',', ',,')}")
    port = ("-device", "isa-debugcon,iobase=0x402,chardev=firmware")
    return replace(machine, extra=(*machine.extra, *sink, *port))


def _content(path: str) -> bytes:
    return read_file(path) if os.path.exists(path) else b""


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0

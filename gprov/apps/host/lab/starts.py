"""Single starts of a unit whose power was cut, or is to be."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.apps.host.lab.channel import GuestVerdict
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.runner import Ending, LiveMachine, Runner
from gprov.apps.host.lab.stage import HANDOVER
from gprov.apps.host.lab.unit import Unit
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.events import ProcessState

# Of one start, on a busy host that emulates its processor.
START_SECONDS = 420.0
MOST_STARTS = 4
# How long a unit that gave up is watched: it would stand for ten minutes.
_GIVEN_UP_SECONDS = 10.0
# What firmware says if it finds nothing to start; OVMF has a shell built in, which it then starts.
_NOTHING = (b"No bootable option or device was found", b"No bootable device", b"UEFI Interactive Shell")
_SUCCEEDED = ProcessState.FR_SUCCEEDED.value
_FAILED = (ProcessState.FR_FAILED.value, ProcessState.INIT_FAILED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a start came to. ``nothing``: the firmware found nothing to start."""

    ending: Ending
    said: tuple[str, ...]
    system: GuestVerdict | None
    nothing: bool
    seconds: float

    @property
    def failures(self) -> list[str]:
        """What it said to have failed."""
        return [name for name in self.said if name in _FAILED]

    @property
    def outcome(self) -> str:
        return "nothing to start" if self.nothing else self.ending.value

    def describe(self) -> str:
        return f"{' '.join(self.said) or 'silent'} → {self.outcome} ({self.seconds:.0f} s)"


@dataclass(frozen=True, slots=True)
class Kill:
    """``missed``: the machine came to its own end first."""

    how: str
    missed: bool


def settle(start: Callable[[int], Start], told: Sequence[str]) -> tuple[list[Start], list[str]]:
    """Start, by number from 1, until the system runs. ``told``: what the unit had said before. Returns the starts, and
    what is wrong: whoever said to be restored must be, and nobody fails and succeeds at once."""
    starts: list[Start] = []
    succeeded = _SUCCEEDED in told
    while len(starts) < MOST_STARTS:
        latest = start(len(starts) + 1)
        starts.append(latest)
        if succeeded and HANDOVER not in latest.said:
            return starts, ["the unit reported success, but did not start its system"]
        succeeded = _SUCCEEDED in latest.said
        if succeeded and latest.failures:
            return starts, [f"a start reported both {latest.failures[0]} and success"]
        if latest.system is not None and latest.ending is Ending.POWER_OFF:
            return starts, _wrong_with(latest.system)
        if latest.nothing or latest.ending not in (Ending.RESET, Ending.POWER_OFF):
            return starts, [f"start {len(starts)}: {latest.describe()}"]
    return starts, [f"the system does not run after {MOST_STARTS} starts"]


class Starter:
    """``cpus``: of the machines; fewer, if several run at once."""

    def __init__(self, runner: Runner, cpus: int) -> None:
        self._runner = runner
        self._cpus = cpus

    def start(self, unit: Unit, name: str) -> Start:
        """To its end; or until it has nothing more to say."""
        began = time.monotonic()
        firmware_log, serial_log = unit.path(f"firmware-{name}.log"), unit.serial_log(name)
        machine = _with_firmware_log(replace(unit.machine(), cpus=self._cpus), firmware_log)
        with self._runner.start(machine, serial_log) as live:
            watch = _Watch(live, (serial_log, firmware_log))
            ending = live.wait_end(START_SECONDS, watch.look)
            said, system = tuple(each.name for each in live.milestones()), live.verdict()
        return Start(ending=ending, said=said, system=system, nothing=watch.nothing, seconds=time.monotonic() - began)

    def kill(self, machine: Machine, serial_log: str, said: int, delay: float) -> Kill:
        """Start it, and kill QEMU ``delay`` seconds after the console has said so many bytes."""
        with self._runner.start(machine, serial_log) as live:
            ending = live.wait_end(START_SECONDS, lambda: _size(serial_log) < said)
            if ending is Ending.TIMEOUT:
                ending = live.wait_end(delay)
            if ending is Ending.TIMEOUT:
                live.cut_power()
            told = " ".join(each.name for each in live.milestones())
        missed = ending is not Ending.TIMEOUT
        how = f"ended by {ending.value} before it was killed" if missed else "killed"
        return Kill(f"{how} {delay:.2f} s after {said} bytes of console, having said {told or 'nothing'}", missed)


def _wrong_with(system: GuestVerdict) -> list[str]:
    return [
        f"the system says {name}: {system.facts.get(name)}"
        for name in ("flag", "recovery")
        if system.facts.get(name) is not True
    ]


class _Watch:
    def __init__(self, live: LiveMachine, logs: Sequence[str]) -> None:
        self.nothing = False
        self._live = live
        self._logs = logs
        self._given_up: float | None = None

    def look(self) -> bool:
        """False: nothing more is to come."""
        self.nothing = any(words in _content(log) for log in self._logs for words in _NOTHING)
        if self._given_up is None and any(
            each.name == ProcessState.INIT_FAILED.value for each in self._live.milestones()
        ):
            self._given_up = time.monotonic()
        given_up = self._given_up is not None and time.monotonic() - self._given_up > _GIVEN_UP_SECONDS
        return not (self.nothing or given_up)


def _with_firmware_log(machine: Machine, log: str) -> Machine:
    """SeaBIOS says nothing on the serial line, but on its debug port."""
    if machine.firmware is not FirmwareKind.BIOS:
        return machine
    sink = ("-chardev", f"file,id=firmware,path={log.replace(',', ',,')}")
    port = ("-device", "isa-debugcon,iobase=0x402,chardev=firmware")
    return replace(machine, extra=(*machine.extra, *sink, *port))


def _content(path: str) -> bytes:
    return read_file(path) if os.path.exists(path) else b""


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0

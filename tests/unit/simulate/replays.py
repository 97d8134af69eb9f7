"""Replays of simulated units in the states that several tests begin with."""

from __future__ import annotations

from gprov.apps.host.simulation.replay import Replay
from gprov.apps.host.simulation.script import Script, Step, Verb
from gprov.domain.boot.firmware import FirmwareKind


def provisioned(
    firmware: FirmwareKind = FirmwareKind.UEFI, disks: str = "sata", lines: list[str] | None = None
) -> Replay:
    """A unit that was provisioned and not started since. ``lines`` receives what the replay prints."""
    replay = Replay(Script(firmware, disks)) if lines is None else Replay(Script(firmware, disks), lines.append)
    replay.step(Step(Verb.PROVISION))
    assert replay.problems == []
    return replay


def running(firmware: FirmwareKind = FirmwareKind.UEFI, disks: str = "sata", lines: list[str] | None = None) -> Replay:
    """A unit that restored itself and started its system."""
    replay = provisioned(firmware, disks, lines)
    for _ in range(2):
        replay.step(Step(Verb.START))
    assert replay.problems == []
    return replay

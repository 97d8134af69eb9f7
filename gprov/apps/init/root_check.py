"""The check of the root's file system, as a fact for the next boot decision."""

from __future__ import annotations

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.decisions import CheckFileSystem
from gprov.domain.boot.facts import CheckOutcome
from gprov.domain.disk.model import CheckVerdict, FileSystemKind
from gprov.domain.errors import GprovError
from gprov.ports.filesystem import FileSystems


def check_root(decision: CheckFileSystem, filesystems: FileSystems, bus: EventBus) -> CheckOutcome:
    """Check and repair the file system of a volume, which must not be mounted. A volume without a detected file
    system is checked as ext4. A check that could not be made is reported as an error: ``FAILED``."""
    volume, kind = decision.volume, decision.volume.contents.kind
    bus.warning(f"checking {volume.node}: {decision.reason}")
    try:
        verdict = filesystems.check(volume.node, FileSystemKind(kind) if kind else FileSystemKind.EXT4)
        beyond = verdict is CheckVerdict.BEYOND_REPAIR
        outcome = CheckOutcome.BEYOND_REPAIR if beyond else CheckOutcome.GOOD
    except GprovError as error:
        bus.error(error)
        outcome = CheckOutcome.FAILED
    bus.log(f"{volume.node} {outcome.value}")
    return outcome

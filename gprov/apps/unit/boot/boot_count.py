"""Counting starts of the system on the root itself, just before it is handed over. Nothing here stops a boot."""

from __future__ import annotations

from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.boots import (
    CONFIRMED_FILE,
    SERVICE_LINKS,
    STARTED_FILE,
    BootCounts,
    parse_confirmed,
    parse_started,
    serialise_started,
)
from gprov.domain.disk.model import Volume
from gprov.domain.errors import BadInput, DeviceFault
from gprov.ports.files import Files
from gprov.ports.filesystem import Mounts


def count_boot(files: Files, mounts: Mounts, volume: Volume, root: str, folder: str, bus: EventBus) -> BootCounts:
    """Write one more start into the root that is mounted read-only at ``root``, and leave it so. Returns the counts
    before. ``folder``: the configuration folder in it."""
    before = read_counts(files, root, folder, bus)
    kind = volume.contents.kind
    try:
        mounts.mount(volume.node, root, kind, ("remount", "rw"))
        try:
            files.replace(f"{root}{folder}/{STARTED_FILE}", serialise_started(before.one_more()))
        finally:
            mounts.mount(volume.node, root, kind, ("remount", "ro"))
    except DeviceFault as fault:
        bus.warning(f"this start is not counted: {fault}")
    return before


def read_counts(files: Files, root: str, folder: str, bus: EventBus) -> BootCounts:
    """What does not parse or cannot be read counts as zero, and is reported."""
    started, confirmed = f"{root}{folder}/{STARTED_FILE}", f"{root}{folder}/{CONFIRMED_FILE}"
    counts = BootCounts()
    try:
        if files.status(started) is not None:
            counts = BootCounts(parse_started(started, files.read(started, 64)))
        if files.status(confirmed) is not None:
            counts = BootCounts(counts.started, *parse_confirmed(confirmed, files.read(confirmed, 64)))
    except (BadInput, DeviceFault) as error:
        bus.warning(f"starts are counted from zero: {error}")
    return counts


def reports_boots(files: Files, root: str) -> bool:
    """Does this system tell that it is up? If not, nothing follows from a start that was not confirmed."""
    try:
        return any(files.status(f"{root}{link}") is not None for link in SERVICE_LINKS)
    except DeviceFault:
        return False

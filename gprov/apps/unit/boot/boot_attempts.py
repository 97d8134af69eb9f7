"""Counting boot attempts in the root volume itself, just before switch root. A failure here does not stop a boot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.domain.boot.boot_counts import (
    CONFIRMED_FILE,
    SERVICE_LINKS,
    STARTED_FILE,
    BootCounts,
    parse_confirmed,
    parse_started,
    serialise_started,
)
from gprov.domain.errors import BadInput, DeviceFault

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.unit.composition.context import UnitContext
    from gprov.apps.unit.composition.volume_ports import VolumePorts
    from gprov.domain.disk.model import Volume
    from gprov.ports.files import Files


def record_boot_attempt(ports: VolumePorts, volume: Volume, context: UnitContext) -> BootCounts:
    """Count one more attempt in the root, which is mounted read-only, and leave it read-only. Returns the counts
    before."""
    root, kind = context.mount_points.root, volume.contents.kind
    before = read_counts(ports.files, root, context)
    try:
        ports.mounts.mount(volume.node, root, kind, ("remount", "rw"))
        try:
            path = f"{root}{context.branding.config_folder}/{STARTED_FILE}"
            ports.files.replace(path, serialise_started(before.with_boot_attempt()))
        finally:
            ports.mounts.mount(volume.node, root, kind, ("remount", "ro"))
    except DeviceFault as fault:
        context.bus.warning(f"this start is not counted: {fault}")
    return before


def read_counts(files: Files, root: str, context: UnitContext) -> BootCounts:
    """Counts of the system mounted at ``root``. A file that does not parse or cannot be read is reported and counts as
    zero."""
    folder = f"{root}{context.branding.config_folder}"
    started, confirmed = f"{folder}/{STARTED_FILE}", f"{folder}/{CONFIRMED_FILE}"
    counts = BootCounts()
    try:
        if files.status(started) is not None:
            counts = BootCounts(parse_started(started, files.read(started, 64)))
        if files.status(confirmed) is not None:
            counts = BootCounts(counts.started, *parse_confirmed(confirmed, files.read(confirmed, 64)))
    except (BadInput, DeviceFault) as error:
        context.bus.warning(f"starts are counted from zero: {error}")
    return counts


def has_boot_confirmation(files: Files, root: str) -> bool:
    """Does the system mounted at ``root`` contain the service that confirms boots? If not, an unconfirmed boot means
    nothing."""
    try:
        return any(files.status(f"{root}{link}") is not None for link in SERVICE_LINKS)
    except DeviceFault:
        return False

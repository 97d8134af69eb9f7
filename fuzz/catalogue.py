"""List of all fuzz targets."""

from __future__ import annotations

from fuzz import (
    burnin,
    controllers,
    disks,
    displays,
    documents,
    drives_nvme,
    drives_scsi,
    factory_setup,
    firmware,
    images,
    network,
    passwords,
    raid_metadata,
    recovery,
    texts,
    trust,
)
from fuzz.harness import Target

TARGETS: tuple[Target, ...] = (
    *images.TARGETS,
    *recovery.TARGETS,
    *documents.TARGETS,
    *texts.TARGETS,
    *passwords.TARGETS,
    *factory_setup.TARGETS,
    *firmware.TARGETS,
    *disks.TARGETS,
    *drives_scsi.TARGETS,
    *drives_nvme.TARGETS,
    *raid_metadata.TARGETS,
    *network.TARGETS,
    *displays.TARGETS,
    *burnin.TARGETS,
    *controllers.TARGETS,
    *trust.TARGETS,
)


def target(name: str) -> Target:
    """Return the target with this name. Raises KeyError."""
    return {one.name: one for one in TARGETS}[name]

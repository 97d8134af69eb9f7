"""The secret that proves the unit to its factory server, on RECOVERY."""

from __future__ import annotations

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.volumes import volumes_of
from gprov.apps.unit.recovery.stored_secrets import StoredSecrets
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.model import KNOWN_KINDS
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.recovery_files import UNIT_KEY
from gprov.domain.unit.unit_key import UnitKey, parse_key


def read_unit_key(secrets: StoredSecrets, bus: EventBus) -> UnitKey | None:
    """None: there is none, or it cannot be read, which is reported: the unit works without it."""
    try:
        content = secrets.read(UNIT_KEY)
        return parse_key(secrets.path(UNIT_KEY), content) if content is not None else None
    except (BadInput, DeviceFault) as error:
        bus.warning(f"the factory server will not take this unit's reports as proven: {error}")
        return None


def key_of_earlier_provisioning(ports: VolumePorts, context: UnitContext) -> UnitKey | None:
    """From the volume that is RECOVERY now, before provisioning overwrites it. It is mounted read-only. Raises
    DeviceFault only if a volume cannot be unmounted."""
    bus, target = context.bus, context.mount_points.recovery
    for volume in volumes_of(ports.blocks, ports.blocks.disks(), bus):
        kind = volume.contents.kind
        if volume.contents.label != context.branding.recovery_label or kind not in KNOWN_KINDS:
            continue
        try:
            ports.mounts.mount(volume.node, target, kind, ("ro",))
        except DeviceFault as fault:
            bus.warning(f"{fault}: the secret of an earlier provisioning is not read from it")
            continue
        try:
            found = read_unit_key(StoredSecrets(ports, target), bus)
        finally:
            ports.mounts.unmount(target)
        if found is not None:
            return found
    return None

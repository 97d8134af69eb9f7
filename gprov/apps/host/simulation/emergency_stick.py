"""A USB stick with emergency files, for simulated units."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.machine.storage import FakeDisk, FakePartition, FakeVolume, Node
from gprov.apps.host.simulation.factory_files import BASE_URL
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import signed_files
from gprov.apps.host.simulation.world import World
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Bus, FileSystemKind
from gprov.domain.emergency.media import IMAGE_MIN
from gprov.domain.files import FileType
from gprov.domain.trust.chain import CHAIN_FILE

EMERGENCY_IMAGE = f"{Branding().image_prefix}2025-12-24.7.upd"
STICK = "stick"
_SIZE = 32 * 1024 * MIB


@lru_cache(maxsize=16)
def emergency_image(number: int = 7) -> bytes:
    """An image that is larger than restore options may be. It has a file that no other has."""
    incompressible = random.Random(number).randbytes(IMAGE_MIN + 4096)
    return build_image(build_kernel(200 + number), extra={f"etc/emergency-{number}": incompressible})


def plug_stick(
    world: World,
    files: Mapping[str, bytes | Node],
    *,
    label: str = "",
    serial: str = STICK,
    kind: FileSystemKind = FileSystemKind.VFAT,
    appears_at: float = 0.0,
) -> FakeDisk:
    """Attach a stick with one partition that holds these files in its root folder."""
    machine = world.machine
    disk = machine.add_disk(_SIZE, bus=Bus.USB, serial=serial, appears_at=appears_at)
    part: FakePartition = machine.new_partition(1, MIB, _SIZE - 2 * MIB, "")
    part.volume = FakeVolume(kind=kind, label=label, uuid=machine.new_uuid(), size=part.size)
    disk.partitions.append(part)
    for name, content in files.items():
        node = Node(type=FileType.FILE, content=content) if isinstance(content, bytes) else content
        part.volume.current.put(f"/{name}", node)
    part.volume.sync()
    return disk


def plug_emergency_image(
    world: World, name: str = EMERGENCY_IMAGE, *, number: int = 7, serial: str = STICK, owner: Owner | None = None
) -> FakeDisk:
    """Attach a stick with an emergency image, which the factory has too. ``owner``: who signed it, and whose trust
    chain is beside it."""
    content = emergency_image(number)
    world.origin.content[f"{BASE_URL}/{name}"] = content
    files: Mapping[str, bytes] = {name: content}
    if owner is not None:
        files = {**signed_files(name, content, owner), CHAIN_FILE: owner.chain}
    prefix = world.branding.emergency_prefix
    return plug_stick(world, {prefix + name: data for name, data in files.items()}, serial=serial)

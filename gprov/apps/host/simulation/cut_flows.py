"""The flows that are cut in simulations, and the units on which each of them starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.adapters.fake.firmware.uefi import select_boot_entry
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node, Tree
from gprov.apps.host.simulation.emergency_stick import plug_emergency_image
from gprov.apps.host.simulation.machine_shapes import (
    attach_nvme_drives,
    attach_sata_drives,
    image_content,
    image_name,
)
from gprov.apps.host.simulation.new_worlds import SERIAL
from gprov.apps.host.simulation.signed_factory import FORBIDDEN, later_owner, signed_files
from gprov.apps.host.simulation.user_data import put_machine_data, put_user_data
from gprov.apps.host.simulation.world import World
from gprov.domain.files import FileType
from gprov.domain.recovery_files import IMAGE_FOLDER
from gprov.domain.trust.chain import CHAIN_FILE


@dataclass(frozen=True, kw_only=True)
class Flow:
    """``prepare`` turns a provisioned unit whose system ran into the one that is cut; None: nothing is prepared.
    ``erases``: the start is that of an erase, with these ``options``. ``signed``: the kernels of the unit have the keys
    of an owner, who signs."""

    name: str
    in_factory: bool
    prepare: Callable[[World], None] | None
    erases: bool = False
    options: str = ""
    signed: bool = False

    def start(self, world: World) -> StopReason:
        """The start that is cut."""
        if self.erases:
            confirmed = {"DATA_ERASE": "1", "DATA_ERASE_SERIAL": SERIAL}
            return world.boot({**confirmed, "DATA_ERASE_OPTIONS": self.options})
        return world.provision() if self.in_factory else world.boot()


def flows() -> tuple[Flow, ...]:
    return (
        Flow(name="provision", in_factory=True, prepare=None),
        Flow(name="provision a used unit", in_factory=True, prepare=_with_newer_image, signed=True),
        Flow(name="first restore", in_factory=False, prepare=None),
        Flow(name="restore a newer image", in_factory=False, prepare=_without_flag, signed=True),
        Flow(name="restore on request", in_factory=False, prepare=_requested),
        Flow(name="restore from a USB stick", in_factory=False, prepare=_with_emergency_image, signed=True),
        Flow(name="erase", in_factory=False, prepare=put_user_data, erases=True),
        Flow(name="erase, SATA drives", in_factory=False, prepare=_with_sata_drives, erases=True),
        Flow(
            name="erase, NVMe drives, TPM",
            in_factory=False,
            prepare=_with_nvme_drives,
            erases=True,
            options="clear-uefi-variables:yes,clear-tpm:yes",
        ),
    )


def put(tree: Tree, path: str, content: bytes) -> None:
    tree.put(path, Node(type=FileType.FILE, content=content))


def _with_newer_image(world: World) -> None:
    """Where images are judged, it comes with a longer trust chain, and with one that must not be used."""
    files = {image_name(1): image_content(1)}
    if world.built_in:
        owner = later_owner()
        files = {**signed_files(*files.popitem(), owner), FORBIDDEN: image_content(2), CHAIN_FILE: owner.chain}
    tree = world.machine.volume_tree(world.branding.recovery_label)
    for name, content in files.items():
        put(tree, f"/{IMAGE_FOLDER}/{name}", content)
    world.machine.flush()


def _without_flag(world: World) -> None:
    _with_newer_image(world)
    world.machine.volume_tree(world.branding.primary_label).drop(f"/{world.branding.flag_file}")
    world.machine.flush()


def _requested(world: World) -> None:
    _with_newer_image(world)
    select_boot_entry(world.machine, world.branding.restore_entry)


def _with_emergency_image(world: World) -> None:
    plug_emergency_image(world, owner=later_owner() if world.built_in else None)


def _with_sata_drives(world: World) -> None:
    put_user_data(world)
    attach_sata_drives(world)


def _with_nvme_drives(world: World) -> None:
    put_user_data(world)
    attach_nvme_drives(world)
    put_machine_data(world)

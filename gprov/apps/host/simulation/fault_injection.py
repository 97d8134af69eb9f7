"""Injecting what a script says into a simulated unit between two starts: faults, states of its server, images on
RECOVERY, and what an operator does."""

from __future__ import annotations

from collections.abc import Callable

from gprov.adapters.fake.archive.artifacts import build_image
from gprov.adapters.fake.firmware.uefi import select_boot_entry
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import Node, Tree
from gprov.adapters.fake.net.origin import ServerFault
from gprov.apps.host.simulation.cut_campaign import LONGEST_START
from gprov.apps.host.simulation.factory_files import BASE_URL, MANUF_URL
from gprov.apps.host.simulation.invariants import volumes
from gprov.apps.host.simulation.machine_shapes import image_content, image_name
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.script import Image, Step, Verb
from gprov.apps.host.simulation.world import World
from gprov.domain.boot.grub.menus import ERASE_TITLE, RECOVERY_TITLE, SECOND_COPY_TITLE, other_disk_title
from gprov.domain.errors import DeviceMissing, InternalError
from gprov.domain.files import FileType
from gprov.domain.recovery_files import HISTORY_FILE, IMAGE_FOLDER, OPTIONS_FILE

Say = Callable[[str], None]

# Limits of faults: a unit cannot be expected to recover from a device that always fails. The delays of a slow device
# add up to at most half of the longest start.
_LONGEST_SLOWNESS = 600
_MOST_TIMES = 3
_MOST_SLOW_SECONDS = LONGEST_START / 2
# Keys that an operator presses: any key to stop the boot, the number of the menu's item, yes. An erase that was chosen
# in the menu of firmware or loader asks twice.
_KEYS = {
    "resume": ["any", "0", "yes"],
    "latest": ["any", "3", "yes"],
    "original": ["any", "4", "yes"],
    "choose": ["any", "5", "yes", "0", "yes"],
    "nothing": ["any"],
    "erase": ["yes", "yes"],
}


def inject(world: World, step: Step, say: Say) -> None:
    """Apply a step that does not turn the machine on. It changes the unit while it is off, or its next start. ``say``
    gets one line if the step cannot be taken."""
    match step.verb:
        case Verb.FAULT:
            _fault(world.machine, step)
        case Verb.SERVER:
            _server(world, step)
        case Verb.DROP:
            _drop(world, Image(step.what), step.number("day", 1))
        case Verb.CHOOSE:
            _choose(world, step.what, say)
        case Verb.KEYS:
            world.machine.keys = list(_KEYS[step.what])
            world.machine.operator_present = True
        case Verb.REMOVE:
            _remove(world, step.what)
        case Verb.PULL | Verb.PLUG:
            for disk in world.machine.disks:
                disk.detached = step.verb is Verb.PULL if disk.serial == step.what else disk.detached
        case _:
            raise InternalError(f"{step.verb.value} turns the machine on")


def _fault(machine: SimulatedMachine, step: Step) -> None:
    seconds = float(min(step.number("seconds", 30), _LONGEST_SLOWNESS))
    kind, times, where = FaultKind(step.what), step.number("times", 1), step.options.get("where", "")
    most = int(_MOST_SLOW_SECONDS / max(seconds, 1)) if kind is FaultKind.SLOW else _MOST_TIMES
    disk, back = step.options.get("disk", "primary0"), step.options.get("back", "next") == "next"
    fault = Fault(
        kind=kind,
        where=where,
        after=step.number("after"),
        times=min(times, most),
        seconds=seconds,
        disk=disk,
        reappears=back,
    )
    machine.faults.append(fault)


def _server(world: World, step: Step) -> None:
    files = {"image": f"{BASE_URL}/{IMAGE_NAME}", "kernel": f"{BASE_URL}/norm_boot", "data": MANUF_URL}
    url = files[step.options.get("file", "image")]
    origin = world.origin
    origin.down = world.factory.down = step.what == "down"
    origin.faults.pop(url, None)
    if step.what not in ("good", "down"):
        origin.faults[url] = ServerFault(step.what)
        origin.remaining_breaks = 2


def _tree(world: World, label: str) -> Tree | None:
    found = volumes(world, label)
    return found[0].current if len(found) == 1 else None


def _drop(world: World, image: Image, day: int) -> None:
    tree = _tree(world, world.branding.recovery_label)
    if tree is None:
        return
    content, name = image_content(day), image_name(day)
    match image:
        case Image.GOOD:
            pass
        case Image.CORRUPT:
            content = content[:-8] + bytes(8)
        case Image.CUT_SHORT:
            content = content[: len(content) // 2]
        case Image.NO_KERNEL:
            content = build_image(b"no kernel")
        case Image.MISNAMED:
            name = name.replace("2026-02", "2026-13")
    if image is not Image.GOOD and tree.get(f"/{IMAGE_FOLDER}/{name}") is not None:
        return  # a good image is never replaced by a damaged one
    if image is Image.GOOD:
        # The factory keeps each image: a unit may still run one that RECOVERY, provisioned anew, no longer has.
        world.origin.content[f"{BASE_URL}/{name}"] = content
    tree.put(f"/{IMAGE_FOLDER}/{name}", Node(type=FileType.FILE, content=content))
    world.machine.flush()


def _choose(world: World, what: str, say: Say) -> None:
    names, machine = world.branding, world.machine
    titles = {
        "normal": names.normal_entry,
        "restore": names.restore_entry,
        "erase": names.erase_entry,
        "recovery": RECOVERY_TITLE,
        "second-copy": SECOND_COPY_TITLE,
        "other-disk": other_disk_title(names, 1),
    }
    try:
        select_boot_entry(machine, titles[what], ERASE_TITLE if what == "erase" else "")
    except DeviceMissing as missing:
        say(f"   {missing}")


def _remove(world: World, what: str) -> None:
    machine, names = world.machine, world.branding
    recovery = names.recovery_label
    places = {
        "flag": (names.primary_label, f"/{names.flag_file}"),
        "history": (recovery, f"/{names.log_folder}/{HISTORY_FILE}"),
        "options": (recovery, f"/{OPTIONS_FILE}"),
    }
    if what == "nvram":
        machine.nvram.clear()
    elif what == "menus":
        for volume in volumes(world, names.boot_label):
            volume.current.drop("/gprov/normal.cfg")
    else:
        label, path = places[what]
        tree = _tree(world, label)
        if tree is not None:
            tree.drop(path)
    machine.flush()

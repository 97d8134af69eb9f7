"""A script, step by step, on the simulated machine; after each step everything that must hold is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gprov.adapters.fake.artifacts import build_image
from gprov.adapters.fake.boot import choose_entry
from gprov.adapters.fake.clock import SeededRandomness
from gprov.adapters.fake.faults import Fault, FaultKind
from gprov.adapters.fake.network import Mood
from gprov.adapters.fake.power import MachineStopped, Stop
from gprov.adapters.fake.storage import Node, Tree
from gprov.apps.simulate.invariants import (
    recovery_problems,
    report_problems,
    secret_problems,
    system_problems,
    volumes,
)
from gprov.apps.simulate.masscuts import LONGEST_START, MOST_STARTS
from gprov.apps.simulate.pauses import AnnouncedPauses
from gprov.apps.simulate.script import Image, Script, Step, Verb
from gprov.apps.simulate.shapes import image_content, image_name, simulated
from gprov.apps.simulate.world import BASE_URL, IMAGE_NAME, MANUF_URL
from gprov.domain.boot.grub.menus import ERASE_TITLE, RECOVERY_TITLE, SECOND_COPY_TITLE, other_disk_title
from gprov.domain.errors import DeviceMissing, GprovError, InternalError
from gprov.domain.files import FileType

Say = Callable[[str], None]

# A fault lasts so long at most, and strikes so often: a device that never works is no unit any more. One that is slow
# takes half of the time that a start has at most.
_LONGEST_SLOWNESS = 600
_MOST_TIMES = 3
# Before a restore, and before the next start: a day each.
_LONGEST_PAUSES = 2 * 24 * 3600.0
_MOST_SLOW_SECONDS = LONGEST_START / 2
# What a person presses: a key to stop the boot, the number of the menu's item, yes.
_KEYS = {
    "resume": ["any", "0", "yes"],
    "latest": ["any", "3", "yes"],
    "original": ["any", "4", "yes"],
    "choose": ["any", "5", "yes", "0"],
    "nothing": ["any"],
}


@dataclass
class Replay:
    """One unit on its way through a script. ``problems``: all that did not hold, in words, with the step."""

    script: Script
    say: Say = lambda _: None
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = simulated(self.script.firmware, self.script.disks, self.script.seed)
        self.provisioned = False
        self._pauses = AnnouncedPauses()
        self.world.sinks = (self._pauses,)
        self._cut_at = -1
        self._writes: dict[str, int] = {}

    def run(self) -> list[str]:
        """All steps, then starts until the unit rests. Returns the problems."""
        for step in self.script.steps:
            self.say(f"== {step.describe()}")
            self.step(step)
        self.say("== until the unit rests")
        self.rest()
        return self.problems

    def step(self, step: Step) -> None:
        if step.verb in (Verb.PROVISION, Verb.START, Verb.CUT):
            self._power(step)
        else:
            self._befall(step)
        self._check(step.describe())

    def _power(self, step: Step) -> None:
        """What turns the machine on."""
        if step.verb is Verb.CUT:
            self._cut(step)
        else:
            self._start(provision=step.verb is Verb.PROVISION)

    def _befall(self, step: Step) -> None:
        """What happens to it while it is off, or will happen to the next start."""
        match step.verb:
            case Verb.FAULT:
                self._fault(step)
            case Verb.SERVER:
                self._server(step)
            case Verb.DROP:
                self._drop(Image(step.what), step.number("day", 1))
            case Verb.CHOOSE:
                self._choose(step.what)
            case Verb.KEYS:
                self.world.machine.keys = list(_KEYS[step.what])
                self.world.machine.operator_present = True
            case Verb.REMOVE:
                self._remove(step.what)
            case Verb.PULL | Verb.PLUG:
                for disk in self.world.machine.disks:
                    disk.gone = step.verb is Verb.PULL if disk.serial == step.what else disk.gone
            case _:
                raise InternalError(f"{step.verb.value} turns the machine on")

    def rest(self) -> None:
        """Nothing goes wrong any more: the system must run after a bounded number of starts."""
        machine = self.world.machine
        machine.faults.clear()
        for disk in machine.disks:
            disk.gone = False
        self.world.origin.moods.clear()
        self.world.origin.down = self.world.factory.down = False
        machine.keys.clear()
        machine.operator_present = False
        for _ in range(MOST_STARTS):
            if self._start() == Stop.SWITCHED_ROOT.value:
                break
        else:
            self.problems.append(f"the system does not run after {MOST_STARTS} starts")
        self._check("at rest")

    def _start(self, *, provision: bool = False) -> str:
        """Power on once; what it ended in. A machine that was never provisioned, or finds nothing to start before it
        is, starts over the network."""
        world, machine = self.world, self.world.machine
        if machine.switched_to is not None:
            machine.restart()
        told, began = len(world.factory.states), machine.clock.passed
        self._pauses.seconds = 0.0
        ended, over_network = "nothing to start", provision
        self._writes = {disk.serial: disk.writes for disk in machine.disks}
        machine.hook = self._hook
        try:
            if not provision:
                try:
                    ended = world.boot().value
                except DeviceMissing as missing:
                    lost = self.provisioned and self._is_gone("recovery")  # what a unit starts from, always
                    if self.provisioned and not lost:
                        self.problems.append(f"nothing to start: {missing}")
                    over_network = not lost
            if over_network:
                self.provisioned = False
                ended = world.provision().value
                self.provisioned = ended == Stop.REBOOT.value
        except GprovError as error:
            ended = f"failed: {error}"
            machine.restart()
        finally:
            machine.hook = None
            self._cut_at = -1
        seconds = machine.clock.passed - began
        self.say(f"   {ended} after {seconds:g} s")
        self.problems += report_problems(world, world.factory.states[told:])
        if seconds - self._pauses.seconds > LONGEST_START:
            self.problems.append(f"a start took {seconds:g} s")
        if self._pauses.seconds > _LONGEST_PAUSES:
            self.problems.append(f"a start was to wait for {self._pauses.seconds:g} s")
        return ended

    def _is_gone(self, serial: str) -> bool:
        return any(disk.gone for disk in self.world.machine.disks if disk.serial == serial)

    def _hook(self, operation: str) -> None:
        machine = self.world.machine
        self.say(f"   {operation}")
        changed = [disk.serial for disk in machine.disks if disk.writes != self._writes[disk.serial]]
        if self.provisioned and not machine.verified and any(serial != "recovery" for serial in changed):
            self.problems.append(f"{', '.join(changed)} changed before an image was verified ({operation})")
        if self._cut_at == 0:
            self.say("   *** power cut")
            raise MachineStopped(Stop.POWER_CUT)
        self._cut_at -= 1

    def _cut(self, step: Step) -> None:
        machine = self.world.machine
        torn = "torn" in step.options
        machine.torn_cuts = torn
        machine.random = SeededRandomness(step.number("torn"))
        self._cut_at = step.number("at")
        self._start(provision=step.what == "provision")
        machine.torn_cuts = False

    def _fault(self, step: Step) -> None:
        seconds = float(min(step.number("seconds", 30), _LONGEST_SLOWNESS))
        kind, times, where = FaultKind(step.what), step.number("times", 1), step.options.get("where", "")
        most = int(_MOST_SLOW_SECONDS / max(seconds, 1)) if kind is FaultKind.SLOW else _MOST_TIMES
        disk, back = step.options.get("disk", "primary0"), step.options.get("back", "next") == "next"
        fault = Fault(kind, where, step.number("after"), min(times, most), seconds, disk, comes_back=back)
        self.world.machine.faults.append(fault)

    def _server(self, step: Step) -> None:
        files = {"image": f"{BASE_URL}/{IMAGE_NAME}", "kernel": f"{BASE_URL}/norm_boot", "data": MANUF_URL}
        url = files[step.options.get("file", "image")]
        origin = self.world.origin
        origin.down = self.world.factory.down = step.what == "down"
        origin.moods.pop(url, None)
        if step.what not in ("good", "down"):
            origin.moods[url] = Mood(step.what)
            origin.breaks = 2

    def _tree(self, label: str) -> Tree | None:
        found = volumes(self.world, label)
        return found[0].current if len(found) == 1 else None

    def _drop(self, image: Image, day: int) -> None:
        tree = self._tree(self.world.branding.recovery_label)
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
        if image is not Image.GOOD and tree.get(f"/Image/{name}") is not None:
            return  # nobody but us touches a good one
        if image is Image.GOOD:
            # Whoever makes images keeps them: a unit may run one longer than its RECOVERY, provisioned anew, has it.
            self.world.origin.content[f"{BASE_URL}/{name}"] = content
        tree.put(f"/Image/{name}", Node(FileType.FILE, content))
        self.world.machine.flush()

    def _choose(self, what: str) -> None:
        names, machine = self.world.branding, self.world.machine
        titles = {
            "normal": names.normal_entry,
            "restore": names.restore_entry,
            "erase": names.erase_entry,
            "recovery": RECOVERY_TITLE,
            "second-copy": SECOND_COPY_TITLE,
            "other-disk": other_disk_title(names, 1),
        }
        try:
            choose_entry(machine, titles[what], ERASE_TITLE if what == "erase" else "")
        except DeviceMissing as missing:
            self.say(f"   {missing}")

    def _remove(self, what: str) -> None:
        machine, names = self.world.machine, self.world.branding
        recovery = names.recovery_label
        places = {
            "flag": (names.primary_label, f"/{names.flag_file}"),
            "history": (recovery, f"/{names.log_folder}/recovery_history.json"),
            "options": (recovery, "/fr.data"),
        }
        if what == "nvram":
            machine.nvram.clear()
        elif what == "menus":
            for volume in volumes(self.world, names.boot_label):
                volume.current.drop("/gprov/normal.cfg")
        else:
            label, path = places[what]
            tree = self._tree(label)
            if tree is not None:
                tree.drop(path)
        machine.flush()

    def _check(self, where: str) -> None:
        world = self.world
        found = [*system_problems(world), *secret_problems(world)]
        if self.provisioned:
            found += recovery_problems(world)
        new = [text for text in dict.fromkeys(found) if not any(text in known for known in self.problems)]
        self.problems += [f"{text} (after: {where})" for text in new]

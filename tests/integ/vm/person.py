"""A person at a unit in a virtual machine: at the simulated display, and at the serial console."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from gprov.adapters.linux.system.clock import SystemClock
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.lifecycle import UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel, Machine
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import RunningMachine
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ExtVolume, partitions, raw_view
from gprov.apps.host.lcd.keyscript import parse_script, run_script
from gprov.domain.boot.boot_menu import ITEMS, Item
from gprov.domain.branding import Branding
from gprov.domain.formats.lcd.models import Model

# Of one step, emulated on a busy host.
SECONDS = 240
LCD_ARGUMENT = "PROVISION_LCD_MANUFACTURER=QEMU"
FACTS = "/etc/provisioning/platform_facts.json"
BOOT_GOOD = "/etc/provisioning/gprov-boot-good"
_KEY_WINDOW = "PROVISION_KEY_WINDOW="


def started_with(machine: Machine, products: Products, *words: str, lcd: Model | None = None) -> Machine:
    """The machine with the normal kernel from the host, and these arguments besides the usual ones of lab units. A word
    without a value, such as ``console=`` or ``quiet=``, takes a usual one away."""
    names = {word.partition("=")[0] for word in words}
    usual = [word for word in UNIT_ARGUMENTS if word.partition("=")[0] not in names]
    words = tuple(word for word in words if not word.endswith("="))
    quiet = () if "quiet" in names else ("quiet",)
    arguments = (*quiet, "real_root=LABEL=PRIMARY", *usual, LCD_ARGUMENT, *words)
    return replace(machine.booting(DirectKernel(products.normal_kernel, arguments)), lcd=lcd)


def key_window(seconds: int) -> str:
    return f"{_KEY_WINDOW}{seconds}"


def do_at_lcd(live: RunningMachine, script: str) -> None:
    """Run a script of keys (docs/reference/displays.md) on the display of a machine."""
    assert live.lcd is not None
    steps = parse_script("script", f"within {SECONDS}\n{script}", live.lcd.face.model)
    run_script(steps, live.lcd, SystemClock())


def down_to(item: Item | None) -> int:
    """How many lines of the boot menu are above an item; None: the first blank line."""
    return ITEMS.index(item)


def chosen(item: Item | None) -> str:
    """Script: choose a line of the boot menu, which has just been opened."""
    return f"wait {ITEMS[0].value[:13] if ITEMS[0] else ''}\npause 1\npress {'DOWN ' * down_to(item)}ENTER"


def confirmed(text: str, *, yes: bool) -> str:
    """Script: answer a question that has this text."""
    return f"wait {text}\npause 1\npress {'RIGHT ' if yes else ''}ENTER"


def number_of(item: Item) -> int:
    """Its number on consoles."""
    return [each for each in ITEMS if each].index(item) + 1


def edit_display_fact(unit: VirtualUnit, folder: Path, model: Model) -> None:
    """As a restore leaves it that found this display."""
    processes = SystemProcesses()
    with raw_view(processes, unit.primary(), writable=True) as view:
        root = ExtVolume(processes, view, partitions(processes, view)[-1].start)
        facts = json.loads(root.read(FACTS)) | {"Lcd": str(model.value)}
        edited = folder / "platform_facts.json"
        edited.write_text(json.dumps(facts, indent=2) + "\n")
        root.remove(FACTS)
        root.add(str(edited), FACTS)


def add_boot_good(unit: VirtualUnit, folder: Path) -> None:
    """The small system takes some seconds to start, and then reports that it is up."""
    processes, init = SystemProcesses(), Branding().real_init
    with raw_view(processes, unit.primary(), writable=True) as view:
        root = ExtVolume(processes, view, partitions(processes, view)[-1].start)
        before = root.read(init).decode()
        report = f"$b mount -o remount,rw /\n$b sleep 3\n$b sh {BOOT_GOOD}\n$b sleep 3\n"
        after = before.replace("$recovery && ", f"{report}$recovery && ", 1)
        assert after != before
        script = folder / "init"
        script.write_text(after)
        script.chmod(0o755)
        root.remove(init)
        root.add(str(script), init)
        root.add(str(files("gprov.apps.host.image") / "tools/sbin/gprov-boot-good"), BOOT_GOOD)


def display_fact(unit: VirtualUnit) -> str:
    processes = SystemProcesses()
    with raw_view(processes, unit.primary()) as view:
        root = ExtVolume(processes, view, partitions(processes, view)[-1].start)
        return str(json.loads(root.read(FACTS))["Lcd"])


def disktags(unit: VirtualUnit) -> list[str]:
    """The images that PRIMARY is made of: one."""
    processes = SystemProcesses()
    with raw_view(processes, unit.primary()) as view:
        root = ExtVolume(processes, view, partitions(processes, view)[-1].start)
        return [name.removesuffix(".disktag") + ".upd" for name in root.names("/") if name.endswith(".disktag")]


def screens(result: StageResult) -> str:
    """What the display has shown."""
    log = Path(result.serial_log)
    return log.with_name(log.name.replace("serial-", "lcd-", 1)).read_text()


def console(result: StageResult) -> str:
    return Path(result.serial_log).read_text(errors="replace")


def in_order(text: str, *parts: str) -> bool:
    """Whether a text has these parts one after the other."""
    return re.search(".*".join(map(re.escape, parts)), text, re.DOTALL) is not None


def reached(result: StageResult) -> Sequence[str]:
    return [each.name for each in result.milestones]

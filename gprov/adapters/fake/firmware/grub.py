"""GRUB on the simulated machine: runs gprov's scripts and menus; supports only the commands that they contain.

It reads the installed files: the core image through the pointer in the first sector, the script inside it, menus and
kernels from volumes without replaying their journals. Source of the behaviour: the GRUB manual, 16 "Commands", and
grub-core/normal/menu.c for default and fallback entries.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakeDisk, FakeVolume, Node
from gprov.domain.boot.grub.menus import NORMAL_MENU
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.files import FileType
from gprov.domain.formats.bzimage import parse_whole
from gprov.domain.recovery_files import RECOVERY_MENU

_VARIABLE = re.compile(r"\$\{?([a-z]+)\}?")
_WITHOUT_EFFECT = frozenset({"export", "echo", "sleep", "serial", "terminal_input", "terminal_output"})
_PATH = re.compile(r"\((?P<device>[^)]*)\)(?P<path>/.*)")


class KernelStarted(Exception):
    """A kernel was started. ``environment``: its arguments as init reads them."""

    def __init__(self, environment: dict[str, str]) -> None:
        super().__init__("started")
        self.environment = environment


class LoaderExited(Exception):
    """The loader ended. ``again``: by a restart; else the BIOS tries its next device."""

    def __init__(self, *, again: bool) -> None:
        super().__init__("left")
        self.again = again


class CommandFailed(Exception):
    """A failed command. GRUB reports it and continues with the next one, or ends the menu entry."""


@dataclass
class _Menu:
    """Entries by title in their order, with their lines; those of ``submenus`` are menus themselves."""

    entries: list[tuple[str, list[str]]] = field(default_factory=list)
    submenus: set[str] = field(default_factory=set)


class Grub:
    """One run of the loader from a disk. ``choice``: entries to select in the menu and in its submenu, empty for none;
    used entries are removed."""

    def __init__(self, machine: SimulatedMachine, disk: FakeDisk, choice: list[str]) -> None:
        self._disks = machine.present()
        self._choice = choice
        self._variables = {"cmdpath": f"(hd{self._disks.index(disk)})"}
        self._kernel: dict[str, str] | None = None
        self._commands: Mapping[str, Callable[[list[str]], None]] = {
            "regexp": self._regexp,
            "search": self._search,
            "configfile": self._configfile,
            "linux": self._linux,
            "boot": self._boot,
            "set": self._set,
            "reboot": self._reboot,
            "exit": self._exit,
        }

    def run(self, script: str) -> None:
        """Always raises KernelStarted or LoaderExited."""
        self._script(script)
        raise DeviceFault("GRUB", "stands at its prompt")

    def _script(self, text: str) -> None:
        menu = _Menu()
        self._lines([line.strip() for line in text.splitlines()], menu)
        if menu.entries:
            self._show(menu)

    def _lines(self, lines: list[str], menu: _Menu) -> None:
        """Errors of single commands do not end a script."""
        rest = iter(lines)
        for line in rest:
            if line.startswith("if "):
                inner = list(_until_fi(rest))
                if self._holds(line):
                    self._lines(inner, menu)
            elif line.startswith(("menuentry ", "submenu ")):
                body = list(_until_brace(rest))
                title = shlex.split(line)[1]
                menu.entries.append((title, body))
                if line.startswith("submenu "):
                    menu.submenus.add(title)
            elif line and not line.startswith("#"):
                try:
                    self._command(line)
                except CommandFailed:
                    continue

    def _show(self, menu: _Menu) -> None:
        default = int(self._variables.pop("default", "0"))
        order = [default, *map(int, self._variables.pop("fallback", "").split())]
        titles = [title for title, _ in menu.entries]
        if self._choice and self._choice[0] in titles:
            order = [titles.index(self._choice.pop(0))]
        for index in order:
            try:
                if titles[index] in menu.submenus:
                    self._script("\n".join(menu.entries[index][1]))
                for line in menu.entries[index][1]:
                    self._command(line)
                self._boot()
            except CommandFailed:
                continue
        raise DeviceFault("GRUB", "stands at its menu")

    def _command(self, line: str) -> None:
        name, *words = (self._expanded(word) for word in shlex.split(line))
        run = self._commands.get(name)
        if run is not None:
            run(words)
        elif name not in _WITHOUT_EFFECT:
            raise DeviceFault("GRUB", f"the simulated one has no command {name}")

    def _regexp(self, words: list[str]) -> None:
        found = re.search(words[1], words[2])
        if found:
            self._variables["own"] = found[1]

    def _configfile(self, words: list[str]) -> None:
        self._script(self._file(words[0]).content.decode())

    def _set(self, words: list[str]) -> None:
        key, _, value = words[0].partition("=")
        self._variables[key] = value

    def _reboot(self, _: list[str]) -> None:
        raise LoaderExited(again=True)

    def _exit(self, _: list[str]) -> None:
        raise LoaderExited(again=False)

    def _search(self, words: list[str]) -> None:
        options = dict(word.lstrip("-").split("=", 1) for word in words if "=" in word)
        kind, pattern = words[-2].lstrip("-"), words[-1]
        self._variables[options["set"]] = ""
        hint = options.get("hint", "").rstrip(",")
        found = [name for name, volume in self._volumes() if _matches(volume, kind, pattern)]
        if not found:
            raise CommandFailed
        self._variables[options["set"]] = next((name for name in found if name.split(",")[0] == hint), found[0])

    def _linux(self, words: list[str]) -> None:
        kernel = self._file(words[0]).content
        try:
            parse_whole(kernel)
        except BadInput as exc:
            raise CommandFailed from exc
        self._kernel = dict(word.split("=", 1) for word in words[1:] if "=" in word) | {"BOOT_IMAGE": words[0]}

    def _boot(self, _: Sequence[str] = ()) -> None:
        if self._kernel is None:
            raise CommandFailed
        raise KernelStarted(self._kernel)

    def _holds(self, line: str) -> bool:
        found = re.fullmatch(r"if \[ (?P<test>-[nf]) (?P<what>\S+) \]; then", line)
        if found is None:
            raise DeviceFault("GRUB", f"the simulated one does not understand {line!r}")
        what = self._expanded(found["what"].strip('"'))
        if found["test"] == "-n":
            return bool(what)
        try:
            self._file(what)
        except CommandFailed:
            return False
        return True

    def _file(self, text: str) -> Node:
        found = _PATH.fullmatch(text)
        volume = dict(self._volumes()).get(found["device"]) if found else None
        node = volume.without_replay(found["path"]) if found and volume is not None else None
        if node is None or node.type is not FileType.FILE:
            raise CommandFailed
        return node

    def _volumes(self) -> Iterator[tuple[str, FakeVolume]]:
        for index, disk in enumerate(self._disks):
            for part in disk.partitions:
                if part.volume is not None and not part.volume.damaged:
                    yield f"hd{index},{part.number}", part.volume

    def _expanded(self, word: str) -> str:
        return _VARIABLE.sub(lambda found: self._variables.get(found[1], ""), word)


def shown_menus(machine: SimulatedMachine) -> Iterator[str]:
    """The text of each menu that a loader can show."""
    for disk in machine.present():
        for volume in disk.volumes():
            for name in (NORMAL_MENU, RECOVERY_MENU):
                node = volume.without_replay(f"/{name}")
                if node is not None:
                    yield node.content.decode("utf-8", "replace")


def _matches(volume: FakeVolume, kind: str, pattern: str) -> bool:
    match kind:
        case "file":
            return volume.without_replay(pattern) is not None
        case "label":
            return volume.label == pattern
        case "fs-uuid":
            return volume.uuid == pattern
        case _:
            raise DeviceFault("GRUB", f"the simulated one cannot search by {kind}")


def _until_fi(lines: Iterator[str]) -> Iterator[str]:
    return _block(lines, lambda line: line.startswith("if "), "fi")


def _until_brace(lines: Iterator[str]) -> Iterator[str]:
    return _block(lines, lambda line: line.endswith("{"), "}")


def _block(lines: Iterator[str], opens: Callable[[str], bool], end: str) -> Iterator[str]:
    """Yield lines up to the end of the block that the previous line opened, with nested blocks."""
    depth = 1
    for line in lines:
        depth += opens(line)
        depth -= line == end
        if not depth:
            return
        yield line

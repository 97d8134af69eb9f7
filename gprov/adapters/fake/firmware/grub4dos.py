"""grub4dos, the boot loader of BIOS units that gprovision installed, on the simulated machine; supports only the
commands that the menus of gprovision and of gprov contain.

It reads ``menu.lst`` beside its own file on the disk that the BIOS started, and files of all volumes without replaying
their journals. The disk that the BIOS started is the first one. Source of the behaviour: README_GRUB4DOS.txt; GRUB
Legacy manual, 8 "The list of command-line commands", for default and fallback entries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gprov.adapters.fake.firmware.grub import CommandFailed, KernelStarted
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakeDisk, FakeVolume
from gprov.domain.boot.grub.grub4dos import FIRST_MENU
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.files import FileType
from gprov.domain.formats.bzimage import parse_whole

# In the first sector of a disk: name of the file with the rest of the loader.
GRUB4DOS_CODE = b"GRLDR"
LOADER_FILE = "grldr"

_READABLE = frozenset({FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.VFAT})
_NOT_FIRST = "if not %@root:~5,1%==0 && "
_IF_EXISTS = re.compile(r"if exist (\S+) && (.*)")


class Grub4Dos:
    """One run of the loader from a disk. ``choice``: entries to select in its menus; used ones are removed."""

    def __init__(self, machine: SimulatedMachine, disk: FakeDisk, choice: list[str]) -> None:
        self._disks = [disk, *(other for other in machine.present() if other is not disk)]
        self._choice = choice
        self._root = (0, 0)
        self._kernel: dict[str, str] | None = None
        self._commands: Mapping[str, Callable[[list[str]], None]] = {
            "root": self._set_root,
            "find": self._find,
            "configfile": lambda words: self._show(self._text(words[0])),
            "kernel": self._load,
        }

    def run(self) -> None:
        """Always raises: KernelStarted, or DeviceFault where a real machine would hang."""
        for number in range(len(self._disks[0].partitions)):
            self._root = (0, number)
            try:
                self._text(f"/{LOADER_FILE}")
                self._show(self._text(f"/{FIRST_MENU}"))
            except CommandFailed:
                continue
        raise DeviceFault("grub4dos", "finds none of its files")

    def _show(self, text: str) -> None:
        """Always raises KernelStarted or DeviceFault."""
        head, *entries = [block.splitlines() for block in re.split(r"^title ", text, flags=re.MULTILINE)]
        settings = dict(line.split(" ", 1) for line in head if " " in line)
        order = [int(index) for index in f"{settings.get('default', '0')} {settings.get('fallback', '')}".split()]
        titles = [entry[0] for entry in entries]
        if self._choice and self._choice[0] in titles:
            order = [titles.index(self._choice.pop(0))]
        for index in order:
            try:
                self._entry(entries[index][1:])
            except CommandFailed:
                continue
        raise DeviceFault("grub4dos", "stands at its menu")

    def _entry(self, lines: list[str]) -> None:
        """Raises KernelStarted, or CommandFailed for an error while errors are checked."""
        checks = True
        for line in filter(None, map(str.strip, lines)):
            if line.startswith("errorcheck "):
                checks = line.endswith(" on")
                continue
            try:
                self._line(line)
            except CommandFailed:
                if checks:
                    raise
        if self._kernel is None:
            raise CommandFailed
        raise KernelStarted(self._kernel)

    def _line(self, line: str) -> None:
        if line.startswith(_NOT_FIRST):
            if self._root[1]:
                self._line(line.removeprefix(_NOT_FIRST))
        elif found := _IF_EXISTS.fullmatch(line):
            if self._exists(self._root, found[1]):
                self._line(found[2])
        else:
            name, *words = line.split()
            if name not in self._commands:
                raise DeviceFault("grub4dos", f"the simulated one has no command {name}")
            self._commands[name](words)

    def _set_root(self, words: list[str]) -> None:
        disk, partition = words[0].strip("()").removeprefix("hd").split(",")
        self._root = int(disk), int(partition)

    def _find(self, words: list[str]) -> None:
        for disk, one in enumerate(self._disks):
            for number in range(len(one.partitions)):
                if self._exists((disk, number), words[1]):
                    self._root = disk, number
                    return
        raise CommandFailed

    def _load(self, words: list[str]) -> None:
        content = self._content(self._root, words[0])
        try:
            parse_whole(content or b"")
        except BadInput as exc:
            raise CommandFailed from exc
        self._kernel = dict(word.split("=", 1) for word in words[1:] if "=" in word)

    def _exists(self, where: tuple[int, int], path: str) -> bool:
        return self._content(where, path) is not None

    def _text(self, path: str) -> str:
        content = self._content(self._root, path)
        if content is None:
            raise CommandFailed
        return content.decode("utf-8", "replace")

    def _content(self, where: tuple[int, int], path: str) -> bytes | None:
        """None if there is no such file, or the loader cannot read its file system."""
        volume = self._volume(*where)
        node = volume.without_replay(path) if volume is not None else None
        return node.content if node is not None and node.type is FileType.FILE else None

    def _volume(self, disk: int, number: int) -> FakeVolume | None:
        if disk >= len(self._disks) or number >= len(self._disks[disk].partitions):
            return None
        volume = self._disks[disk].partitions[number].volume
        return volume if volume is not None and not volume.damaged and volume.kind in _READABLE else None

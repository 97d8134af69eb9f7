"""What a kernel's source and compiled trees say of its drivers: prompts, names of modules, firmware.

Kconfig and kbuild are read as far as drivers need it: ``config`` and ``menuconfig`` with their prompt, and lines
``obj-$(CONFIG_X) += name.o folder/``. Source: Documentation/kbuild/ of the kernel.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_CONFIG = re.compile(r"^(?:menu)?config\s+(\w+)\s*$", re.MULTILINE)
_PROMPT = re.compile(r"^\s+(tristate|bool)\s+([\"'])(.*?)\2", re.MULTILINE)
_OBJECTS = re.compile(r"^obj-\$\(CONFIG_(\w+)\)\s*[+:]?=\s*(.*)$", re.MULTILINE)
_PLAIN = re.compile(r"^obj-(?:y|m)\s*[+:]?=\s*(.*)$", re.MULTILINE)
_FOLDERS = ("drivers", "fs", "arch/x86/kvm")
_BUILT_IN_ONLY = "drivers/video/fbdev"
BUILTIN = "modules.builtin.modinfo"


@dataclass(frozen=True, slots=True)
class Driver:
    """``folder``: of its first object in the source; ``firmware``: names as it asks for them."""

    symbol: str
    folder: str
    modules: tuple[str, ...]
    prompt: str
    firmware: tuple[str, ...]


def drivers_of(source: Path, trees: Sequence[Path], wanted: Collection[str]) -> Iterator[Driver]:
    """The symbols of ``wanted`` ("CONFIG_X") that have a prompt and objects, in their order."""
    prompts = dict(_prompts(source))
    objects = _objects(source)
    asked: dict[str, set[str]] = {}
    for tree in trees:
        for module, file in _firmware(tree):
            asked.setdefault(module, set()).add(file)
    for symbol in sorted(wanted):
        found = sorted(_modules(source, symbol, objects))
        prompt = prompts.get(symbol, "")
        if found and prompt:
            modules = tuple(sorted({name for _, name in found}))
            firmware = sorted({file for name in modules for file in asked.get(name.replace("-", "_"), ())})
            yield Driver(symbol, found[0][0], modules, prompt, tuple(firmware))


def _prompts(source: Path) -> Iterator[tuple[str, str]]:
    for folder in _FOLDERS:
        for path in sorted((source / folder).rglob("Kconfig*")):
            text = path.read_text(errors="replace")
            starts = [*_CONFIG.finditer(text)]
            ends = [*(one.start() for one in starts), len(text)][1:]
            for start, end in zip(starts, ends, strict=False):
                prompt = _PROMPT.search(text, start.end(), end)
                # What can only be built in is no driver, but a property of one or of the kernel.
                if prompt is not None and (prompt[1] == "tristate" or _BUILT_IN_ONLY in str(path)):
                    yield f"CONFIG_{start[1]}", prompt[3].replace("|", "/")


def _objects(source: Path) -> Mapping[str, list[tuple[Path, str]]]:
    """Folders of Makefiles and the words of their lines, by symbol."""
    found: dict[str, list[tuple[Path, str]]] = {}
    for folder in _FOLDERS:
        for path in sorted((source / folder).rglob("Makefile")):
            for line in _OBJECTS.finditer(_joined(path)):
                found.setdefault(f"CONFIG_{line[1]}", []).extend((path.parent, word) for word in line[2].split())
    return found


def _joined(path: Path) -> str:
    return re.sub(r"\\\n", " ", path.read_text(errors="replace"))


def _modules(source: Path, symbol: str, objects: Mapping[str, list[tuple[Path, str]]]) -> Iterator[tuple[str, str]]:
    """Folder and name of each module of a symbol."""
    for folder, word in objects.get(symbol, []):
        if word.endswith(".o"):
            yield str(folder.relative_to(source)), word.removesuffix(".o")
        elif word.endswith("/") and (makefile := folder / word / "Makefile").is_file():
            for line in _PLAIN.finditer(_joined(makefile)):
                plain = (one for one in line[1].split() if one.endswith(".o"))
                yield from ((str((folder / word).relative_to(source)), one.removesuffix(".o")) for one in plain)


def _firmware(tree: Path) -> Iterator[tuple[str, str]]:
    """Module and name of each file that compiled drivers ask for."""
    for entry in (tree / BUILTIN).read_bytes().split(b"\0"):
        key, _, value = entry.decode(errors="replace").partition("=")
        module, _, field = key.rpartition(".")
        if field == "firmware":
            yield module, value
    for path in sorted(tree.rglob("*.ko")):
        listed = subprocess.run(["modinfo", "-F", "firmware", str(path)], capture_output=True, check=True, text=True)
        yield from ((path.stem.replace("-", "_"), file) for file in listed.stdout.split())

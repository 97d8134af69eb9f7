"""Settings of the kernel: ``buildroot/kernel/kernel.toml`` and the fragments that it or a command line names."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gprov.apps.host.initramfs.firmware import FirmwareFile, firmware_files, parse_firmware_sets
from gprov.apps.host.initramfs.fragments import Combined, Fragment, combine
from gprov.apps.host.initramfs.hostfiles import read_text
from gprov.apps.host.initramfs.kconfig import parse_fragment
from gprov.domain.errors import BadInput, DeviceMissing, Problem, RefusedByPolicy

SETTINGS_FILE, BASE_FILE, FIRMWARE_FILE = "kernel.toml", "x86_64.config", "firmware.toml"
MODULES_FRAGMENT = "modules"
_BASE = "base"
_EXTENSION = ".config"
_KEYS = {"fragments", "modules", "firmware", "budget"}
_MB = 1e6


@dataclass(frozen=True, slots=True)
class KernelSettings:
    """``fragments``, ``firmware``: names of shipped ones, or paths. ``budget``: MB of a kernel without its initramfs,
    by fragment; "base" is that of the configuration itself."""

    fragments: tuple[str, ...]
    modules: bool
    firmware: tuple[str, ...]
    budget: Mapping[str, float]

    def with_options(
        self, fragments: Sequence[str], modules: bool | None, firmware: Sequence[str], budget: float | None
    ) -> KernelSettings:
        """Add what a command line names. ``budget``: MB, replaces the sum."""
        return KernelSettings(
            tuple(dict.fromkeys((*self.fragments, *fragments))),
            self.modules if modules is None else modules,
            tuple(dict.fromkeys((*self.firmware, *firmware))),
            self.budget if budget is None else {_BASE: budget},
        )

    @property
    def largest(self) -> int:
        """Bytes of the largest kernel without its initramfs."""
        parts = (_BASE, *self.fragments, *([MODULES_FRAGMENT] if self.modules else []))
        return round(sum(self.budget.get(part, 0) for part in parts) * _MB)


def parse_settings(text: str, source: str) -> KernelSettings:
    """Raises BadInput with every problem found."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise BadInput(source, [Problem("", str(exc))]) from exc
    problems = [Problem(key, "unknown key") for key in document if key not in _KEYS]
    fragments, firmware = _names(document, "fragments", problems), _names(document, "firmware", problems)
    modules = document.get("modules", False)
    if not isinstance(modules, bool):
        problems.append(Problem("modules", "must be true or false"))
    budget = _budget(document.get("budget", {}), problems)
    if problems:
        raise BadInput(source, problems)
    return KernelSettings(fragments, modules is True, firmware, budget)


def _names(document: Mapping[str, object], key: str, problems: list[Problem]) -> tuple[str, ...]:
    value = document.get(key, [])
    if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
        return tuple(value)
    problems.append(Problem(key, "must be a list of names or paths"))
    return ()


def _budget(value: object, problems: list[Problem]) -> Mapping[str, float]:
    if not isinstance(value, dict):
        problems.append(Problem("budget", "must be a table of numbers"))
        return {}
    found: dict[str, float] = {}
    for name, number in value.items():
        if isinstance(number, (int, float)) and not isinstance(number, bool) and 0 <= number < float("inf"):
            found[name] = float(number)
        else:
            problems.append(Problem(f"budget.{name}", "must be a number of MB"))
    if _BASE not in value:
        problems.append(Problem("budget.base", "is missing"))
    return found


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """``base``: path of the base configuration; ``folder``: of the settings and shipped fragments."""

    settings: KernelSettings
    base: str
    folder: str


def shipped_choice(folder: str, fragments: Sequence[str] = ()) -> KernelChoice:
    """What ``kernel.toml`` and ``x86_64.config`` in a folder say, with further fragments."""
    path = os.path.join(folder, SETTINGS_FILE)
    settings = parse_settings(read_text(path), path).with_options(fragments, None, (), None)
    return KernelChoice(settings, os.path.join(folder, BASE_FILE), folder)


def configuration(choice: KernelChoice) -> Combined:
    """Combine the base configuration with the chosen fragments. Raises DeviceMissing, DeviceFault, BadInput."""
    settings, folder = choice.settings, choice.folder
    fragments = [_fragment(name, folder) for name in settings.fragments]
    modules = _fragment(MODULES_FRAGMENT, folder) if settings.modules else None
    base = parse_fragment(read_text(choice.base), os.path.basename(choice.base))
    return combine(base, fragments, modules)


def _fragment(name: str, folder: str) -> Fragment:
    path = fragment_path(name, folder)
    if not os.path.exists(path):
        names = ", ".join(shipped_fragments(folder)) or "none"
        hint = f"fragments in this folder: {names}; a path has a slash, or ends in {_EXTENSION}"
        raise DeviceMissing(path, f"no such fragment; {hint}")
    shown = name if is_name(name) else path
    return Fragment(name, parse_fragment(read_text(path), shown))


def is_name(text: str) -> bool:
    """Whether a text names something that is shipped; else it is a path."""
    return "/" not in text and not text.endswith(_EXTENSION)


def fragment_path(name: str, folder: str) -> str:
    return os.path.join(folder, f"{name}{_EXTENSION}" if is_name(name) else name)


def shipped_fragments(folder: str) -> list[str]:
    """Names of the fragments beside the settings."""
    names = (name.removesuffix(_EXTENSION) for name in sorted(os.listdir(folder)) if name.endswith(_EXTENSION))
    return [name for name in names if name not in (MODULES_FRAGMENT, BASE_FILE.removesuffix(_EXTENSION))]


def check_budget(size: int, largest: int) -> None:
    """``size``: bytes of the kernel without its initramfs. Raises RefusedByPolicy if it exceeds the budget."""
    if size > largest:
        raise RefusedByPolicy(
            f"the kernel without its initramfs has {size / _MB:.2f} MB, its budget is {largest / _MB:.2f} MB: leave "
            "out what no unit needs, or raise the budget (kernel.toml, --budget)"
        )


def chosen_firmware(settings: KernelSettings, folder: str, installed: str) -> tuple[FirmwareFile, ...]:
    """Files of the chosen sets and folders. ``folder``: of the settings; ``installed``: where files of sets are on
    this host. Raises as ``firmware_files``."""
    if not settings.firmware:
        return ()
    sets = os.path.join(folder, FIRMWARE_FILE)
    names = [os.path.join(folder, name) if "/" in name else name for name in settings.firmware]
    return firmware_files(names, parse_firmware_sets(read_text(sets), sets), installed)

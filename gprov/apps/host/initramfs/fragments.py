"""Combines the base configuration of the kernel with fragments.

A fragment may set what the base does not, and replace what the base sets. Two fragments must not contradict each
other: which of them is right is not decided by their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gprov.apps.host.initramfs.kconfig import BUILT_IN, MODULE, Setting
from gprov.domain.errors import BadInput, Problem

MODULES = "CONFIG_MODULES"
# Symbols on which the build itself depends.
_BUILD = (
    "CONFIG_INITRAMFS_SOURCE",
    "CONFIG_BLK_DEV_INITRD",
    "CONFIG_RD_ZSTD",
    "CONFIG_LOCALVERSION",
    "CONFIG_LOCALVERSION_AUTO",
)
_RESERVED = {
    MODULES: "is set by --modules",
    **dict.fromkeys(_BUILD, "is set by the build; a fragment cannot change it"),
}

Settings = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Fragment:
    """``name``: of a shipped fragment, or the path of the file."""

    name: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Combined:
    """``settings``: of base and fragments. ``replaced``: what fragments changed of the base, one line each."""

    settings: Settings
    replaced: tuple[str, ...]


def combine(base: Settings, fragments: Sequence[Fragment], modules: Fragment | None) -> Combined:
    """``modules``: the fragment that makes a kernel with modules, None for a kernel without.

    Raises BadInput with every contradiction between fragments, every symbol that a fragment cannot set, every module
    of a kernel without modules, and every module in place of what the base has built in.
    """
    problems: list[Problem] = []
    chosen: dict[str, Setting] = {}
    for fragment in (*fragments, *([modules] if modules is not None else [])):
        for symbol, setting in fragment.settings.items():
            if symbol in _RESERVED and fragment is not modules:
                problems.append(_problem(symbol, setting, _RESERVED[symbol]))
                continue
            first = chosen.setdefault(symbol, setting)
            if first.value != setting.value:
                problems.append(_problem(symbol, setting, f"contradicts {first.place}, which sets {first.value}"))
            elif setting.value == MODULE:
                problems.extend(_module_problems(symbol, setting, base, with_modules=modules is not None))
    if problems:
        raise BadInput("kernel fragments", problems)
    return Combined({**base, **chosen}, tuple(_replacements(base, chosen)))


def _module_problems(symbol: str, setting: Setting, base: Settings, *, with_modules: bool) -> Iterator[Problem]:
    if not with_modules:
        yield _problem(symbol, setting, "is a module; build with --modules, or set it to y")
    elif symbol in base and base[symbol].value == BUILT_IN:
        place = base[symbol].place
        yield _problem(symbol, setting, f"must stay built in ({place}): /init needs it, and loads no modules")


def _replacements(base: Settings, chosen: Settings) -> Iterator[str]:
    for symbol, setting in sorted(chosen.items()):
        if symbol in base and base[symbol].value != setting.value:
            yield f"{symbol}: {setting.value} ({setting.place}) instead of {base[symbol].value} ({base[symbol].place})"


def _problem(symbol: str, setting: Setting, message: str) -> Problem:
    return Problem(setting.place, f"{symbol}={setting.value} {message}")

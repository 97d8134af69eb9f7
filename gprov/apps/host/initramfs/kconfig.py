"""Parses kernel configurations and fragments of them, and finds settings that Kconfig did not apply."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

_OFF = re.compile(r"# (CONFIG_\w+) is not set")
_SET = re.compile(r"(CONFIG_\w+)=(\S.*)")
NO, MODULE, BUILT_IN = "n", "m", "y"


@dataclass(frozen=True, slots=True)
class Setting:
    """``value`` as written: "y", "250", "\\"text\\""; "n" for "is not set". ``place``: file and line, "server:12"."""

    value: str
    place: str


def parse_config(text: str, name: str) -> Mapping[str, str]:
    """Return the values by symbol (``Setting.value``). Raises BadInput as ``parse_fragment``."""
    return {symbol: setting.value for symbol, setting in parse_fragment(text, name).items()}


def parse_fragment(text: str, name: str) -> Mapping[str, Setting]:
    """Return the settings by symbol. ``name``: of the file, for messages. Comments are skipped.

    Raises BadInput for any other line, and for a symbol that is set twice."""
    settings: dict[str, Setting] = {}
    problems: list[Problem] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        off = _OFF.fullmatch(line)
        if off is None and (not line or line.startswith("#")):
            continue
        found = (off[1], NO) if off else _assignment(line)
        if found is None:
            problems.append(Problem(f"line {number}", f"is not an assignment: {line!r}"))
        elif found[0] in settings:
            problems.append(Problem(f"line {number}", f"{found[0]} is set twice"))
        else:
            settings[found[0]] = Setting(found[1], f"{name}:{number}")
    if problems:
        raise BadInput(name, problems)
    return settings


def _assignment(line: str) -> tuple[str, str] | None:
    match = _SET.fullmatch(line)
    return (match[1], match[2]) if match else None


def serialise_config(settings: Mapping[str, Setting]) -> str:
    """Return the settings as a configuration that Kconfig reads, in a fixed order."""
    return "".join(_line(symbol, settings[symbol].value) for symbol in sorted(settings))


def _line(symbol: str, value: str) -> str:
    return f"# {symbol} is not set\n" if value == NO else f"{symbol}={value}\n"


def check_options_applied(settings: Mapping[str, Setting], result: Mapping[str, str], known: Collection[str]) -> None:
    """Raise BadInput with every symbol that has another value in the final configuration (misspelt, renamed, or with
    missing dependencies), and every one that is off and not ``known``. A symbol that is absent from ``result`` is
    off."""
    problems = []
    for symbol, setting in settings.items():
        value = result.get(symbol, NO)
        if value != setting.value:
            problems.append(
                Problem(setting.place, f"{symbol}: requested {setting.value}, final configuration: {value}")
            )
        elif value == NO and symbol not in known:
            problems.append(Problem(setting.place, f"{symbol}: the kernel's source has no such symbol"))
    if problems:
        raise BadInput("kernel configuration", problems)

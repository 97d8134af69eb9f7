"""Parses kernel configurations, and finds options of a fragment that Kconfig did not apply."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gprov.domain.errors import BadInput, Problem

_OFF = re.compile(r"# (CONFIG_\w+) is not set")
_SET = re.compile(r"(CONFIG_\w+)=(\S.*)")
_NO = "n"


def parse_config(text: str, name: str) -> Mapping[str, str]:
    """Return the values by symbol, as written: "y", "250", "\\"text\\""; "n" for "is not set". Skips other comments.

    Raises BadInput for any other line, and for a symbol that is set twice."""
    symbols: dict[str, str] = {}
    problems: list[Problem] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        off = _OFF.fullmatch(line)
        if off is None and (not line or line.startswith("#")):
            continue
        found = (off[1], _NO) if off else _assignment(line)
        if found is None:
            problems.append(Problem(f"line {number}", f"is not an assignment: {line!r}"))
        elif found[0] in symbols:
            problems.append(Problem(f"line {number}", f"{found[0]} is set twice"))
        else:
            symbols[found[0]] = found[1]
    if problems:
        raise BadInput(name, problems)
    return symbols


def _assignment(line: str) -> tuple[str, str] | None:
    match = _SET.fullmatch(line)
    return (match[1], match[2]) if match else None


def check_options_applied(fragment: Mapping[str, str], result: Mapping[str, str]) -> None:
    """Raise BadInput with every symbol of the fragment that has another value in the final configuration: misspelt,
    renamed, or with missing dependencies. A symbol that is absent from the result is off."""
    problems = [
        Problem(symbol, f"requested {value}, final configuration: {result.get(symbol, 'not set')}")
        for symbol, value in fragment.items()
        if result.get(symbol, _NO) != value
    ]
    if problems:
        raise BadInput("kernel configuration", problems)

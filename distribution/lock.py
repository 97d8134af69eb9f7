"""The part of the lock file that some packages need: ``python -m distribution.lock runtime`` or ``build``.

The lock file (``requirements/dev.txt``) says of each package which others require it; what an installed gprov needs
follows from that and from ``pyproject.toml``. The build of the Debian package runs this with the distribution's Python
alone, so that it imports nothing but the standard library.

Formats: pip's requirements files; comments as of ``uv pip compile``.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements/dev.txt"
PROJECT = ROOT / "pyproject.toml"
# What an installed gprov can do: run the server, the host's tools, and freeze the programs of units.
RUNTIME_EXTRAS = ("device", "server", "tools")
_PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==")
_VIA = re.compile(r"    #(?: via| {2}) ?(?P<name>[A-Za-z0-9._-]+)?(?P<project> \(.*\))?")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Pinned:
    """A package of the lock file. ``lines``: version and hashes, as they stand there. ``required_by``: names of the
    packages of the lock file that require it."""

    name: str
    lines: tuple[str, ...]
    required_by: frozenset[str]


def parse_lock(text: str) -> tuple[Pinned, ...]:
    """Raises ValueError with the first line that is not understood."""
    found: list[Pinned] = []
    for number, line in enumerate(text.splitlines(), 1):
        pinned, via = _PINNED.match(line), _VIA.fullmatch(line)
        if pinned:
            found.append(Pinned(normal(pinned["name"]), (line,), frozenset()))
        elif found and via:
            last = found[-1]
            parents = {normal(via["name"])} if via["name"] and not via["project"] else set[str]()
            found[-1] = Pinned(last.name, last.lines, last.required_by | parents)
        elif found and line.startswith("    --hash="):
            last = found[-1]
            found[-1] = Pinned(last.name, (*last.lines, line), last.required_by)
        elif line.strip() and not line.startswith(("#", "--")):
            raise ValueError(f"line {number} of the lock file is not understood: {line!r}")
    return tuple(found)


def closure(packages: Iterable[Pinned], wanted: Iterable[str]) -> tuple[Pinned, ...]:
    """Return the wanted packages and all that they require, in the order of the lock file. Raises LookupError with the
    names that it lacks."""
    packages = tuple(packages)
    needed = {normal(name) for name in wanted}
    missing = needed - {package.name for package in packages}
    if missing:
        raise LookupError(f"the lock file lacks {', '.join(sorted(missing))}")
    before = 0
    while len(needed) > before:
        before = len(needed)
        needed |= {package.name for package in packages if package.required_by & needed}
    return tuple(package for package in packages if package.name in needed)


def lock_of(packages: Iterable[Pinned]) -> str:
    """Return a lock file of these packages."""
    return "".join(f"{line}\n" for package in packages for line in package.lines)


def runtime_names(project: Mapping[str, object]) -> tuple[str, ...]:
    """Names that the project requires of its own, with ``RUNTIME_EXTRAS``. ``project``: content of pyproject.toml."""
    table = _table(project, "project")
    extras = _table(table, "optional-dependencies")
    lists = [table["dependencies"], *(extras[name] for name in RUNTIME_EXTRAS)]
    return tuple(_name_of(str(each)) for part in lists if isinstance(part, list) for each in part)


def build_names(project: Mapping[str, object]) -> tuple[str, ...]:
    """Names of what builds the project, and packages of the lock file that are sources."""
    requires = _table(project, "build-system")["requires"]
    assert isinstance(requires, list)
    return (*(_name_of(str(each)) for each in requires), "wheel")


def chosen_lock(which: str) -> str:
    """``which``: ``runtime`` or ``build``."""
    project = tomllib.loads(PROJECT.read_text())
    names = {"runtime": runtime_names, "build": build_names}[which](project)
    return lock_of(closure(parse_lock(LOCK.read_text()), names))


def normal(name: str) -> str:
    """Names of packages are equal if these are (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _name_of(requirement: str) -> str:
    found = _REQUIREMENT.match(requirement)
    assert found is not None
    return found[0]


def _table(value: Mapping[str, object], key: str) -> dict[str, object]:
    inner = value[key]
    assert isinstance(inner, dict)
    return inner


if __name__ == "__main__":
    sys.stdout.write(chosen_lock(sys.argv[1]))

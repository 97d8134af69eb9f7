"""Debian packages of the programs that ``gprov build`` and ``gprov lab`` run, from ``requirements/debian.txt``:
``python -m distribution.programs`` prints them as a field Depends. Imports nothing but the standard library."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGES = Path(__file__).parents[1] / "requirements/debian.txt"
# By the words that their comments begin with. The others are for tests.
SECTIONS = (
    "Python and what its packages compile against",
    "kernel and initramfs",
    "Secure Boot",
    "provisioning",
    "burn-in",
    "lab",
    "simulated management controllers",
    "network boot",
)
# Debian's policy: packages do not depend on what is always there.
_ESSENTIAL = frozenset({"tar", "util-linux"})


def packages_by_section(text: str) -> dict[str, list[str]]:
    """``text``: one package on a line, below comments that name sections. The first comment says what the file is."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("#"):
            section = line.removeprefix("#").strip()
        elif line.strip():
            found.setdefault(section, []).append(line.partition("#")[0].strip())
    return found


def programs_of(text: str) -> list[str]:
    """Names of packages, sorted. Raises LookupError if one of ``SECTIONS`` is not there."""
    sections = packages_by_section(text)
    chosen: set[str] = set()
    for wanted in SECTIONS:
        found = [names for title, names in sections.items() if title.startswith(wanted)]
        if not found:
            raise LookupError(f"{PACKAGES.name} has no section {wanted!r}")
        chosen.update(name for names in found for name in names)
    return sorted(chosen - _ESSENTIAL)


if __name__ == "__main__":
    sys.stdout.write(", ".join(programs_of(PACKAGES.read_text())))

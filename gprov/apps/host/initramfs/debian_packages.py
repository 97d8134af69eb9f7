"""Debian packages of the build host: what is installed, whose files are used, and when Debian's archive had them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file
from gprov.domain.errors import DeviceFault
from gprov.ports.process import Processes

# Release files of the archives, as the last apt-get update has stored them.
LISTS = "/var/lib/apt/lists"
_RELEASE_FILES = ("_InRelease", "_Release")
_DATE = re.compile(rb"^Date: (.+)$", re.MULTILINE)
_INSTALLED = "installed"
_ANY_ARCHITECTURE = "all"
_FIELDS = ("db:Status-Status", "Package", "Architecture", "Version", "Pre-Depends", "Depends", "Provides")
_PATHS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Installed:
    """``depends``: for each dependency the names that satisfy it, the preferred one first. ``provides``: virtual
    packages."""

    version: str
    depends: tuple[tuple[str, ...], ...] = ()
    provides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Archive:
    """``date``: of the newest release file, as Debian's snapshot archive names its times ("20261129T082513Z"); "" if
    this host has none. ``lacks``: packages whose installed version is in none of these archives."""

    date: str = ""
    lacks: tuple[str, ...] = ()


def installed_packages(processes: Processes) -> Mapping[str, Installed]:
    """By name; a package of another architecture than dpkg's is "name:i386". Raises ToolMissing, ToolFailed."""
    layout = "\t".join(f"${{{field}}}" for field in _FIELDS) + "\n"
    listed = processes.run(("dpkg-query", "--show", f"--showformat={layout}")).output.decode(errors="replace")
    native = processes.run(("dpkg", "--print-architecture")).output.decode().strip()
    return parse_installed(listed, native)


def parse_installed(listed: str, native: str) -> Mapping[str, Installed]:
    """``listed``: a line for each package, with ``_FIELDS`` between tabs."""
    found: dict[str, Installed] = {}
    for line in listed.splitlines():
        fields = line.split("\t")
        if len(fields) != len(_FIELDS) or fields[0] != _INSTALLED:
            continue
        _, package, architecture, version, before, depends, provides = fields
        name = package if architecture in (native, _ANY_ARCHITECTURE) else f"{package}:{architecture}"
        virtual = tuple(names[0] for names in _relations(provides))
        found[name] = Installed(version, (*_relations(before), *_relations(depends)), virtual)
    return found


def _relations(text: str) -> tuple[tuple[str, ...], ...]:
    """A field of dependencies (Debian Policy 7.1) without versions and architectures."""
    groups = (group.split("|") for group in text.split(","))
    found = (tuple(name for one in group if (name := _relation_name(one))) for group in groups)
    return tuple(names for names in found if names)


def _relation_name(text: str) -> str:
    words = re.split(r"[\s(\[]", text.strip(), maxsplit=1)
    return words[0].removesuffix(":any")


def with_dependencies(names: Iterable[str], packages: Mapping[str, Installed]) -> Mapping[str, str]:
    """Versions by name, of these packages and all that they depend on. Names that are not installed are left out."""
    providers: dict[str, list[str]] = {}
    for name, package in sorted(packages.items()):
        for virtual in package.provides:
            providers.setdefault(virtual, []).append(name)
    found: dict[str, str] = {}
    pending = [name for name in names if name in packages]
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found[name] = packages[name].version
        for alternatives in packages[name].depends:
            pending += _satisfying(alternatives, packages, providers)
    return dict(sorted(found.items()))


def _satisfying(
    alternatives: tuple[str, ...], packages: Mapping[str, Installed], providers: Mapping[str, list[str]]
) -> list[str]:
    """The first alternative that is installed, itself or by packages that provide it."""
    for name in alternatives:
        found = [name] if name in packages else providers.get(name, [])
        if found:
            return found
    return []


def owners(processes: Processes, paths: Collection[str]) -> frozenset[str]:
    """Names, as of ``installed_packages``, of the packages that files belong to. ``paths``: absolute; files of no
    package are left out. Raises ToolMissing."""
    native = processes.run(("dpkg", "--print-architecture")).output.decode().strip()
    spellings = sorted({spelling for path in paths for spelling in _spellings(path)})
    found: set[str] = set()
    for start in range(0, len(spellings), _PATHS_AT_ONCE):
        command = ("dpkg-query", "--search", "--", *spellings[start : start + _PATHS_AT_ONCE])
        listed = processes.run(command, check=False).output  # status 1: some are of no package
        found |= parse_owners(listed.decode(errors="replace"), native)
    return frozenset(found)


def _spellings(path: str) -> Iterator[str]:
    """Packages install some files below /usr and some not, and /bin, /lib, /sbin are links."""
    if not re.search(r"[*?\[\\]", path):  # dpkg-query takes these as patterns
        yield path
        if path.startswith("/usr/"):
            yield path.removeprefix("/usr")


def parse_owners(listed: str, native: str) -> frozenset[str]:
    """``listed``: lines "package:architecture, package: path" of ``dpkg-query --search``."""
    lines = (line for line in listed.splitlines() if not line.startswith("diversion by "))
    names = (name for line in lines for name in line.partition(": ")[0].split(", "))
    return frozenset(name.removesuffix(f":{native}") for name in names)


def archive_with(processes: Processes, packages: Mapping[str, str], lists: str = LISTS) -> Archive:
    """``packages``: versions by name. Without lists of apt there is no date."""
    date = _newest_release(lists)
    if not date or processes.which("apt-cache") is None:
        return Archive()
    offered = parse_madison(processes.run(("apt-cache", "madison", "--", *packages)).output.decode(errors="replace"))
    return Archive(date, tuple(name for name, version in packages.items() if (name, version) not in offered))


def parse_madison(listed: str) -> frozenset[tuple[str, str]]:
    """Names and versions of the packages in lines "name | version | archive"."""
    rows = ([field.strip() for field in line.split("|")] for line in listed.splitlines())
    return frozenset((row[0], row[1]) for row in rows if len(row) == 3 and row[2].endswith("Packages"))


def _newest_release(lists: str) -> str:
    if not os.path.isdir(lists):
        return ""
    with os_errors_translated(lists):
        names = [name for name in sorted(os.listdir(lists)) if name.endswith(_RELEASE_FILES)]
    dates = [date for name in names if (date := _release_date(os.path.join(lists, name))) is not None]
    return f"{max(dates):%Y%m%dT%H%M%SZ}" if dates else ""


def _release_date(path: str) -> datetime | None:
    """None for a file without one, or one that only root may read."""
    try:
        found = _DATE.search(read_file(path))
        return parsedate_to_datetime(found[1].decode("ascii")).astimezone(UTC) if found is not None else None
    except (DeviceFault, ValueError):
        return None

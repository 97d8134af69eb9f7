"""Firmware of devices: files that drivers load into adapters, in named sets (``buildroot/kernel/firmware.toml``).

They are the property of their vendors and in no source package of the kernel. The build takes them from where a
distribution's packages put them, or from a folder of the same layout.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.domain.errors import BadInput, DeviceMissing, Problem

FIRMWARE_FOLDER = "usr/lib/firmware"
INSTALLED = "/lib/firmware"


@dataclass(frozen=True, slots=True)
class FirmwareSet:
    """``package``: of Debian; ``files``: paths below /lib/firmware, as drivers name them."""

    package: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FirmwareFile:
    """``target``: path relative to the root; ``source``: absolute path on the build host."""

    target: str
    source: str


def parse_firmware_sets(text: str, source: str) -> Mapping[str, FirmwareSet]:
    """Raises BadInput with every problem found."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise BadInput(source, [Problem("", str(exc))]) from exc
    problems: list[Problem] = []
    sets = {name: _parse_set(name, value, problems) for name, value in document.items()}
    if problems:
        raise BadInput(source, problems)
    return sets


def _parse_set(name: str, value: object, problems: list[Problem]) -> FirmwareSet:
    table = value if isinstance(value, dict) else {}
    if table.keys() != {"package", "files"}:
        problems.append(Problem(name, "must be a table with package and files"))
        return FirmwareSet("", ())
    package, files = table["package"], table["files"]
    if not isinstance(package, str) or not package:
        problems.append(Problem(f"{name}.package", "must be the name of a Debian package"))
        package = ""
    if not (isinstance(files, list) and files and all(isinstance(file, str) and _is_inside(file) for file in files)):
        problems.append(Problem(f"{name}.files", "must be a list of paths below /lib/firmware"))
        files = []
    return FirmwareSet(package, tuple(files))


def _is_inside(path: str) -> bool:
    return all(part not in ("", ".", "..") for part in path.split("/"))


def firmware_files(
    chosen: Sequence[str], sets: Mapping[str, FirmwareSet], folder: str = INSTALLED
) -> tuple[FirmwareFile, ...]:
    """Return the files of the chosen sets, found in ``folder``, and all files of the chosen folders: a text with a
    slash is the path of a folder that is laid out as /lib/firmware.

    Raises BadInput for an unknown set, two different sources of one file, or a root file system in place of its folder
    lib/firmware; DeviceMissing for a folder without files, and with all missing files and their packages.
    """
    unknown = [name for name in chosen if "/" not in name and name not in sets]
    if unknown:
        known = f"no such set; sets: {', '.join(sorted(sets))}; the path of a folder has a slash"
        raise BadInput("firmware", [Problem(name, known) for name in unknown])
    found: dict[str, str] = {}
    problems: list[Problem] = []
    missing: dict[str, str] = {}
    for name in chosen:
        paths = _files_of(name) if "/" in name else {file: os.path.join(folder, file) for file in sets[name].files}
        for file, path in paths.items():
            if not os.path.isfile(path):
                missing[path] = sets[name].package
            elif found.setdefault(file, path) != path:
                problems.append(Problem(file, f"is in {os.path.dirname(found[file])} and {os.path.dirname(path)}"))
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        hint = "no such file of firmware; Debian has it in"
        raise DeviceMissing(", ".join(sorted(missing)), f"{hint} {packages} (sections main and non-free-firmware)")
    if problems:
        raise BadInput("firmware", problems)
    return tuple(FirmwareFile(f"{FIRMWARE_FOLDER}/{file}", path) for file, path in sorted(found.items()))


def _files_of(folder: str) -> Mapping[str, str]:
    files = dict(_below(folder))
    if not files:
        raise DeviceMissing(folder, "holds no files of firmware")
    for inner in ("lib/firmware", "usr/lib/firmware"):
        if any(file.startswith(f"{inner}/") for file in files):
            problem = f"is a root file system; name its folder {os.path.join(folder, inner)}"
            raise BadInput("firmware", [Problem(folder, problem)])
    return files


def _below(folder: str) -> Iterator[tuple[str, str]]:
    """Path below the folder, and absolute path, of every file. A link counts as what it leads to."""
    if not os.path.isdir(folder):
        raise DeviceMissing(folder, "no such folder of firmware")
    with os_errors_translated(folder):
        for parent, _, names in os.walk(folder, followlinks=True):
            for name in names:
                path = os.path.join(parent, name)
                if os.path.isfile(path):
                    yield os.path.relpath(path, folder), os.path.abspath(path)

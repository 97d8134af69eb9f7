"""Build record: all that a kernel was made of, and its digest. Another machine with the same inputs makes the same
kernel; a machine with other ones is told which.

It names no path of the machine, no user and no time: those do not matter. ``build_record_file`` has its format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from gprov.apps.host.initramfs.debian_packages import Archive
from gprov.apps.host.initramfs.spec import Flavor
from gprov.domain.errors import Problem, RefusedByPolicy
from gprov.domain.trust.policy import TrustPolicy

_NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Options of the command. ``fragments``, ``firmware``: names of shipped ones; of a path, its last part."""

    flavor: Flavor
    number: int
    level: int
    fragments: tuple[str, ...] = ()
    modules: bool = False
    firmware: tuple[str, ...] = ()
    policy: TrustPolicy | None = None
    security_version: int = 0

    def shown(self) -> Mapping[str, str]:
        """By option, or name in the environment."""
        return {
            "--flavor": self.flavor,
            "BUILD_NUMBER": str(self.number),
            "--level": str(self.level),
            "--fragment": " ".join(sorted(self.fragments)) or _NONE,
            "--modules": "yes" if self.modules else "no",
            "--firmware": " ".join(sorted(self.firmware)) or _NONE,
            "--trust-policy": self.policy or "default",
            "--security-version": str(self.security_version),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInputs:
    """``version``, ``commit``: of gprov; "" for an unknown commit. Digests are SHA-256 in hex: ``builder``, of the
    programs that build; ``configuration``, of all settings of the kernel; ``source``, of the archive of its source.
    ``environment``: what the compilation is told of user, host and time.

    Versions by name: ``toolchain``, Debian packages of the programs that compile, with all that these depend on;
    ``packages``, those with files in the initramfs; ``python``, Python packages in it. ``files``: by path in the
    initramfs, type and permissions, and digest, target or device number. ``archive``: where the Debian packages are; it
    is no input.
    """

    version: str
    commit: str
    builder: str
    choices: Choices
    environment: Mapping[str, str]
    configuration: str
    source: str
    toolchain: Mapping[str, str]
    packages: Mapping[str, str]
    python: Mapping[str, str]
    files: Mapping[str, str]
    archive: Archive = field(default_factory=Archive)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """SHA-256 and bytes of the kernel, before it is signed; SHA-256 of its compressed initramfs, and of its modules, ""
    if it has none."""

    kernel: str
    size: int
    initramfs: str
    modules: str = ""


@dataclass(frozen=True, slots=True)
class BuildRecord:
    inputs: BuildInputs
    result: BuildResult


class InputsDiffer(RefusedByPolicy):
    """This machine would build another kernel than the recorded one."""

    def __init__(self, record: str, differences: tuple[Problem, ...], remedies: tuple[str, ...]) -> None:
        count = len(differences)
        noun = "input differs" if count == 1 else "inputs differ"
        super().__init__(f"{record}: nothing was built, since {count} {noun} on this machine")
        self.differences = differences
        self.remedies = remedies

    @override
    def details(self) -> tuple[str, ...]:
        return (*(str(one) for one in self.differences), *self.remedies)


def differences(recorded: BuildInputs, here: BuildInputs) -> tuple[Problem, ...]:
    """Inputs that are not those of the record, each with both values."""
    single = (
        ("gprov", recorded.version, here.version),
        ("programs that build (gprov/apps/host/initramfs)", recorded.builder, here.builder),
        ("configuration of the kernel", recorded.configuration, here.configuration),
        ("source of the kernel", recorded.source, here.source),
    )
    tables = (
        ("option", recorded.choices.shown(), here.choices.shown()),
        ("environment", recorded.environment, here.environment),
        ("package", recorded.toolchain, here.toolchain),
        ("package", recorded.packages, here.packages),
        ("Python package", recorded.python, here.python),
        ("initramfs", recorded.files, here.files),
    )
    found = [Problem(what, _both(one, other)) for what, one, other in single if one != other]
    found += [problem for what, one, other in tables for problem in _table_differences(what, one, other)]
    return tuple(dict.fromkeys(found))


def _table_differences(what: str, recorded: Mapping[str, str], here: Mapping[str, str]) -> Iterator[Problem]:
    for name in sorted({*recorded, *here}):
        one, other = recorded.get(name, _NONE), here.get(name, _NONE)
        if one != other:
            yield Problem(f"{what} {name}", _both(one, other))


def _both(recorded: str, here: str) -> str:
    return f"recorded {recorded}, here {here}"


def remedies(recorded: BuildInputs, here: BuildInputs) -> tuple[str, ...]:
    """Lines that say how to get the recorded inputs, as far as the record knows."""
    lines: list[str] = []
    if (recorded.version, recorded.builder) != (here.version, here.builder):
        lines.append(f"use gprov {recorded.version}, commit {recorded.commit or 'not recorded'}")
    wanted = {**recorded.toolchain, **recorded.packages}
    present = {**here.toolchain, **here.packages}
    other = {name: version for name, version in wanted.items() if present.get(name) != version}
    if other:
        words = " ".join(f"{name}={version}" for name, version in sorted(other.items()))
        lines.append(f"apt-get install --allow-downgrades {words}")
        lines.append(_where(recorded.archive, other))
    return tuple(lines)


def _where(archive: Archive, packages: Mapping[str, str]) -> str:
    if not archive.date:
        return "the record does not say when Debian's archive had these versions"
    without = [name for name in archive.lacks if name in packages]
    besides = f", but not {' '.join(without)}" if without else ""
    return f"Debian's snapshot archive of {archive.date} has these versions{besides}"

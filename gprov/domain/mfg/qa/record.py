"""What provisioning did to a unit, as values: content of the QA document. No value holds a secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gprov.domain.disk.model import Disk
from gprov.domain.mfg.burnin.report import BurnInReport
from gprov.domain.mfg.spec import FirmwareVersions, HardwareSpec
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.inventory import Inventory
from gprov.domain.unit.nics import Nic

# Name and value.
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """``text``: the command line without passwords; ``wanted``: which exit status the file asks for."""

    text: str
    status: int
    wanted: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StepRecord:
    """``when``: the step point, or "StashFiles"."""

    when: str
    name: str
    commands: tuple[CommandRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A file as it was read back from RECOVERY. ``note``: what it is, for people."""

    path: str
    size: int
    sha256: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """When and by what. Times: UTC, nanoseconds since 1970. ``version``: of gprov; ``kernel``: release and build of the
    provisioning kernel, "" if unknown."""

    started_ns: int
    ended_ns: int
    version: str
    kernel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareRecord:
    """``smbios``: keyword of dmidecode and value. ``disks``: what each is used for, and the disk. ``bmc_macs``: of the
    management controller."""

    inventory: Inventory
    smbios: tuple[Pair, ...]
    firmware: FirmwareVersions
    disks: tuple[tuple[str, Disk], ...]
    nics: tuple[Nic, ...]
    bmc_macs: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QaRecord:
    """``credentials``: whose password, and what was done with it. ``burn_in``: None if the factory asks for none."""

    unit: Unit
    run: RunRecord
    hardware: HardwareRecord
    spec: HardwareSpec
    steps: tuple[StepRecord, ...]
    files: tuple[FileRecord, ...]
    credentials: tuple[Pair, ...]
    burn_in: BurnInReport | None = None

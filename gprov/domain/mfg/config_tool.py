"""The contract of configuration tools: programs of an adopter that set up the firmware or the management controller.

They are what ``BiosConfigTool`` and ``IpmiConfigTool`` of a platform name. Contract for people:
docs/reference/bios-tools.md. A tool is called with a verb; it gets secrets on standard input, one a line, and
prints one JSON object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from gprov.domain.errors import InternalError
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.platform.model import Platform
from gprov.domain.unit.credentials import Secret

CONTRACT_VERSION = 1
# Value of ``IpmiConfigTool`` that stands for what provisioning does by itself, without a program.
BUILT_IN = "internal_ipmi"
# Values of the argument ``NAME`` of ``get`` and ``set``.
STORAGE = "storage"
_MAX_NOTES = 50


class ToolUse(Enum):
    """What a platform has a tool for."""

    BIOS = "Bios"
    IPMI = "Ipmi"

    @property
    def key(self) -> str:
        """In the platform table."""
        return f"{self.value}ConfigTool"

    @property
    def settings_key(self) -> str:
        """In manufData.json."""
        return f"{self.value}Settings"


class ToolAbility(Enum):
    """Words of the list ``can`` in the reply to ``probe``."""

    STORAGE = "storage"
    SETTINGS = "settings"
    PASSWORD = "password"  # noqa: S105 - a word


class StorageMode(Enum):
    """How the firmware presents SATA disks: to the operating system's driver, or below a RAID of its own."""

    AHCI = "ahci"
    RAID = "raid"
    IDE = "ide"


class ToolStatus(IntEnum):
    """Exit statuses. Any other one means the same as ``FAILED``."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    OTHER_MACHINE = 3
    LOCKED = 4


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """Reply to ``probe``. ``name``: with the version, for logs."""

    name: str
    abilities: frozenset[ToolAbility]


@dataclass(frozen=True, slots=True)
class Change:
    """Reply of the verbs that change something. ``restart``: it takes effect at the next restart, also if an earlier
    call made the change. ``notes``: for the log."""

    changed: bool
    restart: bool = False
    notes: tuple[str, ...] = ()


def tool_of(platform: Platform, use: ToolUse) -> str:
    """Name or path of the platform's program; "" for none."""
    name = platform.bios_config_tool if use is ToolUse.BIOS else platform.ipmi_config_tool
    return "" if name == BUILT_IN else name


def parse_probe(source: str, output: bytes) -> ToolFacts:
    """``source``: names the call. Raises BadInput with all problems."""
    root = read_object(source, output)
    version = root.integer("contract", required=True, minimum=1)
    if version > CONTRACT_VERSION:
        root.problem("contract", f"is {version}; this version of gprov knows {CONTRACT_VERSION}")
    abilities = {ability.value: ability for ability in ToolAbility}
    words = root.texts("can", required=True)
    for word in words:
        if word not in abilities:
            root.problem("can", f"unknown word {word!r}; known: {', '.join(abilities)}")
    known = frozenset(abilities[word] for word in words if word in abilities)
    return finish(source, root, ToolFacts(root.text("tool", required=True), known))


def parse_storage(source: str, output: bytes) -> StorageMode:
    """Reply to ``get storage``. Raises BadInput with all problems."""
    root = read_object(source, output)
    modes = {mode.value: mode for mode in StorageMode}
    return finish(source, root, root.one_of("value", modes, StorageMode.AHCI, required=True))


def parse_change(source: str, output: bytes) -> Change:
    """Reply to ``set``, ``apply`` and ``set-password``. Raises BadInput with all problems."""
    root = read_object(source, output)
    for key in ("changed", "restart"):
        if not root.has(key):
            root.problem(key, "is missing")
    change = Change(root.boolean("changed"), root.boolean("restart"), root.texts("notes", most=_MAX_NOTES))
    return finish(source, root, change)


def secret_lines(secrets: Sequence[Secret | None]) -> bytes:
    """Standard input of a tool: a line for each secret, empty for None. Raises InternalError for a secret that is no
    line."""
    lines = [secret.reveal() if secret is not None else "" for secret in secrets]
    if any(set("\0\r\n") & set(line) for line in lines):
        raise InternalError("a password holds a line break or NUL, which is not possible in a line for a tool")
    return "".join(f"{line}\n" for line in lines).encode()

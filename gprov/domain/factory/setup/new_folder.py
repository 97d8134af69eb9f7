"""All files of a new data folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gprov.domain.factory.dnsmasq import dnsmasq_configuration
from gprov.domain.factory.netboot import MANUF_DATA
from gprov.domain.factory.server_settings import SETTINGS_FILE
from gprov.domain.factory.setup.plan import FactoryPlan
from gprov.domain.factory.setup.readme import readme
from gprov.domain.factory.setup.settings_text import settings_text
from gprov.domain.factory.setup.templates import appliance_template, manuf_template
from gprov.domain.factory.setup.unit_file import UNIT_NAME, unit_file

FILES = "files"
TFTP = "tftp"
APPLIANCE = "appliance.json"
DNSMASQ = "dnsmasq.conf"
README = "README.md"
# Of folders with what only the server's user may read.
_PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class NewFile:
    """``path``: relative to the data folder."""

    path: str
    content: bytes = field(repr=False)
    mode: int = 0o644


def new_folders() -> Mapping[str, int]:
    """Path, relative to the data folder, and mode of each folder in it."""
    return {FILES: 0o755, TFTP: 0o755, "documents": _PRIVATE, "certificates": 0o755, "store": _PRIVATE}


def new_files(plan: FactoryPlan) -> tuple[NewFile, ...]:
    """Raises BadInput with what cannot stand in a file."""
    return (
        NewFile(SETTINGS_FILE, settings_text(plan), 0o640),
        NewFile(f"{FILES}/{MANUF_DATA}", manuf_template(plan)),
        NewFile(APPLIANCE, appliance_template()),
        NewFile(DNSMASQ, dnsmasq_configuration(plan.netboot).encode()),
        NewFile(UNIT_NAME, unit_file(plan).encode()),
        NewFile(README, readme(plan)),
    )

"""The settings of a factory server: ``server.toml`` in its data folder, a table for each section.

    [listen]
    host = "10.1.0.1"

    [documents]
    hold_minutes = 30

What is not stated is the default. A key that is not known is refused: a misspelt one would leave the default in force.
docs/reference/server-settings.md lists all keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from gprov.domain.errors import BadInput, Problem
from gprov.domain.factory import messages
from gprov.domain.factory.settings.access import Access
from gprov.domain.factory.settings.kinds import Section
from gprov.domain.factory.settings.limits import Limits
from gprov.domain.factory.settings.listen import Listen
from gprov.domain.factory.settings.pages import Pages
from gprov.domain.factory.settings.store import StoreSettings
from gprov.domain.factory.settings.tls import Tls
from gprov.domain.factory.settings.work import Certificates, CredentialTimes, Documents, NetworkBoot
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish
from gprov.domain.formats.json.toml import read_table

S = TypeVar("S", bound=Section)
SETTINGS_FILE = "server.toml"


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """One field for each table of the file. Kinds of value: ``gprov.domain.factory.settings.kinds``."""

    listen: Listen = field(default_factory=Listen)
    tls: Tls = field(default_factory=Tls)
    access: Access = field(default_factory=Access)
    limits: Limits = field(default_factory=Limits)
    store: StoreSettings = field(default_factory=StoreSettings)
    pages: Pages = field(default_factory=Pages)
    documents: Documents = field(default_factory=Documents)
    credentials: CredentialTimes = field(default_factory=CredentialTimes)
    netboot: NetworkBoot = field(default_factory=NetworkBoot)
    certificates: Certificates = field(default_factory=Certificates)

    def problems(self) -> list[Problem]:
        """What does not go together, though each value is valid."""
        sections = ((each.name, getattr(self, each.name)) for each in fields(self))
        return [
            Problem(f"$.{name}.{key}", message)
            for name, section in sections
            if isinstance(section, Section)
            for key, message in section.problems()
        ]


def parse_settings(source: str, data: bytes) -> ServerSettings:
    """``source``: the file's name. Raises BadInput with every problem."""
    root = read_table(source, data)
    types = section_types()
    _require_known(root, types)
    sections: dict[str, Any] = {name: _section(root, name, section) for name, section in types.items()}
    return checked(source, finish(source, root, ServerSettings(**sections)))


def _section(root: JsonObject, name: str, section: type[S]) -> S:
    table = root.object(name) if name in root.all_keys() else None
    if table is None:
        return section()
    _require_known(table, _keys(section))
    return messages.read(section, table)


def checked(source: str, settings: ServerSettings) -> ServerSettings:
    """The same settings. Raises BadInput with everything that does not go together."""
    problems = settings.problems()
    if problems:
        raise BadInput(source, problems)
    return settings


def _keys(section: type[Section]) -> list[str]:
    return [key.name for key in messages.members(section)]


def section_types() -> dict[str, type[Section]]:
    """Name of each table, and the class that has its keys."""
    return {
        member.name: member.kind.message
        for member in messages.members(ServerSettings)
        if isinstance(member.kind, messages.Record)
    }


def _require_known(table: JsonObject, known: Iterable[str]) -> None:
    names = list(known)
    for key in table.all_keys():
        if key not in names:
            shown = f"known: {', '.join(names)}" if names else "this table has no keys"
            table.problem(key if key.isprintable() else ascii(key), f"is not a key of this table; {shown}")

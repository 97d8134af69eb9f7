"""/init of ACME's units: gprov's programs with ACME's branding, platform table, vault and password rule."""

from __future__ import annotations

import os

from typing_extensions import override as overrides

from acme.vault import Vault
from gprov.apps.init.container import InitContainer
from gprov.apps.init.main import start
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import override, set_value, wrap
from gprov.domain.branding_file import parse_branding
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.platform.model import Platform
from gprov.domain.unit.credentials import Secret
from gprov.ports.secrets import PasswordHasher


class LongPasswords(PasswordHasher):
    def __init__(self, original: PasswordHasher) -> None:
        self._original = original

    @overrides
    def hash(self, password: Secret) -> PasswordHash:
        if len(password.reveal()) < 12:
            raise RefusedByPolicy("the password from the vault has fewer than 12 characters")
        return self._original.hash(password)


def read(name: str) -> bytes:
    with open(os.path.join(os.path.dirname(__file__), name), "rb") as file:
        return file.read()


def platforms() -> tuple[Platform, ...]:
    from gprov.domain.platform.table import parse_platform_table  # a normal boot does not need it

    return parse_platform_table("appliance.json", read("appliance.json"))


def install(unit: UnitContainer) -> None:
    set_value(unit.branding, parse_branding("branding.json", read("branding.json")))
    override(unit.platforms, platforms)  # made at the first call
    set_value(unit.credential_store_at, lambda _log_endpoint: Vault(unit.http(), unit.clock()))
    wrap(unit.hasher, LongPasswords)  # around the adapter that was there


def main() -> None:
    install(unit := InitContainer())
    start(unit)

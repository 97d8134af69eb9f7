"""Containers name adapters by text, which no type checker sees: each name must lead to something that can be made."""

from __future__ import annotations

import pytest
from dependency_injector import providers
from typing_extensions import override

from gprov.adapters.fake.net.network import FakeFactory
from gprov.apps.init.container import InitContainer
from gprov.apps.mfg.container import MfgContainer
from gprov.apps.mfg.main import container_for
from gprov.domain.branding import Branding
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.ports.factory import CredentialStore

SERVER = "http://127.0.0.1:9/"
# What these need besides is given when they are called.
ARGUMENTS: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(("telemetry_at", "time_source_at", "document_store_at", "credential_store_at"), (SERVER,)),
    "sink_for": (FakeFactory(), "SERIAL"),
    "file_sink_at": ("/nowhere",),
    "kmsg_sink": ("/dev/null", "gprov", "/dev/null"),
}
CASES = [(kind, name) for kind in (InitContainer, MfgContainer) for name in kind.providers]


@pytest.mark.parametrize(("kind", "name"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_every_provider_can_make_what_it_names(kind: type[InitContainer | MfgContainer], name: str) -> None:
    made = getattr(kind(), name)(*ARGUMENTS.get(name, ()))
    assert made is not None
    if hasattr(made, "close") and name == "sink_for":
        made.close()


def test_what_an_adopter_puts_in_reaches_both_flows() -> None:
    """As docs/platforms.md says: override providers of the class, then start as gprov does."""
    brand = Branding(recovery_label="RESCUE")
    with (
        InitContainer.branding.override(providers.Object(brand)),
        InitContainer.platforms.override(providers.Object(())),
    ):
        unit = InitContainer()
        for container in (unit, container_for(unit)):
            assert container.branding() == brand
            assert container.places().recovery == "/mnt/RESCUE"
            assert container.platforms() == ()
    assert InitContainer().branding() == Branding()


class Vault(CredentialStore):
    """Passwords of an adopter."""

    @override
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        return Credentials(Secret(f"os {serial} {endpoint}"), Secret("bios"), Secret("ipmi"))


def test_the_ports_of_the_factory_are_one_client_until_one_of_them_is_replaced() -> None:
    container = MfgContainer()
    server = container.factory_ports().server(SERVER)
    assert server.telemetry is server.time is server.documents is server.credentials
    assert container.remote_ports().telemetry_at(SERVER) is server.telemetry
    container.credential_store_at.override(providers.Factory(lambda _endpoint: Vault()))
    replaced = container.factory_ports().server(SERVER)
    assert replaced.credentials.credentials("SN", "https://vault/").os.reveal() == "os SN https://vault/"
    assert replaced.telemetry is replaced.time is replaced.documents is server.telemetry

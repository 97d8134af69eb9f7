"""What containers declare can be made, replaced and wrapped. That it has the right type is what mypy sees:
test_wiring_types.py."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typing_extensions import override as overrides

from gprov.adapters.fake.net.factory import FakeFactory
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.apps.host.simulation.world import plug_in
from gprov.apps.init.container import InitContainer
from gprov.apps.mfg.container import MfgContainer
from gprov.apps.mfg.main import container_for
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import override, set_value
from gprov.domain.branding import Branding
from gprov.domain.unit.credentials import Credentials, Secret
from gprov.ports.factory import CredentialStore

# Opening the kernel's log changes settings of this machine; keys of file systems are an adopter's to provide.
LEFT_OUT = ("kmsg_sink", "file_system_keys")
CASES = [(kind, name) for kind in (InitContainer, MfgContainer) for name in kind.providers if name not in LEFT_OUT]


def test_only_an_adopter_provides_keys_of_file_systems() -> None:
    assert InitContainer().file_system_keys() is None


@pytest.mark.parametrize(("kind", "name"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_every_provider_can_make_what_it_names(kind: type[InitContainer | MfgContainer], name: str) -> None:
    assert getattr(kind(), name)() is not None


def test_providers_of_functions_make_what_these_make() -> None:
    container = UnitContainer()
    assert container.telemetry_at()("http://127.0.0.1:9/") is not None
    assert "recov" in container.file_sink_at()("/nowhere").name
    sink = container.sink_for()(FakeFactory(), "SERIAL")
    sink.close()


def test_a_container_imports_no_adapters() -> None:
    program = (
        "import sys; from gprov.apps.init.container import InitContainer; InitContainer(); "
        "print([name for name in sys.modules if name.startswith('gprov.adapters')])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"[]\n"


def test_what_an_adopter_puts_in_reaches_both_flows() -> None:
    """As docs/how-to/platforms.md says: override providers of the class, then start as gprov does."""
    brand = Branding(recovery_label="RESCUE")
    with (
        set_value(InitContainer.branding, brand),
        override(InitContainer.platforms, lambda: ()),
    ):
        unit = InitContainer()
        for container in (unit, container_for(unit)):
            assert container.branding() == brand
            assert container.mount_points().recovery == "/mnt/RESCUE"
            assert container.platforms() == ()
    assert InitContainer().branding() == Branding()


def test_a_normal_boot_imports_neither_destructive_ports_nor_an_erase_nor_the_platform_table() -> None:
    program = (
        "import sys; from gprov.apps.init.container import InitContainer; InitContainer().boot(); "
        "print(*[name for name in sys.modules if name.startswith('gprov.')], sep='\\n')"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
    imported = output.split()
    assert "gprov.apps.init.flow" in imported
    unwanted = (
        "gprov.apps.unit.composition.flow_ports",
        "gprov.apps.unit.execution",
        "gprov.apps.restore.flow",
        "gprov.apps.erase.flow",
        "gprov.domain.erase",
        "gprov.domain.plan",
        "gprov.domain.platform.default_table",
        "gprov.adapters.linux.archive",
        "gprov.adapters.linux.disk.arrays",
        "gprov.adapters.linux.disk.disk_reader",
        "gprov.adapters.linux.disk.disk_writer",
        "gprov.adapters.linux.disk.drive_commands",
        "gprov.adapters.linux.disk.partition",
        "gprov.adapters.linux.net",
    )
    assert [name for name in imported if name.startswith(unwanted)] == []


def test_simulated_machine_overrides_every_destructive_port() -> None:
    """A port that was left out would reach the disks of the machine that runs the simulation."""
    for container in (InitContainer(), MfgContainer()):
        plug_in(container, new_world())
        ports = vars(container.destructive_ports())
        assert ports
        assert [
            name for name, port in ports.items() if not type(port).__module__.startswith("gprov.adapters.fake.")
        ] == []


def test_verifying_and_unpacking_use_one_object() -> None:
    """So that an image which was decoded to verify it need not be decoded again."""
    container = InitContainer()
    unpacker: object = container.destructive_ports().image_unpacker
    assert unpacker is container.archives()


SERVER = "http://127.0.0.1:9/"


class Vault(CredentialStore):
    """Passwords of an adopter."""

    @overrides
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        return Credentials(Secret(f"os {serial} {endpoint}"), Secret("bios"), Secret("ipmi"))


def test_the_ports_of_the_factory_are_one_client_until_one_of_them_is_replaced() -> None:
    container = MfgContainer()
    server = container.mfg_ports().server(SERVER)
    assert len({id(port) for port in (server.telemetry, server.time, server.documents, server.credentials)}) == 1
    assert container.flow_ports().telemetry_at(SERVER) is server.telemetry
    set_value(container.credential_store_at, lambda _endpoint: Vault())
    replaced = container.mfg_ports().server(SERVER)
    assert replaced.credentials.credentials("SN", "https://vault/").os.reveal() == "os SN https://vault/"
    others = (server.telemetry, replaced.telemetry, replaced.time, replaced.documents)
    assert len({id(port) for port in others}) == 1

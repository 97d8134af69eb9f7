"""examples/adopter: a platform, a branding, another implementation of a port, and an app that uses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from acme.start import install, platforms, read
from acme.vault import DEFAULT_URL, Vault
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.net.certificate import FakeCertificate
from gprov.adapters.fake.net.factory import FakeFactory
from gprov.adapters.fake.net.http import FakeHttp
from gprov.adapters.fake.net.origin import FakeOrigin, ServerFault
from gprov.adapters.fake.net.server_trust import FakeTrust
from gprov.apps.host.cli.main import main
from gprov.apps.host.initramfs.closure import modules_of
from gprov.apps.host.simulation.encrypted_factory import encrypt
from gprov.apps.host.simulation.invariants import recovery_problems, secret_problems, system_problems
from gprov.apps.host.simulation.new_worlds import SERIAL, new_world, world_of
from gprov.apps.host.simulation.world import World
from gprov.apps.init.container import InitContainer
from gprov.apps.mfg.main import container_for
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.branding_file import parse_branding
from gprov.domain.errors import NetworkFault, RefusedByPolicy
from gprov.domain.unit.trust import SystemCas
from gprov.ports.factory import CredentialStore

SECRETS = ("correct horse battery", "bios-word", "ipmi-word")
ROOT = Path(__file__).parents[3]
ACME = ROOT / "examples" / "adopter" / "acme"
TABLE, BRANDING = ACME / "appliance.json", ACME / "branding.json"


def vault_reply(os: str = SECRETS[0]) -> bytes:
    return json.dumps({"os": os, "bios": SECRETS[1], "ipmi": SECRETS[2]}).encode()


def vault(origin: FakeOrigin) -> Vault:
    machine = new_world().machine
    origin.certificate = FakeCertificate(None)
    trust = FakeTrust(machine, origin)
    trust.use(SystemCas(), check_dates=True)
    return Vault(FakeHttp(machine, origin, trust), machine.clock)


def acme_world(firmware: FirmwareKind, os_password: str = SECRETS[0]) -> World:
    [platform] = platforms()
    world = world_of(platform, parse_branding("branding.json", read("branding.json")), firmware)
    world.origin.content[f"{DEFAULT_URL}/units/{SERIAL}"] = vault_reply(os_password)
    world.install = install
    encrypt(world, None)
    return world


# What gprov/ports/factory.py promises, of the adopter's store and of one of ours.
STORES: list[Callable[[bool], CredentialStore]] = [
    lambda down: vault(FakeOrigin(content={f"{DEFAULT_URL}/units/{SERIAL}": vault_reply()}, down=down)),
    lambda down: FakeFactory(down=down),
]


@pytest.mark.parametrize("store", STORES, ids=("vault", "fake"))
def test_a_store_returns_the_same_passwords_at_every_call(store: Callable[[bool], CredentialStore]) -> None:
    opened = store(False)
    first = opened.credentials(SERIAL)
    assert first == opened.credentials(SERIAL)
    assert all((first.os, first.bios, first.ipmi))


@pytest.mark.parametrize("store", STORES, ids=("vault", "fake"))
def test_a_store_that_cannot_be_reached_is_a_network_fault(store: Callable[[bool], CredentialStore]) -> None:
    with pytest.raises(NetworkFault):
        store(True).credentials(SERIAL)


def test_the_vault_is_asked_at_the_given_endpoint_for_the_quoted_serial_number() -> None:
    origin = FakeOrigin(content={"http://other/units/A%2FB%20C": vault_reply()})
    assert vault(origin).credentials("A/B C", "http://other").os.reveal() == SECRETS[0]


def test_a_unit_that_the_vault_does_not_have_is_a_network_fault() -> None:
    with pytest.raises(NetworkFault, match="/units/OTHER: status 404"):
        vault(FakeOrigin()).credentials("OTHER")


WRONG = (b"", b"[]", b'{"os": "hunter2"}', b'{"os": 5, "bios": "", "ipmi": "hunter2"}', b'{"os": "hunter2')


@pytest.mark.parametrize("reply", WRONG, ids=range(len(WRONG)))
def test_a_wrong_reply_is_a_network_fault_without_secrets(reply: bytes) -> None:
    origin = FakeOrigin(content={f"{DEFAULT_URL}/units/{SERIAL}": reply})
    with pytest.raises(NetworkFault) as raised:
        vault(origin).credentials(SERIAL)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert len(origin.requests) == 4


def test_a_vault_that_breaks_a_connection_is_asked_again() -> None:
    url = f"{DEFAULT_URL}/units/{SERIAL}"
    origin = FakeOrigin(content={url: vault_reply()}, faults={url: ServerFault.RESETS})
    assert vault(origin).credentials(SERIAL).ipmi.reveal() == SECRETS[2]


def test_its_unit_lives_on_the_simulated_machine(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--platforms", str(TABLE), "--platform", "ACME-gateway-2", "--branding", str(BRANDING)]
    assert main(["appliance", "check", str(TABLE)]) == 0
    capsys.readouterr()
    assert main(["simulate", "lifecycle", *words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [stage["ended"] for stage in report["stages"]] == ["reboot", "reboot", "switched root"]
    assert "/mnt/RESCUE/Image/ACME.2026-01-15.1.upd" in "\n".join(report["transcript"])


@pytest.mark.parametrize("firmware", FirmwareKind)
def test_its_app_provisions_restores_and_starts_a_unit(firmware: FirmwareKind) -> None:
    world = acme_world(firmware)
    assert [world.provision(), world.boot(), world.boot()] == [
        StopReason.REBOOT,
        StopReason.REBOOT,
        StopReason.SWITCHED_ROOT,
    ]
    assert world.factory.code_names == {SERIAL: "ACME-gateway-2"}
    shadow = world.machine.volume_tree("PRIMARY").get("/etc/shadow")
    assert shadow is not None
    assert any(line.startswith(b"acme:") and b"correct horse" not in line for line in shadow.content.splitlines())
    assert recovery_problems(world) + system_problems(world) + secret_problems(world) == []
    assert (f"{DEFAULT_URL}/units/{SERIAL}", 0) in world.origin.requests


def test_its_app_refuses_a_short_password() -> None:
    with pytest.raises(RefusedByPolicy, match="fewer than 12 characters"):
        acme_world(FirmwareKind.UEFI, "short").provision()


def test_what_it_installs_reaches_provisioning_on_a_unit() -> None:
    unit = InitContainer()
    install(unit)
    provisioning = container_for(unit)
    assert isinstance(provisioning.mfg_ports().server("http://factory/").credentials, Vault)
    assert provisioning.context().platforms == platforms()
    assert provisioning.context().branding == unit.branding() != Branding()


def test_an_initramfs_that_starts_it_contains_it() -> None:
    found = {module.name for module in modules_of(["acme.start"], [], [str(ACME.parent), str(ROOT)])}
    assert {"acme", "acme.start", "acme.vault", "gprov.apps.init.main", "gprov.domain.platform.table"} <= found


def test_it_has_fewer_than_100_lines() -> None:
    files = [path for path in ACME.iterdir() if path.suffix in (".py", ".json")]
    assert len(files) == 5
    assert sum(len(path.read_text().splitlines()) for path in files) < 100

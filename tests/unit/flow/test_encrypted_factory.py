"""Provisioning and restores with https servers: whom a unit trusts, what it refuses before it writes anything, and what
it remembers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.net.certificate import FakeCertificate
from gprov.apps.host.simulation.encrypted_factory import ENCRYPTED_MANUF_URL as URL
from gprov.apps.host.simulation.encrypted_factory import encrypt
from gprov.domain.events import ProcessState
from gprov.domain.files import FileType
from gprov.domain.unit.trust import BUILT_IN, OwnCa, serialise_trust
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver

CA = OwnCa(b"\x30\x81\x90" + bytes(range(144)))
OTHER_CA = OwnCa(b"\x30\x81\x90" + bytes(144))
CA_URL = "https://factory.invalid/ca.pem"
DAY_NS = 86_400 * 10**9
PINNED = {"mfgurl": URL, "mfgca": f"sha256:{CA.digest}"}


def encrypted() -> UnitDriver:
    """A blank unit whose factory has https only, for everything."""
    unit = units.blank()
    encrypt(unit.world, CA)
    unit.world.arguments = {}
    return unit


def change_manuf(unit: UnitDriver, change: Callable[[dict[str, object]], None]) -> None:
    document = json.loads(unit.origin.content[URL])
    change(document)
    unit.origin.content[URL] = json.dumps(document).encode()


def build_in(unit: UnitDriver, ca: OwnCa) -> None:
    unit.machine.ram.current.put(BUILT_IN, Node(type=FileType.FILE, content=ca.pem.encode()))


def refused_before_anything_is_written(unit: UnitDriver, **arguments: str) -> str:
    before = [disk.table for disk in unit.machine.disks]
    error = unit.provision_fails(**arguments)
    assert [disk.table for disk in unit.machine.disks] == before
    assert unit.factory.handed_out == []
    return "\n".join((str(error), *error.details()))


def test_a_unit_that_knows_the_digest_is_provisioned_and_reports_its_restore() -> None:
    unit = encrypted()
    assert unit.provision(**PINNED) is StopReason.REBOOT
    assert unit.factory.handed_out
    assert unit.settle() == ("reboot", "switched root")
    assert ProcessState.FR_SUCCEEDED in unit.factory.states


def test_the_trust_is_on_recovery() -> None:
    unit = encrypted()
    unit.provision(**PINNED)
    node = unit.machine.volume_tree("RECOVERY").get("/factory_ca.pem")
    assert node is not None
    assert node.content == CA.pem.encode()


def test_a_unit_of_a_plain_factory_stores_no_trust() -> None:
    assert not units.provisioned().exists("RECOVERY", "/factory_ca.pem")


def test_a_restore_does_not_report_to_a_server_that_it_cannot_verify() -> None:
    unit = encrypted()
    unit.provision(**PINNED)
    unit.origin.certificate = FakeCertificate(OTHER_CA)
    assert unit.settle() == ("reboot", "switched root")
    assert ProcessState.FR_SUCCEEDED not in unit.factory.states
    assert "its certificate is not valid" in unit.lines()


def test_a_restore_with_the_trust_lost_reports_nothing() -> None:
    unit = encrypted()
    unit.provision(**PINNED)
    unit.remove("RECOVERY", "/factory_ca.pem")
    assert unit.settle() == ("reboot", "switched root")
    assert ProcessState.FR_SUCCEEDED not in unit.factory.states
    assert "no CA is known with which to verify this server" in unit.lines()


def test_a_damaged_trust_is_reported() -> None:
    unit = encrypted()
    unit.provision(**PINNED)
    unit.put("RECOVERY", "/factory_ca.pem", b"-----BEGIN CERTIF")
    assert unit.settle() == ("reboot", "switched root")
    assert ProcessState.FR_SUCCEEDED not in unit.factory.states
    assert "must hold exactly one certificate" in unit.lines()


def test_another_ca_than_the_argument_names() -> None:
    unit = encrypted()
    unit.origin.content[CA_URL] = OTHER_CA.pem.encode()
    text = refused_before_anything_is_written(unit, **PINNED)
    assert f"its SHA-256 is {OTHER_CA.digest}" in text
    assert not any(url == URL for url, _ in unit.origin.requests)


def test_a_server_that_shows_the_right_ca_with_a_certificate_of_another() -> None:
    unit = encrypted()
    unit.origin.certificate = FakeCertificate(OTHER_CA)
    assert "its certificate is not valid" in refused_before_anything_is_written(unit, **PINNED)


def test_a_certificate_with_another_name() -> None:
    unit = encrypted()
    unit.origin.certificate = FakeCertificate(CA, names_other_server=True)
    assert "hostname mismatch" in refused_before_anything_is_written(unit, **PINNED)


def test_https_without_any_trust() -> None:
    text = refused_before_anything_is_written(encrypted(), mfgurl=URL)
    assert "no CA is known with which to verify this server" in text


def test_a_misspelt_argument() -> None:
    assert "mfgca: must be sha256:" in refused_before_anything_is_written(units.blank(), mfgca="sha256:12")


def test_a_plain_url_for_a_unit_that_verifies() -> None:
    """An attacker on the line could name other files and servers in it."""
    text = refused_before_anything_is_written(units.blank(), mfgca=PINNED["mfgca"])
    assert "mfgurl must be https" in text


@pytest.mark.parametrize("late", [True, False])
def test_a_unit_whose_clock_is_years_wrong(late: bool) -> None:
    """It gets the time from the server that it has verified."""
    unit = encrypted()
    now = unit.factory.clock_ns
    unit.origin.certificate = FakeCertificate(CA, now - DAY_NS, now + DAY_NS)
    unit.machine.clock.set(now + 4000 * DAY_NS if late else 0)
    assert unit.provision(**PINNED) is StopReason.REBOOT
    assert unit.settle() == ("reboot", "switched root")
    assert ProcessState.FR_SUCCEEDED in unit.factory.states


def test_an_expired_certificate_is_noticed_when_the_time_is_known() -> None:
    unit = encrypted()
    now = unit.factory.clock_ns
    unit.origin.certificate = FakeCertificate(CA, now - 2 * DAY_NS, now - DAY_NS)
    assert "expired" in refused_before_anything_is_written(unit, **PINNED)


def test_the_kernels_own_ca_needs_no_argument() -> None:
    unit = encrypted()
    build_in(unit, CA)
    del unit.origin.content[CA_URL]
    assert unit.provision(mfgurl=URL) is StopReason.REBOOT


def test_the_kernels_own_ca_cannot_be_replaced() -> None:
    unit = encrypted()
    build_in(unit, OTHER_CA)
    text = refused_before_anything_is_written(unit, **PINNED)
    assert "this kernel accepts only its own CA" in text


def test_system_cas_by_explicit_choice() -> None:
    unit = encrypted()
    unit.origin.certificate = FakeCertificate(None)
    assert unit.provision(mfgurl=URL, mfgca="system") is StopReason.REBOOT
    assert unit.machine.volume_tree("RECOVERY").get("/factory_ca.pem") is not None
    assert unit.settle() == ("reboot", "switched root")
    assert ProcessState.FR_SUCCEEDED in unit.factory.states


def test_with_system_cas_a_wrong_clock_is_an_error() -> None:
    unit = encrypted()
    unit.origin.certificate = FakeCertificate(None, unit.factory.clock_ns - DAY_NS)
    unit.machine.clock.set(0)
    text = refused_before_anything_is_written(unit, mfgurl=URL, mfgca="system")
    assert "not yet valid" in text


def test_files_with_a_hash_may_come_unencrypted() -> None:
    """A changed file is refused by its SHA-256, as before."""
    unit = encrypted()

    def plain_files(document: dict[str, object]) -> None:
        document["Files"] = json.loads(json.dumps(document["Files"]).replace("https:", "http:"))

    change_manuf(unit, plain_files)
    plain = {url.replace("https:", "http:"): content for url, content in unit.origin.content.items()}
    unit.origin.content = {**unit.origin.content, **plain}
    assert unit.provision(**PINNED) is StopReason.REBOOT


def test_unencrypted_addresses_are_refused_together() -> None:
    unit = encrypted()

    def downgrade(document: dict[str, object]) -> None:
        document["LogEndpoint"] = "http://factory.invalid/"
        document["CredentialEndpoint"] = "http://vault.invalid/"
        document["StashFiles"] = [{"Src": "http://factory.invalid/x.txz", "Sha1": "0" * 40}]

    change_manuf(unit, downgrade)
    text = refused_before_anything_is_written(unit, **PINNED)
    assert "$.LogEndpoint: must be https" in text
    assert "$.CredentialEndpoint: must be https" in text
    assert "$.StashFiles[0].Src: must be https or have Sha256" in text


def test_the_certificate_server_hangs_first() -> None:
    """The link has only just come up: the certificate is asked for again."""
    unit = encrypted()
    unit.origin.certificate = replace(FakeCertificate(CA))
    ca = unit.origin.content.pop(CA_URL)
    error = unit.provision_fails(**PINNED)
    assert "no CA certificate there: answered 404" in str(error)
    assert [url for url, _ in unit.origin.requests].count(CA_URL) == 6
    unit.origin.content[CA_URL] = ca
    assert unit.provision(**PINNED) is StopReason.REBOOT


def test_a_remote_log_that_is_not_encrypted_is_warned_about() -> None:
    unit = encrypted()
    unit.provision(**PINNED, PROVISION_XLOG="http://log.invalid/")
    assert "http://log.invalid/ gets the log unencrypted" in unit.lines()


def test_an_erase_registers_its_report_with_the_stored_trust() -> None:
    unit = encrypted()
    unit.provision(**PINNED)
    unit.settle()
    unit.put("RECOVERY", "/fr.data", b'{"XLog": "https://factory.invalid/", "Preserve": true}')
    copy = unit.copy()
    erase = {"DATA_ERASE": "1", "DATA_ERASE_SERIAL": "SIM0001"}
    unit.boot(dict(erase))
    assert len(unit.factory.erasures) == 1
    copy.put("RECOVERY", "/factory_ca.pem", serialise_trust(OTHER_CA))
    copy.boot(dict(erase))
    assert len(copy.factory.erasures) == 0


def test_a_failed_start_reports_with_the_stored_trust() -> None:
    unit = encrypted()
    unit.provision(**PINNED)
    unit.settle()
    unit.put("RECOVERY", "/fr.data", b'{"XLog": "https://factory.invalid/", "Preserve": true}')
    unit.machine.disks[0].appears_at = 1e9
    unit.boot()
    assert ProcessState.INIT_FAILED in unit.factory.states

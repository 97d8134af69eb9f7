"""Provisioning in a network whose DHCP, DNS and web servers belong to an attacker: under enforce, nothing is written
that the owner did not sign; and what a factory has to do for that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.simulation.encrypted_factory import ENCRYPTED_MANUF_URL, encrypt
from gprov.apps.host.simulation.factory_files import BASE_URL, MANUF_URL
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.owner import Owner, sign
from gprov.apps.host.simulation.signed_factory import MANUF_SIGNATURE_URL, build_in, serve, sign_factory, sign_manuf
from gprov.domain.errors import BadInput, GprovError, IntegrityFault, NetworkFault, RefusedByPolicy
from gprov.domain.events import ProcessState
from gprov.domain.files import FileType
from gprov.domain.formats.json.value import Json
from gprov.domain.mfg.origin import url_beside
from gprov.domain.trust.built_in import CHAIN_PATH
from gprov.domain.trust.policy import TrustPolicy
from gprov.domain.unit.trust import BUILT_IN, OwnCa
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver

OWNER, STRANGER = Owner(), Owner("stranger")
CA = OwnCa(b"\x30\x81\x90" + bytes(range(144)))
OTHER_CA = OwnCa(b"\x30\x81\x90" + bytes(144))
CHAIN_URL = f"{BASE_URL}/trust.chain"


def factory(policy: TrustPolicy = TrustPolicy.ENFORCE) -> UnitDriver:
    """A blank unit, and a factory that signs and has no TLS."""
    unit = units.blank()
    sign_factory(unit.world, OWNER)
    build_in(unit.world, OWNER, policy)
    return unit


def refused(unit: UnitDriver, family: type[GprovError] = RefusedByPolicy, **arguments: str) -> str:
    """Provision, which must fail before anything is written or a password is asked for."""
    before = unit.machine.media_state()
    error = unit.provision_fails(**arguments)
    assert isinstance(error, family), error
    assert unit.machine.media_state() == before
    assert unit.machine.nvram == {}
    assert unit.factory.handed_out == []
    assert ProcessState.MFG_SUCCEEDED not in unit.factory.states
    return "\n".join((str(error), *error.details()))


def manuf(unit: UnitDriver) -> dict[str, Json]:
    document = json.loads(unit.origin.content[MANUF_URL])
    assert isinstance(document, dict)
    return document


def test_a_signed_document_provisions() -> None:
    unit = factory()
    assert unit.provision() is StopReason.REBOOT
    assert f"{MANUF_URL} is the owner's: its signature is valid" in unit.lines()
    assert "http://factory.invalid/ is not verified: passwords and reports" in unit.warnings()


# --- an attacker answers ---


def other_document(unit: UnitDriver) -> None:
    unit.change_manuf(LogEndpoint="http://factory.invalid/log/")


def other_signature(unit: UnitDriver) -> None:
    sign_manuf(unit.world, STRANGER)


def by_a_root(unit: UnitDriver) -> None:
    sign_manuf(unit.world, OWNER, "owner root 1")


def no_signature(unit: UnitDriver) -> None:
    del unit.origin.content[MANUF_SIGNATURE_URL]


def empty_signature(unit: UnitDriver) -> None:
    unit.origin.content[MANUF_SIGNATURE_URL] = b""


def signature_of_another_file(unit: UnitDriver) -> None:
    manifest = unit.origin.content[f"{BASE_URL}/{IMAGE_NAME}.manifest"]
    unit.origin.content[MANUF_SIGNATURE_URL] = sign(OWNER.first, manifest)


def all_files_of_a_stranger(unit: UnitDriver) -> None:
    """Complete and consistent, with a chain and signatures of another owner."""
    image = build_image(build_kernel(900), extra={"etc/evil": b"yes"})
    for name in [name for name in unit.origin.content if IMAGE_NAME in name]:
        del unit.origin.content[name]
    unit.origin.content[f"{BASE_URL}/{IMAGE_NAME}"] = image
    digest = {f"{BASE_URL}/{IMAGE_NAME}": hashlib.sha256(image).hexdigest()}
    kernel = [entry for entry in manuf(unit)["Files"] if "norm_boot" in json.dumps(entry)]  # type: ignore[union-attr]
    unit.change_manuf(Files=[*kernel, *({"Src": url, "Sha256": sha256} for url, sha256 in digest.items())])
    sign_factory(unit.world, STRANGER)
    unit.origin.content[CHAIN_URL] = STRANGER.chain


@pytest.mark.parametrize(
    "change",
    [
        other_document,
        other_signature,
        by_a_root,
        no_signature,
        empty_signature,
        signature_of_another_file,
        all_files_of_a_stranger,
    ],
)
def test_another_document_is_refused_before_it_is_read(change: Callable[[UnitDriver], None]) -> None:
    unit = factory()
    change(unit)
    text = refused(unit)
    assert f"{MANUF_URL} is refused: " in text
    assert "To have it accepted, sign it" in text


def test_a_kernel_whose_keys_are_damaged_takes_no_document() -> None:
    """Although the document is signed, and was taken before."""
    unit = factory()
    unit.world.built_in = {**unit.world.built_in, CHAIN_PATH: b"damaged"}
    text = refused(unit)
    assert f"{MANUF_URL} is refused: " in text
    assert "no signature can be checked: this kernel has no keys that can be used" in text


def test_a_server_that_fails_to_send_the_signature_is_a_network_fault() -> None:
    unit = factory()
    unit.origin.down = True
    assert "manufData.json" in refused(unit, NetworkFault)


@pytest.mark.parametrize("policy", [TrustPolicy.WARN, TrustPolicy.OFF, None])
def test_where_nothing_is_enforced_it_is_used(policy: TrustPolicy | None) -> None:
    unit = factory() if policy is None else factory(policy)
    if policy is None:
        unit.world.built_in = {}
    no_signature(unit)
    assert unit.provision() is StopReason.REBOOT
    assert ("manufData.json.minisig is missing" in unit.warnings()) == (policy is TrustPolicy.WARN)
    fetched = [url for url, _ in unit.origin.requests]
    assert (MANUF_SIGNATURE_URL in fetched) == (policy is TrustPolicy.WARN)


# --- files that a true document names ---


def test_a_file_that_was_exchanged_is_refused() -> None:
    unit = factory()
    unit.origin.content[f"{BASE_URL}/norm_boot"] = build_kernel(901)
    error = unit.provision_fails()
    assert isinstance(error, IntegrityFault)
    assert unit.machine.disks[0].writes == 0
    assert unit.machine.nvram == {}


def test_sha1_alone_is_refused_wherever_a_file_is_named() -> None:
    unit = factory()
    weak: dict[str, Json] = {"Src": f"{BASE_URL}/x.txz", "Sha1": "0" * 40}
    step: dict[str, Json] = {"Name": "one", "When": "BeforeQA", "Files": [weak]}
    steps: dict[str, Json] = {
        "DevCodeName": unit.world.platforms[0].code_name,
        "ConfigSteps": [step],
        "BiosSettings": weak,
    }
    unit.change_manuf(
        Files=[*manuf(unit)["Files"], {**weak, "Dest": "more"}],  # type: ignore[misc]
        StashFiles=[weak],
        CustomPlatCfgSteps=[steps],
    )
    sign_manuf(unit.world, OWNER)
    text = refused(unit, BadInput)
    for place in (
        "$.Files[4]",
        "$.StashFiles[0]",
        "$.CustomPlatCfgSteps[0].BiosSettings",
        "$.CustomPlatCfgSteps[0].ConfigSteps[0].Files[0]",
    ):
        assert f"{place}: must have Sha256" in text


def test_a_platform_table_has_no_hash_and_is_refused() -> None:
    unit = factory()
    unit.change_manuf(ApplianceJsonUrl=f"{BASE_URL}/appliance.json")
    sign_manuf(unit.world, OWNER)
    assert "$.ApplianceJsonUrl: must be https" in refused(unit, BadInput)


# --- the chain of the owner in a factory ---


def test_a_new_signer_of_the_owner_needs_the_chain_beside_the_document() -> None:
    later = Owner()
    later.state(["second signer"], [later.first])
    unit = factory()
    sign_factory(unit.world, OWNER, signer="second signer")
    assert "which is no key of the owner" in refused(unit)
    serve(unit.world, "trust.chain", later.chain)
    sign_manuf(unit.world, OWNER, "second signer")
    assert unit.provision() is StopReason.REBOOT
    assert unit.read("RECOVERY", "/trust/trust.chain") == later.chain
    assert unit.settle() == ("reboot", "switched root")


def test_a_revoked_signer_provisions_nothing() -> None:
    later = Owner()
    later.state(["second signer"], [later.first])
    unit = factory()
    unit.origin.content[CHAIN_URL] = later.chain
    assert "which was revoked" in refused(unit)


# --- encrypted factories ---


def encrypted(built_in: OwnCa | None = None) -> UnitDriver:
    """Not signed, with https only."""
    unit = units.blank()
    build_in(unit.world, OWNER, TrustPolicy.ENFORCE)
    sign_factory(unit.world, OWNER)
    no_signature(unit)
    encrypt(unit.world, CA)
    if built_in is not None:
        unit.machine.ram.current.put(BUILT_IN, Node(type=FileType.FILE, content=built_in.pem.encode()))
        unit.world.built_in[BUILT_IN] = built_in.pem.encode()
    return unit


def test_a_server_that_the_kernels_own_ca_verifies_needs_no_signature() -> None:
    unit = encrypted(CA)
    assert unit.provision() is StopReason.REBOOT
    assert "the kernel's own CA verifies its server" in unit.lines()


def test_a_ca_in_the_kernel_arguments_proves_nothing() -> None:
    """They come over the network, too."""
    text = refused(encrypted())
    assert f"{ENCRYPTED_MANUF_URL} is refused: is not signed" in text


def test_system_cas_prove_nothing() -> None:
    unit = encrypted()
    encrypt(unit.world, None)
    assert "is not signed" in refused(unit)


@pytest.mark.parametrize(
    ("url", "signature", "chain"),
    [
        ("http://a/manufData.json", "http://a/manufData.json.minisig", "http://a/trust.chain"),
        ("http://a/b/c?mac=1", "http://a/b/c.minisig?mac=1", "http://a/b/trust.chain?mac=1"),
        ("http://u:p@a:8/b/c#x", "http://u:p@a:8/b/c.minisig", "http://u:p@a:8/b/trust.chain"),
    ],
)
def test_where_signature_and_chain_are_looked_for(url: str, signature: str, chain: str) -> None:
    assert url_beside(url, suffix=".minisig") == signature
    assert url_beside(url, "trust.chain") == chain

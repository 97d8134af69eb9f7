"""The decision about one image: what is checked, and what follows under each policy."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

import pytest

from fuzz import seeds
from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.domain.branding import Branding
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.manifest import Manifest, Release, make_manifest, serialise_manifest
from gprov.domain.image.name import ImageName
from gprov.domain.image.verify import verify_image
from gprov.domain.trust.chain import TrustChain, check_chain
from gprov.domain.trust.policy import (
    Accepted,
    Doubtful,
    ManifestFiles,
    Refused,
    TrustPolicy,
    UnitTrust,
    examine,
    judge,
)
from gprov.domain.trust.statement import Revoked
from tests.unit.trust.owner import (
    FIRST,
    ROOT_A,
    ROOT_B,
    SECOND_SIGNER,
    SIGNER,
    STRANGER,
    OwnerKey,
    chain_of,
    next_statement,
    signed,
)

VERIFIER = PythonVerifier()
NAME = ImageName(date(2024, 2, 29), 107, "0107", "WIDGET.LNX.SHINY.")
NAMES = captured_names(Branding())
FIRST_CHAIN = check_chain("c", chain_of(signed(FIRST, ROOT_A, ROOT_B)), VERIFIER)


USUAL = Release(3, 2)


def manifest_of(release: Release = USUAL, names: str = "norm_boot") -> Manifest:
    captured = captured_names(Branding(boot_kernel=names))
    return make_manifest(NAME, verify_image("x", seeds.xz(seeds.root_tar())), captured, release)


MANIFEST = manifest_of()


def files(key: OwnerKey = SIGNER, manifest: Manifest = MANIFEST, filename: str = NAME.filename) -> ManifestFiles:
    content = serialise_manifest(manifest)
    return ManifestFiles(filename, content, key.sign(content))


def trust(
    policy: TrustPolicy = TrustPolicy.ENFORCE, chain: TrustChain | None = FIRST_CHAIN, floor: int = 0
) -> UnitTrust:
    return UnitTrust(policy=policy, chain=chain, floor=floor, code_name="shiny", names=NAMES)


def doubt(files: ManifestFiles, chain: TrustChain | None = FIRST_CHAIN) -> str:
    """Refused under enforce; a warning, and the whole image to verify, under warn; nothing under off."""
    found = examine(trust(chain=chain), files, VERIFIER)
    assert isinstance(found, Doubtful)
    assert judge(trust(chain=chain), files, VERIFIER) == Refused(found.reason)
    assert judge(trust(TrustPolicy.ENFORCE_ALWAYS, chain), files, VERIFIER) == Refused(found.reason)
    assert judge(trust(TrustPolicy.WARN, chain), files, VERIFIER) == Accepted(None, found.reason)
    assert judge(trust(TrustPolicy.OFF, chain), files, VERIFIER) == Accepted()
    return found.reason


@pytest.mark.parametrize("policy", [TrustPolicy.WARN, TrustPolicy.ENFORCE])
def test_a_signed_image(policy: TrustPolicy) -> None:
    assert judge(trust(policy), files(), VERIFIER) == Accepted(MANIFEST)


def test_without_keys() -> None:
    assert doubt(files(), chain=None) == "no signature can be checked: this kernel was built without keys"


def test_an_unsigned_image() -> None:
    beside, remedy = f"is not signed: {NAME.filename}.manifest", "gprov image sign makes it"
    assert doubt(replace(files(), manifest=None)) == f"{beside} is missing; {remedy}"
    assert doubt(replace(files(), signature=None)) == f"{beside}.minisig is missing; {remedy}"


@pytest.mark.parametrize("key", [STRANGER, ROOT_A, SECOND_SIGNER], ids=("stranger", "root", "not yet a signer"))
def test_keys_that_sign_no_images(key: OwnerKey) -> None:
    assert "which is no key of the owner in version 1" in doubt(files(key))


def test_a_changed_manifest() -> None:
    one = files()
    assert one.manifest is not None
    changed = one.manifest.replace(b'"SecurityVersion": 3', b'"SecurityVersion": 9')
    assert "is not that of the key" in doubt(replace(one, manifest=changed))


def test_a_signature_that_cannot_be_read() -> None:
    assert ".minisig: line 1: must begin with" in doubt(replace(files(), signature=b"x"))


def test_something_else_that_was_signed() -> None:
    content = b'{"Format": 1}'
    assert doubt(ManifestFiles(NAME.filename, content, SIGNER.sign(content))).startswith("is signed, but ")


def test_an_image_with_the_name_of_a_newer_one() -> None:
    newer = replace(NAME, date=date(2030, 1, 1)).filename
    assert doubt(files(filename=newer)).startswith(f"is signed as {NAME.filename}: ")


def test_an_image_for_another_branding() -> None:
    """The members that the plan needs were captured under other names."""
    assert "was made with the branding of other units" in doubt(files(manifest=manifest_of(names="other_boot")))


def test_an_image_for_another_platform() -> None:
    other = files(manifest=manifest_of(Release(3, 2, ("dull", "matt"))))
    reason = "is signed for dull, matt, and this unit is shiny"
    assert doubt(other) == f"{reason}; use an image for it, or sign it anew with --platform shiny"
    own = files(manifest=manifest_of(Release(3, 2, ("dull", "shiny"))))
    assert isinstance(examine(trust(), own, VERIFIER), Manifest)
    unknown = replace(trust(), code_name="")
    assert isinstance(examine(unknown, files(manifest=manifest_of(Release(3, 2, ("dull",)))), VERIFIER), Manifest)


def test_what_a_unit_that_knows_nothing_else_accepts() -> None:
    """No floor, and any platform, until its own is known."""
    plain = UnitTrust(policy=TrustPolicy.ENFORCE, chain=FIRST_CHAIN, names=NAMES)
    other = manifest_of(Release(0, 0, ("dull",)))
    assert judge(plain, files(manifest=other), VERIFIER) == Accepted(other)


def test_an_image_of_a_revoked_signer() -> None:
    content = serialise_manifest(MANIFEST)
    kept = hashlib.sha256(content).hexdigest()
    for keep, accepted in (((), False), (("0" * 64,), False), (("0" * 64, kept), True)):
        later = next_statement(FIRST, signers=(SECOND_SIGNER,), revoked=(Revoked(SIGNER.public, keep),))
        chain = check_chain("c", chain_of(signed(FIRST, ROOT_A, ROOT_B), signed(later, ROOT_A, ROOT_B)), VERIFIER)
        if accepted:
            assert examine(trust(chain=chain), files(), VERIFIER) == MANIFEST
            # A kept manifest needs its signature all the same.
            assert "no key of the owner" in doubt(replace(files(), signature=STRANGER.sign(content)), chain)
        else:
            assert "was revoked (trust version 2)" in doubt(files(), chain)
        assert isinstance(examine(trust(chain=chain), files(SECOND_SIGNER), VERIFIER), Manifest)


@pytest.mark.parametrize("floor", [0, 3])
def test_an_image_at_the_floor(floor: int) -> None:
    assert judge(trust(floor=floor), files(), VERIFIER) == Accepted(MANIFEST)


def test_an_image_below_the_floor() -> None:
    reason = "has the security version 3, below the floor of this unit, 4; use a newer image"
    assert judge(trust(floor=4), files(), VERIFIER) == Refused(reason)
    assert judge(trust(TrustPolicy.WARN, floor=4), files(), VERIFIER) == Accepted(MANIFEST, reason)
    assert judge(trust(TrustPolicy.ENFORCE_ALWAYS, floor=4), files(), VERIFIER) == Refused(reason)


def test_every_reason_names_a_remedy() -> None:
    """What is behind the last semicolon: a person at the unit has nothing else."""
    later = next_statement(FIRST, signers=(SECOND_SIGNER,), revoked=(Revoked(SIGNER.public),))
    chain = check_chain("c", chain_of(signed(FIRST, ROOT_A, ROOT_B), signed(later, ROOT_A, ROOT_B)), VERIFIER)
    one, document = files(), b'{"Format": 1}'
    assert one.manifest is not None
    anew = " sign it anew"
    remedies = {
        doubt(files(STRANGER)): " the unit needs the owner's present trust.chain",
        doubt(replace(one, manifest=one.manifest + b" ")): " copy both files again, or sign it anew",
        doubt(replace(one, signature=b"x")): anew,
        doubt(files(), chain): anew,
        doubt(ManifestFiles(NAME.filename, document, SIGNER.sign(document))): anew,
        doubt(files(filename="x.upd")): " give it this name again",
        doubt(files(manifest=manifest_of(names="o"))): f"{anew} with --branding of these units",
    }
    assert {reason: reason.rpartition(";")[2] for reason in remedies} == remedies


def test_which_policies_refuse_and_leave_that_to_a_person() -> None:
    assert [policy for policy in TrustPolicy if policy.enforces] == [TrustPolicy.ENFORCE, TrustPolicy.ENFORCE_ALWAYS]
    assert [policy for policy in TrustPolicy if policy.may_be_overruled] == [TrustPolicy.ENFORCE]

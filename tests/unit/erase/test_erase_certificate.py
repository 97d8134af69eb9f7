"""Erase certificates: form, signature, chain. Oracles: the JSON schema validator, and certificates that are spoiled."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import gprov.domain.erase
from gprov.domain.erase.canonical_json import document_bytes
from gprov.domain.erase.certificate import parse_certificate, sha256_of
from gprov.domain.erase.certificate_chain import check_chain, check_one, link_problem
from gprov.domain.erase.certificate_schema import SCHEMA_FILE, schema_bytes
from gprov.domain.erase.report_making import ErasureFacts
from gprov.domain.erase.signed import SignedCertificate
from gprov.domain.errors import BadInput
from gprov.domain.formats.json.value import Json
from tests.unit.erase.keys import OTHER, SIGNER, signed_chain
from tests.unit.erase.outcomes import OVERWRITTEN, any_facts, facts_of

FACTS = (
    facts_of(OVERWRITTEN),
    facts_of(OVERWRITTEN, OVERWRITTEN),
    facts_of(OVERWRITTEN, missing=("disk 2",)),
)
CHAIN = signed_chain(*FACTS)
FILES = {f"{number}.json": signed for number, signed in enumerate(CHAIN, 1)}
KEY = SIGNER.public
SHIPPED = files(gprov.domain.erase).joinpath(SCHEMA_FILE).read_bytes()
SCHEMA = Draft202012Validator(json.loads(SHIPPED))


def messages(signed: SignedCertificate) -> str:
    return "\n".join(map(str, check_one("X.json", signed, KEY).problems))


def resigned(**changes: Json) -> SignedCertificate:
    """A certificate with other top members, signed with the right key."""
    data = document_bytes({**json.loads(CHAIN[1].certificate), **changes})
    return SignedCertificate(data, SIGNER.sign(data))


@given(any_facts())
def test_certificates_are_read_back_the_same_and_fit_the_schema(facts: ErasureFacts) -> None:
    (signed,) = signed_chain(facts)
    certificate = parse_certificate(signed.certificate)
    assert check_one("X", signed, KEY).certificate == certificate
    SCHEMA.validate(json.loads(signed.certificate))


def test_the_shipped_schema_is_that_of_the_code() -> None:
    assert schema_bytes() == SHIPPED
    Draft202012Validator.check_schema(json.loads(SHIPPED))


@given(st.data())
def test_a_member_less_or_more_fits_neither_schema_nor_reader(data: st.DataObject) -> None:
    document = json.loads(CHAIN[0].certificate)
    places = [document]
    for place in places:
        inner = place.values() if isinstance(place, dict) else place
        places += [one for one in inner if isinstance(one, (dict, list)) and one]
    place = data.draw(st.sampled_from([one for one in places if isinstance(one, dict)]))
    if data.draw(st.booleans()):
        del place[data.draw(st.sampled_from(sorted(place)))]
    else:
        place["more"] = data.draw(st.sampled_from([0, "", None, {}]))
    assert not SCHEMA.is_valid(document)
    with pytest.raises(BadInput):
        parse_certificate(document_bytes(document))


@given(st.data())
def test_any_changed_byte_is_detected(data: st.DataObject) -> None:
    signed = CHAIN[1]
    content = bytearray(data.draw(st.sampled_from([signed.certificate, signed.signature])))
    of_signature = len(content) == len(signed.signature)
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    changed = replace(signed, **{"signature" if of_signature else "certificate": bytes(content)})
    assert "the signature is not that of the key" in messages(changed)
    assert check_chain({**FILES, "2.json": changed}, KEY)


def test_no_byte_of_a_certificate_is_left_out() -> None:
    signed = CHAIN[0]
    for place in range(len(signed.certificate)):
        content = bytearray(signed.certificate)
        content[place] ^= 1
        assert "the signature is not that of the key" in messages(replace(signed, certificate=bytes(content))), place


@given(st.binary(max_size=80))
def test_no_other_signature_is_taken(signature: bytes) -> None:
    assert messages(replace(CHAIN[0], signature=signature))


def test_a_certificate_of_another_key_is_refused_whatever_it_states() -> None:
    (foreign,) = signed_chain(FACTS[0], signer=OTHER)
    assert "is not that of the key" in messages(foreign)
    # Signed with the pinned key, but stating another one: nothing in the document is taken as a key.
    stated = json.loads(foreign.certificate)["issuer"]
    assert f"states the key {OTHER.public.key_id}" in messages(resigned(issuer=stated))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"chain": {"sequence": 1, "previous": "0" * 64}}, "must be null for the certificate with the sequence 1"),
        ({"chain": {"sequence": 2, "previous": None}}, "must be null for the certificate with the sequence 1"),
        ({"chain": {"sequence": 0, "previous": "0" * 64}}, "must be at least 1"),
        ({"chain": {"sequence": 2, "previous": "x"}}, "64 hex digits"),
        ({"report_sha256": "0" * 64}, "is not the SHA-256 of the report"),
        ({"format": "gprov-erase-certificate/2"}, "unknown value"),
        ({"key": "MCowBQYDK2VwAyEA"}, "unknown key"),
    ],
)
def test_signed_nonsense_is_refused(changes: dict[str, Json], problem: str) -> None:
    assert problem in messages(resigned(**changes))


def test_a_whole_chain_is_valid_and_nothing_less() -> None:
    assert check_chain(FILES, KEY) == ()
    assert check_chain({}, KEY) != ()
    # A chain that ends early cannot be told from a short one; every other gap is seen.
    assert check_chain({"1.json": CHAIN[0]}, KEY) == ()
    for missing in ("1.json", "2.json"):
        assert check_chain({name: one for name, one in FILES.items() if name != missing}, KEY)
    assert check_chain({**FILES, "copy.json": CHAIN[1]}, KEY)


def test_a_forked_chain_is_refused() -> None:
    first, other = signed_chain(FACTS[0], FACTS[2])
    assert first == CHAIN[0]
    assert check_chain({**FILES, "fork.json": other}, KEY)
    replaced = check_chain({**FILES, "2.json": other}, KEY)
    assert [problem.place for problem in replaced] == ["3.json"]


def test_the_one_before_is_compared_by_its_bytes() -> None:
    first, second, third = (parse_certificate(signed.certificate) for signed in CHAIN)
    assert link_problem(second, first, CHAIN[0].certificate) == ""
    assert "another file" in link_problem(second, first, CHAIN[0].certificate + b" ")
    assert "has the sequence 3" in link_problem(third, first, CHAIN[0].certificate)
    assert second.chain.previous == sha256_of(CHAIN[0].certificate)

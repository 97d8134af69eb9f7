"""Whom a unit trusts among HTTPS servers: the kernel argument, PEM files, and which of several statements counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput, IntegrityFault, RefusedByPolicy
from gprov.domain.unit.trust import (
    CaDigest,
    OwnCa,
    ServerTrust,
    SystemCas,
    argument_for,
    ca_url,
    check_fetched,
    choose_trust,
    parse_argument,
    parse_ca,
    parse_stored,
    serialise_trust,
)

DIGEST = "0123456789abcdef" * 4


def der(content: bytes) -> bytes:
    """A SEQUENCE with this content, of 128 bytes at least."""
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([0x30, 0x80 | len(size)]) + size + content


contents = st.binary(min_size=128, max_size=2000)
cas = st.builds(OwnCa, contents.map(der))
trusts: st.SearchStrategy[ServerTrust] = cas | st.just(SystemCas())


@given(trusts)
def test_what_is_stored_is_read_back(trust: ServerTrust) -> None:
    assert parse_stored("factory_ca.pem", serialise_trust(trust)) == trust


@given(trusts)
def test_the_argument_selects_that_trust(trust: ServerTrust) -> None:
    name, _, value = argument_for(trust).partition("=")
    assert name == "mfgca"
    expected = CaDigest(trust.digest) if isinstance(trust, OwnCa) else SystemCas()
    assert parse_argument(value) == expected


def test_spellings_of_a_digest() -> None:
    """As openssl prints it: upper case, with colons."""
    shown = ":".join(DIGEST[at : at + 2] for at in range(0, 64, 2)).upper()
    for text in (f"sha256:{DIGEST}", f"SHA256:{DIGEST.upper()}", f"sha256:{shown}", f"  sha256:{DIGEST} "):
        assert parse_argument(text) == CaDigest(DIGEST)


@pytest.mark.parametrize(
    "text",
    [DIGEST, "sha256:", f"sha256:{DIGEST[:-1]}", f"sha256:{DIGEST}0", f"sha1:{DIGEST[:40]}", "1", "none", "off",
     f"sha256:{DIGEST} x", f"sha256:{DIGEST[:-1]}g"],
)  # fmt: skip
def test_a_wrong_argument_is_an_error(text: str) -> None:
    with pytest.raises(BadInput, match="mfgca: must be sha256: and 64 hexadecimal digits"):
        parse_argument(text)


@given(st.text(max_size=100))
def test_any_text_is_a_digest_the_word_system_nothing_or_an_error(text: str) -> None:
    try:
        found = parse_argument(text)
    except BadInput:
        return
    if found is None:
        assert not text.strip()
    elif isinstance(found, CaDigest):
        assert len(bytes.fromhex(found.hexadecimal)) == 32
    else:
        assert text.strip().lower() == "system"


@given(st.binary(max_size=400) | contents.map(lambda data: OwnCa(der(data)).pem.encode()[:-40]))
def test_any_bytes_are_a_certificate_or_an_error(content: bytes) -> None:
    with pytest.raises(BadInput):
        parse_ca("file", content)


@given(cas, cas)
def test_two_certificates_are_refused(one: OwnCa, other: OwnCa) -> None:
    with pytest.raises(BadInput, match="exactly one certificate"):
        parse_ca("bundle", (one.pem + other.pem).encode())


@given(cas, st.binary(min_size=1, max_size=8))
def test_der_with_a_tail_is_refused(ca: OwnCa, tail: bytes) -> None:
    with pytest.raises(BadInput, match="is not DER"):
        parse_ca("file", OwnCa(ca.der + tail).pem.encode())


def test_a_key_beside_the_certificate_is_refused() -> None:
    """It would be published."""
    ca = OwnCa(der(bytes(200))).pem
    with pytest.raises(BadInput):
        parse_ca("file", f"{ca}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".encode())


@given(cas, cas)
def test_a_fetched_certificate_is_used_only_if_its_digest_fits(one: OwnCa, other: OwnCa) -> None:
    assert check_fetched("server", one.pem.encode(), CaDigest(one.digest)) == one
    if one != other:
        with pytest.raises(IntegrityFault, match=f"its SHA-256 is {other.digest}, but mfgca says {one.digest}"):
            check_fetched("server", other.pem.encode(), CaDigest(one.digest))


arguments = st.none() | st.just(SystemCas()) | cas.map(lambda ca: CaDigest(ca.digest))


@given(arguments, st.none() | cas, st.none() | trusts)
def test_a_kernel_with_a_ca_never_trusts_another_by_argument(
    argument: CaDigest | SystemCas | None, built_in: OwnCa | None, stored: ServerTrust | None
) -> None:
    try:
        chosen = choose_trust(argument, built_in, stored)
    except RefusedByPolicy:
        assert built_in is not None
        assert argument is not None
        return
    if argument is None:
        assert chosen == (stored or built_in)
    elif built_in is not None and not isinstance(chosen, OwnCa):
        raise AssertionError("the kernel's own CA was passed over")
    else:
        assert chosen == argument or (isinstance(chosen, OwnCa) and CaDigest(chosen.digest) == argument)


def test_a_known_certificate_need_not_be_fetched() -> None:
    ca = OwnCa(der(bytes(200)))
    assert choose_trust(CaDigest(ca.digest), None, ca) == ca
    assert choose_trust(CaDigest(ca.digest), ca, None) == ca
    assert choose_trust(CaDigest(ca.digest), None, None) == CaDigest(ca.digest)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://factory:8901/files/manufData.json", "https://factory:8901/ca.pem"),
        ("https://user:word@[fd00::1]:8901/a?b=c#d", "https://[fd00::1]:8901/ca.pem"),
        ("https://10.0.2.2", "https://10.0.2.2/ca.pem"),
    ],
)
def test_where_a_server_publishes_its_certificate(url: str, expected: str) -> None:
    assert ca_url(url) == expected

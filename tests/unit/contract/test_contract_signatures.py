"""What every SignatureVerifier promises: vectors of RFC 8032 section 7.1, and refusal of all that is not exactly a
signature. Both implementations are compared with each other and with ``cryptography``."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.formats.ed25519 import ORDER, PRIME
from gprov.ports.signatures import SignatureVerifier

VERIFIERS = (PythonVerifier(), LibcryptoVerifier())
EACH = pytest.mark.parametrize("verifier", VERIFIERS, ids=("python", "libcrypto"))
# Section 7.1: public key, message, signature.
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        b"\x72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        b"\xaf\x82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").digest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
)
EACH_VECTOR = pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
# y of points of order 8, and of their negatives.
ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL = (0, 1, PRIME - 1, ORDER_8, PRIME - ORDER_8, PRIME, PRIME + 1)


def little(number: int) -> bytes:
    return number.to_bytes(32, "little")


@EACH
@EACH_VECTOR
def test_vectors_of_the_rfc(verifier: SignatureVerifier, key: str, message: bytes, signature: str) -> None:
    assert verifier.verifies(bytes.fromhex(key), bytes.fromhex(signature), message)


@EACH
@EACH_VECTOR
def test_every_changed_bit_is_noticed(verifier: SignatureVerifier, key: str, message: bytes, signature: str) -> None:
    whole = [bytes.fromhex(key), bytes.fromhex(signature), message]
    for which, value in enumerate(whole):
        for bit in range(0, 8 * len(value), 11):
            changed = bytearray(value)
            changed[bit // 8] ^= 1 << bit % 8
            one = [*whole[:which], bytes(changed), *whole[which + 1 :]]
            assert not verifier.verifies(*one), (which, bit)


@EACH
@EACH_VECTOR
def test_a_second_signature_made_of_the_first_is_refused(
    verifier: SignatureVerifier, key: str, message: bytes, signature: str
) -> None:
    """S + L fulfils the equation just as S does."""
    one = bytes.fromhex(signature)
    malleable = one[:32] + little(int.from_bytes(one[32:], "little") + ORDER)
    assert not verifier.verifies(bytes.fromhex(key), malleable, message)


@EACH
@pytest.mark.parametrize("sign", [0, 1 << 255], ids=("plus", "minus"))
@pytest.mark.parametrize("y", SMALL, ids=hex)
def test_keys_of_small_order_prove_nothing(verifier: SignatureVerifier, y: int, sign: int) -> None:
    """With R of small order and S = 0 one of eight messages fulfils the equation."""
    key = little(y | sign)
    for commitment in SMALL:
        for number in range(16):
            assert not verifier.verifies(key, little(commitment) + bytes(32), bytes([number]))


@EACH
@pytest.mark.parametrize("y", range(PRIME, 1 << 255))
def test_encodings_that_are_not_canonical_are_refused(verifier: SignatureVerifier, y: int) -> None:
    key, message, signature = bytes.fromhex(VECTORS[0][0]), VECTORS[0][1], bytes.fromhex(VECTORS[0][2])
    assert not verifier.verifies(little(y), signature, message)
    assert not verifier.verifies(key, little(y) + signature[32:], message)


@EACH
@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_keys_of_another_length(verifier: SignatureVerifier, size: int) -> None:
    assert not verifier.verifies((bytes.fromhex(VECTORS[0][0]) * 2)[:size], bytes.fromhex(VECTORS[0][2]), b"")


@EACH
@pytest.mark.parametrize("size", [0, 32, 63, 65])
def test_signatures_of_another_length(verifier: SignatureVerifier, size: int) -> None:
    signature = (bytes.fromhex(VECTORS[0][2]) + b"\0")[:size]
    assert not verifier.verifies(bytes.fromhex(VECTORS[0][0]), signature, b"")


@EACH
def test_a_key_that_is_no_point(verifier: SignatureVerifier) -> None:
    assert not verifier.verifies(little(2), bytes.fromhex(VECTORS[0][2]), b"")


@settings(max_examples=40, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), change=st.integers(0, 1023))
def test_both_agree_with_cryptography(seed: bytes, message: bytes, change: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    for verifier in VERIFIERS:
        assert verifier.verifies(key, signature, message)
    # Half of the changes are none.
    changed = bytearray(signature)
    if change < 512:
        changed[change // 8] ^= 1 << change % 8
    valid = True
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(bytes(changed), message)
    except InvalidSignature:
        valid = False
    assert valid == (change >= 512)
    assert [verifier.verifies(key, bytes(changed), message) for verifier in VERIFIERS] == [valid, valid]


@settings(max_examples=60, deadline=None)
@given(key=st.binary(min_size=32, max_size=32), signature=st.binary(min_size=64, max_size=64))
def test_arbitrary_bytes_are_no_signature(key: bytes, signature: bytes) -> None:
    """Half of all keys are no point: neither implementation fails on them."""
    assert [verifier.verifies(key, signature, b"") for verifier in VERIFIERS] == [False, False]


def test_a_library_that_is_missing() -> None:
    verifier = LibcryptoVerifier("libcrypto-of-another-machine.so.3")
    with pytest.raises(DeviceMissing, match="cannot be loaded"):
        verifier.verifies(bytes.fromhex(VECTORS[0][0]), bytes.fromhex(VECTORS[0][2]), b"")


def test_a_library_that_is_another() -> None:
    with pytest.raises(DeviceFault, match="lacks a function"):
        LibcryptoVerifier("libc.so.6").verifies(bytes.fromhex(VECTORS[0][0]), bytes.fromhex(VECTORS[0][2]), b"")

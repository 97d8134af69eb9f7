"""Secret keys in minisign's format, byte by byte. (The tool itself: tests/integ/trust.)"""

from __future__ import annotations

import hashlib
import struct
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.formats.minisign import MAX_FILE, PublicKey, serialise_public_key
from gprov.domain.formats.minisign_secret import (
    SALT_SIZE,
    SEALED_SIZE,
    Kdf,
    ScryptCost,
    SealedKey,
    SecretKey,
    is_secret_key,
    kdf_of,
    open_sealed,
    parse_secret_key,
    scrypt_cost,
    seal,
    serialise_secret_key,
)
from tests.unit.trust.owner import SIGNER

SALT = bytes(range(32))
SEED = bytes(range(100, 132))
SECRET = SecretKey(SIGNER.public, SEED)
NO_STREAM = bytes(104)
STREAM = hashlib.shake_256(b"passphrase").digest(104)
COSTLY = Kdf(SALT, 33554432, 1073741824)  # crypto_pwhash_scryptsalsa208sha256_*_SENSITIVE, which minisign uses


def plain(checksum: bytes | None = None) -> bytes:
    """Number, seed, public key, checksum, as the page on the format lists them."""
    content = SIGNER.public.number + SEED + SIGNER.public.key
    own = hashlib.blake2b(b"Ed" + content, digest_size=32).digest()
    return content + (own if checksum is None else checksum)


def packed(
    *, algorithm: bytes = b"Ed", kdf: bytes = b"\0\0", check: bytes = b"B2", limits: tuple[int, int] = (0, 0)
) -> bytes:
    salt = SALT if kdf == b"Sc" else bytes(32)
    return struct.pack("<2s2s2s32sQQ", algorithm, kdf, check, salt, *limits) + plain()


def as_file(data: bytes, comment: str = "untrusted comment: x") -> bytes:
    return f"{comment}\n{b64encode(data).decode()}\n".encode()


def problems(content: bytes) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_secret_key("s.key", content)
    return [str(one) for one in caught.value.problems]


def picked(operations: int, memory: int) -> ScryptCost:
    """As pickparams() of libsodium (crypto_pwhash_scryptsalsa208sha256.c) counts it, in loops."""
    operations = max(operations, 32768)

    def exponent(most: int) -> int:
        found = 1
        while found < 63 and not 1 << found > most // 2:
            found += 1
        return found

    if operations < memory // 32:
        return ScryptCost(exponent(operations // (8 * 4)), 8, 1)
    log2 = exponent(memory // (8 * 128))
    return ScryptCost(log2, 8, min((operations // 4) // (1 << log2), 0x3FFFFFFF) // 8)


LIMITS = st.integers(0, 2**64 - 1) | st.integers(0, 40).flatmap(lambda log2: st.integers(0, 2 << log2))


@given(LIMITS, LIMITS)
@example(0, 0)
@example(32767, 1 << 20)
@example(32768, 32768 * 32)
@example(32768, 32768 * 32 + 32)
@example(2**64 - 1, 2**64 - 1)
@example(2**64 - 1, 0)
def test_the_cost_is_that_of_libsodium(operations: int, memory: int) -> None:
    cost = scrypt_cost(Kdf(SALT, operations, memory))
    assert cost == picked(operations, memory)
    assert cost.parallel >= 1


def test_the_cost_of_files_that_minisign_makes() -> None:
    assert scrypt_cost(COSTLY) == ScryptCost(20, 8, 1)
    assert scrypt_cost(Kdf(SALT, 524288, 16777216)) == ScryptCost(14, 8, 1)


@given(st.integers(10, 20))
def test_the_cost_of_new_keys_is_the_one_that_was_asked_for(log2_cost: int) -> None:
    kdf = kdf_of(SALT, log2_cost)
    assert kdf == Kdf(SALT, 32 << log2_cost, 1024 << log2_cost)
    assert scrypt_cost(kdf) == ScryptCost(log2_cost, 8, 1)


def test_a_key_without_a_passphrase() -> None:
    sealed = seal(SECRET, None, NO_STREAM)
    assert sealed == SealedKey(None, plain())
    content = serialise_secret_key(sealed)
    assert content == as_file(packed(), "untrusted comment: minisign secret key")
    assert parse_secret_key("s.key", content) == sealed
    assert open_sealed("s.key", sealed, NO_STREAM) == SECRET


def test_a_key_with_a_passphrase() -> None:
    sealed = seal(SECRET, COSTLY, STREAM)
    assert sealed.sealed == bytes(a ^ b for a, b in zip(plain(), STREAM, strict=True))
    content = serialise_secret_key(sealed)
    comment, line, end = content.split(b"\n")
    data = b64decode(line)
    assert (comment, end) == (b"untrusted comment: minisign encrypted secret key", b"")
    assert data[:-104] == packed(kdf=b"Sc", limits=(33554432, 1073741824))[:-104]
    assert parse_secret_key("s.key", content) == sealed
    assert open_sealed("s.key", sealed, STREAM) == SECRET
    with pytest.raises(BadInput, match=r"s\.key: has another passphrase, or is damaged"):
        open_sealed("s.key", sealed, bytes(104))


def test_a_damaged_key_is_none() -> None:
    for place in range(len(plain())):
        sealed = bytearray(plain())
        sealed[place] ^= 1
        with pytest.raises(BadInput, match=r"s\.key: is damaged"):
            open_sealed("s.key", SealedKey(None, bytes(sealed)), NO_STREAM)


def test_zeros_in_place_of_the_checksum() -> None:
    """minisign writes them into keys without a passphrase; behind a passphrase they prove nothing."""
    zeros = plain(bytes(32))
    assert open_sealed("s.key", SealedKey(None, zeros), NO_STREAM) == SECRET
    with pytest.raises(BadInput, match="another passphrase"):
        open_sealed("s.key", SealedKey(COSTLY, zeros), NO_STREAM)


def test_line_ends() -> None:
    for content in (
        as_file(packed()),
        as_file(packed()).removesuffix(b"\n"),
        as_file(packed()).replace(b"\n", b"\r\n"),
    ):
        assert parse_secret_key("s.key", content).sealed == plain()


def test_what_is_no_secret_key() -> None:
    form = ["is not a secret key of minisign: a comment and a line of base64"]
    assert problems(b"") == form
    assert problems(as_file(packed()) + b"more\n") == form
    assert problems(as_file(packed(), "comment: x")) == form
    assert problems(as_file(packed(), "x untrusted comment: ")) == form
    assert problems(b"untrusted comment: x\n%\n") == ["line 2: is not base64"]
    assert problems("untrusted comment: x\nü\n".encode()) == ["line 2: is not base64"]
    assert problems(serialise_public_key(SIGNER.public)) == ["is a public key: give the secret one (NAME.key)"]
    assert problems(as_file(packed()[1:])) == ["line 2: must hold 158 bytes, holds 157"]
    assert problems(as_file(packed() + b"x")) == ["line 2: must hold 158 bytes, holds 159"]
    assert (SALT_SIZE, SEALED_SIZE) == (32, 104)


def test_all_that_is_unknown_is_named() -> None:
    assert problems(as_file(packed(algorithm=b"ED"))) == ["line 2: has an unknown algorithm"]
    assert problems(as_file(packed(kdf=b"Ar"))) == ["line 2: has an unknown derivation of the key"]
    assert problems(as_file(packed(check=b"B3"))) == ["line 2: has an unknown checksum"]
    assert problems(as_file(packed(algorithm=b"XX", kdf=b"XX", check=b"XX"))) == [
        "line 2: has an unknown algorithm",
        "line 2: has an unknown derivation of the key",
        "line 2: has an unknown checksum",
    ]


def of_cost(log2: int, parallel: int = 1) -> bytes:
    """A file that asks for this cost: operations enough, so that memory bounds it."""
    limits = (32 * parallel << log2, 1024 << log2)
    assert picked(*limits) == ScryptCost(log2, 8, parallel)
    return as_file(packed(kdf=b"Sc", limits=limits))


def test_a_file_that_would_only_use_up_the_machine() -> None:
    for content in (of_cost(20), of_cost(10), of_cost(19, 2), of_cost(11, 1 << 9)):
        assert parse_secret_key("s.key", content).kdf is not None
    for content in (of_cost(21), of_cost(20, 2), of_cost(19, 3), of_cost(11, (1 << 9) + 1)):
        assert problems(content) == ["line 2: asks for more than 2^20 rounds of scrypt"]


def test_whether_a_file_is_a_secret_key() -> None:
    assert is_secret_key(as_file(packed()))
    assert not is_secret_key(serialise_public_key(SIGNER.public))
    assert not is_secret_key(b"")


def test_no_secret_is_printed() -> None:
    shown = repr(SECRET) + repr(seal(SECRET, COSTLY, STREAM))
    assert repr(SEED)[2:12] not in shown
    assert repr(plain()[8:20])[2:-1] not in shown


def test_only_the_beginning_of_a_large_file_is_read() -> None:
    content = as_file(packed(), "untrusted comment: " + "x" * (MAX_FILE - len(as_file(packed())) + 1))
    assert len(content) == MAX_FILE
    assert parse_secret_key("s.key", content).sealed == plain()
    with pytest.raises(BadInput):
        parse_secret_key("s.key", content.replace(b"comment: ", b"comment: 12"))


def test_another_public_key_is_another_file() -> None:
    other = replace(SECRET, public=PublicKey(bytes(8), SIGNER.public.key))
    assert serialise_secret_key(seal(other, None, NO_STREAM)) != serialise_secret_key(seal(SECRET, None, NO_STREAM))

"""Secret keys in minisign's format: a comment line, then base64 of

    "Ed" | kdf: "Sc" or two zeros | "B2" | salt 32 | opslimit u64 | memlimit u64 | sealed 104

``sealed`` is ``number 8 | seed 32 | public key 32 | checksum 32``, combined by XOR with as many bytes that scrypt makes
of the passphrase ("Sc"), or plain. The checksum is BLAKE2b-256 over the algorithm and what stands before it.

opslimit and memlimit are arguments of libsodium's ``crypto_pwhash_scryptsalsa208sha256``, which ``scrypt_cost``
translates.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ed25519 import KEY_SIZE
from gprov.domain.formats.minisign import ALGORITHM, COMMENT, KEY_ID_SIZE, MAX_FILE, PUBLIC_SIZE, PublicKey

SALT_SIZE = 32
SEALED_SIZE = KEY_ID_SIZE + 3 * KEY_SIZE
_SCRYPT, _PLAIN, _CHECKSUM = b"Sc", bytes(2), b"B2"
_LIMIT_SIZE = 8
_SIZE = 6 + SALT_SIZE + 2 * _LIMIT_SIZE + SEALED_SIZE
_BLOCK = 8
_LEAST_OPERATIONS = 32768
_MOST_PARALLEL = 0x3FFFFFFF
# 1 GiB, as minisign makes them; a file that asks for more would only use up this machine.
MAX_LOG2_COST = 20


@dataclass(frozen=True, slots=True)
class ScryptCost:
    """Parameters of RFC 7914: N is 2 to the power of ``log2_cost``. Memory: 128 * N * block bytes."""

    log2_cost: int
    block: int
    parallel: int


@dataclass(frozen=True, slots=True)
class Kdf:
    """How a passphrase becomes a key. Limits as in the file."""

    salt: bytes
    operations: int
    memory: int


@dataclass(frozen=True, slots=True)
class SealedKey:
    """``kdf``: None for a key without a passphrase."""

    kdf: Kdf | None
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecretKey:
    public: PublicKey
    seed: bytes = field(repr=False)


def kdf_of(salt: bytes, log2_cost: int) -> Kdf:
    """For new keys, with the cost that ``scrypt_cost`` finds in it again (block 8, parallel 1)."""
    return Kdf(salt, 4 * _BLOCK << log2_cost, 128 * _BLOCK << log2_cost)


def scrypt_cost(kdf: Kdf) -> ScryptCost:
    """As libsodium chooses it: the cost is bound by memory if there are operations enough for it, else by these."""
    operations = max(kdf.operations, _LEAST_OPERATIONS)
    if operations < kdf.memory // 32:
        return ScryptCost(_log2(operations // (_BLOCK * 4)), _BLOCK, 1)
    log2_cost = _log2(kdf.memory // (_BLOCK * 128))
    return ScryptCost(log2_cost, _BLOCK, min((operations // 4) >> log2_cost, _MOST_PARALLEL) // _BLOCK)


def seal(key: SecretKey, kdf: Kdf | None, stream: bytes) -> SealedKey:
    """``stream``: ``SEALED_SIZE`` bytes of scrypt; zeros without a passphrase."""
    plain = key.public.number + key.seed + key.public.key
    return SealedKey(kdf, _xor(plain + _checksum(plain), stream))


def open_sealed(source: str, key: SealedKey, stream: bytes) -> SecretKey:
    """Raises BadInput, for another passphrase and for a damaged file alike."""
    plain = _xor(key.sealed, stream)
    content, checksum = plain[:-KEY_SIZE], plain[-KEY_SIZE:]
    # minisign writes zeros into keys without a passphrase.
    expected = (_checksum(content),) if key.kdf is not None else (_checksum(content), bytes(KEY_SIZE))
    if checksum not in expected:
        reason = "is damaged" if key.kdf is None else "has another passphrase, or is damaged"
        raise BadInput(source, [Problem("", reason)])
    seed_end = KEY_ID_SIZE + KEY_SIZE
    return SecretKey(PublicKey(content[:KEY_ID_SIZE], content[seed_end:]), content[KEY_ID_SIZE:seed_end])


def is_secret_key(content: bytes) -> bool:
    try:
        parse_secret_key("", content)
    except BadInput:
        return False
    return True


def parse_secret_key(source: str, content: bytes) -> SealedKey:
    """Raises BadInput, which quotes nothing of the file."""
    lines = content[:MAX_FILE].decode("utf-8", "replace").removesuffix("\n").split("\n")
    if len(lines) != 2 or not lines[0].startswith(COMMENT):
        raise BadInput(source, [Problem("", "is not a secret key of minisign: a comment and a line of base64")])
    try:
        data = b64decode(lines[1].strip().encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise BadInput(source, [Problem("line 2", "is not base64")]) from None
    if len(data) == PUBLIC_SIZE:
        raise BadInput(source, [Problem("", "is a public key: give the secret one (NAME.key)")])
    if len(data) != _SIZE:
        raise BadInput(source, [Problem("line 2", f"must hold {_SIZE} bytes, holds {len(data)}")])
    problems = [
        Problem("line 2", f"has an unknown {what}")
        for what, value, known in (
            ("algorithm", data[:2], (ALGORITHM,)),
            ("derivation of the key", data[2:4], (_SCRYPT, _PLAIN)),
            ("checksum", data[4:6], (_CHECKSUM,)),
        )
        if value not in known
    ]
    kdf = _kdf(data) if data[2:4] == _SCRYPT else None
    if kdf is not None and not _affordable(scrypt_cost(kdf)):
        problems.append(Problem("line 2", f"asks for more than 2^{MAX_LOG2_COST} rounds of scrypt"))
    if problems:
        raise BadInput(source, problems)
    return SealedKey(kdf, data[-SEALED_SIZE:])


def serialise_secret_key(key: SealedKey) -> bytes:
    """Inverse of ``parse_secret_key``."""
    kdf = key.kdf
    salt, limits = bytes(SALT_SIZE), bytes(2 * _LIMIT_SIZE)
    if kdf is not None:
        salt, limits = (
            kdf.salt,
            b"".join(value.to_bytes(_LIMIT_SIZE, "little") for value in (kdf.operations, kdf.memory)),
        )
    data = ALGORITHM + (_PLAIN if kdf is None else _SCRYPT) + _CHECKSUM + salt + limits + key.sealed
    what = "minisign secret key" if kdf is None else "minisign encrypted secret key"
    return f"{COMMENT}{what}\n{b64encode(data).decode('ascii')}\n".encode("ascii")


def _kdf(data: bytes) -> Kdf:
    at = 6 + SALT_SIZE
    limits = [int.from_bytes(data[start : start + _LIMIT_SIZE], "little") for start in (at, at + _LIMIT_SIZE)]
    return Kdf(data[6:at], limits[0], limits[1])


def _affordable(cost: ScryptCost) -> bool:
    """``scrypt_cost`` finds at least one block."""
    return cost.parallel << cost.log2_cost <= 1 << MAX_LOG2_COST


def _log2(most: int) -> int:
    """The least exponent, from 1 to 63, whose power of two is above half of ``most``."""
    return min(max((most // 2).bit_length(), 1), 63)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(ALGORITHM + content, digest_size=KEY_SIZE).digest()

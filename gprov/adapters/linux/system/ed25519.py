"""Ed25519 keys in PEM files. For the host and the factory server: the initramfs has no package ``cryptography``."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from typing_extensions import override

from gprov.adapters.linux.files.private_file import create_private
from gprov.domain.erase.certificate import sha256_of
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, Problem
from gprov.ports.signing import PublicKey, Signer

_PRIVATE = b"PRIVATE KEY-----"
_PUBLIC = b"PUBLIC KEY-----"


class PinnedKey(PublicKey):
    """``key_id``: SHA-256 of the raw public key, in hex."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self._key_id = sha256_of(key.public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    @override
    def key_id(self) -> str:
        return self._key_id

    @property
    @override
    def pem(self) -> str:
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @override
    def verifies(self, signature: bytes, data: bytes) -> bool:
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


class KeySigner(Signer):
    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public = PinnedKey(key.public_key())

    @property
    @override
    def public(self) -> PinnedKey:
        return self._public

    @override
    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def public_key(source: str, pem: bytes) -> PinnedKey:
    """``source``: name of the file, for errors. Raises BadInput."""
    if _PRIVATE in pem:
        raise BadInput(source, [Problem("", "is a private key: give the public one (openssl pkey -in … -pubout)")])
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise BadInput(source, [Problem("", "is not a public key in PEM form")]) from exc
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput(source, [Problem("", "is not an Ed25519 key")])
    return PinnedKey(key)


def signer_in(path: str) -> KeySigner:
    """The private key in an existing file. Raises DeviceMissing, DeviceFault, BadInput (also if other users may read
    it)."""
    try:
        with open(path, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            pem = file.read(1 << 16)
    except FileNotFoundError as exc:
        raise DeviceMissing(path, "no such file", errno=exc.errno) from exc
    except OSError as exc:
        raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc
    if mode & 0o077 and _PRIVATE in pem:
        raise BadInput(path, [Problem("", f"is a private key with mode {mode:04o}: chmod 600 makes it private")])
    return KeySigner(_private_key(path, pem))


def signer_at(path: str) -> KeySigner:
    """As ``signer_in``; a new key is made if there is none. Of several makers at once, all get the same key."""
    try:
        return signer_in(path)
    except DeviceMissing:
        pass
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with suppress(FileExistsError):
            create_private(path, pem)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be made: {exc.strerror}", errno=exc.errno) from exc
    return signer_in(path)


def _private_key(path: str, pem: bytes) -> Ed25519PrivateKey:
    if _PUBLIC in pem and _PRIVATE not in pem:
        raise BadInput(path, [Problem("", "holds a public key: give the private one")])
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as exc:
        raise BadInput(path, [Problem("", "is encrypted: only keys without a passphrase are read")]) from exc
    except (ValueError, UnsupportedAlgorithm):
        # The reason could quote the file.
        raise BadInput(path, [Problem("", "is not a private key in PEM form")]) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput(path, [Problem("", "is not an Ed25519 key")])
    return key

"""Secret keys of an owner in files of minisign, and what they sign. For hosts: units only verify."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gprov.adapters.linux.files.private_file import create_private
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing, Problem
from gprov.domain.formats.minisign import (
    KEY_ID_SIZE,
    MAX_FILE,
    PublicKey,
    Signature,
    globally_signed,
    signed_digest,
)
from gprov.domain.formats.minisign_secret import (
    SALT_SIZE,
    SEALED_SIZE,
    Kdf,
    SecretKey,
    kdf_of,
    open_sealed,
    parse_secret_key,
    scrypt_cost,
    seal,
    serialise_secret_key,
)
from gprov.domain.unit.credentials import Secret

LEAST_CHARACTERS = 12
# 128 MiB and a third of a second: each guess costs an attacker as much. (minisign takes 1 GiB and several seconds.)
LOG2_COST = 17


class MinisignSigner:
    def __init__(self, key: SecretKey) -> None:
        self.public = key.public
        self._key = Ed25519PrivateKey.from_private_bytes(key.seed)

    def sign(self, content: bytes, trusted_comment: str) -> Signature:
        """``trusted_comment``: one line, which is signed too."""
        signature = self._key.sign(signed_digest(content))
        return Signature(
            number=self.public.number,
            signature=signature,
            trusted_comment=trusted_comment,
            global_signature=self._key.sign(globally_signed(signature, trusted_comment)),
        )


def new_key() -> SecretKey:
    private = Ed25519PrivateKey.generate()
    public = PublicKey(os.urandom(KEY_ID_SIZE), private.public_key().public_bytes_raw())
    return SecretKey(public, private.private_bytes_raw())


def write_key(path: str, key: SecretKey, passphrase: Secret | None, log2_cost: int = LOG2_COST) -> None:
    """Make the file, with mode 0600. ``passphrase``: None for a key without. Raises BadInput, DeviceFault; an existing
    file is not replaced."""
    if passphrase is not None and len(passphrase.reveal()) < LEAST_CHARACTERS:
        raise BadInput("passphrase", [Problem("", f"must have at least {LEAST_CHARACTERS} characters")])
    kdf = None if passphrase is None else kdf_of(os.urandom(SALT_SIZE), log2_cost)
    try:
        create_private(path, serialise_secret_key(seal(key, kdf, _stream(kdf, passphrase))))
    except FileExistsError as exc:
        raise DeviceFault(path, "exists: a secret key is not replaced", errno=exc.errno) from exc
    except OSError as exc:
        raise DeviceFault(path, f"cannot be made: {exc.strerror}", errno=exc.errno) from exc


def read_signer(path: str, ask: Callable[[], Secret]) -> MinisignSigner:
    """``ask`` is called if the key has a passphrase. Raises BadInput (also for a file that other users can read),
    DeviceMissing, DeviceFault."""
    content, mode = _content(path)
    sealed = parse_secret_key(path, content)
    if mode & 0o077:
        raise BadInput(path, [Problem("", f"is a secret key with mode {mode:04o}: chmod 600 makes it private")])
    key = open_sealed(path, sealed, _stream(sealed.kdf, None if sealed.kdf is None else ask()))
    found = Ed25519PrivateKey.from_private_bytes(key.seed).public_key().public_bytes_raw()
    if found != key.public.key:
        raise BadInput(path, [Problem("", "holds a public key that does not belong to the secret one")])
    return MinisignSigner(key)


def _stream(kdf: Kdf | None, passphrase: Secret | None) -> bytes:
    if kdf is None or passphrase is None:
        return bytes(SEALED_SIZE)
    cost = scrypt_cost(kdf)
    scrypt = Scrypt(salt=kdf.salt, length=SEALED_SIZE, n=1 << cost.log2_cost, r=cost.block, p=cost.parallel)
    try:
        return scrypt.derive(passphrase.reveal().encode("utf-8", "surrogateescape"))
    except MemoryError as exc:
        size = 128 * cost.block << cost.log2_cost
        raise DeviceFault("memory", f"deriving a key of the passphrase needs {size >> 20} MiB") from exc


def _content(path: str) -> tuple[bytes, int]:
    """With the permissions of the file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            mode = os.fstat(fd).st_mode
            content = file.read(MAX_FILE)
    except FileNotFoundError as exc:
        raise DeviceMissing(path, "no such file", errno=exc.errno) from exc
    except OSError as exc:
        raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc
    if not stat.S_ISREG(mode):
        raise BadInput(path, [Problem("", "is not a regular file")])
    return content, stat.S_IMODE(mode)

"""A new pair of keys on the disk: both files, or none."""

from __future__ import annotations

import os

from gprov.adapters.linux.keys.minisign_key import write_key
from gprov.apps.host.trust.files import write_public
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.minisign import serialise_public_key
from gprov.domain.formats.minisign_secret import SecretKey
from gprov.domain.unit.credentials import Secret


def write_pair(key: SecretKey, secret_path: str, public_path: str, passphrase: Secret | None) -> None:
    """Raises BadInput, DeviceFault; the secret key is removed if the public one cannot be written, so that the command
    can be repeated."""
    write_key(secret_path, key, passphrase)
    try:
        write_public(public_path, serialise_public_key(key.public))
    except DeviceFault:
        os.unlink(secret_path)
        raise

"""Options of commands that sign or check signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.secret_input import asked_secret, read_secret

if TYPE_CHECKING:
    from gprov.adapters.linux.keys.minisign_key import MinisignSigner
    from gprov.domain.trust.chain import TrustChain
    from gprov.domain.unit.credentials import Secret

SecretKeyOption = Annotated[
    str, typer.Option("--key", metavar="FILE", help="secret key (of gprov keys new, or of minisign)")
]
PassphraseFdOption = Annotated[
    int | None,
    typer.Option(
        "--passphrase-fd",
        metavar="N",
        min=0,
        help="read the key's passphrase from this file descriptor (first line; default: asked for on the terminal)",
    ),
]
TrustOption = Annotated[str | None, typer.Option("--trust", metavar="FILE", help="trust chain of the owner")]


def signer_in(path: str, descriptor: int | None) -> MinisignSigner:
    """Raises BadInput, DeviceMissing, DeviceFault."""
    from gprov.adapters.linux.keys.minisign_key import read_signer

    return read_signer(path, lambda: passphrase(f"Passphrase of {path}", descriptor, new=False))


def passphrase(prompt: str, descriptor: int | None, *, new: bool) -> Secret:
    if descriptor is not None:
        return read_secret("passphrase", descriptor)
    return asked_secret("passphrase", prompt, new=new)


def chain_in(path: str) -> TrustChain:
    """Checked with the same library as on a unit. Raises BadInput, DeviceMissing, DeviceFault."""
    from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
    from gprov.apps.host.trust.files import read_chain

    return read_chain(path, LibcryptoVerifier())

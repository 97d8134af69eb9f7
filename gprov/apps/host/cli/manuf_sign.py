"""``gprov manuf sign``: the owner's signature over manufData.json."""

from __future__ import annotations

from typing import Annotated

import typer

from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.signing import PassphraseFdOption, SecretKeyOption, TrustOption, chain_in, signer_in
from gprov.domain.errors import ExitCode


def sign(
    file: Annotated[str, typer.Argument(metavar="FILE", help="a manufData.json")],
    key: SecretKeyOption,
    passphrase_fd: PassphraseFdOption = None,
    trust: TrustOption = None,
    as_json: Json = False,
) -> int:
    """Sign a manufData.json: writes FILE.minisig. Its content is not checked: gprov manuf check does that. With
    --trust, only a signer of this chain may sign."""
    from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
    from gprov.apps.host.cli.userfile import read_user_file
    from gprov.apps.host.trust.signed_files import require_signer, sign_file
    from gprov.domain.formats.json.reading import finish, read_object
    from gprov.domain.mfg.manuf import MAX_DOCUMENT, refuse_other_kind

    content = read_user_file(file, MAX_DOCUMENT)
    root = read_object(file, content)
    refuse_other_kind(root)
    finish(file, root, None)
    chain = None if trust is None else chain_in(trust)
    signer = signer_in(key, passphrase_fd)
    require_signer(signer, chain)
    path = sign_file(file, content, signer, "manufData.json", LibcryptoVerifier())
    if as_json:
        document({"key": signer.public.key_id, "path": path})
    else:
        say(f"{path}: signed by {signer.public.key_id}")
    return ExitCode.DONE

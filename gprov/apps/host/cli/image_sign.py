"""``gprov image sign``, and what ``image verify --trust`` says about signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli import image_values as values
from gprov.apps.host.cli.image_tools import BrandingFile
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.progress import progress
from gprov.apps.host.cli.signing import PassphraseFdOption, SecretKeyOption, TrustOption, chain_in, signer_in
from gprov.domain.errors import BadInput, ExitCode, Problem
from gprov.domain.image.manifest import MAX_SECURITY_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gprov.apps.host.trust.image_signing import ImageSigner, SignedImage
    from gprov.domain.branding import Branding
    from gprov.domain.image.contents import VerifiedImage


def attach_sign(app: typer.Typer) -> None:
    """Add the command to those of ``gprov image``."""
    app.command("sign")(sign)


def sign(
    image: Annotated[str, typer.Argument(metavar="FILE", help="an image")],
    key: SecretKeyOption,
    passphrase_fd: PassphraseFdOption = None,
    security_version: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=MAX_SECURITY_VERSION, help="a number of yours: raise it with fixes that matter"
        ),
    ] = 0,
    floor: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=MAX_SECURITY_VERSION,
            help="a unit whose system of this image has started refuses images of a lower security version",
        ),
    ] = 0,
    platform: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="code name of units that may have it (default: all); may be repeated"),
    ] = None,
    trust: TrustOption = None,
    branding: BrandingFile = None,
    prefix: values.OwnPrefix = None,
    as_json: Json = False,
) -> int:
    """Verify an image and sign it: writes FILE.manifest and FILE.manifest.minisig. With --trust, only a signer of this
    chain may."""
    from gprov.domain.image.manifest import Release

    names = values.names(branding, prefix)
    release = Release(security_version, floor, tuple(dict.fromkeys(platform or ())))
    signer = image_signer(names, trust)
    with progress(image) as report:
        signed = signer.sign(image, release, lambda: signer_in(key, passphrase_fd), report)
    if as_json:
        document({"paths": list(signed.paths), **_facts(signed)})
    else:
        say(f"{image}: signed {signature_text(_facts(signed))}")
    return ExitCode.DONE


def image_signer(names: Branding, trust: str | None) -> ImageSigner:
    """``trust``: path of the chain."""
    from gprov.adapters.linux.archive import XzTarArchives
    from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
    from gprov.adapters.linux.system.process import SystemProcesses
    from gprov.apps.host.trust.image_signing import ImageSigner

    archives = XzTarArchives(SystemProcesses(), memory_budget=0, branding=names)
    return ImageSigner(archives, LibcryptoVerifier(), names, None if trust is None else chain_in(trust))


def signature_facts(signer: ImageSigner, image: VerifiedImage) -> dict[str, object]:
    """Of an image that was verified. Raises BadInput, IntegrityFault if it is not validly signed."""
    from gprov.domain.trust.policy import Doubtful

    found = signer.check(image)
    if isinstance(found, Doubtful):
        raise BadInput(image.path, [Problem("", found.reason)])
    return _facts(found)


def signature_text(facts: Mapping[str, object]) -> str:
    platforms = facts["platforms"]
    shown = f"for {', '.join(platforms)}" if isinstance(platforms, list) and platforms else "for all platforms"
    return f"by {facts['key']}, security version {facts['security_version']}, floor {facts['floor']}, {shown}"


def _facts(signed: SignedImage) -> dict[str, object]:
    release = signed.manifest.release
    return {
        "key": signed.key_id,
        "security_version": release.security_version,
        "floor": release.floor,
        "platforms": list(release.platforms),
    }

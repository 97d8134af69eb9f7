"""``gprov update``: what an owner needs to publish images on an update server."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from gprov.apps.host.cli import image_values as values
from gprov.apps.host.cli.image_tools import BrandingFile
from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.progress import progress
from gprov.apps.host.cli.signing import chain_in
from gprov.domain.errors import ExitCode

app = new_app("Bundles of images for update servers.")


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.callback()
def _commands() -> None:
    pass


@app.command("bundle")
def bundle(
    image: Annotated[str, typer.Argument(metavar="FILE", help="an image, with its manifest and signature beside it")],
    output: Annotated[
        str | None, typer.Option(metavar="DIR", help="where NAME.swu is written (default: beside the image)")
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE",
            help="code name of units that the server offers it to (default: those it was signed for); may be repeated",
        ),
    ] = None,
    trust: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="trust chain: check the signature, and bring the chain to the units"),
    ] = None,
    branding: BrandingFile = None,
    prefix: values.OwnPrefix = None,
    as_json: Json = False,
) -> int:
    """Put an image, its manifest and signature into one file for an update server that stores one for each version,
    such as gooseBit. The image is compared with its manifest."""
    from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier
    from gprov.apps.host.update.bundles import BundleMaker

    names = values.names(branding, prefix)
    maker = BundleMaker(LibcryptoVerifier(), names, None if trust is None else chain_in(trust))
    with progress(image) as report:
        made = maker.make(image, platform or (), output or os.path.dirname(os.path.abspath(image)), report)
    if as_json:
        document(
            {
                "path": made.path,
                "size": made.size,
                "sha256": made.digest,
                "version": made.version,
                "platforms": list(made.platforms),
            }
        )
    else:
        say(f"{made.path}: {made.size} bytes, version {made.version}, for {', '.join(made.platforms)}")
    return ExitCode.DONE

"""Options of ``gprov build``: keys of the owner whose images a unit accepts."""

from __future__ import annotations

from typing import Annotated

import typer

from gprov.apps.host.cli.signing import chain_in
from gprov.domain.image.manifest import MAX_SECURITY_VERSION
from gprov.domain.trust.built_in import BuiltInTrust
from gprov.domain.trust.policy import TrustPolicy

TrustOption = Annotated[
    str | None,
    typer.Option("--trust", metavar="FILE", help="trust chain: whose images the unit accepts (docs/how-to/signing.md)"),
]
PolicyOption = Annotated[
    TrustPolicy | None,
    typer.Option(
        "--trust-policy",
        help="for images without a valid signature (default: enforce with --trust, else warn)",
        show_default=False,
    ),
]
SecurityVersionOption = Annotated[
    int,
    typer.Option(
        "--security-version",
        metavar="N",
        min=0,
        max=MAX_SECURITY_VERSION,
        help="lowest one of images that this kernel accepts",
    ),
]
SecurityVersionIfRecorded = Annotated[
    int | None,
    typer.Option(
        "--security-version",
        metavar="N",
        min=0,
        max=MAX_SECURITY_VERSION,
        help="lowest one of images that this kernel accepts",
        show_default="0",
    ),
]


def built_in_trust(chain: str | None, policy: TrustPolicy | None, security_version: int) -> BuiltInTrust:
    """Raises BadInput (also for a chain whose signatures are not valid), DeviceMissing, DeviceFault, BadParameter."""
    found = BuiltInTrust(None if chain is None else chain_in(chain), policy, security_version)
    if chain is None and policy is not None and policy.enforces:
        raise typer.BadParameter(f"{policy} refuses every image without --trust", param_hint="'--trust-policy'")
    return found

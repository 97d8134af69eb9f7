"""The image that a deployment offers, in one of two forms: an image with the files that belong beside it, each an
artifact of its own; or one bundle (``gprov.domain.update.bundle``), which holds them all.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.image.companions import companions_of
from gprov.domain.image.name import SUFFIX, ImageName, parse_image_name
from gprov.domain.trust.chain import CHAIN_FILE
from gprov.domain.update.bundle import BUNDLE_SUFFIX
from gprov.domain.update.messages import Artifact, Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateFiles:
    """``manifest``, ``signature``, ``chain``: None for what the deployment does not have."""

    name: ImageName
    image: Artifact
    manifest: Artifact | None
    signature: Artifact | None
    chain: Artifact | None


@dataclass(frozen=True, slots=True)
class Bundle:
    artifact: Artifact


Offer = SeparateFiles | Bundle


def offered_image(deployment: Deployment, prefix: str) -> Offer:
    """``prefix``: of the names of this product's images. Raises BadInput for a deployment of anything else."""
    source = f"deployment {deployment.action}"
    files = {one.name: one for one in deployment.artifacts}
    if len(files) < len(deployment.artifacts):
        raise BadInput(source, [Problem("", "has two files of the same name")])
    bundles = [one for one in files.values() if one.name.endswith(BUNDLE_SUFFIX)]
    images = [one for one in files.values() if one.name.endswith(SUFFIX)]
    if len(bundles) + len(images) != 1:
        found = f"has {len(images)} images ({SUFFIX}) and {len(bundles)} bundles ({BUNDLE_SUFFIX})"
        raise BadInput(source, [Problem("", f"{found}, and must have one of one kind")])
    if bundles:
        _refuse_others(source, files, {bundles[0].name})
        return Bundle(bundles[0])
    image = images[0]
    name = parse_image_name(image.name, prefix)
    manifest, signature = companions_of(image.name)
    _refuse_others(source, files, {image.name, manifest, signature, CHAIN_FILE})
    return SeparateFiles(
        name=name,
        image=image,
        manifest=files.get(manifest),
        signature=files.get(signature),
        chain=files.get(CHAIN_FILE),
    )


def _refuse_others(source: str, files: dict[str, Artifact], known: set[str]) -> None:
    """A file that would be ignored is a mistake of the one who made the deployment."""
    others = sorted(files.keys() - known)
    if others:
        raise BadInput(source, [Problem(name, "belongs to no image of this deployment") for name in others])

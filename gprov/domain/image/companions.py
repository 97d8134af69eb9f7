"""Files beside an image: its signed manifest, and the chain of trust that names the keys of signers.

``WIDGET….upd.manifest`` and ``WIDGET….upd.manifest.minisig`` belong to the image of that name. ``trust.chain`` belongs
to all images in a folder.
"""

from __future__ import annotations

from gprov.domain.errors import BadInput
from gprov.domain.image.manifest import MANIFEST_SUFFIX, SIGNATURE_SUFFIX
from gprov.domain.image.name import SUFFIX, parse_image_name
from gprov.domain.trust.chain import CHAIN_FILE


def companions_of(image: str) -> tuple[str, str]:
    """Names (or paths) of manifest and signature of an image's file."""
    manifest = image + MANIFEST_SUFFIX
    return manifest, manifest + SIGNATURE_SUFFIX


def image_of_companion(name: str) -> str:
    """Name (or path) of the image that a manifest or signature belongs to; "" if it is neither by its name."""
    image = name.removesuffix(SIGNATURE_SUFFIX).removesuffix(MANIFEST_SUFFIX)
    return image if image.endswith(SUFFIX) and name in companions_of(image) else ""


def is_companion(name: str, prefix: str) -> bool:
    """Whether a file of this name (without folder) belongs beside the images whose names have this prefix."""
    if name == CHAIN_FILE:
        return True
    try:
        parse_image_name(image_of_companion(name), prefix)
    except BadInput:
        return False
    return True

"""What stands in front of an image on the server: its name, its manifest and signature, a trust chain. It is fetched
before the image, and anew after each start: it is small."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from gprov.apps.update.server import DdiServer
from gprov.domain.errors import BadInput, IntegrityFault, NetworkFault, Problem
from gprov.domain.formats.minisign import MAX_FILE
from gprov.domain.image.manifest import MAX_MANIFEST
from gprov.domain.image.name import ImageName, parse_image_name
from gprov.domain.mfg.urls import redacted
from gprov.domain.trust.chain import MAX_CHAIN
from gprov.domain.trust.policy import ManifestFiles
from gprov.domain.update.bundle import MAX_HEAD, FoundHead, read_head
from gprov.domain.update.messages import Artifact
from gprov.domain.update.offer import Bundle, Offer, SeparateFiles

# Behind the image, a bundle has padding and the end of an archive.
_MAX_TAIL = 64 << 10


class WrongSize(NetworkFault):
    """A file of the server has not the size that the server has announced: a connection that ended without a sign of
    it, or for good."""


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """``size``: bytes of the image. ``artifact``: the file on the server that holds it, behind the bytes in
    ``head``. ``chain``: a trust chain that came with it, None for none."""

    name: ImageName
    size: int
    files: ManifestFiles
    chain: bytes | None
    artifact: Artifact
    head: bytes = field(default=b"", repr=False)

    @property
    def tail_size(self) -> int:
        return self.artifact.size - len(self.head) - self.size


def read_source(server: DdiServer, offer: Offer, prefix: str) -> ImageSource:
    """``prefix``: of the names of this product's images. Raises BadInput, IntegrityFault, NetworkFault."""
    match offer:
        case Bundle(artifact):
            return _of_bundle(server, artifact, prefix)
        case SeparateFiles():
            return _of_files(server, offer)


def _of_files(server: DdiServer, offer: SeparateFiles) -> ImageSource:
    filename = offer.name.filename
    return ImageSource(
        name=offer.name,
        size=offer.image.size,
        files=ManifestFiles(
            filename, _small(server, offer.manifest, MAX_MANIFEST), _small(server, offer.signature, MAX_FILE)
        ),
        chain=_small(server, offer.chain, MAX_CHAIN),
        artifact=offer.image,
    )


def _of_bundle(server: DdiServer, artifact: Artifact, prefix: str) -> ImageSource:
    found, data = _bundle_head(server, artifact)
    head = found.head
    source = ImageSource(
        name=parse_image_name(head.image, prefix),
        size=head.size,
        files=ManifestFiles(head.image, head.manifest, head.signature),
        chain=head.chain,
        artifact=artifact,
        head=data[: found.offset],
    )
    if not 0 <= source.tail_size <= _MAX_TAIL:
        problem = f"has {artifact.size} bytes, which does not fit its image of {head.size}"
        raise BadInput(artifact.name, [Problem("", problem)])
    return source


def _bundle_head(server: DdiServer, artifact: Artifact) -> tuple[FoundHead, bytes]:
    """The head, and the first bytes of the bundle, which hold it."""
    data = bytearray()
    needed = 1
    with server.open(artifact.url) as stream:
        for block in stream.blocks():
            data += block
            if len(data) < needed:
                continue
            found = read_head(artifact.name, bytes(data[:MAX_HEAD]))
            if isinstance(found, FoundHead):
                return found, bytes(data)
            needed = found.needed
    raise BadInput(artifact.name, [Problem("", f"ends after {len(data)} bytes, in front of its image")])


def _small(server: DdiServer, artifact: Artifact | None, most: int) -> bytes | None:
    """The content of a file that belongs beside an image."""
    if artifact is None:
        return None
    if artifact.size > most:
        raise BadInput(artifact.name, [Problem("", f"has {artifact.size} bytes, must have {most} at most")])
    content = bytearray()
    with server.open(artifact.url) as stream:
        for block in stream.blocks():
            content += block
            if len(content) > artifact.size:
                break
    if len(content) != artifact.size:
        raise WrongSize(redacted(artifact.url), f"has not the {artifact.size} bytes that the server has announced")
    kind, value = artifact.hash
    if kind and hashlib.new(kind, content, usedforsecurity=False).hexdigest() != value:
        raise IntegrityFault(artifact.name, f"its {kind.upper()} is not the one that the server has announced")
    return bytes(content)

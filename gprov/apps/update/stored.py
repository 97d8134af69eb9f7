"""An image that RECOVERY has already under the name of the one that the server offers: a name is one content."""

from __future__ import annotations

import hashlib

from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.apps.update.source import ImageSource
from gprov.domain.errors import BadInput, Problem
from gprov.domain.image.companions import companions_of
from gprov.domain.image.manifest import Manifest
from gprov.domain.image.name import ImageName
from gprov.domain.update.bundle import bundle_tail

_LONGEST = 255  # bytes of a name, of all file systems that RECOVERY can have


def check_name(name: ImageName) -> None:
    """Raises BadInput if no file of the image's name and a suffix can be on RECOVERY."""
    beside = max(len(one.encode()) for one in companions_of(name.filename))
    if beside > _LONGEST:
        most = _LONGEST - (beside - len(name.filename.encode()))
        problem = f"is longer than {most} bytes, so that its signature has no place beside it: give it a shorter name"
        raise BadInput(f"image name {name.filename[:40]!r}…", [Problem("", problem)])


def check_stored(ports: UpdatePorts, paths: UpdatePaths, source: ImageSource, manifest: Manifest | None) -> None:
    """RECOVERY has the offered image, by size and hash, and no other one of that name. ``manifest``: one that counts,
    None without. Raises BadInput, before anything is changed; DeviceFault."""
    path = paths.image(source.name.filename)
    status = ports.files.status(path)
    if status is not None and status.size == source.size and _has_content(ports, path, source, manifest):
        return
    how = "give the new image another name, or remove the old one from RECOVERY"
    raise BadInput(path, [Problem("", f"has other content than the image of this name on the server: {how}")])


def _has_content(ports: UpdatePorts, path: str, source: ImageSource, manifest: Manifest | None) -> bool:
    kind, wanted = source.artifact.hash
    whole = hashlib.new(kind or "sha256", source.head, usedforsecurity=False)
    image = hashlib.sha256()
    for block in ports.parts.blocks(path):
        whole.update(block)
        image.update(block)
    if manifest is not None:
        return image.hexdigest() == manifest.image.digest
    if source.head:  # the hash is of the whole bundle
        whole.update(bundle_tail(source.size))
    return whole.hexdigest() == wanted

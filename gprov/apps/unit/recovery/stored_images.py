"""What the folder of images holds, for retention: of a restore, and of an update."""

from __future__ import annotations

from collections.abc import Callable

from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput
from gprov.domain.files import FileType
from gprov.domain.image.companions import image_of_companion
from gprov.domain.image.history import History
from gprov.domain.image.name import SUFFIX, ImageName, parse_image_name
from gprov.domain.image.retention import PARTIAL, ImageFacts, StoredFile, StoredImage, space_for_update
from gprov.ports.files import Files

# Does the owner of the unit not allow an image?
IsRefused = Callable[[ImageName], bool]


def image_facts(
    files: Files, folder: str, history: History, protected: frozenset[str], branding: Branding
) -> ImageFacts:
    """Raises DeviceFault."""
    stored = stored_files(files, folder)
    images: list[StoredImage] = []
    for file in stored:
        try:
            images.append(StoredImage(parse_image_name(file.name, branding.image_prefix), file.size))
        except BadInput:
            continue  # reported by the restore, when it chooses an image
    partials = tuple(file for file in stored if file.name.endswith(SUFFIX + PARTIAL) and file.name not in protected)
    return ImageFacts(
        images=tuple(images),
        partials=partials,
        companions=tuple(file for file in stored if image_of_companion(file.name)),
        history=history,
        protected=protected,
        free=files.usage(folder).free,
        required=space_for_update(images),
    )


def stored_files(files: Files, folder: str) -> tuple[StoredFile, ...]:
    """The regular files in a folder; none if the folder does not exist."""
    if files.status(folder) is None:
        return ()
    found = ((name, files.status(f"{folder}/{name}")) for name in files.names(folder))
    return tuple(
        StoredFile(name, status.size) for name, status in found if status is not None and status.type is FileType.FILE
    )

"""Files that provisioning fetches: source, hashes, and destination on RECOVERY."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, Problem
from gprov.domain.image.companions import is_companion
from gprov.domain.image.name import SUFFIX, parse_image_name
from gprov.domain.image.retention import PARTIAL
from gprov.domain.mfg.urls import base_name, redacted
from gprov.domain.recovery_files import IMAGE_FOLDER

_MAX_NAME = 255  # bytes; limit of ext4 and VFAT
_MAX_PATH = 1024  # bytes; Linux allows 4096 including the mount point


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """Hashes in lower-case hex, "" where none is given (never both). ``dest``: relative to the root of RECOVERY.
    ``size``: in bytes, None if it is not stated."""

    url: str
    sha1: str = ""
    sha256: str = ""
    dest: str | None = None
    size: int | None = None

    @property
    def name(self) -> str:
        """File name in the URL."""
        return base_name(self.url)

    @property
    def is_archive(self) -> bool:
        """Whether the file is unpacked after it was fetched for a step."""
        return self.name.endswith((".tar.xz", ".txz"))

    def describe(self) -> str:
        return redacted(self.url)


class PlacementKind(Enum):
    IMAGE = "image"
    KERNEL = "boot kernel"
    OTHER = "file"


@dataclass(frozen=True, slots=True)
class Placement:
    """``path``: relative to the mount point of RECOVERY; the ESP is mounted below it."""

    kind: PlacementKind
    path: str


def destination(file: RemoteFile, branding: Branding, uefi: bool) -> Placement:
    """Destination of a file. Raises BadInput if it has no valid destination on RECOVERY."""
    problem = destination_problem(file, branding)
    if problem:
        raise BadInput(file.describe(), [Problem(file.dest or "", problem)])
    path = _requested_path(file, branding)
    on_esp = f"{branding.esp_label}/{branding.boot_kernel}"
    if path in (branding.boot_kernel, on_esp):
        # Both spellings are accepted; the location of the boot kernel depends on the firmware only.
        return Placement(PlacementKind.KERNEL, on_esp if uefi else branding.boot_kernel)
    folder, _, name = path.rpartition("/")
    is_image = folder == IMAGE_FOLDER and looks_like_image(name, branding)
    return Placement(PlacementKind.IMAGE if is_image else PlacementKind.OTHER, path)


def destination_problem(file: RemoteFile, branding: Branding) -> str | None:
    """Why a file has no valid destination, or None."""
    if file.dest is None and not file.name:
        return "the URL has no file name and there is no Dest"
    problem = _component_problem(file.name) if file.dest is None else path_problem(file.dest)
    if problem:
        return problem
    first, *rest = _requested_path(file, branding).split("/")
    for folder in (IMAGE_FOLDER, branding.esp_label):
        if first.casefold() == folder.casefold() and first != folder:
            return f"{first}: this folder must be written {folder}/"
    if (rest or [first])[-1].casefold().endswith(PARTIAL):
        return f"names that end in {PARTIAL} are those of unfinished downloads"
    if not rest and first in (IMAGE_FOLDER, branding.esp_label, branding.log_folder):
        return f"{first} is a folder"
    if first == IMAGE_FOLDER and len(rest) == 1 and looks_like_image(rest[0], branding):
        return _image_problem(rest[0], branding)
    return None


def path_problem(path: str) -> str | None:
    """Why a path is not a valid relative path below the root of RECOVERY, or None."""
    if path.startswith("/"):
        return "must be relative to the root of RECOVERY"
    if len(path.encode("utf-8", "replace")) > _MAX_PATH:
        return f"is longer than {_MAX_PATH} bytes"
    for component in path.split("/"):
        problem = _component_problem(component)
        if problem:
            return problem
    return None


def looks_like_image(name: str, branding: Branding) -> bool:
    """Whether the name has the prefix and suffix of an image. Date and build number are not checked."""
    return name.startswith(branding.image_prefix) and name.endswith(SUFFIX)


def _image_problem(name: str, branding: Branding) -> str | None:
    """Images without a valid date and build number are problems: a restore ignores them."""
    try:
        parse_image_name(name, branding.image_prefix)
    except BadInput as error:
        return f"is not an image name: {'; '.join(error.details())}"
    return None


def _requested_path(file: RemoteFile, branding: Branding) -> str:
    if file.dest is not None:
        return file.dest
    beside_images = looks_like_image(file.name, branding) or is_companion(file.name, branding.image_prefix)
    return f"{IMAGE_FOLDER}/{file.name}" if beside_images else file.name


def _component_problem(component: str) -> str | None:
    if component == "":
        return "has an empty component"
    if component in (".", ".."):
        return f"has a component {component!r}"
    if "/" in component or "\\" in component:
        return "holds a slash or backslash inside a name"
    if not component.isprintable():
        return "holds unprintable characters"
    if len(component.encode("utf-8", "replace")) > _MAX_NAME:
        return f"has a name longer than {_MAX_NAME} bytes"
    return None

"""Files that a unit fetches: where they come from, how they are verified, where on RECOVERY they belong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, Problem
from gprov.domain.image.name import SUFFIX, parse_image_name
from gprov.domain.image.retention import PARTIAL
from gprov.domain.mfg.urls import base_name, redacted
from gprov.domain.recovery_files import IMAGE_FOLDER

_LONGEST_NAME = 255  # bytes; ext4 and VFAT alike
_LONGEST_PATH = 1024  # bytes; Linux takes four times as much, mount point included


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """Hashes in lower-case hex, "" where none is given (never both). ``dest``: relative to the root of RECOVERY."""

    url: str
    sha1: str = ""
    sha256: str = ""
    dest: str | None = None

    @property
    def name(self) -> str:
        """File name in the URL."""
        return base_name(self.url)

    @property
    def is_archive(self) -> bool:
        """Unpacked after it was fetched for a step."""
        return self.name.endswith((".tar.xz", ".txz"))

    def describe(self) -> str:
        return redacted(self.url)


class PlacementKind(Enum):
    IMAGE = "image"
    KERNEL = "boot kernel"
    OTHER = "file"


@dataclass(frozen=True, slots=True)
class Placement:
    """``path`` is relative to the mount point of RECOVERY, below which the ESP is mounted too."""

    kind: PlacementKind
    path: str


def destination(file: RemoteFile, branding: Branding, uefi: bool) -> Placement:
    """Where a file goes. Raises BadInput if that is nowhere on RECOVERY."""
    problem = destination_problem(file, branding)
    if problem:
        raise BadInput(file.describe(), [Problem(file.dest or "", problem)])
    path = _wanted(file, branding)
    on_esp = f"{branding.esp_label}/{branding.boot_kernel}"
    if path in (branding.boot_kernel, on_esp):
        # Whatever the file calls the place: the kernel that firmware starts has one place on each kind of unit.
        return Placement(PlacementKind.KERNEL, on_esp if uefi else branding.boot_kernel)
    folder, _, name = path.rpartition("/")
    is_image = folder == IMAGE_FOLDER and looks_like_image(name, branding)
    return Placement(PlacementKind.IMAGE if is_image else PlacementKind.OTHER, path)


def destination_problem(file: RemoteFile, branding: Branding) -> str | None:
    """Why a file cannot be placed, or None."""
    if file.dest is None and not file.name:
        return "the URL names no file and there is no Dest"
    problem = _component_problem(file.name) if file.dest is None else path_problem(file.dest)
    if problem:
        return problem
    first, *rest = _wanted(file, branding).split("/")
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
    """Why a relative path does not stay below its root, component by component, or None."""
    if path.startswith("/"):
        return "must be relative to the root of RECOVERY"
    if len(path.encode("utf-8", "replace")) > _LONGEST_PATH:
        return f"is longer than {_LONGEST_PATH} bytes"
    for component in path.split("/"):
        problem = _component_problem(component)
        if problem:
            return problem
    return None


def looks_like_image(name: str, branding: Branding) -> bool:
    """Named like an image; whether name and date are valid is another matter."""
    return name.startswith(branding.image_prefix) and name.endswith(SUFFIX)


def _image_problem(name: str, branding: Branding) -> str | None:
    """A restore would pass over an image whose name it cannot order."""
    try:
        parse_image_name(name, branding.image_prefix)
    except BadInput as error:
        return f"is no image name: {'; '.join(error.details())}"
    return None


def _wanted(file: RemoteFile, branding: Branding) -> str:
    if file.dest is not None:
        return file.dest
    return f"{IMAGE_FOLDER}/{file.name}" if looks_like_image(file.name, branding) else file.name


def _component_problem(component: str) -> str | None:
    if component == "":
        return "has an empty component"
    if component in (".", ".."):
        return f"has a component {component!r}"
    if "/" in component or "\\" in component:
        return "holds a slash or backslash inside a name"
    if not component.isprintable():
        return "holds unprintable characters"
    if len(component.encode("utf-8", "replace")) > _LONGEST_NAME:
        return f"has a name longer than {_LONGEST_NAME} bytes"
    return None

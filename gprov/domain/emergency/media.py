"""Emergency files on removable volumes: which volumes are searched, and what each file is.

A file in the root folder of the volume whose name begins with ``Branding.emergency_prefix`` is an emergency file. If it
is larger than 1 MiB and begins like an image, it is an image, and what follows the prefix is its name; smaller files
are restore options (JSON). Manifest, signature and trust chain beside an image have the prefix too, and are read with
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from gprov.domain.branding import Branding
from gprov.domain.disk.model import Bus, Volume
from gprov.domain.disk.recovery_label import could_be_recovery
from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.image.xz_fields import CHECK_SHA256, HEADER_MAGIC
from gprov.domain.image.companions import is_companion
from gprov.domain.image.name import ImageName, parse_image_name
from gprov.domain.trust.chain import CHAIN_FILE

# An image is larger than this, restore options are not. Bytes.
IMAGE_MIN = 1 << 20
# Bytes of each emergency file that are read to see what it is.
START_BYTES = 1 << 16
# Names in the root folder that are looked at, and emergency files that are used, of one volume.
MOST_NAMES = 10_000
MOST_FILES = 32

# Read-only, and no program, set-user-ID bit or device file of the volume has an effect.
_SAFE = ("ro", "nosuid", "nodev", "noexec")
# A journal is not replayed, since that writes. A superblock may demand a panic at errors: overridden.
_EXT_PLAIN = (*_SAFE, "errors=continue")
_EXT_JOURNAL = (*_EXT_PLAIN, "noload")


class EmergencyKind(Enum):
    IMAGE = "image"
    OPTIONS = "restore options"


@dataclass(frozen=True, slots=True)
class MediaMount:
    """How a volume is mounted: the kernel's name of the file system, and options as in mount(8)."""

    kind: str
    options: tuple[str, ...]


# By libblkid's type.
MEDIA_MOUNTS: Mapping[str, MediaMount] = {
    "ext2": MediaMount("ext2", _EXT_PLAIN),
    "ext3": MediaMount("ext3", _EXT_JOURNAL),
    "ext4": MediaMount("ext4", _EXT_JOURNAL),
    "vfat": MediaMount("vfat", _SAFE),
    "exfat": MediaMount("exfat", _SAFE),
    "ntfs": MediaMount("ntfs3", _SAFE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """A name in the root folder of a volume. ``regular``: a file, no link or device. ``size`` in bytes. ``start``: its
    first ``START_BYTES`` bytes."""

    name: str
    regular: bool
    size: int = 0
    start: bytes = b""


@dataclass(frozen=True, slots=True)
class MediaContents:
    """Result of searching a volume. ``problem``: why it could not be searched, or not completely; "" if it was."""

    files: tuple[MediaFile, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyFile:
    """``image``: the image's name, None for restore options. ``mark``: differs for another volume, name, size or start
    of the file."""

    volume: Volume
    name: str
    size: int
    mark: str
    image: ImageName | None = None

    @property
    def kind(self) -> EmergencyKind:
        return EmergencyKind.OPTIONS if self.image is None else EmergencyKind.IMAGE

    def describe(self) -> str:
        return f"{self.name} on {self.volume.disk.describe()}"


def searched_volumes(volumes: Iterable[Volume], branding: Branding) -> tuple[Volume, ...]:
    """The volumes to search: those with a file system that can be mounted, on USB disks other than RECOVERY's. (The
    other volumes on that disk belong to RECOVERY too.)"""
    usb = [volume for volume in volumes if volume.disk.bus is Bus.USB]
    recovery = {volume.disk.device for volume in usb if could_be_recovery(volume, branding.recovery_label)}
    return tuple(
        volume for volume in usb if volume.disk.device not in recovery and volume.contents.kind in MEDIA_MOUNTS
    )


def may_be_emergency_file(name: str, prefix: str) -> bool:
    """Whether a name begins with the prefix, in any case: a name in the wrong case is reported, not overlooked."""
    return name[: len(prefix)].casefold() == prefix.casefold()


def is_beside_images(name: str, branding: Branding) -> bool:
    """Whether this is the name of a manifest, a signature or a trust chain, which request nothing by themselves."""
    if not name.startswith(branding.emergency_prefix):
        return False
    return is_companion(_without_prefix(name, branding), branding.image_prefix)


def chain_on_media(branding: Branding) -> str:
    """Name of the trust chain on removable media."""
    return branding.emergency_prefix + CHAIN_FILE


def classify(volume: Volume, file: MediaFile, branding: Branding) -> EmergencyFile:
    """Raises BadInput for a file that cannot be used."""
    source = f"{volume.node}: {file.name[:80]!r}"
    if not file.name.startswith(branding.emergency_prefix):
        raise _refused(source, f"an emergency file's name begins with {branding.emergency_prefix}, in this case")
    if not file.regular:
        raise _refused(source, "is no file but a link, folder or device")
    if not file.name.isprintable():  # it is shown to a person: a line break in it would look like a message of gprov
        raise _refused(source, "an emergency file's name has printable characters only")
    mark = file_mark(volume, file)
    if not file.start.startswith(HEADER_MAGIC):
        if file.size > IMAGE_MIN:
            raise _refused(source, f"has {file.size} bytes, but does not begin like an image (xz)")
        return EmergencyFile(volume=volume, name=file.name, size=file.size, mark=mark)
    if file.size <= IMAGE_MIN:
        raise _refused(source, f"begins like an image, but has only {file.size} bytes: not copied completely?")
    if file.start[len(HEADER_MAGIC) : len(HEADER_MAGIC) + 2] != bytes((0, CHECK_SHA256)):
        raise _refused(source, "is an xz file without SHA-256 checks: make images with xz --check=sha256")
    return EmergencyFile(
        volume=volume,
        name=file.name,
        size=file.size,
        mark=mark,
        image=parse_image_name(_without_prefix(file.name, branding), branding.image_prefix),
    )


def _without_prefix(name: str, branding: Branding) -> str:
    return name.removeprefix(branding.emergency_prefix).removeprefix("_")


def file_mark(volume: Volume, file: MediaFile) -> str:
    """SHA-256 over the volume's UUID (for a volume without one, its disk's identity), name, size and start."""
    import hashlib  # most boots find no emergency file

    origin = volume.contents.uuid or volume.disk.identity
    head = f"{origin}\0{file.name}\0{file.size}\0".encode(errors="surrogateescape")
    return hashlib.sha256(head + file.start).hexdigest()


def _refused(source: str, reason: str) -> BadInput:
    return BadInput(source, [Problem("", reason)])

"""Manifest of an image, ``<image>.manifest``: what verification found in it, so that a unit that trusts the manifest's
signature only has to compare the file's SHA-256.

A JSON document; keys that are not known are ignored. Its signature, ``<image>.manifest.minisig``, is in minisign's
format. The document holds ``/etc/shadow`` of the image: only root may read the file.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.image.capture import CapturedNames
from gprov.domain.formats.image.captured import CapturedFiles
from gprov.domain.formats.image.ext4_usage import Needs
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.reading import finish, read_object
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.name import ImageName, parse_image_name

MANIFEST_SUFFIX = ".manifest"  # behind .upd
SIGNATURE_SUFFIX = ".minisig"  # behind the name of what is signed
MAX_MANIFEST = 4 << 20  # bytes
FORMAT = 1
KIND = "gprov image manifest"
# What counters of every kind can hold.
MAX_SECURITY_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Release:
    """What the owner of the units says about an image. ``security_version``: an integer that grows with fixes that
    matter; ``floor``: when a unit has started this image's system, it refuses images of a lower security version;
    ``platforms``: code names of the units that may have it, empty for all."""

    security_version: int = 0
    floor: int = 0
    platforms: tuple[str, ...] = ()

    def is_for(self, code_name: str) -> bool:
        return not self.platforms or code_name in self.platforms


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """``names``: of the members that were captured, which depend on the branding; ``image``: as verified; its path is
    its file name."""

    name: ImageName
    release: Release
    names: CapturedNames
    image: VerifiedImage

    def verified_image(self, path: str) -> VerifiedImage:
        """The result of verifying the file at ``path``, if that has the size and digest of the manifest."""
        return replace(self.image, path=path)


def make_manifest(name: ImageName, image: VerifiedImage, names: CapturedNames, release: Release) -> Manifest:
    """``names``: with which the image was verified. Raises BadInput."""
    problem = _floor_problem(release)
    if problem:
        raise BadInput(f"manifest of {name.filename}", [Problem("Floor", problem)])
    return Manifest(name=name, release=release, names=names, image=replace(image, path=name.filename))


def serialise_manifest(manifest: Manifest) -> bytes:
    """Inverse of ``parse_manifest``."""
    image, release = manifest.image, manifest.release
    value = {
        "Format": FORMAT,
        "Kind": KIND,
        "Name": manifest.name.filename,
        "Date": manifest.name.date.isoformat(),
        "Build": manifest.name.build_text,
        "SecurityVersion": release.security_version,
        "Floor": release.floor,
        "Platforms": list(release.platforms),
        "Size": image.size,
        "Sha256": image.digest,
        "Unpacked": image.unpacked,
        "Members": image.entries,
        "ContentBytes": image.content_bytes,
        "Needs": {"Allocated": image.needs.allocated, "Inodes": image.needs.inodes},
        "Acls": image.has_acls,
        "Notes": list(image.notes),
        "Captured": _captured(image.files, manifest.names),
    }
    return (json.dumps(value, indent=1) + "\n").encode("ascii")


def parse_manifest(source: str, data: bytes) -> Manifest:
    """``source``: name of the file, for messages. Raises BadInput with every problem."""
    if len(data) > MAX_MANIFEST:
        raise BadInput(source, [Problem("", f"has more than {MAX_MANIFEST} bytes")])
    root = read_object(source, data)
    root.integer("Format", required=True, minimum=FORMAT, maximum=FORMAT)
    if root.text("Kind", required=True) not in ("", KIND):
        root.problem("Kind", f"must be {KIND!r}")
    name = _name(root)
    release = _release(root)
    needs = root.object("Needs", required=True)
    captured = root.object("Captured", required=True)
    names, files = _captured_files(captured) if captured is not None else (_NO_NAMES, CapturedFiles())
    image = VerifiedImage(
        path=name.filename if name is not None else "",
        size=root.integer("Size", required=True, minimum=1),
        unpacked=root.integer("Unpacked", required=True, minimum=0),
        content_bytes=root.integer("ContentBytes", required=True, minimum=0),
        entries=root.integer("Members", required=True, minimum=0),
        digest=_digest(root),
        files=files,
        needs=_needs(needs) if needs is not None else Needs(),
        has_acls=root.boolean("Acls", default=True),
        notes=root.texts("Notes"),
    )
    if name is None:
        raise BadInput(source, root.problems)
    return finish(source, root, Manifest(name=name, release=release, names=names, image=image))


# Key of the file → field of CapturedFiles.
_CONTENTS = {
    "Passwd": "passwd",
    "Group": "group",
    "Shadow": "shadow",
    "Fstab": "fstab",
    "Hosts": "hosts",
    "ImgMeta": "imgmeta",
    "KernelStart": "kernel_start",
}
_NO_NAMES = CapturedNames(b"", b"", frozenset(), frozenset())


def _floor_problem(release: Release) -> str:
    """A floor above the image's own security version would refuse the image itself."""
    if release.floor <= release.security_version:
        return ""
    return f"must be at most the security version, {release.security_version}, is {release.floor}"


def _release(root: JsonObject) -> Release:
    release = Release(
        root.integer("SecurityVersion", required=True, minimum=0, maximum=MAX_SECURITY_VERSION),
        root.integer("Floor", required=True, minimum=0, maximum=MAX_SECURITY_VERSION),
        root.texts("Platforms"),
    )
    if problem := _floor_problem(release):
        root.problem("Floor", problem)
    return release


def _name(root: JsonObject) -> ImageName | None:
    """The name has some prefix; date and build, which decide which image is newer, stand there once more for readers of
    the document."""
    filename = root.text("Name", required=True)
    date, build = root.text("Date", required=True), root.text("Build", required=True)
    prefix = filename.removesuffix(f"{date}.{build}.upd")
    try:
        name = parse_image_name(filename, prefix)
    except BadInput as error:
        root.problems += [Problem(f"$.Name: {one.place}", one.message) for one in error.problems]
        return None
    if "/" in prefix or "\0" in prefix:
        root.problem("Name", "must be the name of a file, without folders")
    return name


def _digest(root: JsonObject) -> str:
    digest = root.text("Sha256", required=True)
    if digest and not (len(digest) == 64 and all(digit in "0123456789abcdef" for digit in digest)):
        root.problem("Sha256", f"must be 64 hexadecimal digits in lower case, is {digest[:80]!r}")
    return digest


def _needs(one: JsonObject) -> Needs:
    return Needs(one.integer("Allocated", required=True, minimum=0), one.integer("Inodes", required=True, minimum=0))


def _captured(files: CapturedFiles, names: CapturedNames) -> dict[str, object]:
    contents = {key: getattr(files, field) for key, field in _CONTENTS.items()}
    return {
        "KernelPath": names.kernel.decode(),
        "ImgMetaPath": names.imgmeta.decode(),
        "InitPaths": sorted(name.decode() for name in names.init),
        "Paths": sorted(name.decode() for name in names.small),
        **{key: b64encode(content).decode("ascii") for key, content in contents.items() if content is not None},
        "HasInit": files.has_init,
        "HasNetwork": files.has_network,
        "ModuleReleases": list(files.module_releases),
    }


def _captured_files(one: JsonObject) -> tuple[CapturedNames, CapturedFiles]:
    names = CapturedNames(
        one.text("KernelPath", required=True).encode(),
        one.text("ImgMetaPath", required=True).encode(),
        frozenset(name.encode() for name in one.texts("InitPaths", required=True)),
        frozenset(name.encode() for name in one.texts("Paths", required=True)),
    )
    files = CapturedFiles(
        **{field: _content(one, key) for key, field in _CONTENTS.items()},
        has_init=one.boolean("HasInit"),
        has_network=one.boolean("HasNetwork"),
        module_releases=one.texts("ModuleReleases"),
    )
    return names, files


def _content(one: JsonObject, key: str) -> bytes | None:
    if not one.has(key):
        return None
    try:
        return b64decode(one.text(key).encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        one.problem(key, "is not base64")
        return b""

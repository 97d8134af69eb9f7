"""Use case: make a bundle (.swu) of a signed image, for an update server that stores one file for each version."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from gprov.adapters.linux.files.durable import sync_folder
from gprov.apps.host.image.regular_files import open_regular
from gprov.apps.host.trust.files import read_optional
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, IntegrityFault, Problem
from gprov.domain.formats.minisign import MAX_FILE, parse_signature
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.companions import companions_of
from gprov.domain.image.manifest import MAX_MANIFEST, Manifest, parse_manifest
from gprov.domain.image.name import ImageName, parse_image_name
from gprov.domain.trust.chain import TrustChain, serialise_chain
from gprov.domain.trust.policy import Doubtful, ManifestFiles, TrustPolicy, UnitTrust, examine
from gprov.domain.update.bundle import BUNDLE_SUFFIX, MAX_IMAGE, BundleHead, bundle_head, bundle_tail
from gprov.domain.update.sw_description import release_version, sw_description
from gprov.ports.archive import ProgressReport
from gprov.ports.signatures import SignatureVerifier

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBundle:
    """``digest``: SHA-256 in hexadecimal."""

    path: str
    size: int
    digest: str
    version: str
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BundleMaker:
    """``chain``: the owner's. With it the signature of an image is checked, and bundles carry the chain to units."""

    verifier: SignatureVerifier
    branding: Branding
    chain: TrustChain | None = None

    def make(self, path: str, platforms: Sequence[str], folder: str, progress: ProgressReport) -> MadeBundle:
        """Write the bundle of the image at ``path`` into ``folder``; one of this name is replaced. ``platforms``: code
        names of units that the server shall offer it to, empty for those of the manifest. The image is compared with
        its manifest. Raises BadInput, IntegrityFault, DeviceMissing, DeviceFault; then no file is left."""
        name = parse_image_name(os.path.basename(path), self.branding.image_prefix)
        manifest_path, signature_path = companions_of(path)
        files = ManifestFiles(
            name.filename, read_optional(manifest_path, MAX_MANIFEST), read_optional(signature_path, MAX_FILE)
        )
        manifest = self._manifest(path, files)
        offered = _offered(path, manifest, platforms)
        with open_regular(path) as image:
            size = os.fstat(image.fileno()).st_size
            _require_size(path, size, manifest)
            head = BundleHead(
                image=name.filename,
                size=size,
                description=sw_description(name, offered),
                manifest=files.manifest or b"",
                signature=files.signature or b"",
                chain=None if self.chain is None else serialise_chain(self.chain),
            )
            target = os.path.join(folder, name.stem + BUNDLE_SUFFIX)
            with _private_file(target) as file:
                digest = _write(path, image, head, manifest.image.digest, file, progress)
        return _made(target, digest, name, offered)

    def _manifest(self, path: str, files: ManifestFiles) -> Manifest:
        manifest_path, signature_path = companions_of(path)
        for content, missing in ((files.manifest, manifest_path), (files.signature, signature_path)):
            if content is None:
                reason = f"is not signed: {missing} is missing; gprov image sign writes it"
                raise BadInput(path, [Problem("", reason)])
        if self.chain is not None:
            names = captured_names(self.branding)
            trust = UnitTrust(policy=TrustPolicy.ENFORCE, chain=self.chain, names=names)
            found = examine(trust, files, self.verifier)
            if isinstance(found, Doubtful):
                raise BadInput(path, [Problem("", found.reason)])
            return found
        manifest = parse_manifest(manifest_path, files.manifest or b"")
        parse_signature(signature_path, files.signature or b"")
        if manifest.name.filename != files.filename:
            reason = f"is the manifest of {manifest.name.filename}: a file was renamed"
            raise BadInput(manifest_path, [Problem("Name", reason)])
        return manifest


def _offered(path: str, manifest: Manifest, platforms: Sequence[str]) -> tuple[str, ...]:
    """An update server compares names, and has none for "all"."""
    signed = manifest.release.platforms
    chosen = tuple(dict.fromkeys(platforms)) or signed
    if not chosen:
        reason = "is signed for all platforms: name those that the server shall offer it to (--platform)"
        raise BadInput(path, [Problem("", reason)])
    others = [name for name in chosen if not manifest.release.is_for(name)]
    if others:
        reason = f"is signed for {', '.join(signed)}; units of {', '.join(others)} would refuse it"
        raise BadInput(path, [Problem("--platform", reason)])
    return chosen


def _require_size(path: str, size: int, manifest: Manifest) -> None:
    if size != manifest.image.size:
        raise IntegrityFault(path, f"has {size} bytes, {manifest.image.size} in its manifest: sign it again")
    if size > MAX_IMAGE:
        reason = f"has {size} bytes, a bundle holds at most {MAX_IMAGE}: publish image and manifest as files"
        raise BadInput(path, [Problem("", reason)])


def _write(
    path: str, image: BinaryIO, head: BundleHead, expected: str, file: BinaryIO, progress: ProgressReport
) -> str:
    """Returns the digest of the bundle."""
    whole, alone = hashlib.sha256(), hashlib.sha256()

    def put(piece: bytes) -> None:
        whole.update(piece)
        file.write(piece)

    put(bundle_head(head))
    done = 0
    while piece := _read(path, image):
        put(piece)
        alone.update(piece)
        done += len(piece)
        progress(done, head.size)
    if (done, alone.hexdigest()) != (head.size, expected):
        raise IntegrityFault(path, "is not the file that its manifest describes: it was damaged or replaced")
    put(bundle_tail(head.size))
    return whole.hexdigest()


def _read(path: str, image: BinaryIO) -> bytes:
    try:
        return image.read(_PIECE)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc


@contextmanager
def _private_file(path: str) -> Iterator[BinaryIO]:
    """A file that appears at ``path`` whole and durable, with mode 0600, if the body succeeds."""
    folder, name = os.path.split(os.path.abspath(path))
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(descriptor)
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        sync_folder(folder)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be written: {exc.strerror}", errno=exc.errno) from exc


def _made(path: str, digest: str, name: ImageName, platforms: tuple[str, ...]) -> MadeBundle:
    try:
        size = os.path.getsize(path)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be read: {exc.strerror}", errno=exc.errno) from exc
    return MadeBundle(path=path, size=size, digest=digest, version=release_version(name), platforms=platforms)

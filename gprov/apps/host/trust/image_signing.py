"""Use cases: sign an image, and check the signature of one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from gprov.adapters.linux.keys.minisign_key import MinisignSigner
from gprov.apps.host.trust.files import read_optional, write_private
from gprov.apps.host.trust.signed_files import require_signer, sign_file
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, IntegrityFault
from gprov.domain.formats.minisign import MAX_FILE, parse_signature
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.companions import companions_of
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.decoding import MAX_ARCHIVE
from gprov.domain.image.manifest import (
    MAX_MANIFEST,
    Manifest,
    Release,
    make_manifest,
    parse_manifest,
    serialise_manifest,
)
from gprov.domain.image.name import parse_image_name
from gprov.domain.plan.preconditions import problems_of_own_image
from gprov.domain.trust.chain import TrustChain
from gprov.domain.trust.policy import Doubtful, ManifestFiles, TrustPolicy, UnitTrust, examine
from gprov.ports.archive import Archives, ProgressReport
from gprov.ports.signatures import SignatureVerifier


@dataclass(frozen=True, slots=True)
class SignedImage:
    manifest: Manifest
    key_id: str
    paths: tuple[str, str]


@dataclass(frozen=True, slots=True)
class ImageSigner:
    """``chain``: the owner's; its signers are the only keys that may sign. None: not checked."""

    archives: Archives
    verifier: SignatureVerifier
    branding: Branding
    chain: TrustChain | None = None

    def sign(
        self, path: str, release: Release, signer: Callable[[], MinisignSigner], progress: ProgressReport
    ) -> SignedImage:
        """Verify the image, write manifest and signature beside it, and read them back. ``signer`` is called when the
        image is known to be good. Raises BadInput, IntegrityFault, DeviceFault; an image that a restore would not take
        is not signed."""
        name = parse_image_name(os.path.basename(path), self.branding.image_prefix)
        image = self.archives.verify(path, progress, MAX_ARCHIVE)
        if problems := problems_of_own_image(image, self.branding):
            raise BadInput(path, problems)
        manifest = make_manifest(name, image, captured_names(self.branding), release)
        content = serialise_manifest(manifest)
        if parse_manifest(f"manifest of {path}", content) != manifest:
            raise IntegrityFault(path, "its manifest would not be read as it was written")
        key = signer()
        require_signer(key, self.chain)
        paths = companions_of(path)
        write_private(paths[0], content)
        comment = f"{name.filename} {manifest.image.digest} security version {release.security_version}"
        sign_file(paths[0], content, key, comment, self.verifier)
        return SignedImage(manifest, key.public.key_id, paths)

    def check(self, image: VerifiedImage) -> SignedImage | Doubtful:
        """Whether the files beside a verified image are valid. Raises IntegrityFault if they are, and say something
        else than verification found; DeviceFault."""
        paths = companions_of(image.path)
        files = ManifestFiles(
            os.path.basename(image.path), read_optional(paths[0], MAX_MANIFEST), read_optional(paths[1], MAX_FILE)
        )
        trust = UnitTrust(policy=TrustPolicy.ENFORCE, chain=self.chain, names=captured_names(self.branding))
        found = examine(trust, files, self.verifier)
        if isinstance(found, Doubtful):
            return found
        stated = found.verified_image(image.path)
        # Manifests of earlier versions do not say whether there are access control lists: there may be.
        if stated != image and stated != replace(image, has_acls=True):
            raise IntegrityFault(paths[0], "is validly signed, and describes another file")
        return SignedImage(found, parse_signature(paths[1], files.signature or b"").key_id, paths)

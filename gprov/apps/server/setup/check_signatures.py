"""Checks of the owner's signatures in ``files/``: units that have keys refuse what is not validly signed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from gprov.apps.server.setup.reading import read_small
from gprov.domain.branding import Branding
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.domain.factory.netboot import MANUF_DATA
from gprov.domain.factory.setup.finding import Finding, problem, problems_of, warning
from gprov.domain.factory.setup.new_folder import FILES
from gprov.domain.factory.setup.own_files import own_path
from gprov.domain.formats.minisign import MAX_FILE
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.companions import companions_of
from gprov.domain.image.manifest import MAX_MANIFEST, SIGNATURE_SUFFIX
from gprov.domain.mfg.files import PlacementKind, RemoteFile, destination
from gprov.domain.mfg.manuf import MAX_DOCUMENT
from gprov.domain.trust.chain import CHAIN_FILE, MAX_CHAIN, TrustChain, check_chain, parse_chain
from gprov.domain.trust.policy import Doubtful, ManifestFiles, TrustPolicy, UnitTrust, content_doubt, examine
from gprov.ports.signatures import SignatureVerifier

_SIGN_DOCUMENT = f"`gprov manuf sign {MANUF_DATA}`, after each change of it"
_SIGN_IMAGE = "`gprov image sign` makes manifest and signature"
_ENTRY = "`gprov manuf entry` prints the entry of a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureCheck:
    """With ``trust.chain`` in ``files/``. ``own``: host and port of each address of the server."""

    folder: str
    own: frozenset[tuple[str, int]]
    branding: Branding
    verifier: SignatureVerifier

    def findings(self, files: tuple[RemoteFile, ...] | None) -> Iterator[Finding]:
        """``files``: those that manufData.json puts onto RECOVERY; None if it cannot be read."""
        document = self._path(MANUF_DATA)
        try:
            chain = self._chain()
            if chain is None:
                if os.path.lexists(document + SIGNATURE_SUFFIX):
                    reason = f"is not checked: {CHAIN_FILE} is missing"
                    yield warning(document + SIGNATURE_SUFFIX, reason, "put the trust chain beside it")
                return
            yield from self._document(document, chain)
            for file in files or ():
                if self._is_image(file):
                    yield from self._image(file, files or (), chain)
        except BadInput as error:
            yield from problems_of(error)
            return
        except DeviceFault as fault:
            yield problem(fault.subject, fault.reason)
            return
        listed = files is None or any(file.name == CHAIN_FILE for file in files)
        if not listed and len(chain.statements) > 1:
            reason = f"is not in Files of {MANUF_DATA}: units keep the chain that their kernel was built with"
            yield warning(self._path(CHAIN_FILE), reason, _ENTRY)

    def _chain(self) -> TrustChain | None:
        path = self._path(CHAIN_FILE)
        content = _optional(path, MAX_CHAIN)
        return None if content is None else check_chain(path, parse_chain(path, content), self.verifier)

    def _document(self, path: str, chain: TrustChain) -> Iterator[Finding]:
        content = _optional(path, MAX_DOCUMENT)
        signature = _optional(path + SIGNATURE_SUFFIX, MAX_FILE)
        if content is None:
            return
        if signature is None:
            yield problem(path, f"is not signed: {MANUF_DATA}{SIGNATURE_SUFFIX} is missing", _SIGN_DOCUMENT)
        elif doubt := content_doubt(chain.current, MANUF_DATA, content, signature, self.verifier):
            yield problem(path + SIGNATURE_SUFFIX, doubt.reason, _SIGN_DOCUMENT)

    def _is_image(self, file: RemoteFile) -> bool:
        try:
            return destination(file, self.branding, True).kind is PlacementKind.IMAGE
        except BadInput:
            return False  # a finding of the document

    def _image(self, file: RemoteFile, files: tuple[RemoteFile, ...], chain: TrustChain) -> Iterator[Finding]:
        name = own_path(file.url, self.own)
        if name is None:
            return
        path = self._path(name)
        manifest, signature = companions_of(path)
        trust = UnitTrust(policy=TrustPolicy.ENFORCE, chain=chain, names=captured_names(self.branding))
        given = ManifestFiles(file.name, _optional(manifest, MAX_MANIFEST), _optional(signature, MAX_FILE))
        found = examine(trust, given, self.verifier)
        if isinstance(found, Doubtful):
            yield problem(path, found.reason, _SIGN_IMAGE)
            return
        if file.sha256 and found.image.digest != file.sha256:
            yield problem(manifest, f"is that of another image: Sha256 in {MANUF_DATA} differs", _SIGN_IMAGE)
        listed = {one.name for one in files}
        for companion in companions_of(file.name):
            if companion not in listed:
                reason = f"is not in Files of {MANUF_DATA}: units that have keys would refuse the image"
                yield problem(self._path(companion), reason, _ENTRY)

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, FILES, name)


def _optional(path: str, most: int) -> bytes | None:
    try:
        return read_small(path, most)
    except DeviceMissing:
        return None

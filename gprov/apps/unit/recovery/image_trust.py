"""Whether an image may be used at all: signed manifest beside it, trust chain, security floor, policy of this kernel.

What the kernel was built with, the files on RECOVERY and the numbers that never go down are read once, when the first
image is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.known_trust import ImageTrustPorts, KnownTrust, read_known_trust
from gprov.apps.unit.recovery.regular_files import read_regular
from gprov.domain.errors import BadInput, DeviceFault, ImageRefused
from gprov.domain.formats.minisign import MAX_FILE
from gprov.domain.image.captured_names import captured_names
from gprov.domain.image.companions import companions_of
from gprov.domain.image.manifest import MAX_MANIFEST, SIGNATURE_SUFFIX, Manifest, parse_manifest
from gprov.domain.image.name import ImageName
from gprov.domain.recovery_files import INSTALLED_MANIFEST, TRUST_FOLDER
from gprov.domain.trust.policy import Accepted, ManifestFiles, Refused, UnitTrust, content_doubt, judge
from gprov.domain.trust.ratchets import RatchetValues

# Asked with the reason of a refusal: does a person at the unit insist on the image?
Insist = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Admission:
    """An image that may be used. ``manifest``: what its signer verified; None: the image has to be verified from its
    first to its last byte. ``files``: that the manifest was read from. ``overruled``: why it was refused, if a person
    at the unit insisted on it."""

    manifest: Manifest | None = None
    files: ManifestFiles | None = None
    overruled: str = ""


class ImageTrust:
    """For one run, while RECOVERY is mounted. ``has_recovery``: False if a folder in memory takes its place, so that
    nothing is kept. ``code_name``: of the unit's platform, once it is known."""

    def __init__(self, ports: ImageTrustPorts, context: UnitContext, *, has_recovery: bool = True) -> None:
        self._ports = ports
        self._has_recovery = has_recovery
        self._context = context
        self._bus = context.bus
        self._loaded: KnownTrust | None = None
        self._is_loaded = False
        self.code_name = ""

    def admit(self, path: str, name: ImageName, insist: Insist | None = None) -> Admission:
        """``path``: where the image called ``name`` is. Raises ImageRefused, unless ``insist`` says yes and the policy
        leaves that to a person."""
        if self._read_known() is None:
            return Admission()
        return self.admit_files(path, self._files_beside(path, name), insist)

    def admit_files(self, path: str, files: ManifestFiles, insist: Insist | None = None) -> Admission:
        """As ``admit``, of an image that is not at ``path`` yet."""
        known = self._read_known()
        if known is None:
            return Admission()
        verdict = self._judged(known, files)
        if isinstance(verdict, Refused):
            if known.policy.may_be_overruled and insist is not None and insist(verdict.reason):
                self._bus.warning(
                    f"OVERRIDE: a person at the unit insists on {path}, which is refused: {verdict.reason}"
                )
                return Admission(overruled=verdict.reason)
            raise ImageRefused(path, verdict.reason)
        if verdict.warning:
            self._bus.warning(f"{path}: {verdict.warning}")
        return Admission(verdict.manifest, files if verdict.manifest is not None else None)

    def refusal(self, path: str, name: ImageName) -> str:
        """Why this image would be refused; "" if it would not. Nothing is reported."""
        known = self._read_known()
        verdict = self._judged(known, self._files_beside(path, name)) if known is not None else Accepted()
        return verdict.reason if isinstance(verdict, Refused) else ""

    @property
    def may_be_overruled(self) -> bool:
        """Can a person at the unit insist on an image that is refused?"""
        known = self._read_known()
        return known is not None and known.policy.may_be_overruled

    @property
    def judges(self) -> bool:
        """Does this kernel look for signatures?"""
        return self._read_known() is not None

    @property
    def enforces(self) -> bool:
        known = self._read_known()
        return known is not None and known.policy.enforces

    def document_doubt(self, source: str, content: bytes, signature: bytes | None) -> str:
        """Why another document than an image's manifest is not the owner's; "" if a signer of the owner signed it.
        ``judges`` must be true."""
        known = self._read_known()
        if known is None:
            return "no signature can be checked: this kernel does not look for any"
        chain = known.chains.believed
        if chain is None:
            return f"no signature can be checked: {known.chains.problem}"
        if signature is None:
            return f"is not signed: {source}{SIGNATURE_SUFFIX} is missing"
        try:
            doubt = content_doubt(chain.current, source, content, signature, known.verifier)
        except DeviceFault as fault:
            return f"cannot be checked: {fault}"
        return doubt.reason if doubt is not None else ""

    def offer_chain(self, source: str, content: bytes) -> bool:
        """Use this trust chain if it is valid and longer than the one in use, and return whether it is."""
        known = self._read_known()
        return known is not None and known.chains.offer(source, content)

    def consider_chain(self, path: str) -> None:
        """Use the trust chain at ``path``, which may not exist, if it is valid and longer than the one in use."""
        known = self._read_known()
        if known is not None:
            known.chains.consider(path)

    def remember_installed(self, admission: Admission) -> None:
        """Keep the manifest of the image that was restored, from which the floor follows once its system was confirmed.
        A failure is reported."""
        if not self._has_recovery:
            return
        paths = companions_of_installed(self._context)
        files = self._ports.files
        contents = (None, None) if admission.files is None else (admission.files.manifest, admission.files.signature)
        try:
            for path, content in zip(paths, contents, strict=True):
                if content is not None:
                    files.replace(path, content, mode=0o600)
                elif files.status(path) is not None:
                    files.remove(path)
        except DeviceFault as fault:
            self._bus.warning(f"the security floor will not follow the restored image: {fault}")

    def confirm_installed(self, stem: str) -> None:
        """The installed system, of the image ``stem``, is good: raise the floor to what its manifest demands."""
        known = self._read_known()
        manifest = self._installed_manifest(known, stem) if known is not None else None
        if known is None or manifest is None:
            return
        floor = manifest.release.floor
        if known.ratchets.raise_to(RatchetValues(security_floor=floor)):
            self._bus.log(f"the security floor {floor} is recorded: {stem} is confirmed")

    def _installed_manifest(self, known: KnownTrust, stem: str) -> Manifest | None:
        """Of the image ``stem``, with a signature that counts now."""
        path, signature_path = companions_of_installed(self._context)
        content, signature = self._read(path, MAX_MANIFEST), self._read(signature_path, MAX_FILE)
        chain = known.chains.believed
        if content is None or signature is None or chain is None:
            return None
        try:
            doubt = content_doubt(chain.current, path, content, signature, known.verifier)
            manifest = parse_manifest(path, content) if doubt is None else None
        except (BadInput, DeviceFault) as error:
            self._bus.warning(f"the security floor stays: {error}")
            return None
        return manifest if manifest is not None and manifest.name.stem == stem else None

    def _judged(self, known: KnownTrust, files: ManifestFiles) -> Accepted | Refused:
        trust = UnitTrust(
            policy=known.policy,
            chain=known.chains.believed,
            no_chain=known.chains.problem,
            floor=known.ratchets.values.security_floor,
            code_name=self.code_name,
            names=captured_names(self._context.branding),
        )
        try:
            return judge(trust, files, known.verifier)
        except DeviceFault as fault:
            reason = f"cannot be checked: {fault}"
            return Refused(reason) if known.policy.enforces else Accepted(None, reason)

    def _files_beside(self, path: str, name: ImageName) -> ManifestFiles:
        manifest, signature = companions_of(path)
        return ManifestFiles(name.filename, self._read(manifest, MAX_MANIFEST), self._read(signature, MAX_FILE))

    def _read(self, path: str, limit: int) -> bytes | None:
        """None without such a file, or if it cannot be read, which is reported."""
        try:
            return read_regular(self._ports.files, path, limit)
        except DeviceFault as fault:
            self._bus.warning(f"not used: {fault}")
            return None

    def _read_known(self) -> KnownTrust | None:
        """None: images are not judged."""
        if not self._is_loaded:
            known = read_known_trust(self._ports, self._context, has_recovery=self._has_recovery)
            self._loaded, self._is_loaded = known, True
        return self._loaded


def companions_of_installed(context: UnitContext) -> tuple[str, str]:
    """Paths of the manifest of the image that was restored last, and of its signature."""
    manifest = f"{context.mount_points.recovery}/{TRUST_FOLDER}/{INSTALLED_MANIFEST}"
    return manifest, manifest + SIGNATURE_SUFFIX

"""Whether a restore would take an image: the same code as a restore's, with what ``/init`` has published of its kernel.

What is refused here is refused before the image is fetched, or before the unit is restarted for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.image_trust import Admission, ImageTrust
from gprov.apps.unit.recovery.known_trust import ImageTrustPorts
from gprov.apps.unit.recovery.regular_files import read_regular
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.apps.update.source import ImageSource
from gprov.domain.errors import BadInput, IntegrityFault, InternalError, Problem
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.decoding import MAX_ARCHIVE
from gprov.domain.image.name import ImageName, parse_image_name
from gprov.domain.plan.preconditions import image_problems
from gprov.domain.trust.published import NUMBERS
from gprov.domain.trust.ratchets import MAX_RATCHETS, RatchetValues, StoredRatchets, parse_ratchets
from gprov.ports.files import Files
from gprov.ports.ratchets import Ratchets


@dataclass(frozen=True)
class PublishedRatchets(Ratchets):
    """What ``/init`` has read from a TPM."""

    files: Files
    path: str

    @override
    def read(self) -> StoredRatchets:
        content = read_regular(self.files, self.path, MAX_RATCHETS)
        return StoredRatchets(parse_ratchets(self.path, content) if content is not None else RatchetValues())

    @override
    def raise_to(self, values: RatchetValues) -> None:
        raise InternalError("the agent of updates raises no number that a restore judges images by")


class ImageGate:
    """For one round of the agent. Keeps nothing: chains and numbers are raised by restores."""

    def __init__(self, ports: UpdatePorts, paths: UpdatePaths, context: UnitContext, code_name: str) -> None:
        numbers = PublishedRatchets(ports.files, f"{paths.trust}/{NUMBERS}")
        trust_ports = ImageTrustPorts(
            files=ports.files, verifier=ports.verifier, ratchets=lambda: (numbers,), folder=paths.trust
        )
        self._trust = ImageTrust(trust_ports, context, has_recovery=False)
        self._trust.code_name = code_name
        self._ports = ports
        self._paths = paths
        self._context = context

    def admit(self, source: ImageSource) -> tuple[Admission, bool]:
        """Before the image is fetched. Also returns whether a trust chain came with it that is longer than the unit's.
        Raises ImageRefused, IntegrityFault, BadInput."""
        path = self._paths.image(source.name.filename)
        longer = source.chain is not None and self._trust.offer_chain(source.artifact.name, source.chain)
        admission = self._trust.admit_files(path, source.files)
        if admission.manifest is not None:
            image = admission.manifest.verified_image(path)
            if image.size != source.size:
                raise IntegrityFault(path, f"has {source.size} bytes on the server, and {image.size} in its manifest")
            self._check_content(image)
        return admission, longer

    def refuses(self, name: ImageName) -> bool:
        """Would a restore refuse this image on RECOVERY?"""
        return bool(self._trust.refusal(self._paths.image(name.filename), name))

    def admit_stored(self, source_name: str, path: str) -> None:
        """Once more before its restore: floor and chain may have been raised since. Raises ImageRefused."""
        name = parse_image_name(source_name, self._paths.branding.image_prefix)
        self._trust.admit(path, name)

    def verify(self, path: str) -> None:
        """An image that no manifest vouches for, from its first to its last byte. Raises IntegrityFault, BadInput,
        DeviceFault."""
        image = self._ports.archives().verify(path, self._progress, MAX_ARCHIVE)
        self._check_content(image)

    def _check_content(self, image: VerifiedImage) -> None:
        problems = list(image_problems(image, self._paths.branding, locks_accounts=True))
        room = self._ports.files.usage(self._paths.system or "/").total
        if image.needs.allocated > room:
            problems.append(Problem("", f"needs {image.needs.allocated} bytes, and PRIMARY has {room}"))
        if problems:
            raise BadInput(image.path, problems)

    def _progress(self, done: int, total: int) -> None:
        self._context.bus.progress("verify", done, total)

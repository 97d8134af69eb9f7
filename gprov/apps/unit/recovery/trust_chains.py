"""Which trust chain a unit believes: the longest valid one of kernel, RECOVERY and media, if it is not older than one
that the unit has seen."""

from __future__ import annotations

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.recovery_ratchets import AllRatchets
from gprov.apps.unit.recovery.regular_files import read_regular
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.recovery_files import CHAIN_COPY, TRUST_FOLDER
from gprov.domain.trust.chain import CHAIN_FILE, MAX_CHAIN, TrustChain, check_chain, parse_chain, serialise_chain
from gprov.domain.trust.ratchets import RatchetValues
from gprov.ports.files import Files
from gprov.ports.signatures import SignatureVerifier


class TrustChains:
    """While RECOVERY is mounted. A longer chain is stored there before its version is recorded, so that a power cut
    between the two leaves a chain that counts. ``keeps``: False without RECOVERY: a version that were recorded in a TPM
    alone would have the unit refuse all that is on its RECOVERY, once that is found again."""

    def __init__(
        self,
        own: TrustChain | None,
        files: Files,
        verifier: SignatureVerifier,
        ratchets: AllRatchets,
        context: UnitContext,
        *,
        keeps: bool,
    ) -> None:
        folder = f"{context.mount_points.recovery}/{TRUST_FOLDER}"
        self._files = files
        self._verifier = verifier
        self._ratchets = ratchets
        self._bus = context.bus
        self._keeps = keeps
        # One that is damaged must not make the unit refuse its images: it has seen the version.
        self._stored_paths = (f"{folder}/{CHAIN_FILE}", f"{folder}/{CHAIN_COPY}")
        self._own = own
        self._longest = own
        if own is not None:
            stored = [self._of_the_owner(path) for path in self._stored_paths]
            self._stored_version = min(chain.version if chain is not None else 0 for chain in stored)
            for chain in (*stored, self._of_the_owner(f"{context.image_folder}/{CHAIN_FILE}")):
                self._take(chain)
            self._adopt()
            if self.believed is None:
                self._bus.error(f"no image can be trusted: {self.problem}")

    @property
    def believed(self) -> TrustChain | None:
        """None: signatures cannot be checked, for the reason in ``problem``."""
        seen = self._ratchets.values.trust_version
        return self._longest if self._longest is not None and self._longest.version >= seen else None

    @property
    def problem(self) -> str:
        """Why no chain is believed."""
        if self._longest is None:
            return "this kernel has no keys that can be used; install one that was built with --trust"
        seen = self._ratchets.values.trust_version
        return (
            f"the trust chain is of version {self._longest.version}, but this unit has seen version {seen}: RECOVERY's"
            f" was lost or put back. Copy the present {CHAIN_FILE} of the owner beside the images"
        )

    def consider(self, path: str) -> None:
        """Use the chain at ``path``, if there is one and it is longer than the others."""
        if self._own is not None:
            self._take(self._of_the_owner(path))
            self._adopt()

    def offer(self, source: str, content: bytes) -> bool:
        """As ``consider``, of a chain that is no file. Returns whether it is longer than the others."""
        if self._own is None:
            return False
        is_longer = self._take(self._checked_owner(source, _checked(source, content, self._verifier, self._bus)))
        self._adopt()
        return is_longer

    def _take(self, chain: TrustChain | None) -> bool:
        is_longer = chain is not None and (self._longest is None or chain.version > self._longest.version)
        if is_longer:
            self._longest = chain
        return is_longer

    def _of_the_owner(self, path: str) -> TrustChain | None:
        """None without a valid chain of the kernel's owner at ``path``."""
        return self._checked_owner(path, valid_chain(path, self._files, self._verifier, self._bus))

    def _checked_owner(self, source: str, chain: TrustChain | None) -> TrustChain | None:
        if chain is None or self._own is None:
            return None
        if not chain.begins_as(self._own):
            self._bus.warning(f"{source} is not used: it is the trust chain of another owner than this kernel's")
            return None
        return chain

    def _adopt(self) -> None:
        """Store the chain in use on RECOVERY and record its version, where that is new."""
        chain = self.believed
        if chain is None or not self._keeps:
            return
        if chain.version > self._stored_version:
            try:
                for path in self._stored_paths:
                    self._files.replace(path, serialise_chain(chain))
            except DeviceFault as fault:
                # Without the chain the version must not be recorded: the unit would believe nothing any more.
                self._bus.warning(f"the trust chain of version {chain.version} is not kept: {fault}")
                return
            self._stored_version = chain.version
        if self._ratchets.raise_to(RatchetValues(trust_version=chain.version)):
            self._bus.log(f"the trust version {chain.version} is recorded")


def valid_chain(path: str, files: Files, verifier: SignatureVerifier, bus: EventBus) -> TrustChain | None:
    """Of a file. None without it, or if it is damaged, which is reported."""
    try:
        content = read_regular(files, path, MAX_CHAIN)
    except DeviceFault as fault:
        bus.error(fault)
        return None
    return _checked(path, content, verifier, bus) if content is not None else None


def _checked(source: str, content: bytes, verifier: SignatureVerifier, bus: EventBus) -> TrustChain | None:
    try:
        return check_chain(source, parse_chain(source, content), verifier)
    except (BadInput, DeviceFault) as error:
        bus.error(error)
        return None

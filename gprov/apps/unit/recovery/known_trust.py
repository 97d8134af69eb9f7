"""What a run judges images by: files that the kernel was built with, trust chains, numbers that never go down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.recovery.recovery_ratchets import AllRatchets, RecoveryRatchets
from gprov.apps.unit.recovery.trust_chains import TrustChains, valid_chain
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.trust import built_in
from gprov.domain.trust.policy import TrustPolicy
from gprov.domain.trust.published import BUILT_IN_FOLDER, CHAIN, POLICY, SECURITY_VERSION
from gprov.domain.trust.ratchets import RatchetValues
from gprov.ports.files import Files
from gprov.ports.ratchets import Ratchets
from gprov.ports.signatures import SignatureVerifier


@dataclass(frozen=True, kw_only=True)
class ImageTrustPorts:
    """``verifier`` and ``ratchets`` (stores besides RECOVERY's file) are made when they are needed. ``folder``: with
    what the kernel was built with."""

    files: Files
    verifier: Callable[[], SignatureVerifier]
    ratchets: Callable[[], Iterable[Ratchets]]
    folder: str = BUILT_IN_FOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTrust:
    policy: TrustPolicy
    chains: TrustChains
    ratchets: AllRatchets
    verifier: SignatureVerifier


def read_known_trust(ports: ImageTrustPorts, context: UnitContext, *, has_recovery: bool) -> KnownTrust | None:
    """None: this kernel does not look for signatures, which is logged. ``has_recovery``: is RECOVERY mounted, so that
    a longer chain can be kept?"""
    files, bus, own_chain = ports.files, context.bus, f"{ports.folder}/{CHAIN}"
    has_keys = files.status(own_chain) is not None
    policy = _policy(f"{ports.folder}/{POLICY}", files, bus, has_keys=has_keys)
    if policy is TrustPolicy.OFF or (policy is TrustPolicy.WARN and not has_keys):
        reason = "its policy is off" if policy is TrustPolicy.OFF else "it has no keys"
        bus.log(f"this kernel does not look for signatures of images: {reason}")
        return None
    verifier = ports.verifier()
    own = RatchetValues(security_floor=_security_version(f"{ports.folder}/{SECURITY_VERSION}", files, bus))
    recovery = RecoveryRatchets(files, context.mount_points.recovery)
    ratchets = AllRatchets(recovery, ports.ratchets, own, bus)
    chain = valid_chain(own_chain, files, verifier, bus)
    chains = TrustChains(chain, files, verifier, ratchets, context, keeps=has_recovery)
    version = chains.believed.version if chains.believed is not None else 0
    bus.log(f"images: policy {policy}, trust version {version}, security floor {ratchets.values.security_floor}")
    return KnownTrust(policy=policy, chains=chains, ratchets=ratchets, verifier=verifier)


def _policy(path: str, files: Files, bus: EventBus, *, has_keys: bool) -> TrustPolicy:
    """A file that is damaged must not weaken anything."""
    try:
        if files.status(path) is None:
            return built_in.default_policy(has_keys=has_keys)
        return built_in.parse_policy(path, files.read(path, built_in.MAX_FILE))
    except (BadInput, DeviceFault) as error:
        bus.error(error)
        return TrustPolicy.ENFORCE


def _security_version(path: str, files: Files, bus: EventBus) -> int:
    try:
        if files.status(path) is None:
            return 0
        return built_in.parse_security_version(path, files.read(path, built_in.MAX_FILE))
    except (BadInput, DeviceFault) as error:
        bus.error(error)
        return 0

"""Which session may provision a unit, get its passwords and change its record. Pure.

A provisioning starts with a one-time token (``start_token``). The session that started it gets the passwords, and
leaves a secret of the unit on RECOVERY, of which the server knows the SHA-256. Later sessions prove themselves with it.
After a hand-out, another session may start

- with that secret: it is the same unit, after a power cut;
- after a person has reopened the unit;
- after the secret was shown once, since RECOVERY is overwritten then: the passwords are replaced.

In an isolated network without accounts (``strict`` is off) none of this is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gprov.domain.events import ProcessState
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.states import Flow, flow_of

NO_SESSION = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAccess:
    """``provisioner``: number of the session that started the provisioning. ``holder``: session that got the passwords
    last, since a person last reopened the unit. ``key``: SHA-256 (hex) of the secret that proves later sessions.
    ``next_key``: the same of the present provisioning, which counts once it has passwords. ``returned``: the holder has
    shown its secret in a later start, after which RECOVERY, and the secret on it, may be overwritten. ``unproven``:
    after that, a provisioning began without the secret; until a person reopens the unit, nothing shows that the machine
    with its serial number is the unit.
    ``open_until_ns``: UTC. ``concern``: why a person has to look at the unit, "" if there is no reason."""

    provisioner: int = NO_SESSION
    holder: int = NO_SESSION
    key: str = ""
    next_key: str = ""
    returned: bool = False
    unproven: bool = False
    sealed: bool = False
    open_until_ns: int = 0
    concern: str = ""

    def with_concern(self, concern: str) -> UnitAccess:
        """The first one stays until a person has looked."""
        return self if self.concern else replace(self, concern=concern)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """``proof``: SHA-256 of the secret that the unit found on RECOVERY, "" if it has not looked; ``lost``: it found
    none. ``key``: SHA-256 of the secret that it will leave there. ``peer``: its address."""

    session: int
    key: str
    proof: str = ""
    lost: bool = False
    peer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDecision:
    """``access``: as it is from now on, whatever was decided. ``rotate``: passwords that were handed out before are
    replaced."""

    access: UnitAccess
    refusal: Refusal | None = None
    rotate: bool = False


def decide_start(access: UnitAccess, request: StartRequest, now_ns: int) -> StartDecision:
    """Whether a session with a valid token may start a provisioning. The same again changes nothing."""
    if access.provisioner == request.session:
        return StartDecision(access=access)
    if access.sealed and now_ns > access.open_until_ns:
        return StartDecision(
            access=access.with_concern(f"a provisioned unit was to be provisioned again, from {request.peer}"),
            refusal=Refusal.SEALED,
        )
    started = replace(access, provisioner=request.session, next_key=request.key)
    if access.holder == NO_SESSION:
        return StartDecision(access=started)
    if _is_on_recovery(access, request.proof):
        # RECOVERY has this secret until the new provisioning writes its own there, of which the digest is next_key.
        return StartDecision(access=replace(started, key=request.proof, returned=True))
    if not request.proof and not request.lost:
        return StartDecision(access=access, refusal=Refusal.PROOF_NEEDED)
    if access.returned:
        # Who has got the passwords has shown that it is the unit; nothing else proves that this is the same one.
        replaced = replace(started, holder=NO_SESSION, returned=False, unproven=True)
        concern = f"provisioned again without the unit's secret, from {request.peer}; passwords were replaced"
        return StartDecision(access=replaced.with_concern(concern), rotate=True)
    concern = f"another session wanted to provision it after its passwords were handed out, from {request.peer}"
    return StartDecision(access=access.with_concern(concern), refusal=Refusal.HANDED_OUT)


def _is_on_recovery(access: UnitAccess, proof: str) -> bool:
    """Whether the unit can have found this secret. While ``returned``, RECOVERY has the one of the holder, or already
    that of the present provisioning, which began with a proof; a second power cut leaves either."""
    return bool(proof) and (proof == access.key or (access.returned and proof == access.next_key))


def handed_out(access: UnitAccess, session: int) -> UnitAccess:
    """After passwords were given to the session that provisions the unit."""
    return replace(access, holder=session, key=access.next_key, returned=False)


def may_have_passwords(access: UnitAccess, session: int) -> bool:
    """Besides the rules of ``credential_policy``."""
    return access.provisioner == session


def may_have_replaced(access: UnitAccess) -> bool:
    """Whether the session that gets the passwords is told the replaced ones as well, which the unit may still have."""
    return not access.unproven


def may_describe(access: UnitAccess, session: int) -> bool:
    """Whether a session may state platform and MACs of a unit, and deliver its documents: while it provisions it."""
    return access.provisioner == session


def may_report(access: UnitAccess, session: int, proven: bool, state: ProcessState) -> bool:
    """Whether a report changes the unit's state. ``proven``: the session has shown the unit's secret."""
    provisions = access.provisioner == session
    match flow_of(state):
        case Flow.MFG:
            others = access.holder not in (NO_SESSION, session)
            return provisions and not (state is ProcessState.MFG_SUCCEEDED and others)
        case Flow.FR | Flow.INIT:
            return proven
        case None:
            return provisions or proven


def is_proof(access: UnitAccess, proof: str) -> bool:
    """``proof``: SHA-256 of the secret that a later session has shown."""
    return bool(access.key) and proof == access.key


def reopened(access: UnitAccess, until_ns: int) -> UnitAccess:
    """After a person allowed one more provisioning. Nothing of the earlier one counts any longer."""
    return UnitAccess(sealed=access.sealed, open_until_ns=until_ns)


def looked_at(access: UnitAccess) -> UnitAccess:
    return replace(access, concern="")

"""Which sessions of units may begin a provisioning, and which have proven that they are a unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from gprov.apps.server.access import start_tokens
from gprov.apps.server.secrets.audit_trail import AuditTrail
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.rows import Origin, note, origin_of
from gprov.apps.server.store.statements import upsert
from gprov.apps.server.store.tables import rotations, states
from gprov.apps.server.store.unit_rows import access_of, save_access, set_proven
from gprov.domain.errors import BadInput, Problem, RefusedByPolicy
from gprov.domain.events import ProcessState
from gprov.domain.factory.audit import Actor, AuditAction, RefusalBudget
from gprov.domain.factory.password_rule import PasswordKind
from gprov.domain.factory.replies import Refusal
from gprov.domain.factory.requests import ProvisioningStart, RunsRequest, SessionProof
from gprov.domain.factory.run_history import unfinished_runs
from gprov.domain.factory.start_token import TOKEN_BYTES, digest_of, token_refusal
from gprov.domain.factory.states import Verdict
from gprov.domain.factory.syntax import MAX_SERIAL, is_serial
from gprov.domain.factory.unit_access import StartDecision, StartRequest, decide_start, is_proof
from gprov.domain.unit.credentials import Secret
from gprov.ports.clock import Randomness

# Entries of the audit trail that anyone on the network can cause: so many in an hour.
_MOST, _PERIOD_NS = 1000, 3600 * 10**9


class StartRefused(RefusedByPolicy):
    """A session may not begin a provisioning, or has not proven that it is the unit."""

    def __init__(self, serial: str, why: Refusal) -> None:
        super().__init__(f"{serial}: {why.sentence}")
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """``strict``: units need tokens. ``token_ns``: how long the token of an iPXE script can be used; ``in_scripts``:
    whether scripts have one."""

    strict: bool
    token_ns: int
    in_scripts: bool = True


class UnitGate:
    """``now``: the server's clock, UTC, ns."""

    def __init__(
        self,
        database: Database,
        trail: AuditTrail,
        randomness: Randomness,
        now: Callable[[], int],
        rules: GateRules,
    ) -> None:
        self._database = database
        self._trail = trail
        self._randomness = randomness
        self._now = now
        self._rules = rules
        self._refusals = RefusalBudget(_MOST, _PERIOD_NS)
        self._issues = RefusalBudget(_MOST, _PERIOD_NS)

    def token_for_script(self, serials: Iterable[str], peer: str) -> Secret | None:
        """A token for the iPXE script of the machine that has one of these serial numbers. None: it needs none, or gets
        none. ``peer``: its address."""
        named = sorted(set(filter(is_serial, serials)))
        if not (self._rules.strict and self._rules.in_scripts and named):
            return None
        actor = Actor(f"machine at {peer}")
        return self._issue(named, actor, self._rules.token_ns, 1, self._issues)

    def issue(self, serial: str, actor: Actor, lifetime_ns: int, uses: int = 1) -> Secret:
        """A token that a person asked for. Raises BadInput for what is no serial number."""
        if not is_serial(serial.strip()):
            raise BadInput("serial", [Problem("", f"must be 1 to {MAX_SERIAL} printable ASCII characters")])
        return self._issue([serial.strip()], actor, lifetime_ns, uses, None)

    def _issue(
        self, serials: list[str], actor: Actor, lifetime_ns: int, uses: int, budget: RefusalBudget | None
    ) -> Secret:
        token, now_ns = Secret(self._randomness.token(TOKEN_BYTES).hex()), self._now()
        new = start_tokens.NewToken(
            digest=digest_of(token),
            serials=serials,
            issued_ns=now_ns,
            expires_ns=now_ns + lifetime_ns,
            uses=uses,
            issued_by=actor.who,
        )
        with self._database.write() as db:
            start_tokens.add(db, new)
            skipped = 0 if budget is None else budget.take(now_ns)
            if skipped is not None:
                more = f"; before it {skipped} that are not recorded here" if skipped else ""
                sessions = f" and {uses} sessions" if uses > 1 else ""
                lasts = f"for {lifetime_ns / 60e9:g} min{sessions}"
                detail = f"for {' or '.join(serials)}, {lasts}{more}"
                self._trail.append(db, AuditAction.INVITED, serials[0], actor, detail)
        return token

    def start(self, request: ProvisioningStart, peer: str) -> None:
        """The session begins a provisioning. ``peer``: its address. Raises StartRefused."""
        serial = request.sender.serial
        with self._database.write() as db:
            origin = origin_of(db, request.sender, self._now())
            why = self._start(db, origin, request, peer)
        if why is not None:
            raise StartRefused(serial, why)

    def _start(self, db: Connection, origin: Origin, request: ProvisioningStart, peer: str) -> Refusal | None:
        serial = request.sender.serial
        access = access_of(db, origin.unit)
        wanted = StartRequest(
            session=origin.session,
            key=request.key,
            proof=digest_of(request.secret) if request.secret is not None else "",
            lost=request.lost,
            peer=peer,
        )
        if not self._rules.strict:
            # What later, with accounts, proves the unit.
            save_access(db, origin.unit, replace(access, provisioner=wanted.session, next_key=wanted.key))
            return None
        if access.provisioner == origin.session:
            return None  # the same again, maybe hours later: its token has expired and is removed
        known = None if request.token is None else start_tokens.find(db, digest_of(request.token), origin.session)
        why = token_refusal(known.token if known is not None else None, serial, origin.now_ns)
        if request.token is None and why is Refusal.START_UNKNOWN:
            why = Refusal.START_MISSING
        if why is None:
            decision = decide_start(access, wanted, origin.now_ns)
            why = decision.refusal
            save_access(db, origin.unit, decision.access)
            if why is None and known is not None:
                start_tokens.use(db, known, origin.session)
                self._note_start(db, origin, decision, peer)
        elif access.holder and why is not Refusal.START_EXPIRED:
            concern = f"a start was refused after its passwords were handed out, from {peer}: {why.value}"
            save_access(db, origin.unit, access.with_concern(concern))
        if why is not None and why is not Refusal.PROOF_NEEDED:
            self._record_refusal(db, origin, serial, peer, why)
        return why

    def _note_start(self, db: Connection, origin: Origin, decision: StartDecision, peer: str) -> None:
        how = ", with the unit's secret of an earlier provisioning" if decision.access.returned else ""
        note(db, origin, f"provisioning begins, from {peer}{how}")
        if decision.rotate:
            for kind in PasswordKind:
                due = upsert(db, rotations).values(unit=origin.unit, kind=kind.value)
                db.execute(due.on_conflict_do_nothing())
            note(db, origin, "the passwords that were handed out before are replaced")

    def prove(self, proof: SessionProof, peer: str) -> None:
        """The later session is the unit's. Raises StartRefused; its reports are recorded then, and change nothing."""
        with self._database.write() as db:
            origin = origin_of(db, proof.sender, self._now())
            valid = is_proof(access_of(db, origin.unit), digest_of(proof.secret))
            if valid:
                set_proven(db, origin)
            else:
                self._record_refusal(db, origin, proof.sender.serial, peer, Refusal.NOT_PROVEN)
        if not valid and self._rules.strict:
            raise StartRefused(proof.sender.serial, Refusal.NOT_PROVEN)

    def runs(self, request: RunsRequest) -> int:
        """How many provisionings in a row began and did not end. 0 for a unit that is not known."""
        with self._database.write() as db:
            origin = origin_of(db, request.sender, self._now())
            applied = (states.c.unit == origin.unit, states.c.verdict == Verdict.APPLIED.value)
            rows = db.execute(select(states.c.state, states.c.session).where(*applied).order_by(states.c.id.desc()))
            return unfinished_runs((ProcessState(row.state), row.session) for row in rows)

    def _record_refusal(self, db: Connection, origin: Origin, serial: str, peer: str, why: Refusal) -> None:
        note(db, origin, f"refused to {peer}: {why.sentence}")
        skipped = self._refusals.take(origin.now_ns)
        if skipped is not None:
            more = f" (before it {skipped} refusals that are not recorded here)" if skipped else ""
            self._trail.append(db, AuditAction.REFUSED, serial, Actor(f"unit at {peer}"), f"{why.sentence}{more}")

"""A simulated factory server, which keeps what is reported."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from typing_extensions import override

from gprov.domain.erase.certificate import FIRST_LINK, Issuer, issue, next_link, sha256_of
from gprov.domain.erase.report_text import parse_report
from gprov.domain.erase.signed import SignedCertificate
from gprov.domain.errors import NetworkFault
from gprov.domain.events import Event, ProcessState
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.factory.replies import FactoryRefused, Refusal
from gprov.domain.factory.start_token import MINUTE_NS, IssuedToken, digest_of, token_refusal
from gprov.domain.factory.unit_access import (
    StartRequest,
    UnitAccess,
    decide_start,
    handed_out,
    is_proof,
    may_describe,
    may_have_passwords,
    may_report,
    reopened,
)
from gprov.domain.platform.unidentified import is_unidentified
from gprov.domain.unit.credentials import Credentials, EarlierPassword, Secret
from gprov.ports.factory import (
    CredentialStore,
    DocumentStore,
    ErasureRegistry,
    RunHistory,
    SessionAccess,
    Start,
    Telemetry,
    TimeSource,
)

_URL = "http://factory.invalid"


@dataclass(kw_only=True)
class FakeFactory(SessionAccess, Telemetry, TimeSource, DocumentStore, CredentialStore, ErasureRegistry, RunHistory):
    """Records all reports; ``down`` makes every call fail, ``deaf`` those that report events and states.
    ``documents``: QA documents by name; ``reports``: all other documents by serial number and kind; ``serials``: of the
    units that reported events or states; ``handed_out``: serial number and endpoint of each request for passwords;
    ``erasures``: erase certificates by report, in the order of their chain, with signatures of no key;
    ``replaced_bios``: passwords that units had before, newest first.

    ``strict``: as a server with accounts, which asks for one-time tokens; ``session``: number of the present start of a
    unit; ``access`` and ``proven``: what is known of units and of this session; ``tokens``: by SHA-256; ``ignored``:
    states of sessions that may not report them; ``generation``: of a unit's passwords."""

    down: bool = False
    deaf: bool = False
    clock_ns: int = 1_750_000_000_000_000_000
    received: list[Event] = field(default_factory=list)
    states: list[ProcessState] = field(default_factory=list)
    code_names: dict[str, str] = field(default_factory=dict)
    reported_macs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    erasures: dict[bytes, SignedCertificate] = field(default_factory=dict)
    reports: dict[tuple[str, DocumentKind], str] = field(default_factory=dict)
    serials: set[str] = field(default_factory=set)
    handed_out: list[tuple[str, str]] = field(default_factory=list)
    replaced_bios: tuple[str, ...] = ()
    strict: bool = False
    session: int = 1
    proven: bool = False
    access: dict[str, UnitAccess] = field(default_factory=dict)
    tokens: dict[str, IssuedToken] = field(default_factory=dict)
    ignored: list[ProcessState] = field(default_factory=list)
    generation: dict[str, int] = field(default_factory=dict)

    def new_session(self) -> None:
        self.session += 1
        self.proven = False

    def issue_token(self, serial: str) -> str:
        """A token for one start, as the iPXE script of this machine has it."""
        token = Secret(f"{len(self.tokens):032x}")
        expires_ns = self.clock_ns + 60 * MINUTE_NS
        self.tokens[digest_of(token)] = IssuedToken(serials=frozenset([serial]), expires_ns=expires_ns, uses_left=1)
        return token.reveal()

    def reopen(self, serial: str) -> None:
        """As a person does."""
        self.access[serial] = reopened(self.access.get(serial, UnitAccess()), self.clock_ns + 24 * 60 * MINUTE_NS)

    def __deepcopy__(self, memo: dict[int, object]) -> FakeFactory:
        """Copies the containers; their values are immutable."""
        return FakeFactory(
            down=self.down,
            deaf=self.deaf,
            clock_ns=self.clock_ns,
            received=list(self.received),
            states=list(self.states),
            code_names=dict(self.code_names),
            reported_macs=dict(self.reported_macs),
            documents=dict(self.documents),
            erasures=dict(self.erasures),
            reports=dict(self.reports),
            serials=set(self.serials),
            handed_out=list(self.handed_out),
            replaced_bios=self.replaced_bios,
            strict=self.strict,
            session=self.session,
            proven=self.proven,
            access=dict(self.access),
            tokens=dict(self.tokens),
            ignored=list(self.ignored),
            generation=dict(self.generation),
        )

    @override
    def start(self, serial: str, start: Start) -> None:
        self._require_up()
        if not self.strict:
            return
        if start.token is None:
            raise self._refused(Refusal.START_MISSING)
        token = self.tokens.get(digest_of(start.token))
        refusal = token_refusal(token, serial, self.clock_ns)
        if token is None or refusal is not None:
            raise self._refused(refusal or Refusal.START_UNKNOWN)
        proof = digest_of(start.secret) if start.secret is not None else ""
        request = StartRequest(session=self.session, key=start.key, proof=proof, lost=start.lost, peer="simulation")
        decision = decide_start(self._access(serial), request, self.clock_ns)
        self.access[serial] = decision.access
        if decision.refusal is not None:
            raise self._refused(decision.refusal)
        if decision.rotate:
            self.generation[serial] = self.generation.get(serial, 0) + 1
        self.tokens[digest_of(start.token)] = replace(token, uses_left=token.uses_left - 1)

    @override
    def prove(self, serial: str, secret: Secret) -> None:
        self.proven = is_proof(self._access(serial), digest_of(secret))

    @override
    def events(self, serial: str, events: Sequence[Event]) -> None:
        self._require_up()
        self._require_ears()
        self.serials.add(serial)
        self.received.extend(events)

    @override
    def state(self, serial: str, state: ProcessState) -> None:
        self._require_up()
        self._require_ears()
        self.serials.add(serial)
        access = self._access(serial)
        if self.strict and not may_report(access, self.session, self.proven, state):
            self.ignored.append(state)
            return
        self.states.append(state)
        if state is ProcessState.MFG_SUCCEEDED:
            self.access[serial] = replace(access, sealed=True, open_until_ns=0)

    @override
    def code_name(self, serial: str, code_name: str) -> None:
        self._require_up()
        self._require_provisioner(serial)
        self.code_names[serial] = code_name

    @override
    def macs(self, serial: str, nics: Mapping[str, str], bmc: Sequence[str]) -> None:
        self._require_up()
        self._require_provisioner(serial)
        self.reported_macs[serial] = (*nics.values(), *bmc)

    @override
    def document(self, serial: str, name: str, content: str, kind: DocumentKind = DocumentKind.QA) -> None:
        self._require_up()
        self._require_provisioner(serial)
        if kind is DocumentKind.QA:
            self.documents[name] = content
        else:
            self.reports[serial, kind] = content

    @override
    def register(self, report: bytes) -> SignedCertificate:
        parse_report(report)
        self._require_up()
        if report not in self.erasures:
            last = next(reversed(self.erasures.values()), None)
            link = next_link(len(self.erasures), last.certificate) if last else FIRST_LINK
            certificate = issue(report, Issuer("simulated factory", sha256_of(b"no key")), link, self.clock_ns)
            self.erasures[report] = SignedCertificate(certificate, hashlib.sha512(certificate).digest())
        return self.erasures[report]

    @override
    def time_ns(self) -> int:
        self._require_up()
        return self.clock_ns

    @override
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        self._require_up()
        if self.strict and not may_have_passwords(self._access(serial), self.session):
            raise self._refused(Refusal.OTHER_SESSION)
        self.access[serial] = handed_out(self._access(serial), self.session)
        self.handed_out.append((serial, endpoint))
        earlier = tuple(EarlierPassword(Secret(text)) for text in self.replaced_bios)
        return Credentials(Secret(f"os-{serial}"), Secret(f"bios-{serial}"), Secret(f"ipmi-{serial}"), earlier)

    @override
    def unfinished_runs(self, serial: str) -> int:
        self._require_up()
        return sum(1 for _ in takewhile(lambda state: state is ProcessState.MFG_STARTED, reversed(self.states)))

    def _access(self, serial: str) -> UnitAccess:
        return self.access.get(serial, UnitAccess())

    def _require_provisioner(self, serial: str) -> None:
        if self.strict and not is_unidentified(serial) and not may_describe(self._access(serial), self.session):
            raise FactoryRefused(_URL, 409, "this session does not provision the unit")

    def _refused(self, why: Refusal) -> FactoryRefused:
        return FactoryRefused(_URL, 403, why.sentence, why)

    def _require_up(self) -> None:
        if self.down:
            raise NetworkFault(_URL, "no connection in time")

    def _require_ears(self) -> None:
        if self.deaf:
            raise NetworkFault(_URL, "status 500")

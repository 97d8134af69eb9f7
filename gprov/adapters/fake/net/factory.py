"""A simulated factory server, which keeps what is reported."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from typing_extensions import override

from gprov.domain.erase.certificate import FIRST_LINK, Issuer, issue, next_link, sha256_of
from gprov.domain.erase.report_text import parse_report
from gprov.domain.erase.signed import SignedCertificate
from gprov.domain.errors import NetworkFault
from gprov.domain.events import Event, ProcessState
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.unit.credentials import Credentials, EarlierPassword, Secret
from gprov.ports.factory import CredentialStore, DocumentStore, ErasureRegistry, RunHistory, Telemetry, TimeSource


@dataclass(kw_only=True)
class FakeFactory(Telemetry, TimeSource, DocumentStore, CredentialStore, ErasureRegistry, RunHistory):
    """Records all reports; ``down`` makes every call fail, ``deaf`` those that report events and states.
    ``documents``: QA documents by name; ``reports``: all other documents by serial number and kind; ``serials``: of the
    units that reported events or states; ``handed_out``: serial number and endpoint of each request for passwords;
    ``erasures``: erase certificates by report, in the order of their chain, with signatures of no key;
    ``replaced_bios``: passwords that units had before, newest first."""

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
        )

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
        self.states.append(state)

    @override
    def code_name(self, serial: str, code_name: str) -> None:
        self._require_up()
        self.code_names[serial] = code_name

    @override
    def macs(self, serial: str, nics: Mapping[str, str], bmc: Sequence[str]) -> None:
        self._require_up()
        self.reported_macs[serial] = (*nics.values(), *bmc)

    @override
    def document(self, serial: str, name: str, content: str, kind: DocumentKind = DocumentKind.QA) -> None:
        self._require_up()
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
        self.handed_out.append((serial, endpoint))
        earlier = tuple(EarlierPassword(Secret(text)) for text in self.replaced_bios)
        return Credentials(Secret(f"os-{serial}"), Secret(f"bios-{serial}"), Secret(f"ipmi-{serial}"), earlier)

    @override
    def unfinished_runs(self, serial: str) -> int:
        self._require_up()
        return sum(1 for _ in takewhile(lambda state: state is ProcessState.MFG_STARTED, reversed(self.states)))

    def _require_up(self) -> None:
        if self.down:
            raise NetworkFault("http://factory.invalid", "no answer")

    def _require_ears(self) -> None:
        if self.deaf:
            raise NetworkFault("http://factory.invalid", "status 500")

"""The registry of erase reports: certificates in one chain, signed with the server's own key.

The link to the certificate before is read, and the new one is stored, in one transaction: no two certificates have the
same sequence or predecessor.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Connection, insert, select, update
from typing_extensions import Doc

from gprov.adapters.linux.files.certificate_folder import write_signed
from gprov.apps.server.store.database import Database
from gprov.apps.server.store.rows import establish, note, origin_of
from gprov.apps.server.store.statements import AnyRow
from gprov.apps.server.store.tables import erasures, units
from gprov.domain.erase.certificate import FIRST_LINK, Issuer, Link, issue, next_link, sha256_of
from gprov.domain.erase.report import ErasureReport, OverallVerdict
from gprov.domain.erase.report_text import parse_report
from gprov.domain.erase.signed import SignedCertificate, certificate_file
from gprov.domain.errors import BadInput, DeviceFault, Problem
from gprov.domain.factory.requests import ErasureRegistration
from gprov.ports.files import Files
from gprov.ports.signing import Signer

_WRITING = 2
_SIGNED = select(erasures.c.sequence, erasures.c.key_id, erasures.c.certificate, erasures.c.signature)
_NEWEST = _SIGNED.order_by(erasures.c.sequence.desc()).limit(1)
KEY_FILE = os.path.join("store", "erase-key.pem")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureEntry:
    sequence: int
    issued_ns: Annotated[int, Doc("UTC, nanoseconds since 1970, by the server's clock")]
    verdict: OverallVerdict
    sha256: Annotated[str, Doc("Of the certificate's file")]
    file: Annotated[str, Doc("Its name in the certificates folder, and below /erasure/")]


@dataclass(frozen=True, slots=True)
class ErasureList:
    erasures: Annotated[tuple[ErasureEntry, ...], Doc("Newest first")]


class Erasures:
    """``now``: the server's clock, UTC, ns. ``name``: of the issuer. ``folder``: the server's data folder."""

    def __init__(
        self, database: Database, files: Files, signer: Signer, name: str, now: Callable[[], int], folder: str
    ) -> None:
        self._database = database
        self._files = files
        self._signer = signer
        self._issuer = Issuer(name, signer.public.key_id)
        self._now = now
        self._folder = folder
        self._lock = threading.Lock()

    def register(self, request: ErasureRegistration) -> SignedCertificate:
        """Durably stored when this returns. The same report again gives the same certificate. Raises BadInput; and
        DeviceFault if the chain was signed with another key."""
        report = request.report.encode()
        parsed = parse_report(report)
        if parsed.unit.serial != request.sender.serial:
            stated = f"is {parsed.unit.serial!r}, and the sender is {request.sender.serial!r}"
            raise BadInput(request.what, [Problem("$.report unit.serial", stated)])
        with self._database.write() as db:
            known = db.execute(_SIGNED.where(erasures.c.report_sha256 == sha256_of(report))).first()
            return _signed(known) if known else self._append(db, request, report, parsed)

    def _append(
        self, db: Connection, request: ErasureRegistration, report: bytes, parsed: ErasureReport
    ) -> SignedCertificate:
        origin = origin_of(db, request.sender, self._now())
        link = self._next_link(db)
        certificate = issue(report, self._issuer, link, origin.now_ns)
        signed = SignedCertificate(certificate, self._signer.sign(certificate))
        db.execute(
            insert(erasures).values(
                sequence=link.sequence,
                unit=origin.unit,
                report_sha256=sha256_of(report),
                key_id=self._issuer.key_id,
                certificate=signed.certificate,
                signature=signed.signature,
                verdict=parsed.verdict.value,
                issued_ns=origin.now_ns,
            )
        )
        establish(db, origin.unit)
        note(db, origin, f"erase certificate {link.sequence} issued: {parsed.verdict.value}")
        return signed

    def _next_link(self, db: Connection) -> Link:
        last = db.execute(_NEWEST).first()
        if last is None:
            return FIRST_LINK
        if last.key_id != self._issuer.key_id:
            raise DeviceFault(
                os.path.join(self._folder, KEY_FILE),
                f"is not the key of erase certificate {last.sequence}: restore that key from a backup",
            )
        return next_link(last.sequence, last.certificate)

    def certificate(self, sequence: int) -> SignedCertificate | None:
        with self._database.read() as db:
            row = db.execute(_SIGNED.where(erasures.c.sequence == sequence)).first()
        return _signed(row) if row else None

    def of_unit(self, serial: str) -> tuple[ErasureEntry, ...]:
        """Newest first; empty also if there is no such unit."""
        of_unit = select(erasures).join(units, units.c.id == erasures.c.unit).where(units.c.serial == serial)
        with self._database.read() as db:
            rows = db.execute(of_unit.order_by(erasures.c.sequence.desc())).all()
        return tuple(
            ErasureEntry(
                sequence=row.sequence,
                issued_ns=row.issued_ns,
                verdict=OverallVerdict(row.verdict),
                sha256=sha256_of(row.certificate),
                file=certificate_file(row.sequence),
            )
            for row in rows
        )

    def write_due(self) -> int:
        """Write certificates to the folder from which the factory takes them, in their order, and return how many. What
        could not be written stays due. Raises DeviceFault."""
        written = 0
        if self._due() is None:
            return 0
        with self._lock, self._database.alone(_WRITING):
            while (row := self._due()) is not None:
                path = os.path.join(self._folder, "certificates", certificate_file(row.sequence))
                write_signed(self._files, path, _signed(row))
                with self._database.write() as db:
                    db.execute(update(erasures).where(erasures.c.sequence == row.sequence).values(written=True))
                written += 1
        return written

    def _due(self) -> AnyRow | None:
        due = _SIGNED.where(~erasures.c.written).order_by(erasures.c.sequence).limit(1)
        with self._database.read() as db:
            return db.execute(due).first()


def _signed(row: AnyRow) -> SignedCertificate:
    return SignedCertificate(row.certificate, row.signature)

"""A folder with the certificates of one issuer: ``erasure-00000001.json``, ``erasure-00000001.json.sig``, …"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from typing_extensions import override

from gprov.domain.erase.certificate import (
    FIRST_LINK,
    MAX_CERTIFICATE,
    Issuer,
    Link,
    issue,
    next_link,
    parse_certificate,
    sha256_of,
)
from gprov.domain.erase.certificate_chain import check_chain
from gprov.domain.erase.document_format import refuse_report
from gprov.domain.erase.report_text import parse_report
from gprov.domain.erase.signed import SIGNATURE_SIZE, SIGNATURE_SUFFIX, SignedCertificate, certificate_file
from gprov.domain.errors import BadInput, DeviceFault
from gprov.domain.formats.owner import Owner
from gprov.ports.factory import ErasureRegistry
from gprov.ports.files import Files
from gprov.ports.signing import Signer

_CERTIFICATE = ".json"
_LOCK = ".lock"


def read_signed(files: Files, path: str) -> SignedCertificate:
    """Raises DeviceMissing (also without its signature), DeviceFault, BadInput (is a report)."""
    certificate = files.read(path, MAX_CERTIFICATE)
    refuse_report(path, certificate)
    return SignedCertificate(certificate, files.read(path + SIGNATURE_SUFFIX, 4 * SIGNATURE_SIZE))


def write_signed(files: Files, path: str, signed: SignedCertificate) -> None:
    """The signature first: a certificate that is there has one. Raises DeviceFault."""
    owner = Owner(os.geteuid(), os.getegid())
    files.replace(path + SIGNATURE_SUFFIX, signed.signature, owner=owner)
    files.replace(path, signed.certificate, owner=owner)


def read_chain(files: Files, folder: str) -> dict[str, SignedCertificate]:
    """Certificates by file name. Raises DeviceMissing (also if a signature is missing), DeviceFault, BadInput (one is a
    report)."""
    names = [name for name in files.names(folder) if name.endswith(_CERTIFICATE) and not name.startswith(".")]
    return {name: read_signed(files, os.path.join(folder, name)) for name in names}


class FolderRegistry(ErasureRegistry):
    """A chain in a folder of a bench machine. Several programs may use it at once. ``now``: UTC, ns."""

    def __init__(self, files: Files, folder: str, signer: Signer, issuer: str, now: Callable[[], int]) -> None:
        self._files = files
        self._folder = folder
        self._signer = signer
        self._issuer = Issuer(issuer, signer.public.key_id)
        self._now = now

    @override
    def register(self, report: bytes) -> SignedCertificate:
        """Raises BadInput also if the chain in the folder is not valid, or is that of another key."""
        parse_report(report)
        with self._locked():
            chain = read_chain(self._files, self._folder)
            problems = check_chain(chain, self._signer.public) if chain else ()
            if problems:
                raise BadInput(f"chain in {self._folder}", problems)
            link = FIRST_LINK
            for signed in chain.values():
                known = parse_certificate(signed.certificate)
                if known.report_sha256 == sha256_of(report):
                    return signed
                if known.chain.sequence >= link.sequence:
                    link = next_link(known.chain.sequence, signed.certificate)
            return self._append(report, link)

    def _append(self, report: bytes, link: Link) -> SignedCertificate:
        certificate = issue(report, self._issuer, link, self._now())
        signed = SignedCertificate(certificate, self._signer.sign(certificate))
        write_signed(self._files, os.path.join(self._folder, certificate_file(link.sequence)), signed)
        return signed

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._files.make_folder(self._folder, owner=Owner(os.geteuid(), os.getegid()))
        path = os.path.join(self._folder, _LOCK)
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as exc:
            raise DeviceFault(path, f"cannot be made: {exc.strerror}", errno=exc.errno) from exc
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

"""Actions of ``gprov erase`` on certificates: check them, write their pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from gprov.apps.host.cli.erase_certify import certify
from gprov.apps.host.cli.erase_option_results import option_lines, option_rows
from gprov.apps.host.cli.options import Json
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.userfile import read_user_file
from gprov.domain.erase.certificate import MAX_CERTIFICATE, ErasureCertificate, sha256_of
from gprov.domain.erase.certificate_chain import Checked, check_chain, check_one, link_problem
from gprov.domain.erase.certificate_page import certificate_page
from gprov.domain.erase.document_format import refuse_report
from gprov.domain.erase.report_fields import rfc3339
from gprov.domain.erase.signed import SIGNATURE_SIZE, SIGNATURE_SUFFIX, SignedCertificate
from gprov.domain.errors import BadInput, ExitCode, Problem
from gprov.domain.formats.json.value import Json as JsonValue
from gprov.domain.formats.owner import Owner

if TYPE_CHECKING:  # loaded only by the actions that need them
    from gprov.ports.signing import PublicKey

File = Annotated[str, typer.Argument(metavar="FILE", help="a certificate; FILE.sig has its signature")]
Key = Annotated[str, typer.Option("--key", metavar="PEM", help="public key of the issuer, from the issuer")]


def attach(app: typer.Typer) -> None:
    app.command("verify-certificate")(verify_certificate)
    app.command("certificate-page")(write_page)
    app.command("certify")(certify)


def verify_certificate(
    file: File,
    key: Key,
    previous: Annotated[
        str | None, typer.Option(metavar="FILE", help="certificate before; its signature is checked as well")
    ] = None,
    chain: Annotated[
        str | None, typer.Option(metavar="DIR", help="all certificates of the issuer; each of them is checked")
    ] = None,
    as_json: Json = False,
) -> int:
    """Check signature, form and chain. Exit status 1 if any of it is wrong."""
    if previous is not None and chain is not None:
        raise typer.BadParameter("give at most one of the two", param_hint="'--previous' / '--chain'")
    pinned, signed = _pinned(key), _signed(file)
    checked = check_one(file, signed, pinned)
    problems = list(checked.problems)
    if previous is not None:
        problems += _previous_problems(file, checked.certificate, previous, pinned)
    if chain is not None:
        problems += _chain_problems(file, signed, chain, pinned)
    if as_json:
        document(_document(file, signed, checked, problems))
    elif problems:
        for problem in problems:
            say(str(problem))
        say(f"{file}: not valid, {len(problems)} problem(s)", err=True, colour="red")
    elif checked.certificate is not None:
        for line in _lines(file, checked.certificate):
            say(line)
    return ExitCode.NEGATIVE if problems else ExitCode.DONE


def write_page(
    file: File,
    key: Key,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="where the HTML page goes")],
    as_json: Json = False,
) -> int:
    """Write the printable page of a certificate, if its signature is valid."""
    from gprov.adapters.linux.files.files import LinuxFiles

    signed = _signed(file)
    problems = check_one(file, signed, _pinned(key)).problems
    if problems:
        raise BadInput("no page is written", problems)
    LinuxFiles().replace(
        os.path.abspath(output), certificate_page(signed.certificate).encode(), owner=Owner(os.geteuid(), os.getegid())
    )
    if as_json:
        document({"path": output})
    else:
        say(f"{output}: page of {file}")
    return ExitCode.DONE


def _pinned(path: str) -> PublicKey:
    """Raises DeviceMissing, DeviceFault, and wrong usage if it is no public key."""
    from gprov.adapters.linux.system.ed25519 import public_key

    try:
        return public_key(path, read_user_file(path, 1 << 16))
    except BadInput as error:
        raise typer.BadParameter(str(error), param_hint="'--key'") from error


def _signed(path: str) -> SignedCertificate:
    certificate = read_user_file(path, MAX_CERTIFICATE)
    refuse_report(path, certificate)
    return SignedCertificate(certificate, read_user_file(path + SIGNATURE_SUFFIX, 4 * SIGNATURE_SIZE))


def _previous_problems(
    file: str, certificate: ErasureCertificate | None, previous: str, key: PublicKey
) -> Iterator[Problem]:
    signed = _signed(previous)
    before = check_one(previous, signed, key)
    yield from before.problems
    if certificate is not None and before.certificate is not None:
        problem = link_problem(certificate, before.certificate, signed.certificate)
        if problem:
            yield Problem(file, f"{problem} ({previous})")


def _chain_problems(file: str, signed: SignedCertificate, folder: str, key: PublicKey) -> Iterator[Problem]:
    from gprov.adapters.linux.files.certificate_folder import read_chain
    from gprov.adapters.linux.files.files import LinuxFiles

    files = read_chain(LinuxFiles(), os.path.abspath(folder))
    yield from check_chain(files, key)
    if all(one.certificate != signed.certificate for one in files.values()):
        yield Problem(file, f"is not in the chain in {folder}")


def _document(file: str, signed: SignedCertificate, checked: Checked, problems: list[Problem]) -> JsonValue:
    certificate = None if problems else checked.certificate
    return {
        "file": file,
        "valid": not problems,
        "problems": [{"place": problem.place, "message": problem.message} for problem in problems],
        "sha256": sha256_of(signed.certificate),
        "sequence": certificate.chain.sequence if certificate else None,
        "issuer": certificate.issuer.name if certificate else None,
        "key_id": certificate.issuer.key_id if certificate else None,
        "issued": rfc3339(certificate.issued) if certificate else None,
        "serial": certificate.report.unit.serial if certificate else None,
        "requested": certificate.report.requested.value if certificate else None,
        "achieved": certificate.report.achieved.value if certificate else None,
        "verdict": certificate.report.verdict.value if certificate else None,
        "options": option_rows(certificate.report.options) if certificate else [],
    }


def _lines(file: str, certificate: ErasureCertificate) -> Iterator[str]:
    report = certificate.report
    issued = f"number {certificate.chain.sequence} of {certificate.issuer.name}, {rfc3339(certificate.issued)}"
    yield f"{file}: valid; {issued}"
    levels = f"level {report.requested.value} requested, {report.achieved.value} achieved"
    yield f"machine {report.unit.serial or 'without serial number'}: {report.verdict.value}; {levels}"
    for entry in report.disks:
        method = entry.verification.method.value
        result = f"{entry.verdict.value}, {entry.achieved.value} by {entry.technique_text or 'nothing'}"
        yield f"  {entry.disk.describe()}: {result}; verification: {method}"
    yield from (f"  {line}" for line in option_lines(report.options))

"""``gprov kernel``: facts of a kernel file, who signed it, and which of two is newer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from gprov.apps.host.cli.options import Json, new_app
from gprov.apps.host.cli.output import document, say
from gprov.apps.host.cli.userfile import read_start, read_user_file
from gprov.domain.boot.secure_boot import KeyDatabases, refusal
from gprov.domain.errors import BadInput, ExitCode, Problem
from gprov.domain.formats.bzimage import Comparison, KernelFacts, newest, parse_bzimage
from gprov.domain.formats.efi.signature_list import EntryKind, SignatureEntry
from gprov.domain.formats.pe import parse_pe, signatures
from gprov.domain.formats.printable import printable_text

app = new_app("Facts in the header of a kernel file, its signatures, and which of two kernels is newer.")
_START = 64 << 10
_LARGEST = 256 << 20
_NOBODY = "00000000-0000-0000-0000-000000000000"  # owner of an entry


def attach(root: typer.Typer, name: str) -> None:
    root.add_typer(app, name=name)


@app.command("info")
def info(file: Annotated[str, typer.Argument(metavar="FILE", help="a bzImage")], as_json: Json = False) -> int:
    """Release, builder, version, build number, and the certificates that came with its signatures."""
    facts, signers = asdict(_parse(file)), _signers(read_user_file(file, _LARGEST))
    if as_json:
        document(facts | {"signers": signers})
    else:
        for key, value in facts.items():
            say(f"{key.replace('_', ' ') + ':':<14}{'none' if value is None else value}")
        for signer in signers or ["none"]:
            say(f"{'signer:':<14}{printable_text(signer)}")
    return ExitCode.DONE


@app.command("verify")
def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="a kernel, or another program of UEFI")],
    cert: Annotated[
        list[str], typer.Option("--cert", metavar="FILE", help="certificate (PEM) that is in db; may be repeated")
    ],
    as_json: Json = False,
) -> int:
    """Whether firmware with these certificates in db starts it under Secure Boot. Status 1: it does not."""
    from gprov.adapters.linux.system.authenticode import OpensslCodeSignatures
    from gprov.apps.host.lab.secure_boot import certificate_der

    allowed = tuple(SignatureEntry(EntryKind.X509, _NOBODY, certificate_der(path)) for path in cert)
    reason = refusal(read_user_file(file, _LARGEST), KeyDatabases(allowed), OpensslCodeSignatures())
    if as_json:
        document({"path": file, "starts": not reason, "reason": reason})
    else:
        say(f"{file}: refused: {reason}" if reason else f"{file}: accepted: signed with a certificate of db")
    return ExitCode.NEGATIVE if reason else ExitCode.DONE


def _signers(content: bytes) -> list[str]:
    """Subjects of the certificates that its signatures hold (RFC 4514). Empty for an unsigned kernel."""
    from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

    try:
        found = signatures(parse_pe(content), content)
    except BadInput:  # no program of UEFI: kernels of BIOS units need not be any
        return []
    try:
        return [each.subject.rfc4514_string() for der in found for each in load_der_pkcs7_certificates(der)]
    except ValueError as exc:
        raise BadInput("signature", [Problem("", "is no PKCS #7 that can be read")]) from exc


@app.command("newest")
def newest_of(
    first: Annotated[str, typer.Argument(metavar="FILE", help="a bzImage")],
    second: Annotated[str, typer.Argument(metavar="FILE", help="another one")],
    as_json: Json = False,
) -> int:
    """Path of the kernel with the higher build number, or: same. A file that is no kernel loses."""
    winner = newest(_facts(first), _facts(second))
    path = {Comparison.FIRST: first, Comparison.SECOND: second, Comparison.SAME: None}[winner]
    if as_json:
        document({"newest": path, "same": path is None})
    else:
        say("same" if path is None else path)
    return ExitCode.DONE


def _facts(path: str) -> KernelFacts | None:
    """None for a file that is no kernel."""
    try:
        return _parse(path)
    except BadInput as error:
        say(f"gprov: {error.what}: {'; '.join(error.details())}", err=True, colour="yellow")
        return None


def _parse(path: str) -> KernelFacts:
    try:
        return parse_bzimage(read_start(path, _START))
    except BadInput as error:
        raise BadInput(f"{path}: is not a usable kernel", error.problems) from error

"""What the server answers to units: time, credentials, and why not.

Errors of a reply that holds passwords say that it was wrong, never what it was.
"""

from __future__ import annotations

import json
from binascii import unhexlify
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from typing_extensions import Doc

from gprov.domain.erase.signed import SIGNATURE_SIZE, SignedCertificate
from gprov.domain.errors import BadInput, GprovError, NetworkFault, Problem
from gprov.domain.factory import messages
from gprov.domain.factory.fields import LogText, Text, WholeText
from gprov.domain.factory.messages import AtMost
from gprov.domain.factory.syntax import MAX_REPORT, clean
from gprov.domain.formats.json.object import JsonObject
from gprov.domain.formats.json.value import Json
from gprov.domain.unit.credentials import Credentials

_MAX_PROBLEMS = 100
_LINE = LogText(300)


class Refusal(Enum):
    """Why the server does not give a unit its passwords, or does not let it begin; the values go over the wire."""

    NOT_STARTED = "not-started"
    OTHER_SESSION = "other-session"
    WINDOW_OVER = "window-over"
    SEALED = "sealed"
    START_MISSING = "token-missing"
    START_UNKNOWN = "token-unknown"
    START_EXPIRED = "token-expired"
    START_USED = "token-used"
    START_OF_ANOTHER = "token-of-another"
    UNIDENTIFIED = "unidentified"
    PROOF_NEEDED = "proof-needed"
    HANDED_OUT = "handed-out"
    NOT_PROVEN = "not-proven"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Refusal.NOT_STARTED: "passwords are handed out only while the unit is in state MFG_STARTED",
    Refusal.OTHER_SESSION: "the provisioning of this unit was started by another session",
    Refusal.WINDOW_OVER: "the provisioning of this unit was started too long ago",
    Refusal.SEALED: "this unit was provisioned before: a person must reopen it on the server before that is done again",
    Refusal.START_MISSING: "the kernel arguments have no one-time token: start the unit over the network, or with"
    " the arguments that a person gets from `gprov server token` or the server's page",
    Refusal.START_UNKNOWN: "the server has not issued this one-time token: start the unit again",
    Refusal.START_EXPIRED: "the one-time token has expired: start the unit again, with new kernel arguments",
    Refusal.START_USED: "the one-time token was used by another session: start the unit again, with new"
    " kernel arguments",
    Refusal.START_OF_ANOTHER: "the one-time token was issued for a machine with another serial number: a person must"
    " issue one for this serial number",
    Refusal.UNIDENTIFIED: "a machine that was not identified cannot be provisioned",
    Refusal.NOT_PROVEN: "the secret is not that of the unit's last provisioning: reports are recorded only",
    Refusal.PROOF_NEEDED: "the passwords of this unit were handed out before: its secret on RECOVERY is needed",
    Refusal.HANDED_OUT: "the passwords of this unit were handed out to another session, and RECOVERY has no secret that"
    " proves that it was this unit: a person must look at the unit's log on the server and reopen it",
}


@dataclass(frozen=True, slots=True)
class TimeReply:
    time_ns: Annotated[int, Doc("UTC, nanoseconds since 1970")]


@dataclass(frozen=True, slots=True)
class StoredReply:
    stored: Annotated[int, Doc("How many were new; what was sent before is not counted")]


@dataclass(frozen=True, slots=True)
class RunsReply:
    unfinished: Annotated[int, Doc("Provisionings in a row, up to now, that began and neither succeeded nor failed")]


@dataclass(frozen=True, slots=True)
class CertificateReply:
    certificate: Annotated[
        str, WholeText(2 * MAX_REPORT), Doc("Content of the certificate file: an ErasureCertificate, exactly as signed")
    ]
    signature: Annotated[
        str,
        Text(2 * SIGNATURE_SIZE, f"[0-9a-f]{{{2 * SIGNATURE_SIZE}}}", f"must be {2 * SIGNATURE_SIZE} hex digits"),
        Doc("Ed25519 signature of the UTF-8 bytes of certificate, in hex"),
    ]


@dataclass(frozen=True, slots=True)
class ProblemReply:
    place: Annotated[str, _LINE, Doc("Where in the message: $.events[3].type")]
    message: Annotated[str, _LINE]


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """Every reply that is not a success; bounded, whatever was wrong."""

    error: Annotated[str, _LINE]
    problems: Annotated[tuple[ProblemReply, ...], AtMost(_MAX_PROBLEMS)]
    refusal: Annotated[Refusal | None, Doc("Why credentials were refused")] = None


class FactoryRefused(NetworkFault):
    """The server was reached and refused (a 4xx status): trying again with the same message is of no use."""

    def __init__(self, peer: str, status: int, reason: str, refusal: Refusal | None = None) -> None:
        super().__init__(peer, f"status {status}: {reason}" if reason else f"status {status}")
        self.status = status
        self.refusal = refusal


def decode_time(data: bytes) -> int:
    """UTC, nanoseconds since 1970. Raises BadInput."""
    return messages.decode("time", TimeReply, data).time_ns


def decode_runs(data: bytes) -> int:
    """Raises BadInput."""
    return messages.decode("runs", RunsReply, data).unfinished


def decode_certificate(data: bytes) -> SignedCertificate:
    """Raises BadInput."""
    reply = messages.decode("certificate", CertificateReply, data)
    return SignedCertificate(reply.certificate.encode(), unhexlify(reply.signature))


def certificate_reply(signed: SignedCertificate) -> CertificateReply:
    return CertificateReply(signed.certificate.decode(), signed.signature.hex())


def decode_credentials(data: bytes) -> Credentials | None:
    """None if it is anything but three passwords. Nothing of ``data`` gets into an error."""
    root = _object(data)
    found = messages.read(Credentials, root)
    return None if root.problems else found


def error_reply(
    error: GprovError | str, problems: Iterable[Problem] = (), refusal: Refusal | None = None
) -> ErrorReply:
    found = tuple(error.problems if isinstance(error, BadInput) else problems)
    shown = tuple(ProblemReply(problem.place, problem.message) for problem in found[:_MAX_PROBLEMS])
    return ErrorReply(str(error), shown, refusal)


def decode_error(data: bytes) -> str:
    """The reason out of an error reply in one line; empty if it has none (another program may have answered)."""
    reply = messages.read(ErrorReply, _object(data))
    lines = [reply.error, *(f"{problem.place}: {problem.message}" for problem in reply.problems[1:])]
    return clean("; ".join(lines), _LINE.most).replace("\n", " ").strip()


def decode_refusal(data: bytes) -> Refusal | None:
    """Why credentials were refused; None if the reply names no reason that this version has."""
    return messages.read(ErrorReply, _object(data)).refusal


def _object(data: bytes) -> JsonObject:
    """What a reply holds, if it is a JSON object; problems that are noted in it are of no further use."""
    value: Json
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = {}
    return JsonObject(value if isinstance(value, dict) else {}, "$", [])

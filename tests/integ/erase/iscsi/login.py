"""Login and text negotiation of an iSCSI target (RFC 7143, chapters 6 and 13), without authentication."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tests.integ.erase.iscsi.pdu import FINAL, Opcode, Reply, Request

_CONTINUE = 0x40
_OPERATIONAL, _FULL_FEATURE = 1, 3
_LARGEST = 1 << 18
SUCCESS = 0x0000
NOT_FOUND = 0x0203

Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """``target``: iSCSI name; ``address``: host and port."""

    target: str
    address: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes: of one data segment to the initiator, and of the data of one R2T."""

    segment: int = 8192
    burst: int = _LARGEST


def parse_texts(data: bytes) -> Texts:
    pairs = (part.decode().partition("=") for part in data.split(b"\0") if part)
    return {key: value for key, _, value in pairs}


def text_bytes(texts: Mapping[str, str]) -> bytes:
    return b"".join(f"{key}={value}".encode() + b"\0" for key, value in texts.items())


def _smallest(most: int) -> Callable[[str], str]:
    return lambda offered: str(min(int(offered, 0), most))


def _largest(least: int) -> Callable[[str], str]:
    return lambda offered: str(max(int(offered, 0), least))


def _constant(value: str) -> Callable[[str], str]:
    return lambda _offered: value


# Answers to offered values (RFC 7143, chapter 13).
_ANSWERS: Mapping[str, Callable[[str], str]] = {
    "HeaderDigest": _constant("None"),
    "DataDigest": _constant("None"),
    "AuthMethod": _constant("None"),
    "MaxConnections": _constant("1"),
    "InitialR2T": _constant("Yes"),
    "ImmediateData": lambda offered: offered,
    "MaxBurstLength": _smallest(_LARGEST),
    "FirstBurstLength": _smallest(_LARGEST),
    "DefaultTime2Wait": _largest(0),
    "DefaultTime2Retain": _constant("0"),
    "MaxOutstandingR2T": _constant("1"),
    "DataPDUInOrder": _constant("Yes"),
    "DataSequenceInOrder": _constant("Yes"),
    "ErrorRecoveryLevel": _constant("0"),
}
# Keys that an initiator only states.
_STATED = ("InitiatorName", "InitiatorAlias", "SessionType", "TargetName", "MaxRecvDataSegmentLength")


@dataclass(frozen=True, slots=True)
class LoggingIn:
    """State of a login. ``done``: full-feature phase, of a discovery session if ``discovery``."""

    limits: Limits = Limits()
    discovery: bool = False
    done: bool = False
    failed: bool = False


def login(request: Request, state: LoggingIn, names: Names) -> tuple[LoggingIn, Reply]:
    """Reply to a LOGIN request; texts of one request are complete (no C bit)."""
    offered = parse_texts(request.data)
    if "TargetName" in offered and offered["TargetName"] != names.target:
        return replace(state, failed=True), _reply(request, 0, {}, NOT_FOUND)
    limits = state.limits
    if size := offered.get("MaxRecvDataSegmentLength"):
        limits = replace(limits, segment=min(int(size, 0), _LARGEST))
    if size := offered.get("MaxBurstLength"):
        limits = replace(limits, burst=min(int(size, 0), _LARGEST))
    answers = {
        key: _ANSWERS.get(key, _constant("NotUnderstood"))(offered[key]) for key in offered if key not in _STATED
    }
    if "InitiatorName" in offered:
        answers["TargetPortalGroupTag"] = "1"
    stage, following = request.flags >> 2 & 3, request.flags & 3
    if stage == _OPERATIONAL:
        answers["MaxRecvDataSegmentLength"] = str(_LARGEST)
    transit = bool(request.flags & FINAL) and not request.flags & _CONTINUE
    flags = stage << 2 | (FINAL | following if transit else 0)
    discovery = state.discovery or offered.get("SessionType") == "Discovery"
    done = transit and following == _FULL_FEATURE
    return replace(state, limits=limits, discovery=discovery, done=done), _reply(request, flags, answers, SUCCESS)


def text(request: Request, names: Names) -> Reply:
    """Reply to a TEXT request: SendTargets."""
    asked = parse_texts(request.data)
    answers = {key: "NotUnderstood" for key in asked if key != "SendTargets"}
    if asked.get("SendTargets") in ("All", "", names.target):
        answers |= {"TargetName": names.target, "TargetAddress": f"{names.address},1"}
    return Reply(opcode=Opcode.TEXT_RESPONSE, tag=request.tag, second_tag=0xFFFFFFFF, data=text_bytes(answers))


def _reply(request: Request, flags: int, answers: Mapping[str, str], status: int) -> Reply:
    session = request.header[14:16]
    if flags & FINAL and flags & 3 == _FULL_FEATURE:
        session = b"\0\1"
    return Reply(
        opcode=Opcode.LOGIN_RESPONSE,
        flags=flags,
        head=request.header[8:14] + session,
        tag=request.tag,
        tail=status.to_bytes(2),
        data=text_bytes(answers),
    )

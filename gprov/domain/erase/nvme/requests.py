"""Single commands of the NVMe protocols, and what came back.

``Unanswered`` takes the place of a value that the drive did not give: no reply, an error status, or data that violate
their format.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gprov.domain.erase.drive_io import NoReply, NvmeCommand, NvmeReply, Protocol, Wait, Waited
from gprov.domain.errors import BadInput
from gprov.domain.formats.nvme.commands import (
    SANITIZE_LOG,
    FormatParameters,
    Identify,
    Opcode,
    SanitizeParameters,
    format_dword10,
    log_page_dwords,
    sanitize_dword10,
)
from gprov.domain.formats.nvme.controller import IDENTIFY_SIZE, Controller, parse_controller
from gprov.domain.formats.nvme.namespace import Namespace, parse_namespace, parse_namespace_list
from gprov.domain.formats.nvme.sanitize_log import SANITIZE_LOG_SIZE, SanitizeLog, parse_sanitize_log
from gprov.domain.formats.nvme.status import describe_status

# Format NVM completes when the whole namespace is formatted; drives state no time for it.
FORMAT_SECONDS = 6 * 3600.0
SANITIZE_SECONDS = 120.0
ALL_NAMESPACES = 0xFFFFFFFF

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Unanswered:
    reason: str


def identify(what: Identify, namespace: int = 0) -> NvmeCommand:
    return NvmeCommand(
        opcode=Opcode.IDENTIFY, namespace=namespace, dwords=(what.value, 0, 0, 0, 0, 0), data_in=IDENTIFY_SIZE
    )


def sanitize_log() -> NvmeCommand:
    """The log of the whole drive: namespace FFFFFFFFh, as nvme-cli sends it. (Later revisions permit 0 as well.)"""
    dword10, dword11 = log_page_dwords(SANITIZE_LOG, SANITIZE_LOG_SIZE)
    return NvmeCommand(
        opcode=Opcode.GET_LOG_PAGE,
        namespace=ALL_NAMESPACES,
        dwords=(dword10, dword11, 0, 0, 0, 0),
        data_in=SANITIZE_LOG_SIZE,
    )


def sanitize(parameters: SanitizeParameters) -> NvmeCommand:
    """Erases every namespace of the drive; the namespace number of the command is 0. The command completes when the
    operation has begun."""
    return NvmeCommand(
        opcode=Opcode.SANITIZE, dwords=(sanitize_dword10(parameters), 0, 0, 0, 0, 0), seconds=SANITIZE_SECONDS
    )


def format_namespace(namespace: int, parameters: FormatParameters) -> NvmeCommand:
    return NvmeCommand(
        opcode=Opcode.FORMAT_NVM,
        namespace=namespace,
        dwords=(format_dword10(parameters), 0, 0, 0, 0, 0),
        seconds=FORMAT_SECONDS,
    )


def send(command: NvmeCommand) -> Protocol[NvmeReply | Unanswered]:
    """The reply, with any status. Unanswered: it is not known whether the drive carried out the command."""
    reply = yield command
    match reply:
        case NvmeReply():
            return reply
        case NoReply():
            return Unanswered(reply.reason)
        case _:
            return Unanswered("the reply is not one to an NVMe command")


def read_controller() -> Protocol[Controller | Unanswered]:
    return (yield from _read(identify(Identify.CONTROLLER), "Identify Controller", parse_controller))


def read_namespace(namespace: int) -> Protocol[Namespace | Unanswered]:
    command = identify(Identify.NAMESPACE, namespace)
    return (yield from _read(command, f"Identify Namespace {namespace}", parse_namespace))


def read_namespace_list(kind: Identify, after: int) -> Protocol[tuple[int, ...] | Unanswered]:
    """Numbers larger than ``after``, at most 1024."""
    return (yield from _read(identify(kind, after), "the list of namespaces", parse_namespace_list))


def read_sanitize_log() -> Protocol[SanitizeLog | Unanswered]:
    return (yield from _read(sanitize_log(), "the sanitize status log", parse_sanitize_log))


def pause(seconds: float, done: float | None = None) -> Protocol[bool]:
    """Whether the time limit of the technique has passed."""
    reply = yield Wait(seconds, done)
    return isinstance(reply, Waited) and reply.expired


def _read(command: NvmeCommand, what: str, parse: Callable[[bytes], Value]) -> Protocol[Value | Unanswered]:
    reply = yield from send(command)
    if isinstance(reply, Unanswered):
        return Unanswered(f"{what}: no reply: {reply.reason}")
    if reply.status:
        return Unanswered(f"{what}: {describe_status(reply.status)}")
    try:
        return parse(reply.data)
    except BadInput as error:
        return Unanswered(str(error))

"""Targets: data of NVMe drives, and whole conversations with them."""

from __future__ import annotations

from fuzz.harness import Target, expect
from gprov.domain.erase.drive_io import DriveReply, DriveRequest, NoReply, NvmeCommand, NvmeReply, Waited
from gprov.domain.erase.nvme.erase import erase
from gprov.domain.erase.nvme.reasons import NVME_TECHNIQUES
from gprov.domain.erase.nvme.report import report
from gprov.domain.erase.outcome import TechniqueStatus
from gprov.domain.formats.nvme.commands import Opcode
from gprov.domain.formats.nvme.controller import (
    FORMAT_SUPPORTED,
    Controller,
    parse_controller,
    serialise_controller,
)
from gprov.domain.formats.nvme.namespace import (
    LbaFormat,
    Namespace,
    parse_namespace,
    parse_namespace_list,
    serialise_namespace,
    serialise_namespace_list,
)
from gprov.domain.formats.nvme.sanitize_log import (
    SanitizeLog,
    SanitizeState,
    parse_sanitize_log,
    serialise_sanitize_log,
)

_MAX_REQUESTS = 2000
_SEPARATOR = b"\xff\xfe\xfd"


def controller(data: bytes) -> None:
    made = parse_controller(data)
    expect(made.model.isprintable() and made.serial.isprintable(), "a name with unprintable characters")


def namespace(data: bytes) -> None:
    made = parse_namespace(data)
    expect(parse_namespace(serialise_namespace(made)) == made, "a namespace that changes when it is written and read")
    expect(made.size >= 512 and 0 <= made.percent_to_format <= 127, "a size or a percentage out of range")


def namespace_list(data: bytes) -> None:
    numbers = parse_namespace_list(data)
    expect(numbers == tuple(sorted(set(numbers))), "numbers that do not ascend")


def sanitize_log(data: bytes) -> None:
    log = parse_sanitize_log(data)
    expect(0 <= log.progress <= 1, "progress out of range")
    expect(parse_sanitize_log(serialise_sanitize_log(log)) == log, "a log that changes when it is written and read")


def conversation(data: bytes) -> None:
    """The first byte chooses the technique; the parts are the replies, in order, each with its status."""
    technique = NVME_TECHNIQUES[data[0] % len(NVME_TECHNIQUES)] if data else NVME_TECHNIQUES[0]
    replies = [_reply(part) for part in data[1:].split(_SEPARATOR)]
    for protocol in (report(1, frozenset({1})), erase(technique, 1, frozenset({1}))):
        waiting, settings = list(replies), set[int]()
        try:
            request: DriveRequest = next(protocol)
            for _ in range(_MAX_REQUESTS):
                if isinstance(request, NvmeCommand) and request.opcode == Opcode.FORMAT_NVM:
                    settings.add(request.dwords[0] >> 9 & 7)
                more = isinstance(request, NvmeCommand) and waiting
                reply: DriveReply = waiting.pop(0) if more else Waited(not waiting)
                request = protocol.send(reply)
            expect(False, "the conversation does not end")
        except StopIteration as ended:
            status = getattr(ended.value, "status", None)
            expect(settings <= {1, 2}, "a format without secure erase")
            expect(status is not TechniqueStatus.COMPLETED or len(waiting) < len(replies), "completed without replies")


def _reply(part: bytes) -> NvmeReply | NoReply:
    if not part:
        return NoReply("none")
    return NvmeReply(part[0], data=part[1:])


def _controller() -> bytes:
    return serialise_controller(
        Controller(serial="S1", model="MODEL", firmware="1", oacs=FORMAT_SUPPORTED, fna=4, sanicap=7)
    )


def _namespace() -> bytes:
    return serialise_namespace(Namespace(blocks=99, capacity=99, flbas=1, formats=(LbaFormat(0, 12), LbaFormat(0, 9))))


def _logs() -> list[bytes]:
    return [
        serialise_sanitize_log(SanitizeLog(state=state, sprog=sprog, scdw10=4, data_erased=state.value == 1))
        for state, sprog in (
            (SanitizeState.NEVER, 0xFFFF),
            (SanitizeState.IN_PROGRESS, 99),
            (SanitizeState.SUCCEEDED, 0xFFFF),
        )
    ]


def _conversations() -> list[bytes]:
    pages = (_controller(), _namespace(), serialise_namespace_list([1]), _logs()[0])
    ends: tuple[tuple[bytes, ...], ...] = ((b"", *_logs()[1:]), (b"", _namespace()))
    return [
        bytes([number]) + _SEPARATOR.join(b"\0" + page for page in (*pages, *end))
        for number, end in zip((0, 3), ends, strict=True)
    ]


TARGETS = (
    Target("nvme-controller", "NVMe Identify Controller", controller, lambda: [_controller()]),
    Target("nvme-namespace", "NVMe Identify Namespace", namespace, lambda: [_namespace()]),
    Target("nvme-namespaces", "NVMe namespace lists", namespace_list, lambda: [serialise_namespace_list([1, 2, 9])]),
    Target("nvme-sanitize-log", "NVMe sanitize status logs", sanitize_log, _logs),
    Target(
        "nvme-erase", "replies of NVMe drives", conversation, _conversations, (_SEPARATOR, b"\xff\xfe\xfd\0", b"\2")
    ),
)

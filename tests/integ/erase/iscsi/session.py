"""One connection of an initiator: full-feature phase of an iSCSI session (RFC 7143) with one logical unit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from gprov.domain.erase.drive_io import NoReply, ScsiCommand, ScsiReply
from tests.integ.erase.iscsi.answers import NO_UNIT, answers, cdb_size
from tests.integ.erase.iscsi.login import Limits, LoggingIn, Names, login, text
from tests.integ.erase.iscsi.pdu import FINAL, NO_TAG, Opcode, Reply, Request, read_request, reply_bytes

_WINDOW = 32
_WRITE = 0x20
# The drive's time limit of each command: iSCSI transfers none.
_SECONDS = 300.0
# Replies are cut to what the initiator expects only afterwards, which then is told how much more there is.
_MOST = 1 << 26
_NOT_SUPPORTED = 0x05  # reason of REJECT: COMMAND NOT SUPPORTED
_ABORT_TASK = 1
# ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT RESET, TARGET WARM RESET.
_ABORT_ALL = (2, 4, 5, 6)
_FUNCTION_COMPLETE, _NO_SUCH_TASK, _FUNCTION_NOT_SUPPORTED = 0, 1, 5
_LUN_0 = bytes(8)
_REPORT_LUNS = 0xA0


Worker = Callable[[Callable[[], None]], None]


class _ProtocolError(Exception):
    """The initiator broke a rule, or data were lost. The connection ends."""


class Drive(Protocol):
    def scsi(self, command: ScsiCommand) -> ScsiReply | NoReply: ...


@dataclass(eq=False)
class _Task:
    """A command whose data the initiator has not yet sent completely. ``questions``: number
    of R2T; ``segments``: of DATA-OUT since then."""

    request: Request
    length: int
    data: bytearray = field(default_factory=bytearray, repr=False)
    questions: int = 0
    segments: int = 0


class Session:
    """``worker``: carries out what it is given, in order; a busy drive delays the following commands, but no replies
    to NOP-OUT."""

    def __init__(self, connection: socket.socket, drive: Drive, worker: Worker, names: Names) -> None:
        self._connection = connection
        self._drive = drive
        self._worker = worker
        self._names = names
        self._stream = connection.makefile("rb")
        self._sending = threading.Lock()
        self._status_number = 1
        self._expected = 0
        self._limits = Limits()
        self._tasks: dict[int, _Task] = {}
        self._begun: set[int] = set()
        self._handlers: dict[int, Callable[[Request], None]] = {
            Opcode.NOP_OUT: self._nop,
            Opcode.SCSI_COMMAND: self._command,
            Opcode.DATA_OUT: self._data_out,
            Opcode.TASK_MANAGEMENT: self._manage,
            Opcode.TEXT: lambda request: self._send(text(request, names)),
        }

    def run(self) -> None:
        """Until logout, or the end of the connection."""
        with self._stream:
            try:
                if self._log_in():
                    self._serve()
            except (ConnectionError, _ProtocolError):
                return

    def _serve(self) -> None:
        while (request := read_request(self._stream.read)) is not None:
            if request.opcode != Opcode.DATA_OUT and not request.immediate:
                if not self._in_window(request.command_number):
                    continue
                self._expected += 1
            if request.opcode == Opcode.LOGOUT:
                self._send(Reply(opcode=Opcode.LOGOUT_RESPONSE, tag=request.tag))
                return
            self._handlers.get(request.opcode, self._reject)(request)

    def _in_window(self, number: int) -> bool:
        """Others are ignored. The connection keeps the order, and nothing is lost: only the next number can come."""
        return number == self._expected & NO_TAG

    def _log_in(self) -> bool:
        state = LoggingIn()
        while not (state.done or state.failed):
            request = read_request(self._stream.read)
            if request is None or request.opcode != Opcode.LOGIN:
                return False
            # LOGIN is immediate: CmdSN is that of the first command.
            self._expected = request.command_number
            state, reply = login(request, state, self._names)
            self._send(reply)
        self._limits = state.limits
        return state.done

    def _send(self, *replies: Reply) -> None:
        with self._sending:
            raw = b""
            for reply in replies:
                raw += reply_bytes(reply, self._status_number, self._expected, self._expected + _WINDOW - 1)
                self._status_number += reply.numbered
            # After the end of the connection there is no receiver, and reading ends as well.
            with suppress(OSError):
                self._connection.sendall(raw)

    def _nop(self, request: Request) -> None:
        if request.tag != NO_TAG:
            data = request.data[: self._limits.segment]
            head = request.lun
            self._send(Reply(opcode=Opcode.NOP_IN, head=head, tag=request.tag, second_tag=NO_TAG, data=data))

    def _reject(self, request: Request) -> None:
        self._send(Reply(opcode=Opcode.REJECT, detail=bytes([_NOT_SUPPORTED, 0]), data=request.header))

    def _command(self, request: Request) -> None:
        length = request.word(20)
        if not request.flags & _WRITE or len(request.data) >= length:
            self._carry_out(request, request.data[:length])
            return
        task = _Task(request, length, bytearray(request.data))
        self._tasks[request.tag] = task
        if request.flags & FINAL:
            self._ask(task)

    def _ask(self, task: _Task) -> None:
        offset, size = len(task.data), min(self._limits.burst, task.length - len(task.data))
        tail = b"".join(number.to_bytes(4) for number in (task.questions, offset, size))
        task.questions, task.segments = task.questions + 1, 0
        self._send(
            Reply(
                opcode=Opcode.R2T,
                head=task.request.lun,
                tag=task.request.tag,
                second_tag=task.questions,
                tail=tail,
                numbered=False,
            )
        )

    def _data_out(self, request: Request) -> None:
        task = self._tasks.get(request.tag)
        if task is None:  # of a task that was aborted
            return
        if (request.word(36), request.word(40)) != (task.segments, len(task.data)):
            # A segment was lost: without error recovery (level 0) the connection ends.
            raise _ProtocolError(f"data for offset {request.word(40)}, expected {len(task.data)}")
        task.segments += 1
        task.data += request.data
        if len(task.data) >= task.length:
            del self._tasks[request.tag]
            self._carry_out(task.request, bytes(task.data[: task.length]))
        elif request.flags & FINAL:
            self._ask(task)

    def _carry_out(self, request: Request, data_out: bytes) -> None:
        self._begun.add(request.tag)
        self._worker(lambda: self._work(request, data_out))

    def _work(self, request: Request, data_out: bytes) -> None:
        if request.tag not in self._begun:  # aborted meanwhile
            return
        cdb = request.header[32 : 32 + cdb_size(request.header[32])]
        no_unit = request.lun != _LUN_0 and cdb[0] != _REPORT_LUNS
        reply = NO_UNIT if no_unit else self._drive.scsi(ScsiCommand(cdb, _MOST, data_out, _SECONDS))
        if request.tag in self._begun:
            self._begun.discard(request.tag)
            self._send(*answers(request, reply, self._limits))

    def _manage(self, request: Request) -> None:
        function, about = request.flags & 0x7F, request.word(20)
        if function == _ABORT_TASK:
            found = about in self._begun or about in self._tasks
            self._begun.discard(about)
            self._tasks.pop(about, None)
            result = _FUNCTION_COMPLETE if found else _NO_SUCH_TASK
        elif function in _ABORT_ALL:
            self._begun.clear()
            self._tasks.clear()
            result = _FUNCTION_COMPLETE
        else:
            result = _FUNCTION_NOT_SUPPORTED
        self._send(Reply(opcode=Opcode.TASK_MANAGEMENT_RESPONSE, detail=bytes([result, 0]), tag=request.tag))

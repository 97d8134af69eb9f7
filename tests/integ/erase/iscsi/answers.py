"""Reply of a drive as iSCSI transfers it: DATA-IN and SCSI RESPONSE (RFC 7143, 11.4 and 11.7)."""

from __future__ import annotations

from gprov.domain.erase.drive_io import NoReply, ScsiReply
from tests.integ.erase.iscsi.login import Limits
from tests.integ.erase.iscsi.pdu import FINAL, NO_TAG, Opcode, Reply, Request

_READ = 0x40
_OVERFLOW, _UNDERFLOW = 0x04, 0x02
_CDB_SIZES = {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}
_LARGEST_CDB = 16
# ILLEGAL REQUEST, LOGICAL UNIT NOT SUPPORTED.
NO_UNIT = ScsiReply(2, bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x25, 0, 0, 0, 0, 0]))
# HARDWARE ERROR, LOGICAL UNIT COMMUNICATION TIME-OUT.
_TIME_OUT = ScsiReply(2, bytes([0x70, 0, 4, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x08, 1, 0, 0, 0, 0]))


def cdb_size(opcode: int) -> int:
    """iSCSI always transfers 16 bytes."""
    return _CDB_SIZES.get(opcode >> 5, _LARGEST_CDB)


def answers(request: Request, reply: ScsiReply | NoReply, limits: Limits) -> tuple[Reply, ...]:
    """A drive that does not reply is reported as controllers do it: QEMU makes GOOD of the response target failure."""
    if isinstance(reply, NoReply):
        reply = _TIME_OUT
    expected = request.word(20) if request.flags & _READ else 0
    data = reply.data[:expected]
    segments = tuple(
        Reply(
            opcode=Opcode.DATA_IN,
            flags=FINAL if start + limits.segment >= len(data) else 0,
            head=request.lun,
            tag=request.tag,
            second_tag=NO_TAG,
            tail=number.to_bytes(4) + start.to_bytes(4),
            data=data[start : start + limits.segment],
            numbered=False,
            stated=False,
        )
        for number, start in enumerate(range(0, len(data), limits.segment))
    )
    residual = expected - len(reply.data)
    return (*segments, _response(request, reply, residual, len(segments)))


def _response(request: Request, reply: ScsiReply, residual: int, segments: int) -> Reply:
    return Reply(
        opcode=Opcode.SCSI_RESPONSE,
        flags=FINAL | (_UNDERFLOW if residual > 0 else _OVERFLOW if residual < 0 else 0),
        detail=bytes([0, reply.status]),
        tag=request.tag,
        tail=segments.to_bytes(4) + bytes(4) + abs(residual).to_bytes(4),
        data=len(reply.sense).to_bytes(2) + reply.sense if reply.sense else b"",
    )

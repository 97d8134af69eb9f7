"""The SG_IO request and reply."""

from __future__ import annotations

import pytest

from gprov.adapters.linux.ioctl.sg_io import SgIoHeader, sg_header, sg_reply
from gprov.domain.erase.drive_io import NoReply, ScsiCommand, ScsiReply


@pytest.mark.parametrize(
    ("command", "direction", "size"),
    [
        (ScsiCommand(bytes(6)), -1, 0),
        (ScsiCommand(bytes(6), data_in=36), -3, 36),
        (ScsiCommand(bytes(16), data_out=bytes(512)), -2, 512),
    ],
)
def test_a_request(command: ScsiCommand, direction: int, size: int) -> None:
    header = sg_header(command)
    assert header.interface_id == ord("S")
    assert (header.dxfer_direction, header.dxfer_len) == (direction, size)
    assert header.cmd_len == len(command.cdb)


@pytest.mark.parametrize(
    ("seconds", "milliseconds"), [(30.0, 30_000), (0.0, 1), (3600.0 * 48, 172_800_000), (1e9, (1 << 32) - 2)]
)
def test_time_limits_are_milliseconds_and_never_none(seconds: float, milliseconds: int) -> None:
    assert sg_header(ScsiCommand(bytes(6), seconds=seconds)).timeout == milliseconds


def test_only_what_was_written_is_returned() -> None:
    header = SgIoHeader(status=2, sb_len_wr=4, driver_status=8, resid=500)
    assert sg_reply(header, b"\x72\x05\x20\x00" + bytes(92), bytes([7]) * 512) == ScsiReply(
        2, b"\x72\x05\x20\x00", bytes([7]) * 12
    )


@pytest.mark.parametrize("resid", [-5, 600])
def test_a_nonsensical_residue_is_limited(resid: int) -> None:
    reply = sg_reply(SgIoHeader(resid=resid), bytes(96), bytes(512))
    assert isinstance(reply, ScsiReply)
    assert len(reply.data) == (512 if resid < 0 else 0)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (SgIoHeader(host_status=3), "time limit"),
        (SgIoHeader(host_status=1), "no connection"),
        (SgIoHeader(host_status=0x99), "status 99h"),
        (SgIoHeader(driver_status=6), "driver"),
    ],
)
def test_errors_on_the_way_are_no_reply(header: SgIoHeader, reason: str) -> None:
    reply = sg_reply(header, bytes(96), b"")
    assert isinstance(reply, NoReply)
    assert reason in reply.reason

"""The monitor protocol, spoken over a pair of sockets. What QEMU will say is written before it is asked."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import cast

import pytest

from gprov.apps.host.lab.argv import Accelerator, HostEndpoints
from gprov.apps.host.lab.qmp import Qmp, QmpClosed, QmpEvent
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.domain.errors import DeviceFault
from gprov.ports.process import Running

GREETING: dict[str, object] = {"QMP": {"version": {}, "capabilities": []}}
DONE: dict[str, object] = {"return": {}}


def shutdown(reason: str) -> dict[str, object]:
    return {"event": "SHUTDOWN", "data": {"guest": True, "reason": reason}, "timestamp": {"seconds": 1}}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, qemu = socket.socketpair()
    with ours, qemu:
        yield ours, qemu


def say(qemu: socket.socket, *messages: object) -> None:
    qemu.sendall(b"".join(json.dumps(message).encode() + b"\r\n" for message in messages))


def heard(qemu: socket.socket) -> list[object]:
    qemu.setblocking(False)
    return [json.loads(line) for line in qemu.recv(65536).splitlines()]


def test_commands_and_events_in_between(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, qemu = pair
    say(qemu, GREETING, DONE, shutdown("guest-reset"), {"return": {"status": "running"}}, shutdown("other"))
    with Qmp(ours) as qmp:
        assert qmp.execute("query-status") == {"status": "running"}
        assert qmp.next_event(0) == QmpEvent("SHUTDOWN", {"guest": True, "reason": "guest-reset"})
        assert qmp.next_event(0) == QmpEvent("SHUTDOWN", {"guest": True, "reason": "other"})
        assert qmp.next_event(0) is None
    assert heard(qemu) == [{"execute": "qmp_capabilities"}, {"execute": "query-status"}]


def test_arguments_are_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, qemu = pair
    say(qemu, GREETING, DONE, DONE)
    with Qmp(ours) as qmp:
        qmp.execute("device_add", {"driver": "scsi-hd"})
    assert heard(qemu)[-1] == {"execute": "device_add", "arguments": {"driver": "scsi-hd"}}


def test_a_refusal_raises_the_reason(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, qemu = pair
    say(qemu, GREETING, DONE, {"error": {"class": "GenericError", "desc": "Bus 'x' not found"}})
    with Qmp(ours) as qmp, pytest.raises(DeviceFault, match="device_add: Bus 'x' not found"):
        qmp.execute("device_add")


def test_messages_may_come_in_pieces(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, qemu = pair
    say(qemu, GREETING, DONE)
    with Qmp(ours) as qmp:
        qemu.sendall(b'{"event": "ST')
        assert qmp.next_event(0) is None
        qemu.sendall(b'OP", "data": {}}\n{"event"')
        assert qmp.next_event(0) == QmpEvent("STOP", {})


def test_the_end_of_qemu_raises_qmp_closed(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, qemu = pair
    say(qemu, GREETING, DONE, shutdown("guest-shutdown"))
    with Qmp(ours) as qmp:
        qemu.close()
        assert qmp.next_event(0) is not None  # what it said last is not lost
        with pytest.raises(QmpClosed):
            qmp.next_event(0)
        with pytest.raises(QmpClosed):
            qmp.execute("quit")


@pytest.mark.parametrize("line", [b"no json\n", b"[]\n", b"\xff\xfe\n"])
def test_a_line_that_is_not_qmp_is_a_fault(pair: tuple[socket.socket, socket.socket], line: bytes) -> None:
    ours, qemu = pair
    say(qemu, GREETING, DONE)
    with Qmp(ours) as qmp:
        qemu.sendall(line)
        with pytest.raises(DeviceFault, match="not QMP"):
            qmp.next_event(0)


def test_the_end_of_a_machine_is_told_as_often_as_it_is_asked_for(pair: tuple[socket.socket, socket.socket]) -> None:
    """A wait for a text may get the event, and a wait for the end follows."""
    ours, qemu = pair
    say(qemu, GREETING, DONE, shutdown("guest-reset"))
    endpoints = HostEndpoints(
        accelerator=Accelerator.TCG, qmp="", console="", lcd="", serial_log="", report="", firmware_code=""
    )
    with Qmp(ours) as qmp:
        live = RunningMachine(cast(Running, None), qmp, endpoints, None)
        assert [live.wait_end(1.0) for _ in range(2)] == [Ending.RESET] * 2

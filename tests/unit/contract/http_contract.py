"""What every adapter of the Http port does with a web server that fails in any way. The simulated one keeps it in
tests/unit, the real one against real sockets in tests/integ/net."""

from __future__ import annotations

import hashlib
from typing import Protocol

import pytest

from gprov.adapters.fake.net.origin import ServerFault
from gprov.domain.errors import NetworkFault
from gprov.ports.network import Http, TransferLimits

CONTENT = bytes(range(256)) * 40
ROOM = 100_000
LIMITS = TransferLimits(room=ROOM, stall_seconds=0.5, attempts=3)
EXACT = TransferLimits(room=ROOM, exact=len(CONTENT), stall_seconds=0.5, attempts=3)

# Of a download without a stated size, of one with it, and of a request: what the error says; "" for success.
OUTCOMES: dict[ServerFault | None, tuple[str, str, str]] = {
    None: ("", "", ""),
    ServerFault.HANGS: ("no answer", "no answer", ": "),
    ServerFault.RESETS: ("", "", "ended early"),
    ServerFault.NO_RANGE: ("", "", "ended early"),
    ServerFault.OVERSTATES: ("ended", "ended", "ended early"),
    ServerFault.TRUNCATES: ("", "its Size in manufData.json is", ""),
    ServerFault.STALE: ("", "its Size in manufData.json is", ""),
    ServerFault.LONGER: ("", "its Size in manufData.json is", ""),
    ServerFault.ENDLESS: ("are left for it", "its Size in manufData.json is", "is longer than"),
    ServerFault.DRIPS: ("came within", "came within", ": "),  # some bytes, or none on a busy machine
    ServerFault.INTERIM: ("more than 64 KiB of headers", "more than 64 KiB of headers", "more than 64 KiB of headers"),
    ServerFault.REDIRECTS: ("redirects more than 5 times",) * 3,
    ServerFault.ENCODES: ("", "its Size in manufData.json is", "encoded"),
}
ALL_FAULTS = list(OUTCOMES)


class HttpWorld(Protocol):
    """``url`` serves CONTENT, with the fault of ``serve``; ``target``: a path in a folder that exists."""

    url: str
    target: str

    @property
    def http(self) -> Http: ...
    def serve(self, fault: ServerFault | None) -> None: ...
    def stored(self) -> bytes: ...


def check_outcome(world: HttpWorld, fault: ServerFault | None) -> None:
    for limits, expected in zip((LIMITS, EXACT), OUTCOMES[fault][:2], strict=True):
        world.serve(fault)
        steps: list[tuple[int, int]] = []
        if expected:
            with pytest.raises(NetworkFault) as caught:
                world.http.download(world.url, world.target, lambda *step, s=steps: s.append(step), limits)
            assert str(caught.value).startswith(f"{world.url}: ")
            assert expected in str(caught.value)
            assert len(world.stored()) <= len(CONTENT)
            if "Size" in expected or "left" in expected:
                assert world.stored() == b""
        else:
            fetched = world.http.download(world.url, world.target, lambda *step, s=steps: s.append(step), limits)
            assert fetched.sha256 == hashlib.sha256(world.stored()).hexdigest()
            assert fetched.size == len(world.stored())
            assert steps[-1] == (fetched.size, fetched.size)
            if fault in (None, ServerFault.RESETS, ServerFault.NO_RANGE):
                assert world.stored() == CONTENT


def check_request(world: HttpWorld, fault: ServerFault | None) -> None:
    world.serve(fault)
    expected = OUTCOMES[fault][2]
    if not expected:
        assert world.http.request("GET", world.url, limit=ROOM, seconds=0.5).status == 200
        return
    with pytest.raises(NetworkFault) as caught:
        world.http.request("GET", world.url, limit=ROOM, seconds=0.5)
    assert str(caught.value).startswith(f"{world.url}: ")
    assert expected in str(caught.value)

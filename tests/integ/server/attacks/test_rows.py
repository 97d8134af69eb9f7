"""What clients can have stored: units that do not exist, documents, logs; and a disk that is nearly full."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.integ.server.attacks.attacked import JSON, MIB, SECONDS, Attacked, Unit, session
from tests.integ.server.attacks.conftest import Start

# Rates that do not hide what is bounded besides them.
FAST = "".join(
    f"{prefix}{name}_per_minute = 1000000\n"
    for name in ("new_units", "new_sessions", "documents", "credentials")
    for prefix in ("", "all_")
)
FAST += "requests_per_second = 1000000\n"


class Client:
    """Posts over one connection, as a flood does."""

    def __init__(self, server: Attacked, source: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=SECONDS, source_address=(source, 0))

    def post(self, path: str, **message: Any) -> int:
        return self.reply(path, message)[0]

    def reply(self, path: str, message: dict[str, Any]) -> tuple[int, Any, HTTPResponse]:
        self._connection.request("POST", f"/api/v1/{path}", json.dumps(message), JSON)
        reply = self._connection.getresponse()
        content = reply.read()
        return reply.status, json.loads(content) if content else None, reply

    def close(self) -> None:
        self._connection.close()


@contextmanager
def client(server: Attacked, source: str = "127.0.0.66") -> Iterator[Client]:
    with closing(Client(server, source)) as opened:
        yield opened


def units(server: Attacked) -> set[str]:
    status, body, _ = server.ask("GET", "/api/v1/units?limit=1000", source="127.0.0.3")
    assert status == 200
    return {unit["serial"] for unit in json.loads(body)["units"]}


def test_units_that_do_not_exist(start: Start) -> None:
    """One address can make 30 in a minute. Units and other addresses are not concerned."""
    server = start()
    with Unit(server).reporting() as unit, client(server) as attacker:
        statuses = [
            attacker.post("state", serial=f"made-up {number}", session=session(number), state="MFG_STARTED")
            for number in range(200)
        ]
        assert statuses.count(204) in range(30, 35)
        assert set(statuses) == {204, 429}
        _, body, reply = attacker.reply("state", {"serial": "more", "session": session(1), "state": "MFG_STARTED"})
        assert reply.getheader("Retry-After") in {"1", "2"}
        assert body["error"] == "too many new units from this address; try again later"
        assert (
            server.post("state", {"serial": "other", "session": session(1), "state": "INIT_STARTED"}, "127.0.0.4")
            == 204
        )
        assert attacker.post("state", serial="made-up 1", session=session(1), state="MFG_FAILED") == 204
    unit.was_served()
    assert len(units(server)) < 40


def test_addresses_without_number_make_no_more_units_than_all_may(start: Start) -> None:
    server = start("[limits]\nall_new_units_per_minute = 50\n")
    statuses = []
    for number in range(80):
        with client(server, f"127.2.{number // 200}.{number % 200 + 1}") as attacker:
            statuses.append(attacker.post("state", serial=f"u{number}", session=session(1), state="MFG_STARTED"))
    assert statuses.count(204) in range(50, 60)
    assert set(statuses) == {204, 429}


def test_runs_without_number_of_one_unit(start: Start) -> None:
    server = start()
    with client(server) as attacker:
        statuses = [
            attacker.post("state", serial="one", session=session(number), state="MFG_STARTED") for number in range(200)
        ]
    assert statuses.count(204) in range(60, 70)
    assert set(statuses) == {204, 429}


def test_made_up_units_are_bounded_and_push_out_no_real_one(start: Start) -> None:
    server = start(f"[limits]\n{FAST}candidate_units = 20\n")
    with client(server) as attacker:
        for state in ("MFG_STARTED", "MFG_SUCCEEDED"):
            assert attacker.post("state", serial="provisioned", session=session(1), state=state) == 204
        replies = [
            attacker.reply("code-name", {"serial": f"u{number}", "session": session(1), "code_name": "x"})[:2]
            for number in range(50)
        ]
        assert [status for status, _ in replies] == [204] * 20 + [507] * 30
        assert "never provisioned" in replies[-1][1]["error"]
        assert attacker.post("state", serial="u3", session=session(2), state="MFG_STARTED") == 204
    assert units(server) == {"provisioned", *(f"u{number}" for number in range(20))}


@pytest.mark.nightly
def test_documents_without_number(start: Start) -> None:
    """730 of them made 191 MB, and state reports took 3.4 s."""
    server = start(f"[limits]\n{FAST}candidate_mebibytes = 8\ndiscarded_mebibytes = 2\n")
    content = "x" * 250_000
    with Unit(server).reporting() as unit, ThreadPoolExecutor(8) as pool:

        def deliver(thread: int) -> list[int]:
            with client(server, f"127.0.1.{thread + 1}") as attacker:
                return [
                    attacker.post(
                        "document", serial=f"u{thread}", session=session(n), name="qa", content=f"{content}{n}"
                    )
                    for n in range(91)
                ]

        statuses = [status for found in pool.map(deliver, range(8)) for status in found]
        print(f"{statuses.count(204)} of {len(statuses)} taken, {server.store_size() / MIB:.0f} MiB")
        assert {204, 507} == set(statuses)
        assert server.store_size() < 60 * MIB
    unit.was_served()


@pytest.mark.nightly
def test_documents_that_replace_each_other(start: Start) -> None:
    """Of a unit that was provisioned: each discards the one before. Contents are removed, and the records of most."""
    server = start(f"[limits]\n{FAST}discarded_mebibytes = 1\n")
    with client(server) as attacker:
        for state in ("MFG_STARTED", "MFG_SUCCEEDED"):
            assert attacker.post("state", serial="1", session=session(1), state=state) == 204
        for number in range(150):
            text = f"{number}" + "x" * 100_000
            assert attacker.post("document", serial="1", session=session(1), name="qa", content=text) == 204
    deadline = time.monotonic() + SECONDS
    while server.store_size() > 30 * MIB:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    status, body, _ = server.ask("GET", "/api/v1/unit?serial=1")
    assert status == 200
    statuses = [document["status"] for document in json.loads(body)["documents"]]
    assert sorted(statuses) == ["discarded"] * 100 + ["held"]


def test_a_log_without_end(start: Start) -> None:
    server = start(f"[limits]\n{FAST}unit_log_mebibytes = 2\n")
    with client(server) as attacker:
        for batch in range(40):
            events = [{"number": 30 * batch + n, "time_ns": 1, "type": "LOG", "text": "x" * 8000} for n in range(30)]
            assert attacker.post("events", serial="1", session=session(1), events=events) == 200
    status, body, _ = server.ask("GET", "/api/v1/events?serial=1&limit=1000")
    assert status == 200
    kept = [event["number"] for event in json.loads(body)["events"]]
    assert kept[-1] == 1199
    assert kept == list(range(kept[0], 1200))
    assert 200 < len(kept) < 270


def test_requests_for_passwords(start: Start) -> None:
    server = start()
    with client(server) as attacker:
        statuses = [attacker.post("credentials", serial="1", session=session(1)) for _ in range(100)]
    assert statuses.count(403) in range(30, 35)
    assert set(statuses) == {403, 429}


def test_a_disk_that_is_nearly_full(start: Start, tmp_path: Path) -> None:
    """States and logs of known units go on."""
    found = os.statvfs(tmp_path)
    free = found.f_bavail * found.f_frsize // MIB
    server = start()
    with client(server) as unit:
        assert unit.post("state", serial="known", session=session(1), state="MFG_STARTED") == 204
    server.close()
    (server.data / "server.toml").write_text(f"[limits]\nfree_mebibytes = {2 * free}\n")
    server.start()
    with client(server) as unit:
        status, body, _ = unit.reply("state", {"serial": "new", "session": session(1), "state": "MFG_STARTED"})
        assert (status, body["error"]) == (
            507,
            "the server's disk is nearly full: no new units until a person makes room",
        )
        assert unit.post("document", serial="known", session=session(1), name="qa", content="x") == 507
        assert unit.post("state", serial="known", session=session(1), state="MFG_SUCCEEDED") == 204
        events = [{"number": 1, "time_ns": 1, "type": "LOG", "text": "x"}]
        assert unit.post("events", serial="known", session=session(1), events=events) == 200
    assert units(server) == {"known"}

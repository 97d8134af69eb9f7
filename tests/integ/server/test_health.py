"""Health and figures of the server, over HTTP. Oracle: prometheus_client's parser."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gprov.apps.server.store.database import store_path
from gprov.domain.events import ProcessState as S
from tests.integ.server.test_server_process import Server, lines

SERIAL = "a serial number 4711"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with closing(Server(tmp_path / "data")) as running:
        running.start()
        yield running


def figures(server: Server) -> dict[tuple[str, str], float]:
    """By name, and values of the labels."""
    status, body, headers = server.ask("/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert SERIAL not in body.decode()
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_figures(server: Server) -> None:
    client = server.client()
    client.state(SERIAL, S.MFG_STARTED)
    client.events(SERIAL, lines(1, 30))
    client.events(SERIAL, lines(1, 31))
    server.get("unit", serial=SERIAL)
    assert server.ask("/nowhere/at/all")[0] == 404
    found = figures(server)
    assert found["gprov_events_stored_total", ""] == 31
    assert found["gprov_units", "MFG_STARTED"] == 1
    assert found["gprov_requests_total", "POST /api/v1/events 200"] == 2
    assert found["gprov_requests_total", "GET /api/v1/unit 200"] == 1
    assert server.ask("/files/x")[0] == server.ask("/erasure/17")[0] == 404
    found = figures(server)
    assert found["gprov_requests_total", "GET other 404"] == 1
    assert found["gprov_requests_total", "GET /files 404"] == 1
    assert found["gprov_requests_total", "GET /erasure/{name} 404"] == 1
    assert found["gprov_request_seconds_count", "/api/v1/events"] == 2
    assert found["gprov_free_bytes", ""] > 0
    assert found["gprov_store_waiting_requests", ""] == 0
    assert found["gprov_sweep_success_timestamp_seconds", ""] > 1.7e9


def test_ready_and_not_ready(server: Server) -> None:
    assert json.loads(server.ask("/health/live")[1]) == {"live": True}
    status, body, _ = server.ask("/health")
    assert (status, json.loads(body)) == (200, {"ready": True, "problems": [], "warnings": []})


def test_a_store_that_cannot_be_written_is_not_ready(server: Server) -> None:
    with closing(sqlite3.connect(store_path(str(server.data)), isolation_level=None)) as other:
        refusal = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        other.execute(f"CREATE TRIGGER full BEFORE UPDATE ON store_version {refusal}")
    status, body, _ = server.ask("/health")
    assert (status, json.loads(body)) == (
        503,
        {"ready": False, "problems": ["the store cannot be written"], "warnings": []},
    )
    assert server.ask("/health/live")[0] == 200


def test_a_full_disk_is_not_ready(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "server.toml").write_text(f"[limits]\nfree_mebibytes = {1 << 30}\n")
    with closing(Server(data)) as running:
        running.start()
        status, body, _ = running.ask("/health")
        assert (status, json.loads(body)["problems"]) == (503, ["there is too little room on the disk"])

"""The published description against the real application and client, with a JSON schema validator as oracle."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator
from typing_extensions import override

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.fake.system.secretbox import FakeKeys
from gprov.adapters.linux.net.factory import HttpFactory
from gprov.apps.server.container import server_container
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.erase.report_making import make_report
from gprov.domain.erase.report_text import report_bytes
from gprov.domain.errors import NetworkFault
from gprov.domain.events import (
    Event,
    LogLine,
    Milestone,
    OperationPhase,
    OperationReport,
    ProcessState,
    Progress,
    StateChange,
)
from gprov.domain.factory.document_kind import DocumentKind
from gprov.domain.unit.credentials import Secret
from gprov.ports.factory import Start
from gprov.ports.network import Fetched, Http, Reply, TransferLimits, TransferProgress
from tests.unit.erase.outcomes import OVERWRITTEN, facts_of

S = ProcessState
REPORT = report_bytes(make_report(facts_of(OVERWRITTEN)))
BASE = "http://testserver"
JSON = {"Content-Type": "application/json"}
EVENTS = (
    Event(1, 10, LogLine("two lines\n☃")),
    Event(2, 20, StateChange(S.MFG_STARTED)),
    Event(3, 30, Progress("copy", 1, 0)),
    Event(4, 40, OperationReport("format", OperationPhase.FAILED, 1.5, "no space")),
    Event(5, 50, Milestone("init", 0.5)),
)


@dataclass
class CheckedHttp(Http):
    """Http to the application in this process. Every request and reply is compared with the description; ``seen`` has
    method, path and status of each."""

    app: FastAPI
    document: dict[str, Any]
    seen: set[tuple[str, str, int]] = field(default_factory=set)

    @override
    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 16 << 20,
        seconds: float = 30.0,
    ) -> Reply:
        reply = asyncio.run(self._exchange(method, url, body, dict(headers or {})))
        path = reply.request.url.path
        operation = self.document["paths"][path][method.lower()]
        if 200 <= reply.status_code < 300 and body is not None:
            self._check(operation["requestBody"]["content"], json.loads(body))
        described = operation["responses"].get(str(reply.status_code)) or operation["responses"]["default"]
        content = described.get("content", {})
        if reply.headers.get("content-type", "") == "application/json" and reply.content:
            self._check(content, reply.json())
        else:
            assert "text/plain" in content if reply.content else not content
        self.seen.add((method, path, reply.status_code))
        return Reply(reply.status_code, reply.content)

    async def _exchange(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app)) as client:
            return await client.request(method, url, content=body, headers=headers)

    def _check(self, content: Mapping[str, Any], value: object) -> None:
        name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
        Draft202012Validator(_strict(self.document["components"]["schemas"][name])).validate(value)

    @override
    def download(self, url: str, target: str, progress: TransferProgress, limits: TransferLimits) -> Fetched:
        raise NetworkFault(url, "not here")


def _strict(value: Any) -> Any:
    """The schema, without leave for members that it does not describe."""
    if isinstance(value, list):
        return [_strict(each) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _strict(each) for key, each in value.items()}
    return {**inner, "additionalProperties": False} if "properties" in value else inner


@pytest.fixture
def http(tmp_path: Path) -> Iterator[CheckedHttp]:
    now_ns = 1_750_000_000_000_000_000
    container = server_container(str(tmp_path), FakeKeys())
    set_value(container.now, lambda: now_ns)
    with closing(container.database()):
        app = container.app()
        yield CheckedHttp(app, json.loads(json.dumps(app.openapi())))


def _report(http: CheckedHttp) -> None:
    """All that the client of a unit sends, from its provisioning to its first restore."""
    unit, other = (HttpFactory(http, FakeClock(), BASE) for _ in range(2))
    unit.start("SN 1", Start(token=Secret("0" * 32), key="ab" * 32))
    unit.unfinished_runs("SN 1")
    unit.events("SN 1", EVENTS)
    unit.time_ns()
    unit.code_name("SN 1", "QEMU")
    unit.macs("SN 1", {"eth0": "56:78:90:00:00:01"}, ["56:78:90:00:00:02"])
    unit.credentials("SN 1")
    unit.document("SN 1", "qa", "text")
    unit.register(REPORT)
    unit.document("SN 1", "hardware.json", "{}", DocumentKind.HARDWARE)
    with pytest.raises(NetworkFault, match="409"):
        unit.document("UNKNOWN_SN_1", "qa", "text")
    with pytest.raises(NetworkFault, match="403"):
        other.credentials("SN 1")
    other.prove("SN 1", Secret("cd" * 32))
    other.state("SN 1", S.FR_STARTED)
    other.state("SN 1", S.FR_FAILED)
    with pytest.raises(NetworkFault, match="409"):
        other.state("SN 1", S.FR_SUCCEEDED)


def test_messages_of_the_client_and_all_replies_are_as_described(http: CheckedHttp) -> None:
    _report(http)
    for path in ("units", "unit?serial=SN+1", "events?serial=SN+1", "events?serial=SN+1&limit=1", "unit?serial=2"):
        http.request("GET", f"{BASE}/api/v1/{path}")
    for path in ("document?serial=SN+1&name=hardware.json", "document?serial=SN+1&name=qa", "document?serial=1"):
        http.request("GET", f"{BASE}/api/v1/{path}")
    for path in ("erasures?serial=SIM0001", "erasures?serial=2", "erasures"):
        http.request("GET", f"{BASE}/api/v1/{path}")
    for path in ("units?limit=0", "unit", "events?serial=2", "events?serial=1&limit=x"):
        http.request("GET", f"{BASE}/api/v1/{path}")
    for path in ("/boot.ipxe", "/boot.ipxe?mac=56:78:90:00:00:01"):
        http.request("GET", BASE + path)
    http.request("GET", f"{BASE}/boot.ipxe", headers={"Host": "a b"})
    for body, headers in ((b'{"serial": 5}', JSON), (b"{}", {}), (b" " * (3 << 20), JSON), (b"\xff", JSON)):
        for path in ("events", "state", "code-name", "macs", "document", "credentials", "erasure"):
            http.request("POST", f"{BASE}/api/v1/{path}", body=body, headers=headers)
    succeeded = {(method, path) for method, path, status in http.seen if status < 300}
    described = {(method.upper(), path) for path, operations in http.document["paths"].items() for method in operations}
    assert succeeded == described
    assert {status for _, _, status in http.seen} == {200, 204, 400, 403, 404, 409, 413, 415, 422}


def test_every_schema_is_valid_and_used(http: CheckedHttp) -> None:
    schemas = http.document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    used = set(json.dumps(http.document["paths"]).split('"#/components/schemas/'))
    assert {name.partition('"')[0] for name in used if not name.startswith("{")} == set(schemas)

"""A simulated update server with hawkBit's DDI API, and the connection of a simulated machine to it.

It keeps what hawkBit keeps: an action ends with its first final answer, and later ones are refused with 410.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.errors import HttpRefusal, NetworkFault
from gprov.ports.network import Reply
from gprov.ports.update import ArtifactStream, UpdateServer

URL = "https://updates.example"
_BLOCKS = 4  # of each file


class ActionState(Enum):
    WAITING = "waiting for confirmation"
    RUNNING = "running"
    CANCELING = "canceling"
    ENDED = "ended"


@dataclass(kw_only=True)
class FakeAction:
    """``files``: artifacts by name. ``finals``: what ended it, ``late``: final answers that were refused; ``remarks``:
    what the unit reported besides. ``handled``: answers to its cancellation."""

    id: str
    files: dict[str, bytes]
    download: str = "forced"
    update: str = "forced"
    window: str = "available"
    state: ActionState = ActionState.RUNNING
    finals: list[dict[str, Any]] = field(default_factory=list)
    late: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    handled: list[dict[str, Any]] = field(default_factory=list)
    confirmations: list[str] = field(default_factory=list)

    @property
    def results(self) -> list[str]:
        """``success`` or ``failure``, or ``canceled``."""
        return [answer["status"]["result"]["finished"] for answer in self.finals]

    @property
    def details(self) -> str:
        """Of the final answers."""
        return "\n".join(text for answer in self.finals for text in answer["status"]["details"])


@dataclass(kw_only=True)
class FakeUpdates:
    """``down``: connections break. ``ranges``: whether parts of files are sent. ``breaks``: bytes after which the
    next connections for a file end early (``short``: without an error). ``changes``: how often its files were
    replaced by others. ``wants_attributes``: until it has got them. ``token``: "" if it wants none.
    ``states_hashes``: whether it knows any; ``wrong_hashes``: names of files whose hash it states wrongly.
    ``files_at``: host of the links to files. ``downloads``: names and first bytes; ``tokens``: what came with the
    requests for files."""

    actions: list[FakeAction] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    wants_attributes: bool = True
    down: bool = False
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    short: bool = False
    changes: int = 0
    sleep: str = "00:05:00"
    token: str = ""
    states_hashes: bool = True
    wrong_hashes: set[str] = field(default_factory=set)
    files_at: str = URL
    downloads: list[tuple[str, int]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def assign(self, files: Mapping[str, bytes], **options: Any) -> FakeAction:
        action = FakeAction(id=str(len(self.actions) + 17), files=dict(files), **options)
        self.actions.append(action)
        return action

    @property
    def offered(self) -> FakeAction | None:
        return next((one for one in self.actions if one.state is not ActionState.ENDED), None)

    def handle(self, method: str, path: str, body: bytes | None) -> Reply:
        """``path``: behind the controller's base."""
        message = json.loads(body) if body else {}
        if path == "":
            return _reply(self._base())
        if path == "/configData":
            self.attributes |= message["data"]
            self.wants_attributes = False
            return _reply({})
        kind, number, *rest = path.strip("/").split("/")
        action = next((one for one in self.actions if one.id == number), None)
        if action is None:
            return Reply(404, b"")
        if method == "GET":
            return self._described(kind, action)
        return _answered(kind, action, message) if rest == ["feedback"] else Reply(405, b"")

    def _base(self) -> dict[str, Any]:
        links = {"configData": f"{_BASE}/configData"} if self.wants_attributes else {}
        action = self.offered
        if action is not None:
            kinds = {
                ActionState.WAITING: "confirmationBase",
                ActionState.RUNNING: "deploymentBase",
                ActionState.CANCELING: "cancelAction",
            }
            kind = kinds[action.state]
            links[kind] = f"{_BASE}/{kind}/{action.id}"
        return {
            "config": {"polling": {"sleep": self.sleep}},
            "_links": {kind: {"href": url} for kind, url in links.items()},
        }

    def _described(self, kind: str, action: FakeAction) -> Reply:
        if kind == "cancelAction":
            return _reply({"id": action.id, "cancelAction": {"stopId": action.id}})
        artifacts = [
            {
                "filename": name,
                "size": len(content),
                "hashes": {"sha1": self._sha1(name, content)} if self.states_hashes else {},
                "_links": {"download": {"href": f"{self.files_at}/files/{action.id}/{name}"}},
            }
            for name, content in action.files.items()
        ]
        body = {
            "download": action.download,
            "update": action.update,
            "maintenanceWindow": action.window,
            "chunks": [{"part": "os", "version": "1", "name": "system", "artifacts": artifacts}],
        }
        return _reply({"id": action.id, "confirmation" if kind == "confirmationBase" else "deployment": body})

    def _sha1(self, name: str, content: bytes) -> str:
        stated = content + b"x" if name in self.wrong_hashes else content
        return hashlib.sha1(stated, usedforsecurity=False).hexdigest()

    def file(self, path: str) -> bytes | None:
        _, _, number, name = path.split("/", 3)
        action = next((one for one in self.actions if one.id == number), None)
        return action.files.get(name) if action is not None else None


_BASE = f"{URL}/DEFAULT/controller/v1/SIM0001"


def _answered(kind: str, action: FakeAction, message: dict[str, Any]) -> Reply:
    if kind == "confirmationBase":
        action.confirmations.append(message["confirmation"])
        action.state = ActionState.RUNNING if message["confirmation"] == "confirmed" else ActionState.WAITING
        return _reply({})
    closed = message["status"]["execution"] == "closed"
    if kind == "cancelAction":
        if action.state is not ActionState.CANCELING:
            return Reply(410, b"")
        action.handled.append(message)
        action.state = ActionState.ENDED if closed else ActionState.RUNNING
        return _reply({})
    if action.state is ActionState.ENDED:
        if closed:
            action.late.append(message)
        return Reply(410, b"")
    if closed:
        action.finals.append(message)
        action.state = ActionState.ENDED
    else:
        action.remarks += message["status"]["details"]
    return _reply({})


def _reply(value: Mapping[str, Any]) -> Reply:
    return Reply(200, json.dumps(value).encode())


class FakeUpdateServer(UpdateServer):
    """Each exchange is an operation of the machine before the server has it, and one after it: power cuts can lose a
    request, or the answer to one that was handled."""

    def __init__(self, machine: SimulatedMachine, updates: FakeUpdates) -> None:
        self._machine = machine
        self._updates = updates

    @override
    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 1 << 20,
    ) -> Reply:
        path = url.removeprefix(_BASE)
        operation = f"{method} {path or '/'}"
        self._machine.begin_write(operation)
        if self._updates.down:
            raise NetworkFault(url, "Connection refused")
        if self._updates.token and (headers or {}).get("Authorization") != self._updates.token:
            return Reply(401, b"")
        reply = self._updates.handle(method, path, body)
        self._machine.begin_write(f"{operation}: answered")
        return reply

    @override
    @contextmanager
    def open(
        self, url: str, *, begin: int = 0, proof: str = "", headers: Mapping[str, str] | None = None
    ) -> Iterator[ArtifactStream]:
        self._machine.begin_write(f"GET {url} from {begin}")
        updates = self._updates
        content = updates.file(url.removeprefix(updates.files_at)) if not updates.down else None
        updates.tokens.append((headers or {}).get("Authorization", ""))
        if updates.down:
            raise NetworkFault(url, "Connection refused")
        if content is None:
            raise HttpRefusal(url, "answered 404 Not Found", 404)
        updates.downloads.append((url.rpartition("/")[2], begin))
        current = f'"{updates.changes}"'
        parts = updates.ranges and proof in ("", current)
        yield _FakeStream(self._machine, url, content, begin if parts else 0, updates)


class _FakeStream(ArtifactStream):
    def __init__(self, machine: SimulatedMachine, url: str, content: bytes, begin: int, updates: FakeUpdates) -> None:
        self._machine = machine
        self._url = url
        self._content = content
        self._begin = begin
        self._updates = updates
        self._proof = f'"{updates.changes}"'

    @property
    @override
    def begin(self) -> int:
        return self._begin

    @property
    @override
    def proof(self) -> str:
        return self._proof

    @property
    @override
    def resumable(self) -> bool:
        return self._updates.ranges

    @override
    def blocks(self) -> Iterator[bytes]:
        most = self._updates.breaks.pop(0) if self._updates.breaks else len(self._content)
        step = max(1, -(-len(self._content) // _BLOCKS))
        end = min(len(self._content), self._begin + most)
        for start in range(self._begin, end, step):
            self._machine.begin_read(f"receive {self._url}")
            self._machine.clock.advance(1.0)
            yield self._content[start : min(start + step, end)]
        if end < len(self._content) and not self._updates.short:
            raise NetworkFault(self._url, "the connection ended early")

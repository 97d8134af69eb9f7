"""A stand-in for hawkBit's Direct Device Integration API, for what gooseBit lacks: cancellation, confirmation, several
artifacts, action ids of each assignment, refusal of second answers, attributes on request, maintenance windows.

Each request and each reply is compared with ``ddi.schema.json``; what differs is kept in ``violations``.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from tests.integ.update.ddi_actions import Action, Artifact, State
from tests.integ.update.ddi_messages import problems

TENANT = "DEFAULT"
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Download:
    """``range``: the header of the request, "" without one."""

    device: str
    filename: str
    range: str


class StandIn:
    """In this process, on a port that it keeps. ``stop`` and ``start`` are an outage; what it knows survives.

    To be set by tests: ``sleep`` (HH:MM:SS), ``target_tokens`` by device, ``gateway_token``, ``ranges`` (whether parts
    of files are served), ``hashes`` (names of those that it knows), ``confirm`` (new actions wait for confirmation).
    """

    def __init__(self) -> None:
        self.sleep = "00:00:01"
        self.target_tokens: dict[str, str] = {}
        self.gateway_token = ""
        self.ranges = True
        self.hashes = ("sha1", "md5", "sha256")
        self.confirm = False
        self.actions: list[Action] = []
        self.attributes: dict[str, dict[str, str]] = {}
        self.wanted_attributes: set[str] = set()
        self.requests: list[tuple[str, str]] = []
        self.downloads: list[Download] = []
        self.violations: list[str] = []
        self.port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def assign(
        self,
        device: str,
        files: Iterable[Path],
        *,
        version: str = "1",
        download: str = "forced",
        update: str = "forced",
    ) -> Action:
        """A new action. Those before it are canceled."""
        for earlier in self._active(device):
            earlier.state = State.CANCELED if earlier.state is State.WAITING else State.CANCELING
        action = Action(
            number=len(self.actions) + 101,
            device=device,
            artifacts=tuple(map(Artifact, files)),
            version=version,
            download=download,
            update=update,
            state=State.WAITING if self.confirm else State.RUNNING,
        )
        self.actions.append(action)
        return action

    def cancel(self, action: Action) -> None:
        assert action.state is State.RUNNING
        action.state = State.CANCELING

    def ask_attributes(self, device: str) -> None:
        self.wanted_attributes.add(device)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = uvicorn.Config(
            _application(self), host="127.0.0.1", port=self.port, log_level="warning", ws="none", lifespan="off",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = server = uvicorn.Server(config)
        self._thread = thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
        thread.start()
        until(lambda: server.started or not thread.is_alive())
        assert server.started, "the server has ended"
        self.port = server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(_SECONDS)
        assert not self._thread.is_alive(), "the server does not end"
        self._server = None

    def _active(self, device: str) -> list[Action]:
        return [action for action in self.actions if action.device == device and action.state.active]

    def offered(self, device: str) -> Action | None:
        """The oldest active one, as hawkBit does if all have the same weight."""
        return next(iter(self._active(device)), None)

    def installed(self, device: str) -> Action | None:
        done = [one for one in self.actions if one.device == device and one.state is State.FINISHED]
        return done[-1] if done else None

    def action(self, device: str, number: int) -> Action:
        for action in self.actions:
            if (action.device, action.number) == (device, number):
                return action
        raise HTTPException(404)

    def authenticate(self, request: Request, device: str) -> None:
        tokens = {f"TargetToken {self.target_tokens.get(device)}"} if self.target_tokens else set()
        tokens |= {f"GatewayToken {self.gateway_token}"} if self.gateway_token else set()
        if tokens and request.headers.get("Authorization") not in tokens:
            raise HTTPException(401)

    def reply(self, name: str, value: dict[str, Any]) -> Response:
        self.violations += [f"reply {problem}" for problem in problems(name, value)]
        return JSONResponse(value, media_type="application/hal+json")

    async def body(self, name: str, request: Request) -> dict[str, Any]:
        """Raises HTTPException as hawkBit's reply to what it does not understand."""
        if request.headers.get("Content-Type", "").partition(";")[0] != "application/json":
            self.violations.append(f"request {name}: Content-Type is {request.headers.get('Content-Type')!r}")
            raise HTTPException(415)
        try:
            value = await request.json()
        except ValueError as exc:
            self.violations.append(f"request {name}: no JSON")
            raise HTTPException(400) from exc
        if found := problems(name, value):
            self.violations += [f"request {problem}" for problem in found]
            raise HTTPException(400)
        assert isinstance(value, dict)
        return value


def _application(world: StandIn) -> FastAPI:
    app = FastAPI(openapi_url=None)
    root = f"/{TENANT}/controller/v1/{{device}}"

    @app.middleware("http")
    async def journal(request: Request, call_next: Any) -> Any:
        world.requests.append((request.method, request.url.path))
        parts = request.url.path.split("/")
        try:
            world.authenticate(request, parts[4] if len(parts) > 4 else "")
        except HTTPException as refused:
            return Response(status_code=refused.status_code)
        return await call_next(request)

    _add_base(app, root, world)
    _add_deployments(app, root, world)
    _add_cancellation(app, root, world)
    _add_artifacts(app, root, world)
    _add_confirmation(app, root, world)
    return app


def _add_base(app: FastAPI, root: str, world: StandIn) -> None:
    @app.get(root)
    async def base(device: str, request: Request) -> Response:
        links = _links(world, device)
        value: dict[str, Any] = {"config": {"polling": {"sleep": world.sleep}}}
        if links:
            value["_links"] = {kind: {"href": f"{_here(request, device)}/{path}"} for kind, path in links.items()}
        return world.reply("controllerBase", value)

    @app.put(f"{root}/configData")
    async def config_data(device: str, request: Request) -> Response:
        value = await world.body("configData", request)
        known, mode, data = world.attributes.get(device, {}), value.get("mode", "merge"), value["data"]
        kept = {key: text for key, text in known.items() if mode != "replace" and key not in data}
        world.attributes[device] = kept if mode == "remove" else kept | data
        world.wanted_attributes.discard(device)
        return Response()


def _links(world: StandIn, device: str) -> dict[str, str]:
    """Of a poll: paths by kind."""
    if device not in world.attributes:
        world.wanted_attributes.add(device)
    links: dict[str, str] = {}
    if (action := world.offered(device)) is not None:
        kinds = {State.WAITING: "confirmationBase", State.CANCELING: "cancelAction"}
        kind = kinds.get(action.state, "deploymentBase")
        links[kind] = f"{kind}/{action.number}" + ("" if kind == "cancelAction" else f"?c={_etag(action)}")
    if (installed := world.installed(device)) is not None:
        links["installedBase"] = f"installedBase/{installed.number}"
    if device in world.wanted_attributes:
        links["configData"] = "configData"
    return links


def _add_deployments(app: FastAPI, root: str, world: StandIn) -> None:
    @app.get(f"{root}/deploymentBase/{{number}}")
    async def deployment(device: str, number: int, request: Request) -> Response:
        action = world.action(device, number)
        if action.state is not State.RUNNING:
            raise HTTPException(404)
        value = {"id": str(number), "deployment": _deployment(world, action, request)}
        return world.reply("deploymentBase", value)

    @app.post(f"{root}/deploymentBase/{{number}}/feedback")
    async def feedback(device: str, number: int, request: Request) -> Response:
        action = world.action(device, number)
        status = action.answered(await world.body("feedback", request))
        if action.state is State.FINISHED and status == 200:
            world.wanted_attributes.add(device)
        return Response(status_code=status)

    @app.get(f"{root}/installedBase/{{number}}")
    async def installed(device: str, number: int, request: Request) -> Response:
        action = world.action(device, number)
        if action.state.active or action.state is State.CANCELED:
            raise HTTPException(404)
        value = {"id": str(number), "deployment": _deployment(world, action, request)}
        return world.reply("deploymentBase", value)


def _add_cancellation(app: FastAPI, root: str, world: StandIn) -> None:
    @app.get(f"{root}/cancelAction/{{number}}")
    async def cancel(device: str, number: int) -> Response:
        if world.action(device, number).state not in (State.CANCELING, State.CANCELED):
            raise HTTPException(404)
        return world.reply("cancelAction", {"id": str(number), "cancelAction": {"stopId": str(number)}})

    @app.post(f"{root}/cancelAction/{{number}}/feedback")
    async def cancel_feedback(device: str, number: int, request: Request) -> Response:
        action = world.action(device, number)
        return Response(status_code=action.cancel_answered(await world.body("feedback", request)))


def _add_artifacts(app: FastAPI, root: str, world: StandIn) -> None:
    @app.get(f"{root}/softwaremodules/{{number}}/artifacts/{{filename}}")
    async def download(device: str, number: int, filename: str, request: Request) -> Response:
        world.downloads.append(Download(device, filename, request.headers.get("Range", "")))
        found = {each.name: each for each in world.action(device, number).artifacts}
        if filename not in found:
            raise HTTPException(404)
        path = found[filename].path
        headers = {"ETag": f'"{found[filename].hashes(("sha1",))["sha1"]}"'}
        if world.ranges:
            return FileResponse(path, media_type="application/octet-stream", headers=headers)
        return Response(path.read_bytes(), media_type="application/octet-stream", headers=headers)


def _add_confirmation(app: FastAPI, root: str, world: StandIn) -> None:
    @app.get(f"{root}/confirmationBase")
    async def base(device: str, request: Request) -> Response:
        links = {"activateAutoConfirm": "confirmationBase/activateAutoConfirm"}
        action = world.offered(device)
        if action is not None and action.state is State.WAITING:
            links["confirmationBase"] = f"confirmationBase/{action.number}?c={_etag(action)}"
        linked = {kind: {"href": f"{_here(request, device)}/{path}"} for kind, path in links.items()}
        return world.reply("confirmationBase", {"autoConfirm": {"active": False}, "_links": linked})

    @app.get(f"{root}/confirmationBase/{{number}}")
    async def confirmation(device: str, number: int, request: Request) -> Response:
        action = world.action(device, number)
        if action.state is not State.WAITING:
            raise HTTPException(404)
        value = {"id": str(number), "confirmation": _deployment(world, action, request)}
        return world.reply("confirmationBaseAction", value)

    @app.post(f"{root}/confirmationBase/{{number}}/feedback")
    async def feedback(device: str, number: int, request: Request) -> Response:
        action = world.action(device, number)
        return Response(status_code=action.confirmed(await world.body("confirmationFeedback", request)))


def _deployment(world: StandIn, action: Action, request: Request) -> dict[str, Any]:
    """Links lead to where the request came from, so that a proxy stays in between."""
    here = f"{_here(request, action.device)}/softwaremodules/{action.number}/artifacts"
    artifacts = [
        {
            "filename": each.name,
            "hashes": each.hashes(world.hashes),
            "size": each.path.stat().st_size,
            "_links": {"download-http": {"href": f"{here}/{each.name}"}},
        }
        for each in action.artifacts
    ]
    window = {} if action.window is None else {"maintenanceWindow": action.window}
    update = "skip" if action.window == "unavailable" else action.update
    chunk = {"part": "os", "version": action.version, "name": "system", "artifacts": artifacts}
    return {"download": action.download, "update": update, **window, "chunks": [chunk]}


def _here(request: Request, device: str) -> str:
    return f"{str(request.base_url).rstrip('/')}/{TENANT}/controller/v1/{device}"


def _etag(action: Action) -> int:
    """It changes with what the device is to do."""
    text = f"{action.number} {action.download} {action.update} {action.window}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


def until(condition: Callable[[], bool], seconds: float = _SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


@contextmanager
def running_stand_in() -> Iterator[StandIn]:
    """The test fails if a message was not as the schema has it."""
    server = StandIn()
    server.start()
    try:
        yield server
    finally:
        server.stop()
    assert server.violations == []

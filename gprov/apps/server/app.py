"""The composition root: a data folder becomes an ASGI application."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from gprov.apps.server import models
from gprov.apps.server.api import Services, api, log
from gprov.apps.server.database import Database
from gprov.apps.server.files import PublishedFiles
from gprov.apps.server.http import install_error_replies
from gprov.apps.server.netboot import Netboot, netboot
from gprov.apps.server.reading import Reading
from gprov.apps.server.release import Releases
from gprov.apps.server.store import Store
from gprov.apps.server.vault import Vault
from gprov.domain.errors import DeviceFault
from gprov.ports.clock import Randomness
from gprov.ports.files import Files

SWEEP_SECONDS = 1.0
_REQUESTS = (
    models.EventsIn,
    models.StateIn,
    models.CodeNameIn,
    models.MacsIn,
    models.DocumentIn,
    models.CredentialsIn,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """``hold_ns``: how long a document waits for the first restore. ``window_ns``: how long after MFG_STARTED
    passwords are handed out."""

    hold_ns: int = 20 * 60 * 10**9
    window_ns: int = 4 * 3600 * 10**9


@dataclass(frozen=True, slots=True)
class Machine:
    """What the server needs of its host. ``now``: UTC, ns."""

    files: Files
    randomness: Randomness
    now: Callable[[], int]


def make_services(database: Database, folder: str, policy: Policy, machine: Machine) -> Services:
    return Services(
        Store(database, machine.now, policy.hold_ns),
        Vault(database, machine.now, machine.randomness, policy.window_ns),
        Reading(database),
        Releases(database, machine.files, os.path.join(folder, "documents")),
        machine.now,
    )


def make_app(services: Services, folder: str, boot: Netboot) -> FastAPI:
    """Serve the API, scripts for network boot, and the files below ``folder``/files. Raises DeviceFault."""
    files = _folder(folder, "files")
    _folder(folder, "documents")

    @asynccontextmanager
    async def sweeping(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_sweep(services))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    app = FastAPI(
        title="gprov factory server",
        version=version("gprov"),
        description="Units report how their provisioning goes; the factory reads it back.",
        docs_url=None,  # these pages would load scripts from the internet, which a factory does not have
        redoc_url=None,
        lifespan=sweeping,
    )
    install_error_replies(app)
    app.include_router(api(services))
    app.include_router(netboot(boot, services.reading, services.now))
    app.mount("/files", PublishedFiles(files), name="files")
    _describe_requests(app)
    return app


def _folder(*parts: str) -> str:
    """One that others may read; left as it is if it is there."""
    path = os.path.join(*parts)
    try:
        os.makedirs(path, mode=0o755, exist_ok=True)
    except OSError as exc:
        raise DeviceFault(path, f"cannot be made: {exc.strerror}", errno=exc.errno) from exc
    return path


async def _sweep(services: Services) -> None:
    while True:
        try:
            await asyncio.to_thread(services.store.sweep)
            await asyncio.to_thread(services.write_releases)
        except DeviceFault as fault:
            log.warning("%s", fault)  # the next round tries again
        await asyncio.sleep(SWEEP_SECONDS)


def _describe_requests(app: FastAPI) -> None:
    """Add the request models to the API description: routes take bytes, so FastAPI does not know them."""
    generated = app.openapi

    def openapi() -> dict[str, Any]:
        document = generated()
        _, shared = models_json_schema(
            [(model, "validation") for model in _REQUESTS], ref_template="#/components/schemas/{model}"
        )
        document["components"]["schemas"].update(shared["$defs"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this way of extending it

"""The composition root of the server: services on a data folder, and the ASGI application over them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

from fastapi import FastAPI

from gprov.apps.server.api import Services, api, log
from gprov.apps.server.credentials import CredentialService
from gprov.apps.server.database import Database
from gprov.apps.server.files import PublishedFiles
from gprov.apps.server.http import install_error_replies
from gprov.apps.server.netboot import Netboot, netboot
from gprov.apps.server.openapi import DescribedApp
from gprov.apps.server.queries import Queries
from gprov.apps.server.released_documents import ReleasedDocuments
from gprov.apps.server.store import Store
from gprov.domain.errors import DeviceFault
from gprov.ports.clock import Randomness
from gprov.ports.files import Files

SWEEP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Policy:
    """``hold_ns``: how long a document waits for the first restore. ``window_ns``: how long after MFG_STARTED
    passwords are handed out."""

    hold_ns: int = 20 * 60 * 10**9
    window_ns: int = 4 * 3600 * 10**9


@dataclass(frozen=True, slots=True)
class Host:
    """What the server uses of its host. ``now``: UTC, ns."""

    files: Files
    randomness: Randomness
    now: Callable[[], int]


def make_services(database: Database, folder: str, policy: Policy, host: Host) -> Services:
    return Services(
        Store(database, host.now, policy.hold_ns),
        CredentialService(database, host.now, host.randomness, policy.window_ns),
        Queries(database),
        ReleasedDocuments(database, host.files, os.path.join(folder, "documents")),
        host.now,
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

    app = DescribedApp(
        title="gprov factory server",
        version=version("gprov"),
        description="Units report the course of their provisioning; the factory reads it back.",
        docs_url=None,  # these pages load scripts from the internet, which factories do not reach
        redoc_url=None,
        lifespan=sweeping,
    )
    install_error_replies(app)
    app.include_router(api(services))
    app.include_router(netboot(boot, services.queries, services.now))
    app.mount("/files", PublishedFiles(files), name="files")
    return app


def _folder(*parts: str) -> str:
    """Make a folder that other users may read; an existing one is left as it is."""
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
            await asyncio.to_thread(services.write_released)
        except DeviceFault as fault:
            log.warning("%s", fault)  # the next round tries again
        await asyncio.sleep(SWEEP_SECONDS)
